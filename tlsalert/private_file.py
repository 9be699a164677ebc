"""Captures that are written: others may not read them, and they may hold secrets."""

from __future__ import annotations

import os
import stat
from types import TracebackType
from typing import IO

from tlsalert.errors import CaptureError


class PrivateFile:
    """A file that is written anew, readable by its owner alone (mode 0600), as Wireshark makes its captures.

    Raises :class:`tlsalert.errors.CaptureError` where it cannot be opened or written.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            if stat.S_ISREG(os.fstat(handle).st_mode):
                os.fchmod(handle, 0o600)  # it may have been there already, open to all
        except OSError as error:
            raise CaptureError(f"cannot be written: {error.strerror}", path) from error
        self._file: IO[bytes] = os.fdopen(handle, "wb", 1 << 16)

    def __enter__(self) -> PrivateFile:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        try:
            self._file.close()
        except OSError as failure:
            if error is None:
                raise self._failed(failure) from failure

    def write(self, data: bytes) -> None:
        """Write bytes."""
        try:
            self._file.write(data)
        except OSError as error:
            raise self._failed(error) from error

    def _failed(self, error: OSError) -> CaptureError:
        return CaptureError(f"cannot be written: {error.strerror}", self._path)
