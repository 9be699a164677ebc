"""Messages are shown as they pass, each once and in their order."""

from __future__ import annotations

from pathlib import Path

from tests.stories import console
from tests.talks import refused, write
from tlsalert.render.follow import Follower, lines
from tlsalert.wire.capfile import CaptureParser
from tlsalert.wire.network import Network
from tlsalert.wire.tcp import TcpTable


def followed(capture: bytes, step: int) -> list[str]:
    """Return what is shown of a capture that comes in pieces of ``step`` bytes."""
    shown: list[str] = []
    table = TcpTable()
    parser = CaptureParser(Network(table))
    follower = Follower(shown.append)
    for at in range(0, len(capture), step):
        parser.feed(capture[at : at + step])
        follower._next = 0.0  # as if enough time had passed
        follower.look(table)
        table.finished = []
    table.finish()
    follower.look(table)
    assert follower._told == {}
    return shown


def test_each_message_is_shown_once_whatever_the_pieces(tmp_path: Path) -> None:
    capture = write(tmp_path / "talk.pcap", refused(42)).read_bytes()
    whole = followed(capture, len(capture))
    assert [" ".join(line.split()[4:6]) for line in whole] == [
        "client client_hello",
        *(f"server {name}" for name in ("server_hello", "certificate", "certificate_request", "server_hello_done")),
        *(f"client {name}" for name in ("certificate", "client_key_exchange", "certificate_verify")),
        *("client change_cipher_spec", "client encrypted_handshake", "server ALERT"),
    ]
    assert whole[-1].endswith("server   ALERT fatal(2) bad_certificate(42)")
    assert whole[0].startswith("08:51:03.010000   10.0.0.5:40112 → 10.0.0.7:5900   client")
    assert followed(capture, 300) == whole


def test_only_what_is_new_is_given() -> None:
    every = lines(console())
    assert len(every) == 12
    assert lines(console(), 11) == every[11:]
    assert every[11][1].endswith("server   ALERT fatal(2) bad_certificate(42)")
