"""What can go wrong, as a small family: each error says what, where, and what to do about it."""

from __future__ import annotations


class TlsalertError(Exception):
    """The base of every error that tlsalert raises on purpose.

    ``what`` is the trouble in a few words, ``where`` the file, packet or argument it is about,
    ``mend`` what the user can do. A TLS alert found in evidence is data and never raised.
    """

    #: What the command line exits with: 2 usage, 3 evidence, 4 target (see ``tlsalert --help``).
    exit_code = 3

    def __init__(self, what: str, where: str | None = None, mend: str | None = None) -> None:
        super().__init__(what, where, mend)
        self.what, self.where, self.mend = what, where, mend

    def __str__(self) -> str:
        said = self.what if self.where is None else f"{self.where}: {self.what}"
        return said if self.mend is None else f"{said}; {self.mend}"


class CaptureError(TlsalertError):
    """A capture, log or interface cannot be read."""


class DecodeError(TlsalertError):
    """Bytes break the grammar they should follow."""


class UsageError(TlsalertError):
    """A call or a command line asked for the impossible."""

    exit_code = 2


class ReplayError(TlsalertError):
    """A device could not be reached or driven."""

    exit_code = 4
