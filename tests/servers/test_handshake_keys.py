"""An alert that a real stack sends under its handshake keys, though others are due, is read: Wireshark cannot.

Erlang/OTP 25 does so where the client's CertificateVerify or Finished is wrong. The client is OpenSSL's, whose last
flight is opened with its own key log, changed and sealed again on the way.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytest.importorskip("cryptography", reason="needs the extra lab")

from tests import talks
from tests.secrets import captured
from tests.secrets.peers import Talk
from tests.secrets.sealing import Sealer13
from tests.servers.peers import prepare
from tests.servers.programs import found, serving
from tests.servers.tap import PATIENCE
from tests.servers.test_real_servers import people
from tlsalert.capture import read
from tlsalert.model import HANDSHAKE_KEYS
from tlsalert.secrets.keylog import CLIENT_HANDSHAKE, KeyLog
from tlsalert.secrets.keyring import Keyring
from tlsalert.secrets.stream import Plaintext, decrypt
from tlsalert.secrets.suites import suite_of

SERVER = r"""#!/usr/bin/env escript
main([Port]) ->
    application:ensure_all_started(ssl),
    {ok, Listener} = ssl:listen(list_to_integer(Port), [
        {ip, {127, 0, 0, 1}}, {certfile, "cert.pem"}, {keyfile, "key.pem"}, {cacertfile, "ca.pem"},
        {verify, verify_peer}, {fail_if_no_peer_cert, true}, {versions, ['tlsv1.3']},
        {reuseaddr, true}, {active, false}, {log_level, none}]),
    serve(Listener).

serve(Listener) ->
    {ok, Transport} = ssl:transport_accept(Listener),
    case ssl:handshake(Transport, 10000) of
        {ok, Socket} -> ssl:recv(Socket, 0, 10000), ssl:close(Socket);
        {error, _} -> refused
    end,
    serve(Listener).
"""
#: Types of messages, RFC 8446 §4.
CERTIFICATE_VERIFY, FINISHED = 15, 20
Messages = list[bytes]


@pytest.fixture(scope="module")
def erlang(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, Path]]:
    """The port of a server that asks for a client certificate, and the folder with its files."""
    program = found("escript", "erlang-ssl")
    folder = tmp_path_factory.mktemp("erlang")
    prepare(folder, people()["server"], people()["root"].certificate)
    pem = folder / "right.pem"
    pem.touch(0o600)
    pem.write_bytes(people()["right"].to_pem())
    (folder / "server.escript").write_text(SERVER)
    with serving(folder, lambda port: [program, "server.escript", str(port)]) as (_, port):
        yield port, folder


def messages(data: bytes) -> Messages:
    """Take handshake messages apart, each with its header of four bytes."""
    apart = []
    while data:
        end = 4 + int.from_bytes(data[1:4], "big")
        apart.append(data[:end])
        data = data[end:]
    return apart


def changed(talk: Talk, keys: Path, flight: bytes, change: Callable[[Messages], Messages]) -> bytes:
    """Open the client's last flight, and seal it again with its messages changed."""
    log = KeyLog()
    log.follow(keys)
    said = Talk(records=[*talk.records])
    before = len(said.records)
    said.take("client", flight)
    opened = [one for one in decrypt(said.records, Keyring(log)) if isinstance(one, Plaintext) and one.side == "client"]
    hello = next(one.fragment for one in said.records if one.side == "server" and one.content_type == 22)
    assert hello is not None
    session = hello[38]
    suite = suite_of(int.from_bytes(hello[39 + session : 41 + session], "big"))
    (secret,) = {secret for label, _, secret in log.entries() if label == CLIENT_HANDSHAKE}
    assert suite is not None
    inside = b"".join(change(messages(b"".join(one.data for one in opened))))
    sealed = Sealer13(suite, secret).seal(22, inside)
    clear = b"".join(captured.whole(one) for one in said.records[before:] if one.content_type == 20)
    return clear + b"\x17\x03\x03" + len(sealed).to_bytes(2, "big") + sealed


def shaken(port: int, folder: Path, change: Callable[[Messages], Messages]) -> Path:
    """Shake hands with the server, the client's last flight changed; return the capture."""
    keys = folder / "client.keys"
    keys.unlink(missing_ok=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_cert_chain(folder / "right.pem")
    context.keylog_filename = str(keys)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client, talk, rest, done = context.wrap_bio(incoming, outgoing, server_hostname="localhost"), Talk(), b"", False
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as plain:
        while True:
            if not done:
                with contextlib.suppress(ssl.SSLWantReadError):
                    client.do_handshake()
                    done = True
                flight = outgoing.read()
                flight = changed(talk, keys, flight, change) if done else flight
                talk.take("client", flight)
                plain.sendall(flight)
            data = _received(plain)
            if not data:
                break
            incoming.write(data)
            rest = _whole(talk, rest + data)
    talk.keylog = keys.read_bytes()
    return talks.write(folder / "talk.pcap", captured.conversation(talk, time.time() - talks.NOON))


def _received(plain: socket.socket) -> bytes:
    try:
        return plain.recv(65536)
    except ConnectionResetError:
        return b""


def _whole(talk: Talk, data: bytes) -> bytes:
    """Take what the server sent, as far as its records are whole; return the rest."""
    while len(data) >= 5 and len(data) >= (end := 5 + int.from_bytes(data[3:5], "big")):
        talk.take("server", data[:end])
        data = data[end:]
    return data


def wrong_finished(said: Messages) -> Messages:
    return [*said[:-1], said[-1][:-1] + bytes((said[-1][-1] ^ 1,))]


def without_proof(said: Messages) -> Messages:
    return [one for one in said if one[0] != CERTIFICATE_VERIFY]


def ill_formed(said: Messages) -> Messages:
    return [said[0], bytes((CERTIFICATE_VERIFY, 0, 0, 1, 0)), said[-1]]


@pytest.mark.parametrize(("change", "code"), [(wrong_finished, 51), (without_proof, 10), (ill_formed, 50)])
def test_an_alert_under_the_handshake_keys_is_read(
    erlang: tuple[int, Path], change: Callable[[Messages], Messages], code: int
) -> None:
    port, folder = erlang
    pcap = shaken(port, folder, change)
    (connection,) = read(pcap, keylog=folder / "client.keys")
    assert [(one.sender, one.code, one.decrypted) for one in connection.alerts] == [("server", code, True)]
    assert any(HANDSHAKE_KEYS in note for note in connection.notes)
    assert connection.verdict is not None
    assert (connection.verdict.outcome, connection.verdict.refused_by) == ("failed", "server")
