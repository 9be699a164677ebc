"""The comparison with Wireshark sees every kind of difference. This needs no corpus."""

from __future__ import annotations

from typing import Any

import pytest

from tests.corpus import truth
from tests.corpus.truth import compared, stale, unexplained
from tests.evidence import CAPTURES
from tlsalert.capture import read

CAPTURE = CAPTURES / "unknown-ca.pcap"


def row(**changed: Any) -> dict[str, Any]:
    """Return what tshark would say of a capture of the project's, with one thing changed."""
    (connection,) = read(CAPTURE)
    assert connection.server_hello is not None
    sides = {"client": "c2s", "server": "s2c"}
    sent = [m for m in connection.messages if m.type is not None]
    serials = [{"serial": one.serial} for one in connection.certificates.server]
    stream = {
        "kind": "tcp",
        "id": 0,
        "client": "10.0.0.5 40104",
        "server": "10.0.0.7 5900",
        "messages": [[m.position.frame, sides[m.sender], m.type, m.message] for m in sent],
        "version": "TLS 1.2",
        "cipher": f"0x{connection.server_hello.cipher_suite:04x}",
        "cipher_name": connection.cipher_suite,
        "sni": None,
        "certificates": [{"certs": serials}],
        "alerts": [{"dir": "s2c", "desc": 48}],
    }
    return {"path": str(CAPTURE), "streams": [{**stream, **changed}]}


def differing(**changed: Any) -> list[str]:
    return [one.figure for one in compared(row(**changed)) if not one.equal]


def test_what_is_the_same_agrees_in_every_figure() -> None:
    assert [one.figure for one in compared(row())] == [
        "found", "messages", "version", "cipher_suite", "serials", "alerts"
    ]  # fmt: skip
    assert differing() == []


@pytest.mark.parametrize(
    ("changed", "figure"),
    [
        ({"client": "10.0.0.9 40104"}, "found"),
        ({"messages": [[4, "c2s", 1, "client_hello"], [5, "s2c", 4, "new_session_ticket"]]}, "messages"),
        ({"messages": [[4, "s2c", 1, "client_hello"]]}, "messages"),
        ({"messages": [[5, "s2c", 11, "certificate"], [6, "s2c", 2, "server_hello"]]}, "messages"),
        ({"version": "TLS 1.1"}, "version"),
        ({"cipher": "0x0035", "cipher_name": "TLS_RSA_WITH_AES_256_CBC_SHA"}, "cipher_suite"),
        ({"cipher": "0x0035", "cipher_name": "Unknown"}, "cipher_suite"),
        ({"sni": "bmc.example"}, "server_name"),
        ({"certificates": [{"certs": [{"serial": "0a:0b"}]}]}, "serials"),
        ({"alerts": [{"dir": "s2c", "desc": 42}]}, "alerts"),
        ({"alerts": [{"dir": "c2s", "desc": 48}]}, "alerts"),
    ],
)
def test_every_kind_of_difference_is_seen(changed: dict[str, Any], figure: str) -> None:
    assert differing(**changed) == [figure]


def test_a_part_of_what_was_read_is_enough_and_ends_may_be_turned() -> None:
    assert differing(messages=[[4, "c2s", 1, "client_hello"]]) == []
    assert differing(client="10.0.0.7 5900", server="10.0.0.5 40104") == []


def test_numbers_count_where_there_are_no_names() -> None:
    assert differing(cipher_name="Unknown") == []


def test_differences_and_entries_are_held_against_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    everything = [*compared(row(version="TLS 1.1"))]
    entry = {"path": str(CAPTURE), "stream": 0, "figure": "version", "theirs": "TLS 1.1", "ours": "TLS 1.2"}
    monkeypatch.setattr(truth, "DIFFERENCES", [])
    assert len(unexplained(everything)) == 1
    monkeypatch.setattr(truth, "DIFFERENCES", [entry])
    assert (unexplained(everything), stale(everything)) == ([], [])
    assert stale([*compared(row())]) == [f"listed, but no longer so: {CAPTURE} stream 0, version"]
    monkeypatch.setattr(truth, "DIFFERENCES", [{**entry, "ours": "TLS 1.0"}])
    assert len(stale(everything)) == 1
