"""A server on loopback is asked for its chain: with and without client certificates, and inside other protocols."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from tests.pki.stores import make
from tlsalert.errors import UsageError
from tlsalert.pki import server
from tlsalert.pki.found import Found
from tlsalert.pki.server import TargetError, ask, target
from tlsalert.wire.preamble import LDAP_START_TLS

ROOT = make("CN=root", ca=True)
END = make("CN=end", by=ROOT)


def no_greeting(_: socket.socket) -> None:
    """Say nothing before TLS."""


@contextmanager
def listening(speak: Callable[[socket.socket], None]) -> Iterator[str]:
    """Listen on loopback; ``speak`` answers each connection."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection, suppress(OSError):
                    connection.settimeout(5)
                    speak(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(10)


def tls(
    folder: Path, greet: Callable[[socket.socket], None] = no_greeting, how: Mapping[str, object] | None = None
) -> Callable[[socket.socket], None]:
    """Return a TLS server that sends END and ROOT; ``how`` are attributes of its context."""
    (folder / "chain.pem").write_bytes(END.pem + ROOT.pem + END.private(encoding=Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "chain.pem")
    context.load_verify_locations(cadata=ROOT.pem.decode())
    for name, value in (how or {}).items():
        setattr(context, name, value)

    def speak(connection: socket.socket) -> None:
        greet(connection)
        with context.wrap_socket(connection, server_side=True) as wrapped:
            wrapped.recv(1)

    return speak


def subjects(place: str, starttls: str | None = None) -> list[str | None]:
    things = list(ask(place, starttls))
    assert all(isinstance(one, Found) for one in things)
    return [one.subject for one in things if isinstance(one, Found)]


@pytest.mark.parametrize(
    "how",
    [
        pytest.param({"maximum_version": ssl.TLSVersion.TLSv1_2}, id="TLS 1.2"),
        pytest.param({"minimum_version": ssl.TLSVersion.TLSv1_3}, id="TLS 1.3"),
        pytest.param(
            {"maximum_version": ssl.TLSVersion.TLSv1_2, "verify_mode": ssl.CERT_REQUIRED}, id="TLS 1.2, wants ours"
        ),
    ],
)
def test_the_chain_is_told_as_the_server_sends_it(how: dict[str, object], tmp_path: Path) -> None:
    with listening(tls(tmp_path, how=how)) as place:
        assert subjects(place) == ["CN=end", "CN=root"]


def test_its_places_are_the_servers_name_and_numbers(tmp_path: Path) -> None:
    with listening(tls(tmp_path)) as place:
        assert [one.where for one in ask(place)] == [f"{place}!1", f"{place}!2"]


def smtp(connection: socket.socket) -> None:
    connection.sendall(b"220-hello\r\n220 there\r\n")
    assert connection.recv(99) == b"EHLO localhost\r\n"
    connection.sendall(b"250-board\r\n250 STARTTLS\r\n")
    assert connection.recv(99) == b"STARTTLS\r\n"
    connection.sendall(b"220 go on\r\n")


def imap(connection: socket.socket) -> None:
    connection.sendall(b"* OK hello\r\n")
    assert connection.recv(99) == b"a1 STARTTLS\r\n"
    connection.sendall(b"a1 OK go on\r\n")


def postgres(connection: socket.socket) -> None:
    assert connection.recv(99) == bytes.fromhex("0000000804d2162f")
    connection.sendall(b"S")


def ldap(connection: socket.socket) -> None:
    assert LDAP_START_TLS in connection.recv(99)
    connection.sendall(bytes.fromhex("300c02010178070a010004000400"))


@pytest.mark.parametrize(("name", "greet"), [("smtp", smtp), ("imap", imap), ("postgres", postgres), ("ldap", ldap)])
def test_tls_is_asked_for_inside_another_protocol(
    name: str, greet: Callable[[socket.socket], None], tmp_path: Path
) -> None:
    with listening(tls(tmp_path, greet)) as place:
        assert subjects(place, name) == ["CN=end", "CN=root"]


def test_a_server_that_declines_is_quoted() -> None:
    def decline(connection: socket.socket) -> None:
        connection.sendall(b"554 go away\r\n")

    with listening(decline) as place, pytest.raises(TargetError, match="554 go away"):
        list(ask(place, "smtp"))


def test_a_server_that_closes_before_it_answers_is_told() -> None:
    with listening(no_greeting) as place, pytest.raises(TargetError, match="it closed the connection"):
        list(ask(place, "imap"))


def test_a_server_that_speaks_no_tls_is_told() -> None:
    def refuse(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.0 400 no\r\n\r\n" * 9)

    with listening(refuse) as place, pytest.raises(TargetError, match="sent no certificate"):
        list(ask(place))


def test_a_server_that_is_silent_is_not_waited_for_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "TIMEOUT", 0.2)

    def listen(connection: socket.socket) -> None:
        while connection.recv(9999):
            pass

    with listening(listen) as place, pytest.raises(TargetError, match="says nothing"):
        list(ask(place))


def test_nobody_there_is_an_error_of_the_target() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        place = f"127.0.0.1:{listener.getsockname()[1]}"
    with pytest.raises(TargetError, match="refused") as told:
        list(ask(place))
    assert told.value.exit_code == 4


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("board:443", ("board", 443)),
        ("[::1]:443", ("::1", 443)),
        ("10.0.0.7:5900", ("10.0.0.7", 5900)),
        ("board", None),
        ("board:0", None),
        ("board:99999", None),
        ("a/b:443", None),
        ("::1:443", None),
    ],
)
def test_a_place_is_a_host_and_a_port(text: str, place: tuple[str, int] | None) -> None:
    assert target(text) == place


def test_what_is_no_place_or_no_protocol_is_a_usage_error() -> None:
    with pytest.raises(UsageError):
        list(ask("nowhere"))
    with pytest.raises(UsageError, match="gopher"):
        list(ask("board:70", "gopher"))
