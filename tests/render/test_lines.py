"""The quick way to JSON says what the plain one says, whatever it has kept: of stories, captures and strangers."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tlsalert
from tests import evidence, stories
from tests.wire import tls
from tests.wire.test_contents import CERTIFICATE_13, TICKET_13
from tests.wire.test_key_exchange import DH, EC, SIGNED_10, SIGNED_12
from tests.wire.tls import u16
from tlsalert.capture import Reader
from tlsalert.errors import TlsalertError
from tlsalert.model import (
    Certificates,
    ClientHello,
    Connection,
    Endpoint,
    Extension,
    HandshakeMessage,
    Position,
    ServerHello,
    Verdict,
)
from tlsalert.render import lines
from tlsalert.render.encoded import encoded
from tlsalert.render.lines import line
from tlsalert.render.rows import row
from tlsalert.wire import contents, extensions

STORIES = (stories.console(), stories.good(), stories.unread(), stories.hostile(), stories.bare())
TEXTS = st.one_of(st.none(), st.text(max_size=20), st.sampled_from(('"server_name":null', '\\"', "\x7f", "\u202e")))
CODES = st.lists(st.integers(0, 0xFFFF), max_size=4).map(tuple)
EXTENSIONS = st.lists(
    st.one_of(
        st.builds(Extension, st.integers(0, 0xFFFF), st.binary(max_size=4)),
        st.builds(Extension, st.sampled_from(sorted(extensions.READERS)), st.binary(max_size=12)),
        st.builds(lambda name: Extension(*tls.server_name(name)), st.binary(max_size=6)),
    ),
    max_size=4,
).map(tuple)
PROBLEMS = st.lists(st.text(max_size=10), max_size=2).map(tuple)
CLIENT_HELLOS = st.builds(
    ClientHello,
    st.integers(0, 0xFFFF),
    st.binary(max_size=33),
    st.binary(max_size=33),
    CODES,
    CODES.map(lambda codes: tuple(code & 0xFF for code in codes)),
    EXTENSIONS,
    CODES,
    TEXTS,
    PROBLEMS,
    CODES,
    CODES,
    CODES,
    CODES,
    PROBLEMS,
)
SERVER_HELLOS = st.builds(
    ServerHello,
    st.integers(0, 0xFFFF),
    st.binary(max_size=33),
    st.binary(max_size=33),
    st.integers(0, 0xFFFF),
    st.integers(0, 0xFF),
    EXTENSIONS,
    st.integers(0, 0xFFFF),
    TEXTS,
    st.one_of(st.none(), st.integers(0, 0xFFFF)),
    st.booleans(),
    PROBLEMS,
)
BODIES = (EC + SIGNED_12, EC + SIGNED_10, DH + SIGNED_12, TICKET_13 + u16(0), CERTIFICATE_13, SIGNED_12, b"")
TIMES = st.one_of(st.none(), st.integers(-(2**70), 2**70), st.integers(0, 2**62), st.integers(0, 10**6))
SIDES = st.sampled_from(("client", "server"))
MESSAGES = st.lists(
    st.builds(
        HandshakeMessage,
        st.one_of(st.sampled_from(("client_hello", "finished", "sslv2_error")), st.text(max_size=5)),
        st.one_of(st.none(), st.integers(0, 255), st.sampled_from(sorted(contents.READERS))),
        SIDES,
        st.builds(Position, st.one_of(st.none(), st.integers(1, 2**40)), st.one_of(st.none(), st.integers(1, 9))),
        TIMES,
        st.integers(0, 2**24),
        st.booleans(),
        st.booleans(),
        st.one_of(st.none(), st.binary(max_size=80), st.sampled_from(BODIES)),
    ),
    max_size=4,
).map(tuple)


def assert_the_same(connection: Connection) -> None:
    assert line(connection).decode() == encoded(row(connection))


@pytest.mark.parametrize("times", [1, 2], ids=["new", "kept"])
@pytest.mark.parametrize("digits", [0, 3, 6, 9])
def test_a_line_is_the_row(times: int, digits: int) -> None:
    for story in STORIES:
        for _ in range(times):
            assert_the_same(msgspec.structs.replace(story, digits=digits))


def test_a_line_may_stand_between_other_text() -> None:
    story = stories.good()
    assert line(story, ",\n", "\n") == b",\n" + line(story) + b"\n"


@given(CLIENT_HELLOS, SERVER_HELLOS, MESSAGES, TIMES, TIMES, TEXTS, st.integers(0, 9))
def test_any_connections_line_is_its_row(
    client: ClientHello,
    server: ServerHello,
    messages: tuple[HandshakeMessage, ...],
    start: int | None,
    end: int | None,
    text: str | None,
    digits: int,
) -> None:
    connection = Connection(
        source=text or "",
        connection=1,
        client=Endpoint(text or "10.0.0.5", 1),
        server=Endpoint("2001:db8::7", 443),
        digits=digits,
        start=start,
        end=end,
        tls_version=text,
        server_name=text,
        client_hello=client,
        server_hello=server,
        messages=messages,
        verdict=Verdict("established", text or ""),
    )
    assert_the_same(connection)
    assert_the_same(msgspec.structs.replace(connection, client_hello=msgspec.structs.replace(client, random=b"x")))


def test_equal_bytes_with_other_facts_are_another_certificate() -> None:
    """Only the very same object is told from memory."""
    other = msgspec.structs.replace(stories.IPMI, subject="CN=other")
    for one in (stories.IPMI, other, stories.IPMI):
        assert_the_same(Connection(source="x", connection=0, certificates=Certificates(client=(one,))))


@pytest.mark.parametrize("path", sorted(evidence.CAPTURES.glob("*.pcap")), ids=lambda path: path.name)
def test_the_lines_of_the_projects_captures_are_their_rows(path: Path) -> None:
    for connection in Reader(path):
        assert_the_same(connection)


@pytest.mark.parametrize("keys", sorted(evidence.CAPTURES.glob("*.keys")), ids=lambda path: path.name)
def test_the_lines_of_decrypted_messages_are_their_rows(keys: Path) -> None:
    for connection in tlsalert.read(keys.with_suffix(".pcap"), keylog=keys):
        assert any(message.decrypted for message in connection.messages)
        assert_the_same(connection)
        assert_the_same(connection)


@evidence.needs_corpus
def test_the_lines_of_public_captures_are_their_rows() -> None:
    told = 0
    for path in evidence.captures_under(evidence.CORPUS):
        try:
            for connection in Reader(path):
                assert_the_same(connection)
                told += 1
        except TlsalertError:
            continue
    assert told > 1000


def test_what_is_kept_stays_bounded() -> None:
    """A stranger who never repeats himself fills no memory, and neither does one who talks at length."""
    for number in range(lines.MOST_SMALL + 10):
        new = (Extension(16, tls.alpn(b"%d" % number)[1]), Extension(51, u16(number, 0)))
        hello = msgspec.structs.replace(stories.HELLO, cipher_suites=(number,), extensions=new)
        answer = msgspec.structs.replace(stories.ANSWER, cipher_suite=number, extensions=new, hello_retry_request=True)
        text = f"name {number}"
        message = HandshakeMessage(text, 16, "client", Position(1), None, 0, body=u16(number, 0))
        chain = Certificates(client=(msgspec.structs.replace(stories.IPMI, subject=text),))
        line(
            Connection(
                source=text,
                connection=0,
                server_name=text,
                client_hello=hello,
                server_hello=answer,
                messages=(message,),
                certificates=chain,
            )
        )
    tables = (lines._CLIENT_HELLOS, lines._SERVER_HELLOS, lines._HEADS, lines._QUOTED, lines._FACTS)
    assert all(0 < len(table) <= lines.MOST for table in tables)
    small = (lines._OFFERED, lines._RETRIED, lines._EXTENSIONS, lines._FIELDS)
    assert all(0 < len(table) <= lines.MOST_SMALL for table in small)
    assert 0 < len(lines._CHAINS.texts) <= lines.MOST


def test_what_is_long_is_not_kept() -> None:
    tables = (lines._CLIENT_HELLOS, lines._QUOTED, lines._FACTS, lines._OFFERED, lines._EXTENSIONS, lines._FIELDS)
    before = [len(table) for table in tables]
    long = "x" * 100_000
    many = (Extension(10, u16(60_000, *range(30_000))), Extension(51, u16(60_000, *[0] * 30_000)))
    hello = msgspec.structs.replace(stories.HELLO, cipher_suites=tuple(range(30_000)), extensions=many)
    urls = HandshakeMessage("certificate_url", 21, "client", Position(1), None, 0, body=bytes(60_000))
    story = Connection(source=long, connection=0, server_name=long, client_hello=hello, messages=(urls,))
    assert_the_same(story)
    assert [len(table) for table in tables] == before
