"""With secrets, too, `--only failed` tells exactly the failures among all: a glance passes over nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from OpenSSL import SSL

from tests import talks
from tests.evidence import ATLAS, CAPTURES, CASES, CORPUS, captures_under, needs_atlas, needs_cases, needs_corpus
from tests.secrets import captured
from tests.secrets.hellos import SERVER_RANDOM, client_hello, server_hello
from tests.secrets.peers import Peers, Talk
from tests.secrets.sealing import Sealer
from tests.secrets.test_peers import shaken
from tests.test_inside_tls import CLOSE, GET, LABELS, OK, REFUSED_400, Sealed, answered
from tests.wire import tls
from tlsalert.capture import Reader, Wanted
from tlsalert.model import Connection, Side, Summary
from tlsalert.registry.cipher_suites import NAMES
from tlsalert.secrets.opening import open_with
from tlsalert.secrets.schedule import TLS12, connection_keys
from tlsalert.secrets.suites import parse_suite
from tlsalert.wire import connection as built

FAILED = ("failed", "not_tls")
CERTIFICATE = talks.CERTIFICATE


def told(path: Path, wanted: Wanted, *keylogs: Path) -> tuple[list[Connection], Summary]:
    reader = Reader(path, wanted, open_with(keylogs) if keylogs else None)
    return list(reader), reader.summary


def assert_same(path: Path, *keylogs: Path) -> None:
    """Hold what is told where only failures are wanted against the failures among all that is told."""
    every, whole = told(path, "all", *keylogs)
    failed, summary = told(path, "failed", *keylogs)
    assert failed == [one for one in every if one.verdict is not None and one.verdict.outcome in FAILED]
    assert summary == whole


class Counting:
    """Counts the connections that are built."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.built = 0
        monkeypatch.setattr("tlsalert.telling.connection", self._count)

    def _count(self, *given: object) -> Connection:
        self.built += 1
        return built.connection(*given)  # type: ignore[arg-type]


@pytest.fixture
def counting(monkeypatch: pytest.MonkeyPatch) -> Counting:
    return Counting(monkeypatch)


def written(folder: Path, *sealed: Sealed, labels: tuple[str, ...] = tuple(LABELS)) -> tuple[Path, Path]:
    """Write connections one after the other, and their key log."""
    log = folder / "keys.log"
    log.write_text("".join(one.keys(*labels) for one in sealed))
    return talks.write(folder / "talk.pcap", *(one.talk(number) for number, one in enumerate(sealed))), log


def spoken(folder: Path, talk: Talk) -> tuple[Path, Path]:
    log = folder / "keys.log"
    log.write_bytes(talk.keylog)
    return captured.write(folder / "talk.pcap", talk), log


# --- what is passed over, and what is not ---------------------------------------------------------------------------


def test_what_went_well_is_not_built(tmp_path: Path, counting: Counting) -> None:
    path, log = written(tmp_path, answered(1, OK, CERTIFICATE), answered(2, b"220 mail.example ready" + 40 * b"!"))
    connections, summary = told(path, "failed", log)
    assert (connections, summary.connections, counting.built) == ([], 2, 0)
    assert_same(path, log)


SUITES = [b"ECDHE-RSA-AES128-GCM-SHA256", b"ECDHE-RSA-AES256-GCM-SHA384", b"ECDHE-RSA-CHACHA20-POLY1305"]


@pytest.mark.parametrize("suite", SUITES)
def test_nor_is_it_in_tls12(tmp_path: Path, counting: Counting, suite: bytes) -> None:
    path, log = spoken(tmp_path, shaken(SSL.TLS1_2_VERSION, suite))
    connections, summary = told(path, "failed", log)
    assert (connections, summary.connections, counting.built) == ([], 1, 0)
    assert_same(path, log)


@pytest.mark.parametrize("suite", ["TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_GCM_SHA256"])
def test_nor_in_tls13_with_a_real_peer(tmp_path: Path, counting: Counting, suite: str) -> None:
    talk = shaken(SSL.TLS1_3_VERSION, suite.encode())
    path, log = spoken(tmp_path, talk)
    connections, summary = told(path, "failed", log)
    assert (connections, summary.connections, counting.built) == ([], 1, 0)
    assert_same(path, log)


REFUSALS = {
    "an HTTP refusal": answered(1, REFUSED_400, CERTIFICATE),
    "an HTTP refusal in pieces": Sealed(1, CERTIFICATE)
    .say("client", 23, GET, True)
    .say("server", 23, REFUSED_400[:30], True)
    .say("server", 23, REFUSED_400[30:], True),
    "an HTTP refusal behind an interim answer": answered(
        1, b"HTTP/1.1 100 Continue\r\n\r\n" + REFUSED_400, CERTIFICATE
    ),
    "a login by nothing but a certificate": answered(
        1, b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n", CERTIFICATE
    ),
    "an alert": Sealed(1, CERTIFICATE).say("server", 21, b"\x02\x2a", True),
    "an alert under handshake keys": Sealed(1, CERTIFICATE).say("server", 21, b"\x02\x2a"),
    "an alert padded to a record's length": Sealed(1, CERTIFICATE).say("server", 21, b"\x02\x2a" * 40, True),
    "an alert after a ticket": Sealed(1, CERTIFICATE)
    .say("server", 22, tls.message(4, bytes(100)), True)
    .say("server", 21, b"\x02\x33", True),
    "an alert after a certificate that is asked for later": Sealed(1)
    .say("client", 23, GET, True)
    .say("server", 23, bytes(100), True)
    .say("server", 22, tls.message(13, b"\x01\x07" + tls.vector(2, b"\0\x0d" + tls.vector(2, bytes(60)))), True)
    .say("client", 22, tls.message(11, b"\x01\x07\0\0\0") + tls.message(20, bytes(32)), True)
    .say("server", 21, b"\x02\x74", True),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_a_refusal_is_told(tmp_path: Path, name: str) -> None:
    path, log = written(tmp_path, REFUSALS[name], answered(2, OK, CERTIFICATE))
    connections, summary = told(path, "failed", log)
    assert (len(connections), summary.connections, summary.failed_by_server) == (1, 2, 1)
    assert_same(path, log)


def test_an_http2_refusal_is_none_of_another_protocol(tmp_path: Path) -> None:
    """Without what the server chose nobody knows which it is: what may be one is opened in full."""
    page = b"<title>400 No required SSL certificate was sent</title>"
    frames = b"\0\0\1\1\4\0\0\0\1\x8c" + bytes((0, 0, len(page))) + b"\0\1\0\0\0\1" + page
    path, log = written(tmp_path, answered(1, frames, CERTIFICATE))
    assert_same(path, log)


def test_a_certificate_and_a_date_that_were_passed_over_speak_for_others(tmp_path: Path) -> None:
    """The server's clock and what it accepted are known as well as where all is built."""
    refusal = Sealed(2, CERTIFICATE).say("server", 21, b"\x02\x2a", True)
    path, log = written(tmp_path, answered(1, OK, CERTIFICATE), refusal)
    (failed,), _ = told(path, "failed", log)
    assert failed.clocks.server is not None
    assert failed.clocks.server.source == "HTTP Date"
    assert_same(path, log)


@pytest.mark.parametrize("status", [b"200 OK", b"302 Found", b"404 Not Found", b"503 Service Unavailable"])
def test_any_other_status_is_the_applications_business(tmp_path: Path, counting: Counting, status: bytes) -> None:
    path, log = written(
        tmp_path,
        answered(1, b"HTTP/1.1 " + status + b"\r\nServer: nginx/1.22.1\r\nContent-Length: 0\r\n\r\n", CERTIFICATE),
    )
    assert told(path, "failed", log)[0] == []
    assert counting.built == 0
    assert_same(path, log)


def test_tickets_that_came_before_the_clients_finished_are_counted(tmp_path: Path, counting: Counting) -> None:
    """Go sends them with its flight."""
    sealed = Sealed(1, CERTIFICATE)
    ticket = sealed.sealed("server", 22, tls.message(4, bytes(100)), traffic=True)
    sealed.flights[1] = "server", sealed.flights[1][1] + ticket
    sealed.say("client", 23, GET, True).say("server", 23, OK, True)
    path, log = written(tmp_path, sealed)
    assert told(path, "failed", log)[0] == []
    assert counting.built == 0
    assert_same(path, log)


@pytest.mark.parametrize("lacking", LABELS)
def test_without_one_of_the_secrets_the_rest_decides(tmp_path: Path, lacking: str) -> None:
    labels = tuple(label for label in LABELS if label != lacking)
    path, log = written(tmp_path, answered(1, OK, CERTIFICATE), *list(REFUSALS.values())[:1], labels=labels)
    assert_same(path, log)


def test_what_a_damaged_record_hides_is_not_guessed(tmp_path: Path) -> None:
    for place in range(2, 6):
        sealed = answered(1, OK, CERTIFICATE)
        side, data = sealed.flights[place - 1]
        sealed.flights[place - 1] = side, data[:-1] + bytes((data[-1] ^ 1,))
        assert_same(*written(tmp_path, sealed))


def test_a_session_that_was_passed_over_can_be_resumed(tmp_path: Path) -> None:
    """The second connection has no line of its own in the key log, as where a log begins anew."""
    peers = Peers("TLS 1.2", "ECDHE-RSA-AES128-GCM-SHA256")
    first = peers.talk()
    second = peers.talk(resume=first)
    peers.close()
    log = tmp_path / "keys.log"
    log.write_bytes(first.keylog.splitlines(True)[0])
    path = captured.write(tmp_path / "talk.pcap", first, second)
    assert_same(path, log)


def test_several_secrets_for_one_random_are_no_matter_for_a_glance(tmp_path: Path) -> None:
    path, log = written(tmp_path, answered(1, OK, CERTIFICATE))
    log.write_text(log.read_text() + log.read_text().replace(LABELS["SERVER_TRAFFIC_SECRET_0"].hex(), "99" * 32))
    assert_same(path, log)


def test_a_farewell_alone_is_left_to_the_diagnosis(tmp_path: Path) -> None:
    path, log = written(tmp_path, Sealed(1, CERTIFICATE).say("server", 21, CLOSE, True))
    assert_same(path, log)


TICKET = tls.message(4, bytes(100))
ASKS_LATER = tls.message(13, b"\x01\x07" + tls.vector(2, b"\0\x0d" + tls.vector(2, bytes(60))))
ANSWERS_LATER = tls.message(11, b"\x01\x07\0\0\0") + tls.message(20, bytes(32))
#: Side, content type, content, and whether it is under the traffic keys.
Step = tuple[Side, int, bytes, bool]
STEPS: list[Step] = [
    ("client", 23, GET, True),
    ("client", 23, bytes(300), True),
    ("client", 21, CLOSE, True),
    ("client", 21, b"\x02\x30", True),
    ("client", 21, b"\x02\x30", False),
    ("client", 22, ANSWERS_LATER, True),
    ("client", 22, tls.message(24, b"\0"), True),
    ("server", 23, OK, True),
    ("server", 23, REFUSED_400, True),
    ("server", 23, b"HTTP/1.1 100 Continue\r\n\r\n", True),
    ("server", 23, b"HTTP", True),
    ("server", 23, b"220 mail.example ready" + bytes(50), True),
    ("server", 23, b"ok", True),
    ("server", 23, bytes(300), True),
    ("server", 22, TICKET, True),
    ("server", 22, TICKET[:50], True),
    ("server", 22, TICKET[50:], True),
    ("server", 22, ASKS_LATER, True),
    ("server", 22, tls.message(24, b"\0"), True),
    ("server", 21, CLOSE, True),
    ("server", 21, b"\x02\x2a", True),
    ("server", 21, b"\x02\x2a", False),
    ("server", 21, b"\x02\x33", True),
    ("server", 21, b"\x01\x5a", True),
    ("server", 21, b"\x02\x2a" * 40, True),
]


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    talks_=st.lists(
        st.tuples(
            st.booleans(),
            st.lists(st.sampled_from([TICKET, OK, REFUSED_400, b"\x02\x2a"]), max_size=2),
            st.lists(st.sampled_from(STEPS), max_size=7),
        ),
        min_size=1,
        max_size=3,
    ),
    lacking=st.sampled_from(["", "", "", *LABELS]),
)
def test_whatever_is_said_under_encryption(
    tmp_path: Path, talks_: list[tuple[bool, list[bytes], list[Step]]], lacking: str
) -> None:
    """Before the client's Finished and after it: failures are the same, and so is all that is said of them."""
    spoken = []
    for number, (shown, early, steps) in enumerate(talks_, 1):
        sealed = Sealed(number, *([CERTIFICATE] if shown else []))
        for said in early:
            kind = 22 if said is TICKET else 21 if len(said) == 2 else 23
            sealed.flights[1] = "server", sealed.flights[1][1] + sealed.sealed("server", kind, said, traffic=True)
        for step in steps:
            sealed.say(*step)
        spoken.append(sealed)
    assert_same(*written(tmp_path, *spoken, labels=tuple(label for label in LABELS if label != lacking)))


MASTER = bytes(range(100, 148))
FINISHED = b"\x14\0\0\x0c" + bytes(12)
STEPS_12: list[tuple[Side, int, bytes]] = [
    ("client", 23, GET),
    ("client", 21, CLOSE),
    ("client", 21, b"\x02\x30"),
    ("client", 22, tls.message(1, tls.client_hello())),
    ("client", 22, FINISHED),
    ("client", 20, b"\1"),
    ("server", 23, OK),
    ("server", 23, REFUSED_400),
    ("server", 23, b"HTTP"),
    ("server", 23, bytes(3000)),
    ("server", 22, bytes(4)),  # HelloRequest, RFC 5246 §7.4.1.1
    ("server", 22, FINISHED),
    ("server", 20, b"\1"),
    ("server", 21, CLOSE),
    ("server", 21, b"\x01\x64"),
    ("server", 21, b"\x02\x2a"),
]


def shaken12(code: int, number: int, steps: list[tuple[Side, int, bytes]]) -> talks.Talk:
    """Return a handshake up to TLS 1.2 of which all after change_cipher_spec is sealed, and what follows it."""
    suite, random = parse_suite(NAMES[code]), bytes([number]) * 32
    drawn = connection_keys(MASTER, random, SERVER_RANDOM, TLS12, suite)
    seal = {side: Sealer(suite, TLS12, keys) for side, keys in zip(("client", "server"), drawn, strict=True)}
    hello, answer = client_hello([code], TLS12, random=random), server_hello(code, TLS12)
    exchange = tls.message(tls.CLIENT_KEY_EXCHANGE, bytes(66))
    flights: list[talks.Flight] = [
        ("client", tls.record(22, hello)),
        ("server", tls.record(22, answer + tls.message(tls.SERVER_HELLO_DONE))),
        ("client", tls.record(22, exchange) + tls.change_cipher_spec()),
        ("client", tls.record(22, seal["client"].seal(22, FINISHED))),
        ("server", tls.change_cipher_spec() + tls.record(22, seal["server"].seal(22, FINISHED))),
    ]
    flights += [(side, tls.record(kind, seal[side].seal(kind, said))) for side, kind, said in steps]
    return talks.Talk(tuple(flights), number, 42_000 + number, closer="client" if number % 2 else "server")


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    code=st.sampled_from([0xC02F, 0xC030, 0xCCA8, 0xC013, 0xC09C]),
    several=st.lists(st.lists(st.sampled_from(STEPS_12), max_size=7), min_size=1, max_size=3),
)
def test_whatever_is_said_under_encryption_in_tls12(
    tmp_path: Path, code: int, several: list[list[tuple[Side, int, bytes]]]
) -> None:
    path = talks.write(tmp_path / "talk.pcap", *(shaken12(code, n, steps) for n, steps in enumerate(several, 1)))
    log = tmp_path / "keys.log"
    randoms = (bytes([number]) * 32 for number in range(1, len(several) + 1))
    log.write_text("".join(f"CLIENT_RANDOM {random.hex()} {MASTER.hex()}\n" for random in randoms))
    assert_same(path, log)


# --- over captures that are there -----------------------------------------------------------------------------------


def keyed(*folders: Path) -> Iterator[tuple[Path, list[Path]]]:
    """Go through the captures that have a key log of their own name, or any key logs in their folder."""
    for path in captures_under(*folders):
        own = path.with_name(path.name.split(".pcap")[0] + ".keys")
        beside = [one for one in sorted(path.parent.iterdir()) if _is_log(one)]
        if own.exists() or beside or path.suffix == ".pcapng":
            yield path, [own] if own.exists() else beside


def _is_log(path: Path) -> bool:
    named = "key" in path.name.lower() and path.suffix in ("", ".log", ".txt", ".keys", ".keylog")
    return named and path.is_file() and path.stat().st_size < 10_000_000 and b"PRIVATE KEY" not in path.read_bytes()


@pytest.mark.parametrize("path", sorted(CAPTURES.glob("*.pcap*")), ids=lambda path: path.name)
def test_the_projects_captures(path: Path) -> None:
    log = path.with_suffix(".keys")
    assert_same(path, *([log] if log.exists() else []))


@needs_cases
def test_the_recorded_cases() -> None:
    for path, logs in keyed(CASES):
        assert_same(path, *logs)


@needs_atlas
def test_the_atlas() -> None:
    for path, logs in keyed(ATLAS):
        assert_same(path, *logs)


@needs_corpus
def test_the_public_captures() -> None:
    seen = 0
    for path, logs in keyed(CORPUS):
        if path.stat().st_size < 5_000_000:
            assert_same(path, *logs)
            seen += 1
    assert seen > 50
