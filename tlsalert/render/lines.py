"""A connection as JSON text: what :func:`tlsalert.render.rows.row` says, with what comes again and again kept as text.

Most connections of a capture have the same hellos, certificates and verdict as others, so their JSON differs in
randoms, frames, times and lengths alone. Compiled, for there may be millions; all that is kept is bounded in number
and length, because strangers choose it.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final, final

from mypy_extensions import i64

from tlsalert.decode import negotiated
from tlsalert.model import (
    Alert,
    Certificate,
    CertificateRequest,
    ClientHello,
    Clock,
    Closing,
    Connection,
    Endpoint,
    Extension,
    HandshakeMessage,
    Position,
    ServerHello,
    Side,
)
from tlsalert.registry.alerts import AlertDescription, AlertLevel
from tlsalert.render import rows
from tlsalert.render.encoded import encoded
from tlsalert.render.fields import fields
from tlsalert.render.shapes import extension_shape, message_shape
from tlsalert.render.values import extension_row
from tlsalert.wire.contents import tls_version
from tlsalert.wire.extensions import CERTIFICATE, CERTIFICATE_REQUEST, CLIENT_HELLO, HELLO_RETRY_REQUEST, SERVER_HELLO
from tlsalert.wire.transcript import TLS13

#: Texts of one kind that are kept, and characters of one that is.
MOST: Final = 512
LONGEST: Final = 16_384
SHORT: Final = 1024

BILLION: Final = 1_000_000_000
#: The last time that the quick way writes, in nanoseconds since 1970: in the year 2255.
LATEST: Final = 9_000_000_000 * BILLION

#: Texts of messages and extensions that are kept: there are more of them than of hellos, and they are shorter.
MOST_SMALL: Final = 2048
LONGEST_SMALL: Final = 4096
FINISHED: Final = 20

#: What differs from one hello to the next, as its row has it before it is filled in.
_BLANK: Final = '"random":"","session_id":""'
_EXTENSIONLESS: Final = '"extensions":[]'
_NAMELESS: Final = ',"server_name":null'


def line(connection: Connection, before: str = "", after: str = "") -> bytes:
    """Return the connection as JSON in UTF-8, byte for byte what its row makes, between two pieces of text."""
    digits = connection.digits
    start = _time(connection.start, digits)
    end = _time(connection.end, digits)
    ends = f',"client":{_endpoint(connection.client)},"server":{_endpoint(connection.server)}'
    parts = [
        f'{before}{{"source":{_quoted(connection.source)},"connection":{connection.connection}',
        f',"transport":{_quoted(connection.transport)},"protocol":{_quoted(connection.protocol)}',
        f'{ends},"start":{start},"end":{end}',
        _facts(connection),
    ]
    _client_hello(connection.client_hello, parts)
    parts.append(',"server_hello":')
    _server_hello(connection.server_hello, parts)
    parts.append(',"messages":')
    _messages(connection, parts)
    parts.append(',"alerts":')
    _alerts(connection.alerts, digits, parts)
    certificates = connection.certificates
    parts.append(',"certificates":{"client":')
    parts.append(_chain(certificates.client))
    parts.append(',"server":')
    parts.append(_chain(certificates.server))
    parts.append('},"certificate_request":')
    parts.append(_request(connection.certificate_request))
    clocks = connection.clocks
    capture = start if clocks.capture == connection.start else _time(clocks.capture, digits)
    server = _clock(clocks.server, digits)
    client = _clock(clocks.client, digits)
    parts.append(f',"clocks":{{"capture":{capture},"server":{server},"client":{client}}}')
    notes = encoded(list(connection.notes)) if connection.notes else "[]"
    parts.append(f',"closed":{_closed(connection.closed)},"notes":{notes},"verdict":')
    parts.append(_verdict(connection))
    parts.append("}")
    parts.append(after)
    return "".join(parts).encode()


@final
class _Head:
    """How the objects of messages with one name and number begin: a client's, a server's."""

    def __init__(self, name: str, number: int | None) -> None:
        self.number: i64 = -1 if number is None else number
        begins = "}," + encoded({"message": name, "type": number})[:-1]
        self.client = begins + ',"from":"client","position":'
        self.server = begins + ',"from":"server","position":'


@final
class _Kept:
    """Texts of values that come back as the very same object: looked up without comparing what is in them."""

    def __init__(self) -> None:
        self.texts: dict[int, tuple[object, str]] = {}

    def text(self, value: object) -> str | None:
        """Return the text that was kept for this object, if any was."""
        found = self.texts.get(id(value))
        return None if found is None else found[1]

    def keep(self, value: object, row: object) -> str:
        """Make the text of ``row`` and keep it for ``value``, which lives on so that its identity is not given away."""
        text = encoded(row)
        if len(text) <= LONGEST:
            if len(self.texts) >= MOST:
                self.texts.clear()
            self.texts[id(value)] = (value, text)
        return text


_CHAINS: Final = _Kept()
_REQUESTS: Final = _Kept()
_VERDICTS: Final = _Kept()
#: How a message's object begins, by its name, number and sender.
_HEADS: Final[dict[str, _Head]] = {}
#: Extensions of client's and server's hellos and of retry requests that are the same each time.
_OFFERED: Final[dict[object, str]] = {}
_ANSWERED: Final[dict[object, str]] = {}
_RETRIED: Final[dict[object, str]] = {}
#: Other extensions and the fields of messages, by their shapes and what these go with.
_EXTENSIONS: Final[dict[object, str]] = {}
_FIELDS: Final[dict[object, str]] = {}
#: Short texts as JSON strings, and the facts of a connection between its times and its hellos.
_QUOTED: Final[dict[str, str]] = {}
_FACTS: Final[dict[object, str]] = {}


def _flag(value: bool) -> str:
    return "true" if value else "false"


@final
class _Second:
    """The second whose text was made last: the times of a connection lie close together."""

    def __init__(self) -> None:
        self.at: i64 = -1
        self.text = ""


_SECOND: Final = _Second()
#: Numbers as text, and the same with leading zeros.
_NUMBERS: Final = [str(number) for number in range(1000)]
_THREE: Final = [f"{number:03d}" for number in range(1000)]


def _time(time: int | None, digits: int) -> str:
    if time is None:
        return "null"
    if digits != 6 or time < 0 or time > LATEST:
        return f'"{rows.time_text(time, digits)}"'
    nanoseconds: i64 = time
    second: i64 = nanoseconds // BILLION
    if second != _SECOND.at:
        _SECOND.at = second
        _SECOND.text = rows.second_text(second)
    thousands: i64 = (nanoseconds - second * BILLION) // 1000
    return f'"{_SECOND.text}.{_THREE[thousands // 1000]}{_THREE[thousands % 1000]}Z"'


def _number(number: int) -> str:
    return _NUMBERS[number] if 0 <= number < 1000 else str(number)


def _quoted(text: str | None) -> str:
    if text is None:
        return "null"
    found = _QUOTED.get(text)
    if found is None:
        found = encoded(text)
        if len(found) <= SHORT:
            if len(_QUOTED) >= MOST:
                _QUOTED.clear()
            _QUOTED[text] = found
    return found


def _endpoint(endpoint: Endpoint | None) -> str:
    if endpoint is None:
        return "null"
    address = endpoint.address
    # Mostly a new one each time, so it is not worth keeping; printable ASCII is JSON as it is but for two signs.
    if address.isascii() and address.isprintable() and '"' not in address and "\\" not in address:
        return f'{{"address":"{address}","port":{endpoint.port}}}'
    return f'{{"address":{encoded(address)},"port":{endpoint.port}}}'


def _facts(connection: Connection) -> str:
    """Return what connections to the same server by the same client have in common, up to the hello's object."""
    key = (
        connection.tls_version,
        connection.cipher_suite,
        connection.server_name,
        connection.alpn,
        connection.ja3,
        connection.ja3s,
        connection.ja4,
        connection.resumed,
    )
    text = _FACTS.get(key)
    if text is None:
        text = "".join(
            [
                f',"tls_version":{_quoted(connection.tls_version)},"cipher_suite":{_quoted(connection.cipher_suite)}',
                f',"server_name":{_quoted(connection.server_name)},"alpn":{_quoted(connection.alpn)}',
                f',"ja3":{_quoted(connection.ja3)},"ja3s":{_quoted(connection.ja3s)},"ja4":{_quoted(connection.ja4)}',
                f',"resumed":{_flag(connection.resumed)},"client_hello":',
            ]
        )
        if len(text) <= LONGEST:
            if len(_FACTS) >= MOST:
                _FACTS.clear()
            _FACTS[key] = text
    return text


def _position(position: Position | None) -> str:
    if position is None:
        return "null"
    frame = position.frame
    if frame is not None:
        return f'{{"frame":{frame}}}'
    return "null" if position.line is None else f'{{"line":{position.line}}}'


def _messages(connection: Connection, parts: list[str]) -> None:
    digits = connection.digits
    version, suite = negotiated(connection)
    tls = tls_version(version)
    at: int | None = None
    place: Position | None = None
    middle = ""
    for message in connection.messages:
        kind = message.type
        head = _head(message, kind)
        position = message.position
        time = message.time
        if place is None:
            head = "[" + head[2:]
        if position is not place or time != at:  # all messages of a packet have its frame and time
            place = position
            at = time
            middle = f'{_position(position)},"time":{_time(time, digits)},"length":'
        parts.append(head)
        parts.append(middle)
        parts.append(_number(message.length))
        if message.encrypted:
            parts.append(',"encrypted":true')
        else:
            parts.append(',"encrypted":false')
        if message.decrypted:
            parts.append(',"decrypted":true,"fields":')
        else:
            parts.append(',"decrypted":false,"fields":')
        parts.append("null" if kind is None else _fields(message, kind, tls, suite))
    parts.append("[]" if place is None else "}]")


def _head(message: HandshakeMessage, number: int | None) -> str:
    """Return how a message's object begins, after the end of the one before it."""
    name = message.message
    head = _HEADS.get(name)
    if head is None or head.number != (-1 if number is None else i64(number)):
        head = _Head(name, number)
        if len(_HEADS) < MOST and len(name) < SHORT:
            _HEADS[name] = head
    return head.client if message.sender == "client" else head.server


def _fields(message: HandshakeMessage, kind: int, tls: int, suite: int) -> str:
    """Return what the message says besides; null where that is shown elsewhere or not known.

    ``tls`` is the version of TLS that was negotiated, 0 for none.
    """
    if kind == CLIENT_HELLO or kind == SERVER_HELLO:
        return "null"
    if (kind == CERTIFICATE or kind == CERTIFICATE_REQUEST) and 0 < tls < TLS13:
        return "null"  # all that they say is among the certificates and in the request
    body = message.body
    if body is None or message.message.startswith("sslv2_"):
        return "null"
    if kind == FINISHED and body:  # another one each time
        return f'{{"length":{len(body)},"verify_data":"{body[:64].hex()}","problems":[]}}'
    shape = message_shape(kind, body, tls, suite)
    if shape is None:
        return encoded(fields(kind, body, tls, suite))
    key = (kind, tls, suite, len(body), shape)
    return _FIELDS.get(key) or _keep_small(_FIELDS, key, encoded(fields(kind, body, tls, suite)))


def _alerts(alerts: tuple[Alert, ...], digits: int, parts: list[str]) -> None:
    between = "["
    for alert in alerts:
        head, tail = _alert_ends(
            alert.level, alert.description, alert.sender, alert.encrypted, alert.decrypted, alert.inferred, alert.after
        )
        time = _time(alert.time, digits)
        parts.append(f'{between}{head}"position":{_position(alert.position)},"time":{time}{tail}')
        between = ","
    parts.append("]" if alerts else "[]")


@lru_cache(MOST)
def _alert_ends(
    level: AlertLevel | None,
    description: AlertDescription | None,
    sender: Side,
    encrypted: bool,
    decrypted: bool,
    inferred: str | None,
    after: str | None,
) -> tuple[str, str]:
    """Return what stands before and after an alert's position and time."""
    alert = Alert(level, description, sender, Position(), None, encrypted, decrypted, inferred, after)
    return _around(encoded(rows.alert_row(alert, 0)), '"position":null,"time":null')


def _client_hello(hello: ClientHello | None, parts: list[str]) -> None:
    if hello is None:
        parts.append("null")
        return
    key = (
        hello.legacy_version,
        hello.cipher_suites,
        hello.compression_methods,
        hello.versions,
        hello.alpn,
        hello.groups,
        hello.point_formats,
        hello.signature_schemes,
        hello.key_shares,
        hello.problems,
    )
    ends = _CLIENT_HELLOS.get(key)
    if ends is None:
        blank = ClientHello(
            hello.legacy_version,
            b"",
            b"",
            hello.cipher_suites,
            hello.compression_methods,
            (),
            hello.versions,
            None,
            hello.alpn,
            hello.groups,
            hello.point_formats,
            hello.signature_schemes,
            hello.key_shares,
            hello.problems,
        )
        before, after = _around(encoded(rows.client_hello_row(blank)), _BLANK)
        suites, after = _around(after, _EXTENSIONLESS)
        lists, rest = _around(after, _NAMELESS)
        ends = (before, suites, lists, rest)
        _keep(_CLIENT_HELLOS, key, ends)
    parts.append(ends[0])
    parts.append(f'"random":"{hello.random.hex()}","session_id":"{hello.session_id.hex()}"')
    parts.append(ends[1])
    _extensions(hello.extensions, CLIENT_HELLO, parts)
    parts.append(f'{ends[2]},"server_name":{_quoted(hello.server_name)}')
    parts.append(ends[3])


def _server_hello(hello: ServerHello | None, parts: list[str]) -> None:
    if hello is None:
        parts.append("null")
        return
    key = (
        hello.legacy_version,
        hello.cipher_suite,
        hello.compression_method,
        hello.version,
        hello.alpn,
        hello.group,
        hello.hello_retry_request,
        hello.problems,
    )
    ends = _SERVER_HELLOS.get(key)
    if ends is None:
        blank = ServerHello(
            hello.legacy_version,
            b"",
            b"",
            hello.cipher_suite,
            hello.compression_method,
            (),
            hello.version,
            hello.alpn,
            hello.group,
            hello.hello_retry_request,
            hello.problems,
        )
        before, after = _around(encoded(rows.server_hello_row(blank)), _BLANK)
        suite, rest = _around(after, _EXTENSIONLESS)
        ends = (before, suite, rest)
        _keep(_SERVER_HELLOS, key, ends)
    parts.append(ends[0])
    parts.append(f'"random":"{hello.random.hex()}","session_id":"{hello.session_id.hex()}"')
    parts.append(ends[1])
    _extensions(hello.extensions, HELLO_RETRY_REQUEST if hello.hello_retry_request else SERVER_HELLO, parts)
    parts.append(ends[2])


def _extensions(extensions: tuple[Extension, ...], message: int, parts: list[str]) -> None:
    if not extensions:
        parts.append(_EXTENSIONLESS)
        return
    same = _OFFERED if message == CLIENT_HELLO else _ANSWERED if message == SERVER_HELLO else _RETRIED
    texts = [same.get(extension) or _extension(extension, message, same) for extension in extensions]
    parts.append('"extensions":[' + ",".join(texts))
    parts.append("]")


def _extension(extension: Extension, message: int, same: dict[object, str]) -> str:
    """Return the text of an extension, kept by its shape or, where it is its own, among the ``same``."""
    kind, data = extension.type, extension.data
    if kind == 0 and _one_name(data):
        name = _quoted(data[5:].decode("utf-8", "backslashreplace"))
        return f'{{"type":0,"name":"server_name","length":{len(data)},"value":{name}}}'
    shape = extension_shape(kind, data, message)
    if shape is None:
        return encoded(extension_row(extension, message))
    if shape is data:
        return _keep_small(same, extension, encoded(extension_row(extension, message)))
    key = (kind, message, len(data), shape)
    return _EXTENSIONS.get(key) or _keep_small(_EXTENSIONS, key, encoded(extension_row(extension, message)))


def _one_name(data: bytes) -> bool:
    """Whether a server_name has one name of type host_name and nothing else, RFC 6066 §3."""
    size: i64 = len(data)
    if size < 5 or data[2] != 0:
        return False
    return i64(data[0]) << 8 | i64(data[1]) == size - 2 and i64(data[3]) << 8 | i64(data[4]) == size - 5


#: What stands around a hello's random and session ID, its extensions (and server name), by all else that its row tells.
_CLIENT_HELLOS: Final[dict[object, tuple[str, ...]]] = {}
_SERVER_HELLOS: Final[dict[object, tuple[str, ...]]] = {}


def _keep(table: dict[object, tuple[str, ...]], key: object, ends: tuple[str, ...]) -> None:
    """Keep the ends of a hello, unless it is longer than any honest one; a full table begins anew."""
    if sum([len(end) for end in ends]) <= LONGEST:
        if len(table) >= MOST:
            table.clear()
        table[key] = ends


def _keep_small(table: dict[object, str], key: object, text: str) -> str:
    """Keep the text of a message or extension, unless it is longer than honest ones; a full table begins anew."""
    if len(text) <= LONGEST_SMALL:
        if len(table) >= MOST_SMALL:
            table.clear()
        table[key] = text
    return text


def _around(text: str, blank: str) -> tuple[str, str]:
    """Return what stands before and after the first ``blank``: before it there are no texts of strangers."""
    before, _, after = text.partition(blank)
    return before, after


def _request(request: CertificateRequest | None) -> str:
    if request is None:
        return "null"
    return _REQUESTS.text(request) or _REQUESTS.keep(request, rows.request_row(request))


def _chain(chain: tuple[Certificate, ...]) -> str:
    if not chain:
        return "[]"
    return _CHAINS.text(chain) or _CHAINS.keep(chain, [rows.certificate_row(one) for one in chain])


def _clock(clock: Clock | None, digits: int) -> str:
    return "null" if clock is None else encoded(rows.clock_row(clock, digits))


def _closed(closed: Closing) -> str:
    return f'{{"how":"{closed.how}","from":{_quoted(closed.sender)},"position":{_position(closed.position)}}}'


def _verdict(connection: Connection) -> str:
    verdict = connection.verdict
    if verdict is None:
        return "null"
    if verdict.outcome != "established":  # each of these is told once
        return encoded(rows.judged_row(connection))
    return _VERDICTS.text(verdict) or _VERDICTS.keep(verdict, rows.judged_row(connection))
