"""A client's handshake without sockets: the server's bytes in, the client's out.

handshake = Handshake(hello, "TLS 1.2", presentation)
send(handshake.output())            # the ClientHello
handshake.feed(receive())           # until handshake.waiting says otherwise
send(handshake.output())            # the whole flight from Certificate to Finished, in one piece
"""

from __future__ import annotations

from random import Random
from typing import Final

from cryptography.exceptions import InternalError, UnsupportedAlgorithm

from tlsalert.errors import DecodeError, TlsalertError
from tlsalert.pki.presentation import Presentation
from tlsalert.registry.alerts import AlertDescription
from tlsalert.registry.versions import version_label
from tlsalert.replay.core import (
    CERTIFICATE_REQUEST,
    FATAL,
    HELLO_REQUEST,
    SERVER_HELLO,
    WARNING,
    Abort,
    Core,
    cursor,
    extensions,
)
from tlsalert.replay.exchange import Proof
from tlsalert.replay.greeting import FreshHello, Hello
from tlsalert.replay.hello import VERSIONS
from tlsalert.replay.legacy import Legacy, with_renegotiation
from tlsalert.replay.outcome import Stage
from tlsalert.replay.records import (
    ALERT,
    APPLICATION_DATA,
    CHANGE_CIPHER_SPEC,
    HANDSHAKE,
    PLAINTEXT,
    NotTls,
    TooLong,
)
from tlsalert.replay.target import Limits
from tlsalert.replay.tls13 import Tls13, after_retry
from tlsalert.secrets.handshake import Handshake as Facts
from tlsalert.secrets.schedule import SSLV3, TLS12, TLS13

#: The version of a first ClientHello's records where the hello does not bring its own, RFC 8446 App. D.1.
TLS10: Final = 0x0301
#: How many renegotiations are gone along with.
MOST_HANDSHAKES: Final = 4


class Handshake:
    """One connection of a client. It never raises out of what a server says.

    ``failure`` is why the client gave up (it has queued an alert then), ``limit`` the name of a limit that was passed,
    ``alerts`` are the fatal alerts and closures of the server that could be read, in order. ``received`` counts the
    bytes of application data, ``farewell`` says that the server sent close_notify.
    """

    def __init__(
        self,
        hello: Hello,
        version: str,
        presentation: Presentation,
        *,
        server_name: str | None = None,
        random: Random | None = None,
        limits: Limits | None = None,
    ) -> None:
        self.failure: str | None = None
        self.limit: str | None = None
        self.alerts: list[tuple[int, int]] = []
        self.received = 0
        self.application = b""
        self.farewell = False
        self._wanted = version
        self._limits = limits or Limits()
        self._hello = hello.for_version(version)
        self._server_name, self._random = server_name, random
        self._core = Core(presentation, min(VERSIONS[version], TLS10))
        self._side: Legacy | Tls13 | None = None
        self._fresh = self._hello.fresh(random, server_name)
        self._retried = self._finished = False
        self._handshakes = 1
        self._pending = bytearray()
        self._records = self._messages = 0
        self._compatible = False
        self._answered = False
        self._since = 0
        self._greet(b"".join(self._fresh.records))

    # how far it is -----------------------------------------------------------------------------------------

    @property
    def stage(self) -> Stage:
        """How far the handshake got."""
        side = self._side
        if side is None:
            return "established" if self._handshakes > 1 else "client_hello"
        if self.accepted:
            return "established"
        return "client_certificate" if side.sent else "server_hello"

    @property
    def accepted(self) -> bool:
        """Whether the server has shown that it takes the handshake: its Finished, in TLS 1.3 a ticket or data."""
        if isinstance(self._side, Legacy):
            return self._side.done
        return isinstance(self._side, Tls13) and self._side.sent and (self._side.tickets > 0 or self._since > 0)

    @property
    def proof(self) -> Proof | None:
        """What shows that the server took the handshake, the strongest first; None while nothing does."""
        if not self.accepted:
            return None
        if self._since:
            return "application_data"
        return "finished" if isinstance(self._side, Legacy) else "new_session_ticket"

    @property
    def finished(self) -> bool:
        """Whether the client may send application data: both sides did their part, as far as it knows."""
        side = self._side
        return side is not None and (side.done if isinstance(side, Legacy) else side.sent)

    @property
    def tls13(self) -> bool:
        """Whether TLS 1.3 was agreed on."""
        return isinstance(self._side, Tls13)

    @property
    def ended(self) -> bool:
        """Whether nothing more is to be said: the client gave up, or the server sent a fatal alert or close_notify."""
        return self.failure is not None or self.limit is not None or bool(self.alerts) or self.farewell

    @property
    def notes(self) -> tuple[str, ...]:
        """What was odd."""
        notes, shown = self._core.notes, self._core.presentation
        if self._answered and not self._core.asked and (shown.certificates or shown.raw is not None):
            return (*notes, "the server did not ask for a certificate: none was sent")
        return tuple(notes)

    @property
    def secrets(self) -> tuple[str, ...]:
        """The lines of the key log so far."""
        return tuple(self._core.secrets)

    # what goes in and out ----------------------------------------------------------------------------------

    def output(self) -> bytes:
        """Take what waits to be sent: send it in one piece."""
        data = bytes(self._core.out)
        self._core.out.clear()
        self._answered = self._side is not None and self._side.sent
        return data

    def feed(self, data: bytes) -> None:
        """Take the server's next bytes."""
        if self.ended:
            return
        try:
            self._core.reader.feed(data)
            self._read()
        except Abort as error:
            self._give_up(error.alert, error.why)
        except NotTls as error:
            words = error.data.decode("ascii", "backslashreplace")
            self._give_up(AlertDescription.unexpected_message, f"what the server says is not TLS: {words!r}")
        except TooLong as error:
            self._give_up(AlertDescription.record_overflow, str(error))
        except DecodeError as error:
            self._give_up(AlertDescription.decode_error, f"a message of the server breaks its grammar: {error}")
        except (ValueError, OverflowError, UnsupportedAlgorithm, InternalError) as error:
            self._give_up(AlertDescription.illegal_parameter, f"the server's values cannot be used: {error}")

    def request(self, data: bytes) -> None:
        """Queue application data."""
        self._core.out += self._core.writer.write(APPLICATION_DATA, data)

    def close(self) -> None:
        """Queue close_notify, RFC 8446 §6.1."""
        self._core.alert(WARNING, AlertDescription.close_notify)

    # inside ------------------------------------------------------------------------------------------------

    def _read(self) -> None:
        """Take every record that has come whole, until there is nothing more to be said."""
        for record in self._core.reader.records():
            self._records += 1
            if self._records > self._limits.records:
                self.limit = f"{self._limits.records} records"
                return
            opened = self._core.reader.open(record)
            if isinstance(opened, str):
                raise Abort(AlertDescription.bad_record_mac, f"a record of the server {opened}")
            self._take(*opened)
            if self.ended:
                return

    def _give_up(self, alert: AlertDescription, why: str) -> None:
        self.failure = why
        code = alert
        if self._core.writer.version == SSLV3 and alert in (
            AlertDescription.decode_error,
            AlertDescription.decrypt_error,
        ):
            code = AlertDescription.handshake_failure  # SSLv3 has fewer, RFC 6101 §5.4
        self._core.alert(FATAL, code)

    def _greet(self, records: bytes) -> None:
        core = self._core
        core.transcript += self._fresh.message
        core.facts.take("client", self._fresh.message)
        core.out += records

    def _take(self, content_type: int, data: bytes) -> None:
        if content_type == HANDSHAKE:
            self._pending += data
            self._cut()
        elif content_type == ALERT:
            self._alert(data)
        elif content_type == CHANGE_CIPHER_SPEC:
            self._change()
        elif content_type == APPLICATION_DATA:
            if not self.finished and not self._finished:
                raise Abort(AlertDescription.unexpected_message, "the server sent data before the handshake was over")
            self.received += len(data)
            if self._answered:  # a TLS 1.3 server may speak before it has seen the client's flight: that proves nothing
                self._since += len(data)
            self.application += data[: max(0, PLAINTEXT - len(self.application))]

    def _change(self) -> None:
        if self._side is None:
            self._compatible = True  # after a HelloRetryRequest, RFC 8446 App. D.4
            if not self._retried:
                raise Abort(AlertDescription.unexpected_message, "the server changed its cipher before its hello")
        else:
            self._side.change_cipher_spec()

    def _alert(self, data: bytes) -> None:
        """Take alerts: warnings are passed over, but for close_notify."""
        if len(data) < 2:
            raise Abort(AlertDescription.decode_error, "an alert of the server is cut")
        for at in range(0, len(data) - 1, 2):
            level, description = data[at], data[at + 1]
            if description == AlertDescription.close_notify:
                self.farewell = True
            elif level == FATAL or (self.tls13 and description != AlertDescription.user_canceled):
                self.alerts.append((level, description))
            elif description == AlertDescription.no_certificate or description == AlertDescription.unrecognized_name:
                self._core.note(f"the server warned: {AlertDescription(description)}")

    def _cut(self) -> None:
        """Cut whole messages out of what the records held."""
        pending = self._pending
        while len(pending) >= 4 and not self.ended:
            size = int.from_bytes(pending[1:4], "big")
            if size > self._limits.message:
                self.limit = f"a message of {size} bytes"
                return
            if len(pending) < 4 + size:
                return
            message = bytes(pending[: 4 + size])
            del pending[: 4 + size]
            self._messages += 1
            if self._messages > self._limits.messages:
                self.limit = f"{self._limits.messages} messages"
                return
            self._message(message[0], message)

    def _message(self, kind: int, message: bytes) -> None:
        side = self._side
        if side is None:
            if kind == HELLO_REQUEST:
                return  # it is under way already, RFC 5246 §7.4.1.1
            if kind != SERVER_HELLO:
                raise Abort(AlertDescription.unexpected_message, f"the server began with a message of type {kind}")
            self._server_hello(message)
        elif isinstance(side, Legacy) and side.done:
            if kind != HELLO_REQUEST:
                raise Abort(AlertDescription.unexpected_message, f"the server sent a message of type {kind} afterwards")
            self._renegotiate(side)
        else:
            side.message(kind, message)
            if isinstance(side, Tls13):
                self._judge_anew(side, kind)
            self._finished = self._finished or self.finished

    def _judge_anew(self, side: Tls13, kind: int) -> None:
        """Forget what proves nothing: it came before the client's flight went out, or before the server asked again."""
        if kind == CERTIFICATE_REQUEST and side.sent:
            self._answered = False
            self._since = 0
        if not self._answered:
            side.tickets = 0

    def _server_hello(self, message: bytes) -> None:
        core = self._core
        core.take(message)
        if not core.facts.whole and core.facts.server_random is None and not core.facts.retried:
            raise Abort(AlertDescription.decode_error, "the server's hello breaks its grammar")
        found = _extensions_of(message)
        version = core.facts.version
        if version not in VERSIONS.values() or core.facts.draft is not None:
            raise Abort(AlertDescription.protocol_version, f"the server chose version {version_label(version)}")
        if version_label(version) != self._wanted:
            core.note(f"{self._wanted} was asked for, the server chose {version_label(version)}")
        if version != TLS13:
            self._begin_old(version, found)
            return
        suite = core.facts.suite
        if suite is None or not suite.tls13 or not suite.readable:
            name = f"0x{core.facts.suite_code or 0:04X}" if suite is None else suite.name
            raise Abort(AlertDescription.illegal_parameter, f"the server chose the cipher suite {name}")
        core.writer.version = TLS12
        if core.facts.retried and core.facts.server_random is None:
            self._retry(message, suite.prf_hash)
            return
        side = Tls13(core, self._fresh, suite, self._compatible)
        side.hello(found)
        if self._pending:
            raise Abort(AlertDescription.unexpected_message, "the server's hello shares a record with another message")
        self._side = side

    def _begin_old(self, version: int, found: dict[int, bytes]) -> None:
        self._core.writer.version = version
        side = Legacy(self._core)
        side.hello(found)
        self._side = side

    def _retry(self, message: bytes, hash_name: str) -> None:
        """Answer a HelloRetryRequest with the second ClientHello."""
        core = self._core
        if self._retried:
            raise Abort(AlertDescription.unexpected_message, "the server asked for a second hello twice")
        self._retried = True
        first = bytearray(core.transcript[: len(core.transcript) - len(message)])
        after_retry(first, hash_name)
        core.transcript[:] = first + message
        try:
            self._fresh = self._fresh.retry(message)
        except TlsalertError as error:
            raise Abort(AlertDescription.illegal_parameter, str(error)) from None
        core.transcript += self._fresh.message
        core.facts.take("client", self._fresh.message)
        core.out += core.writer.write(HANDSHAKE, self._fresh.message)

    def _renegotiate(self, side: Legacy) -> None:
        """Answer a HelloRequest with another ClientHello, under the keys of the first handshake (RFC 5746 §3.5)."""
        self._handshakes += 1
        if self._handshakes > MOST_HANDSHAKES:
            self.limit = f"{MOST_HANDSHAKES} handshakes"
            return
        core = self._core
        core.note("the server asked for another handshake inside the connection (renegotiation)")
        fresh: FreshHello = self._hello.fresh(self._random, self._server_name)
        message = with_renegotiation(fresh.message, side.own_verify)
        core.facts, self._fresh, self._side = Facts(), fresh, None
        core.facts.take("client", message)
        core.transcript[:] = message
        core.out += core.writer.write(HANDSHAKE, message)


def _extensions_of(message: bytes) -> dict[int, bytes]:
    """Return the extensions of a ServerHello; none in SSLv3, and often none in TLS 1.0."""
    body = cursor(message[4:])
    body.take(34, "version and random")
    body.vector(1, "session_id")
    body.take(3, "cipher_suite and compression_method")
    return extensions(body) if body.left else {}
