"""What both generations of the protocol share in a client's handshake: records out, transcript, key log, alerts."""

from __future__ import annotations

from typing import Final

from tlsalert.pki.presentation import Presentation
from tlsalert.pki.signatures import taken_apart
from tlsalert.registry.alerts import AlertDescription
from tlsalert.replay.records import ALERT, HANDSHAKE, RecordReader, RecordWriter
from tlsalert.secrets.handshake import Handshake as Facts
from tlsalert.wire.cursor import Cursor

HELLO_REQUEST, CLIENT_HELLO, SERVER_HELLO, NEW_SESSION_TICKET, ENCRYPTED_EXTENSIONS = 0, 1, 2, 4, 8
CERTIFICATE, SERVER_KEY_EXCHANGE, CERTIFICATE_REQUEST, SERVER_HELLO_DONE = 11, 12, 13, 14
CERTIFICATE_VERIFY, CLIENT_KEY_EXCHANGE, FINISHED, CERTIFICATE_STATUS, KEY_UPDATE = 15, 16, 20, 22, 24
COMPRESSED_CERTIFICATE, NEXT_PROTOCOL = 25, 67

WARNING, FATAL = 1, 2
#: The object identifier id-RSASSA-PSS, RFC 4055 §1.2, with its tag and length.
PSS_KEY: Final = bytes.fromhex("06092a864886f70d01010a")
#: A certificate's length has three bytes.
LARGEST: Final = (1 << 24) - 1


class Abort(Exception):  # noqa: N818, it ends a handshake, and is data for whoever asked for it
    """The client cannot go on: the alert that it answers with, and why in words."""

    def __init__(self, alert: AlertDescription, why: str) -> None:
        super().__init__(alert, why)
        self.alert, self.why = alert, why


class Core:
    """The state of one connection. ``out`` is what waits to be sent; it goes out in one piece.

    ``asked`` says that the server asked for a certificate at some time.
    """

    def __init__(self, presentation: Presentation, first_version: int) -> None:
        self.presentation = presentation
        self.reader = RecordReader()
        self.writer = RecordWriter(first_version)
        self.facts = Facts()
        self.transcript = bytearray()
        self.out = bytearray()
        self.secrets: list[str] = []
        self.notes: list[str] = []
        self.asked = False

    def note(self, says: str) -> None:
        """Keep a remark, once."""
        if says not in self.notes:
            self.notes.append(says)

    def log_secret(self, label: str, secret: bytes) -> None:
        """Add a line to the key log (RFC 9850 §2)."""
        random = self.facts.client_random or b""
        self.secrets.append(f"{label} {random.hex()} {bytes(secret).hex()}")

    def take(self, message: bytes) -> None:
        """Put a message of the server into the transcript."""
        self.transcript += message
        self.facts.take("server", message)

    def say(self, kind: int, body: bytes) -> bytes:
        """Queue a message of the client, and put it into the transcript; return it."""
        message = self.made(kind, body)
        self.transcript += message
        self.out += self.writer.write(HANDSHAKE, message)
        return message

    def made(self, kind: int, body: bytes) -> bytes:
        """Return a handshake message."""
        if len(body) > LARGEST:
            raise Abort(AlertDescription.internal_error, f"a message of {len(body)} bytes cannot be sent")
        return bytes((kind,)) + len(body).to_bytes(3, "big") + body

    def say_certificates(self, body: bytes) -> bool:
        """Queue the Certificate message with this body, unless none is to be sent; say whether a proof must follow."""
        shown = self.presentation
        if not shown.message:
            return False
        self.say(CERTIFICATE, body if shown.raw is None else shown.raw)
        return self.proves

    @property
    def proves(self) -> bool:
        """Whether a CertificateVerify goes with what is presented."""
        shown = self.presentation
        some = shown.raw is not None or bool(shown.certificates)
        return shown.message and some and shown.key is not None and shown.proof != "omitted"

    @property
    def pss_only(self) -> bool:
        """Whether the leaf's key is of the kind id-RSASSA-PSS (RFC 8446 §4.2.3: rsa_pss_pss)."""
        shown = self.presentation
        parts = taken_apart(shown.certificates[0]) if shown.certificates else None
        return parts is not None and PSS_KEY in parts.key[:32]

    def alert(self, level: int, description: int) -> None:
        """Queue an alert."""
        self.out += self.writer.write(ALERT, bytes((level, description)))

    def finished(self, data: bytes) -> bytes:
        """Return the verify_data to send: broken on purpose where that is what is tried."""
        if self.presentation.finished == "right":
            return data
        return data[:-1] + bytes((data[-1] ^ 1,))


def extensions(cursor: Cursor) -> dict[int, bytes]:
    """Read a block of extensions; of two alike the later one counts. Raises DecodeError."""
    found: dict[int, bytes] = {}
    inner = cursor.vector(2, "extensions")
    while inner.left:
        kind = inner.u16("extension_type")
        found[kind] = inner.vector(2, "extension").rest()
    return found


def cursor(body: bytes) -> Cursor:
    """Return a cursor over a whole message body."""
    return Cursor(body, 0, len(body))
