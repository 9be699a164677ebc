"""What servers chose is kept once for each choice; certificates are kept as accepted or refused."""

from __future__ import annotations

import pytest

from tests.wire import tls
from tests.wire.packets import Side
from tests.wire.test_harvest import GOOD, MUTE, REFUSED, Turns, flows
from tlsalert.wire.harvest import Harvest
from tlsalert.wire.servers import BUDGET, CHOICES, EACH, SERVERS, SHOWN, Seen, Servers, leaf_end, tunnelled
from tlsalert.wire.transcript import Transcript

SERVER = b"\x0a\0\0\7" + (443).to_bytes(2, "big")


def certificate(seed: int) -> bytes:
    return bytes([seed]) * 300


def mutual(seed: int, *ends: tuple[Side, bytes]) -> Turns:
    """Return a handshake in which the client shows a certificate; it ends as GOOD does, or as ``ends`` say."""
    shown = tls.said(tls.message(tls.CERTIFICATE, tls.certificate_list(certificate(seed))))
    side, keys = GOOD[2]
    return [*GOOD[:2], (side, shown + keys), *(ends or GOOD[3:])]


def seen(*all_turns: Turns) -> Seen | None:
    harvest = Harvest(False, False)
    harvest.take(flows(*all_turns))
    return harvest.servers.of(SERVER)


def test_the_same_choice_is_kept_once_and_counted() -> None:
    kept = seen(GOOD, GOOD, GOOD)
    assert kept is not None
    (choice,) = kept.choices.values()
    assert (int(choice.connections), choice.client, choice.server) == (3, tls.client_hello(), tls.server_hello())


def test_a_choice_counts_however_the_handshake_ended() -> None:
    """A server that answered can speak what it chose."""
    kept = seen(REFUSED)
    assert kept is not None
    assert len(kept.choices) == 1


def test_a_hello_without_an_answer_shows_nothing_of_the_server() -> None:
    assert seen(MUTE) is None


def test_another_name_is_another_choice() -> None:
    longer = tls.said(tls.message(1, tls.client_hello(extensions=(tls.server_name(b"bmc.example"),))))
    kept = seen(GOOD, [("client", longer), *GOOD[1:]])
    assert kept is not None
    assert len(kept.choices) == 2


def test_certificates_are_accepted_or_refused() -> None:
    refusal: tuple[Side, bytes] = ("server", tls.alert(2, 42))
    kept = seen(mutual(1), mutual(1), mutual(2, refusal), mutual(2, refusal), mutual(3, ("client", b"")))
    assert kept is not None
    assert kept.accepted == {leaf_end(tls.certificate_list(certificate(1))): 106}
    assert kept.refused == {leaf_end(tls.certificate_list(certificate(2))): 2}
    assert kept.unsure
    sure = seen(mutual(1), mutual(2, refusal))
    assert sure is not None
    assert not sure.unsure


def test_a_certificate_is_known_by_the_end_of_its_signature() -> None:
    assert leaf_end(tls.certificate_list(certificate(1), certificate(9))) == b"\1" * 24
    assert leaf_end(tls.certificate_list(b"\1\2\3")) == b"\1\2\3"


@pytest.mark.parametrize("size", range(8))
def test_a_certificate_message_that_was_cut_has_no_end(size: int) -> None:
    assert len(leaf_end(tls.certificate_list(certificate(1))[:size])) <= max(0, size - 6)


@pytest.mark.parametrize("asked", [b"CONNECT bmc:443 HTTP/1.1\r\n\r\n", b"\x05\x01\x00", b"\x04\x01\x01\xbb"])
def test_a_tunnel_shows_the_proxys_address_so_nothing_of_its_servers(asked: bytes) -> None:
    assert seen([("client", asked), ("server", b"HTTP/1.1 200 OK\r\n\r\n"), *GOOD]) is None
    assert tunnelled(asked)
    assert not tunnelled(b"EHLO x\r\n")
    assert not tunnelled(b"")


def test_memory_is_bounded() -> None:
    servers = Servers()
    for number in range(SERVERS + 10):
        transcript = Transcript()
        transcript.version = 0x0303
        transcript.cipher = number
        servers.note(number.to_bytes(6, "big"), transcript)
        servers.note(bytes(6), transcript)
    kept = servers.of(bytes(6))
    assert kept is not None
    assert len(servers.seen) == SERVERS
    assert len(kept.choices) == CHOICES
    assert servers.kept <= (SERVERS + CHOICES) * EACH
    many = seen(*(mutual(number) for number in range(SHOWN + 5)))
    assert many is not None
    assert len(many.accepted) == SHOWN


def test_hellos_of_all_servers_together_are_bounded() -> None:
    """4,096 servers with twelve long hellos each would take a hundred megabytes."""
    servers = Servers()
    for number in range(2 * BUDGET // 1000):
        transcript = Transcript()
        transcript.message(1, 0, 1, 1, 1000, bytes(1000), False)
        transcript.version = 0x0303
        transcript.cipher = number % CHOICES
        servers.note((number // CHOICES).to_bytes(6, "big"), transcript)
    assert BUDGET <= servers.kept < BUDGET + 2 * 1000 + EACH
