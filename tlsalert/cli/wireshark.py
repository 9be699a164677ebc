"""What ``read`` writes for Wireshark: the capture with comments, or a few of its connections, and the comparison."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, TextIO

import click

from tlsalert.errors import CaptureError, UsageError
from tlsalert.model import Connection
from tlsalert.packet_reader import Reader

if TYPE_CHECKING:
    from tlsalert.cross_check.check import Check
    from tlsalert.log_reader import LogReader


class ForWireshark:
    """Takes the connections of one capture as they are shown; :meth:`finish` writes the files that were asked for.

    Raises :class:`tlsalert.errors.UsageError` where the evidence cannot be read again, as all this needs.
    """

    def __init__(
        self,
        evidence: tuple[str, ...],
        annotate: str | None,
        extract: str | None,
        with_secrets: bool,
        check: Check | None,
    ) -> None:
        self._annotation = self._extraction = None
        self._check = check
        if with_secrets and extract is None:
            raise UsageError("--with-secrets goes with --extract", None, "name the file that is to hold the secrets")
        if not (annotate or extract):
            return
        if "-" in (annotate, extract):
            raise UsageError("--annotate and --extract write files", "-", "standard output has the report: name a file")
        if len(evidence) > 1:
            raise UsageError("--annotate and --extract write one capture at a time", None, "give one piece of evidence")
        if evidence[0] == "-" or _is_stream(evidence[0]):
            raise UsageError("--annotate and --extract read the capture twice", evidence[0], "save the pipe to a file")
        from tlsalert.annotation import Annotation
        from tlsalert.extraction import Extraction

        self._annotation = Annotation(annotate) if annotate else None
        self._extraction = Extraction(extract, with_secrets) if extract else None

    def take(self, connection: Connection, reader: Reader | LogReader) -> None:
        """Take a connection that is shown."""
        if self._check is not None:
            self._check.take(connection)
        if self._annotation is not None:
            self._annotation.take(connection)
        if self._extraction is not None and isinstance(reader, Reader):
            self._extraction.take(connection, reader.flow)

    def compare(self, out: TextIO) -> bool:
        """Write how what was read compares with what Wireshark sees; say whether there is a difference nobody knows."""
        return self._check is not None and self._check.report(out)

    def finish(self, reader: Reader | LogReader) -> None:
        """Write the files when the capture has been read, and say on standard error what is in them."""
        asked = self._annotation or self._extraction or self._check
        if self._check is not None:
            self._check.add(reader.summary.source)
        if asked is not None and not isinstance(reader, Reader):
            raise CaptureError("that is a log: it has no packets for Wireshark", reader.summary.source)
        if self._annotation is not None:
            _tell(self._annotation.write(reader.summary))
        if self._extraction is not None and isinstance(reader, Reader):
            _tell(self._extraction.write(reader.summary.source, reader.secrets))


def _is_stream(path: str) -> bool:
    """Whether a path is a pipe or a device. What is not there, or a folder, is told where it is opened."""
    return os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path)


def checking(keylogs: tuple[str, ...], selected: bool) -> Check:
    """Return what compares whole captures with Wireshark, which gets the same key logs."""
    if selected:
        raise UsageError("--cross-check compares all connections", None, "leave out --only and --connection")
    from tlsalert.cross_check.check import Check

    return Check(keylogs)


def _tell(sentences: Iterable[str]) -> None:
    for sentence in sentences:
        click.echo(f"tlsalert: {sentence}", err=True)
        sys.stderr.flush()
