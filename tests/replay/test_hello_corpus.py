"""Every ClientHello of the captures beside the checkout is sent again as it was, or says what is not."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from tests.evidence import ATLAS, CASES, CORPUS, captures_under, needs_corpus
from tests.replay.hellos import decoded
from tlsalert.capture import read
from tlsalert.errors import UsageError
from tlsalert.model import ClientHello, Connection
from tlsalert.replay.hello import NOT_AGAIN, VERSIONS, from_connection
from tlsalert.wire.fingerprint import ja3, ja4

PADDING = 21
FRESH = {35, 40, 51, 65281}
UNKNOWN_CUTS = "how it was cut into records was not seen"


def shown() -> Iterator[tuple[Connection, ClientHello]]:
    for path in captures_under(CASES, CORPUS, ATLAS):
        for connection in read(path):
            if connection.client_hello is not None:
                yield connection, connection.client_hello


@needs_corpus
def test_ja3_ja4_and_the_extensions_in_their_order_with_their_bytes_are_those_that_were_captured() -> None:
    count = 0
    refused: set[str] = set()
    for connection, captured in shown():
        count += 1
        try:
            hello = from_connection(connection)
        except UsageError as error:
            refused.add(error.what)
            continue
        sent = decoded(hello.fresh(Random(1)))
        dropped = {one.type for one in captured.extensions} & set(NOT_AGAIN)
        assert len([one for one in hello.lost if "which changes JA3" in one]) == len(dropped)
        changed = [one for one in hello.lost if not one.startswith(UNKNOWN_CUTS)]
        kept = [one for one in captured.extensions if one.type not in NOT_AGAIN]
        assert [one.type for one in sent.extensions] == [one.type for one in kept]
        stay = [one for one in sent.extensions if one.type not in FRESH]
        padding = {PADDING} if changed else set()  # it makes up for what was left out
        assert [one for one in stay if one.type not in padding] == [
            one for one in kept if one.type not in FRESH | padding
        ]
        if not any("SSLv2" in one for one in changed):
            assert sent.cipher_suites == captured.cipher_suites
            assert len(sent.session_id) == len(captured.session_id)
            if connection.ja3 is not None and not dropped:
                transport = "" if connection.ja4 is None else connection.ja4[0]
                assert (ja3(sent), ja4(sent, transport)) == (connection.ja3, connection.ja4)
    assert count > 2000
    assert refused == {
        "only the beginning of this client_hello is there",
        "the client speaks SSLv2 alone, which a replay does not",
    }


@needs_corpus
def test_cuts_are_those_that_were_captured() -> None:
    count = 0
    for connection, captured in shown():
        if not connection.hello_records or captured.problems:
            continue
        try:
            hello = from_connection(connection)
        except UsageError:
            continue
        if hello.lost:
            continue
        fresh = hello.fresh(Random(1))
        cuts = tuple((int.from_bytes(one[1:3], "big"), len(one) - 5) for one in fresh.records)
        assert cuts == connection.hello_records
        count += 1
    assert count > 1500


@needs_corpus
def test_each_of_them_can_be_narrowed_to_each_version() -> None:
    seen: set[tuple[str | None, tuple[str, ...]]] = set()
    for connection, _ in shown():
        try:
            hello = from_connection(connection)
        except UsageError:
            continue
        if (connection.ja3, hello.lost) in seen:
            continue
        seen.add((connection.ja3, hello.lost))
        for version, code in VERSIONS.items():
            sent = decoded(hello.for_version(version).fresh(Random(1)))
            assert sent.legacy_version == min(code, 0x0303)
            assert code in sent.versions
            assert set(sent.problems) <= {*decoded(hello.fresh(Random(1))).problems}
    assert len(seen) > 100
