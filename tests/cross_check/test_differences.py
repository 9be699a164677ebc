"""Every kind of difference is seen, what only tlsalert reads is none, and the known ones have their reasons."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from msgspec import structs

from tests.evidence import CAPTURES
from tlsalert.capture import read
from tlsalert.cross_check.differences import KNOWN, Difference, differences
from tlsalert.cross_check.seen import Stream
from tlsalert.model import Connection

CLIENT, SERVER = "10.0.0.5 40112", "10.0.0.7 5900"
(OURS,) = [one for one in read(CAPTURES / "console.pcap") if one.connection == 2]


def seen(**changed: Any) -> Stream:
    """Return what Wireshark says of a capture of the project's, with one thing changed."""
    assert OURS.server_hello is not None
    sender = {"client": CLIENT, "server": SERVER}
    stream = Stream(
        7,
        frozenset((CLIENT, SERVER)),
        [(sender[one.sender], one.type) for one in OURS.messages if one.type is not None],
        [(SERVER, 42)],
        0x0303,
        OURS.server_hello.cipher_suite,
        None,
        {int(one.serial or "", 16) for one in (*OURS.certificates.client, *OURS.certificates.server)},
    )
    return replace(stream, **changed)


def told(stream: Stream, *connections: Connection) -> list[Difference]:
    return list(differences([stream], connections or (OURS,)))


def test_what_is_the_same_does_not_differ() -> None:
    assert told(seen()) == []


def test_what_only_tlsalert_reads_is_no_difference() -> None:
    stream = seen()
    less = [one for one in stream.messages if one[1] not in (11, 15)]
    bare = Stream(7, stream.ends, less)
    assert told(bare) == []


@pytest.mark.parametrize(
    ("changed", "figure", "wireshark", "ours"),
    [
        pytest.param({"ends": frozenset(("a 1", SERVER))}, "found", f"{SERVER} and a 1", "no TLS", id="no such ends"),
        pytest.param({"version": 0x0302}, "version", "0x0302", "TLS 1.2", id="version"),
        pytest.param(
            {"cipher_suite": 0x1301}, "cipher_suite", "0x1301", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", id="suite"
        ),
        pytest.param({"server_name": "bmc.example"}, "server_name", "bmc.example", "none", id="name"),
        pytest.param({"alerts": [(SERVER, 48)]}, "alerts", f"48 from {SERVER}", f"42 from {SERVER}", id="alert"),
        pytest.param({"alerts": [(CLIENT, 42)]}, "alerts", f"42 from {CLIENT}", f"42 from {SERVER}", id="sender"),
    ],
)  # fmt: skip
def test_a_figure_that_differs(changed: dict[str, Any], figure: str, wireshark: str, ours: str) -> None:
    (one,) = told(seen(**changed))
    assert (one.stream, one.figure, one.wireshark, one.tlsalert, one.reason) == (7, figure, wireshark, ours, None)
    assert one.connection == (None if figure == "found" else 2)


def test_messages_that_are_missing_or_in_another_order_or_of_the_other_side() -> None:
    right = seen().messages
    for wrong in ([*right, (SERVER, 4)], [right[0], right[2], right[1]], [(SERVER, 1), *right[1:]]):
        assert [one.figure for one in told(seen(messages=wrong))] == ["messages"]


def test_a_serial_that_tlsalert_lacks() -> None:
    (one,) = told(seen(serials={0xABC}))
    assert (one.figure, one.wireshark) == ("serials", "abc")


def test_ports_that_are_used_again_take_the_connection_that_fits() -> None:
    other = structs.replace(OURS, connection=5, messages=OURS.messages[:1], alerts=())
    both = [seen(number=8, messages=[(CLIENT, 1)], alerts=[], serials=set()), seen()]
    assert list(differences(both, [OURS, other])) == []
    assert [one.figure for one in differences([seen(), seen(number=9)], [OURS])] == ["found"]


def test_names_for_the_same_number_do_not_differ() -> None:
    assert OURS.server_hello is not None
    old = structs.replace(OURS, tls_version="SSLv3", server_hello=structs.replace(OURS.server_hello, version=0x0300))
    assert told(seen(version=0x0300), old) == []


def test_the_known_ones_have_their_reasons() -> None:
    hello = OURS.server_hello
    assert hello is not None
    draft = structs.replace(OURS, server_hello=structs.replace(hello, legacy_version=0x7F0E, version=0x7F0E))
    broken = structs.replace(OURS, server_hello=structs.replace(hello, problems=("supported_versions is empty",)))
    unread = structs.replace(OURS, server_hello=None, tls_version=None, cipher_suite=None)
    cases = [
        (seen(version=0x7F0E, cipher_suite=0xACAD), draft, "has no session ID"),
        (seen(version=0x002C), broken, "What is in an extension ends with the extension"),
        (seen(version=0), unread, "A message ends where its length says"),
    ]
    for stream, ours, reason in cases:
        found = told(stream, ours)
        assert found
        assert all(one.reason is not None and reason in one.reason for one in found)


def test_each_reason_cites_its_source() -> None:
    assert all("RFC" in one.reason or "draft-" in one.reason for one in KNOWN)
