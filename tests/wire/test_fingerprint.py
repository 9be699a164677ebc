"""JA3, JA3S and JA4 are what their authors publish, and what other programs make of the same captures.

JA3 and JA3S: README.md of github.com/salesforce/ja3 (BSD-3-Clause). JA4: technical_details/JA4.md of
github.com/FoxIO-LLC/ja4 (BSD-3-Clause); the fingerprints of its captures are those in its python/test/testdata and
rust/ja4/src/snapshots.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.wire import tls
from tlsalert.capture import read
from tlsalert.model import ClientHello, Connection
from tlsalert.wire.fingerprint import ja3, ja3s, ja4
from tlsalert.wire.hello import read_client_hello, read_server_hello

CORPUS = Path(__file__).parents[3] / "shared" / "corpus"
needs_corpus = pytest.mark.skipif(not CORPUS.is_dir(), reason="there is no ../shared/corpus")
needs_tshark = pytest.mark.skipif(shutil.which("tshark") is None, reason="there is no tshark")

GREASE = (0x0A0A, 0x1A1A, 0xFAFA)


def hello_of_ja3(text: str, grease: bool = False) -> ClientHello:
    """Return the ClientHello that a JA3 string describes, with GREASE in every list if asked for."""
    version, *lists = text.split(",")
    suites, kinds, groups, formats = ([int(one) for one in listed.split("-") if one] for listed in lists)
    extra = list(GREASE) if grease else []
    content = {10: tls.vector(2, tls.u16(*extra[1:], *groups)), 11: tls.vector(1, bytes(formats))}
    extensions = [(kind, content.get(kind, b"")) for kind in (*extra[:1], *kinds, *extra[2:])]
    return read_client_hello(tls.client_hello(int(version), (*extra, *suites), extensions or None))


@pytest.mark.parametrize(
    ("text", "digest"),
    [
        (
            "769,47-53-5-10-49161-49162-49171-49172-50-56-19-4,0-10-11,23-24-25,0",
            "ada70206e40642a3e4461f35503241d5",
        ),
        ("769,4-5-10-9-100-98-3-6-19-18-99,,,", "de350869b8c85de67a350c8d186f11e6"),
    ],
    ids=["with extensions", "without extensions"],
)
def test_ja3_is_that_of_its_readmes_examples(text: str, digest: str) -> None:
    assert ja3(hello_of_ja3(text)) == digest


def test_ja3_leaves_grease_out() -> None:
    """README.md: "JA3 ignores these values completely"."""
    text = "769,47-53-5-10-49161-49162-49171-49172-50-56-19-4,0-10-11,23-24-25,0"
    assert ja3(hello_of_ja3(text, grease=True)) == "ada70206e40642a3e4461f35503241d5"


@pytest.mark.parametrize(
    ("version", "suite", "extensions", "digest"),
    [
        (769, 49172, [65281, 11], "623de93db17d313345d7ea481e7443cf"),
        (771, 60, [65281], "80b3a14bccc8598a1f3bbe83e71f735f"),
    ],
    ids=["Trickbot's server", "Emotet's server"],
)
def test_ja3s_is_that_of_its_readmes_examples(version: int, suite: int, extensions: list[int], digest: str) -> None:
    """The README gives the digests; the hellos are the ones that have them."""
    body = tls.server_hello(version, suite, [(kind, b"\0") for kind in extensions])
    assert ja3s(read_server_hello(body)) == digest


#: The ClientHello in JA4.md's examples, in the order of its JA4_ro.
SUITES = [
    0x1301,
    0x1302,
    0x1303,
    0xC02B,
    0xC02F,
    0xC02C,
    0xC030,
    0xCCA9,
    0xCCA8,
    0xC013,
    0xC014,
    0x9C,
    0x9D,
    0x2F,
    0x35,
]
KINDS = [0x1B, 0, 0x33, 0x10, 0x4469, 0x17, 0x2D, 0x0D, 5, 0x23, 0x12, 0x2B, 0xFF01, 0x0B, 0x0A, 0x15]
SCHEMES = (0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601)


def hello_of_ja4(
    suites: list[int] = SUITES,
    kinds: list[int] = KINDS,
    schemes: tuple[int, ...] = SCHEMES,
    versions: tuple[int, ...] = (0x0304, 0x0303),
    protocol: bytes = b"h2",
    legacy: int = 0x0303,
) -> ClientHello:
    content = {
        0: tls.server_name(b"a.example")[1],
        13: tls.vector(2, tls.u16(*schemes)),
        16: tls.alpn(protocol, b"http/1.1")[1],
        43: tls.vector(1, tls.u16(*versions)),
        51: tls.vector(2, b""),
    }
    return read_client_hello(tls.client_hello(legacy, suites, [(kind, content.get(kind, b"")) for kind in kinds]))


class TestJa4:
    def test_the_documents_example(self) -> None:
        assert ja4(hello_of_ja4()) == "t13d1516h2_8daaf6152771_e5627efa2ab1"

    def test_grease_counts_nowhere(self) -> None:
        hello = hello_of_ja4(
            [GREASE[0], *SUITES], [GREASE[1], *KINDS, GREASE[2]], (GREASE[0], *SCHEMES), (GREASE[2], 0x0304)
        )
        assert ja4(hello) == "t13d1516h2_8daaf6152771_e5627efa2ab1"

    def test_grease_among_signature_schemes_is_left_out(self) -> None:
        """What rust/ja4/src/snapshots makes of FoxIO's sigalg-grease.pcapng: a browser that offers ML-DSA."""
        kinds = [0, 5, 10, 11, 13, 16, 18, 23, 27, 35, 43, 45, 51, 17613, 51764, 65037, 65281]
        schemes = (0x0904, 0x0905, 0x0906, *SCHEMES)
        for offered in (schemes, (GREASE[1], *schemes), (*schemes, GREASE[2])):
            assert ja4(hello_of_ja4(kinds=kinds, schemes=offered)) == "t13d1517h2_8daaf6152771_cb7bf5808d99"

    def test_order_counts_only_for_signature_schemes(self) -> None:
        assert ja4(hello_of_ja4(SUITES[::-1], KINDS[::-1])) == "t13d1516h2_8daaf6152771_e5627efa2ab1"
        assert ja4(hello_of_ja4(schemes=SCHEMES[::-1])) != ja4(hello_of_ja4())

    def test_without_signature_schemes_there_is_no_underscore_before_them(self) -> None:
        """ "0005,000a,000b,000d,0012,…,ff01 = 6d807ffa2a79"."""
        assert ja4(hello_of_ja4(schemes=())) == "t13d1516h2_8daaf6152771_6d807ffa2a79"

    def test_without_ciphers_or_extensions_the_hash_is_zeroes(self) -> None:
        hello = read_client_hello(tls.client_hello(suites=(), extensions=None))
        assert ja4(hello) == "t12i000000_000000000000_000000000000"
        only_name = read_client_hello(tls.client_hello(suites=(), extensions=[tls.server_name(b"a"), tls.alpn(b"h2")]))
        assert ja4(only_name) == "t12d0002h2_000000000000_000000000000"

    @pytest.mark.parametrize(
        ("protocol", "shown"),
        [
            (b"h2", "h2"),
            (b"http/1.1", "h1"),
            (b"h", "hh"),
            (b"", "00"),
            (b"\xab", "ab"),
            (b"\xab\xcd", "ad"),
            (b"\x30\xab", "3b"),
            (b"\x30\x31\xab\xcd", "3d"),
            (b"\x30\xab\xcd\x31", "01"),
            ("ä2".encode(), "c2"),
            (b"-a", "21"),
        ],
    )
    def test_the_first_protocol_shows_by_its_ends(self, protocol: bytes, shown: str) -> None:
        """The document's examples, and two of the same rule."""
        assert ja4(hello_of_ja4(protocol=protocol))[:10] == f"t13d1516{shown}"

    def test_without_alpn_there_are_zeroes(self) -> None:
        assert ja4(hello_of_ja4(kinds=[kind for kind in KINDS if kind != 16]))[:10] == "t13d151500"

    def test_the_version_is_the_highest_that_is_offered(self) -> None:
        assert ja4(hello_of_ja4(versions=(0x0301, 0x0303, 0x0302)))[1:3] == "12"
        assert ja4(hello_of_ja4(versions=(0x7F1C,)))[1:3] == "00"

    @pytest.mark.parametrize(
        ("legacy", "shown"),
        [(0x0303, "12"), (0x0302, "11"), (0x0301, "10"), (0x0300, "s3"), (0x0002, "s2"), (0x0909, "00")],
    )
    def test_or_the_hellos_own_where_none_are_listed(self, legacy: int, shown: str) -> None:
        assert ja4(hello_of_ja4(kinds=[0], legacy=legacy))[:4] == f"t{shown}d"

    @pytest.mark.parametrize(("legacy", "shown"), [(0xFEFF, "d1"), (0xFEFD, "d2"), (0xFEFC, "d3")])
    def test_dtls_has_versions_of_its_own(self, legacy: int, shown: str) -> None:
        assert ja4(hello_of_ja4(kinds=[0], legacy=legacy), "d")[:4] == f"d{shown}d"

    def test_the_transport_is_its_first_letter(self) -> None:
        assert ja4(hello_of_ja4(), "q") == "q13d1516h2_8daaf6152771_e5627efa2ab1"

    def test_counts_end_at_99(self) -> None:
        hello = hello_of_ja4(list(range(1, 300)), list(range(100, 250)))
        assert ja4(hello)[4:8] == "9999"

    def test_what_is_no_cipher_suite_counts_as_one(self) -> None:
        """TLS_EMPTY_RENEGOTIATION_INFO_SCSV, TLS_FALLBACK_SCSV and the reserved ones."""
        assert ja4(hello_of_ja4([0x00FF, 0x5600, 0xFEFE], [0]))[4:6] == "03"


CHROME, CHROME_1, RESUMING = (
    "t13d1516h2_8daaf6152771_e5627efa2ab1",
    "t13d1516h1_8daaf6152771_e5627efa2ab1",
    "t13d1516h2_8daaf6152771_9b887d9acb53",
)
#: FoxIO's own results: the file in its folder pcap, and by the client's port the fingerprint of its first ClientHello.
PUBLISHED_JA4 = {
    "tls-handshake.pcapng": {
        **dict.fromkeys((50112, 50116, 50155, 50157, 50167), CHROME),
        **dict.fromkeys((50122, 50140, 50152), CHROME_1),
        50123: "t13d151400_8daaf6152771_de4a06bb82e3",
        50153: "t13d1517h1_8daaf6152771_6cdcb247c39b",
    },
    "tls-sni.pcapng": {
        **dict.fromkeys((50112, 50159, 50166, 50168, 50169, 50184), CHROME),
        50122: CHROME_1,
        50123: "t13d151400_8daaf6152771_de4a06bb82e3",
    },
    "tls3.pcapng": {
        **dict.fromkeys((63248, 63253, 63254, 63255), CHROME),
        **dict.fromkeys((63250, 63251, 63252), RESUMING),
    },
    "http2-with-cookies.pcapng": {58847: CHROME},
    "https-connect.pcap": {54723: "t12i860500_e18388e7f3a3_a1e935682795"},
    "macos_tcp_flags.pcap": {61311: "t13d2613h2_2802a3db6c62_845d286b0d67"},
}


@needs_corpus
@pytest.mark.parametrize("name", PUBLISHED_JA4)
def test_ja4_is_what_foxio_makes_of_its_captures(name: str) -> None:
    found = {c.client.port: c.ja4 for c in read(CORPUS / "ja4" / "pcap" / name) if c.client is not None}
    published = PUBLISHED_JA4[name]
    assert {port: found[port] for port in published} == published


#: Captures of many clients: browsers, scanners, malware, SSLv3, STARTTLS, IPv6 and a HelloRetryRequest.
SAMPLES = [
    "ja4/pcap/tls-handshake.pcapng",
    "ja4/pcap/latest.pcapng",
    "ja4/pcap/https-connect.pcap",
    "arkime/tests/pcap/openssl-ssl3.pcap",
    "arkime/tests/pcap/tls-client-sessionid.pcap",
    "PcapFlowLab/tests/data/parsing/tls/tls_client_hello_1.pcap",
]


#: TLS 1.3 of draft 14: its ServerHello has no session_id, but tshark 4.0 reads one of 192 bytes.
MISREAD = {"suricata-verify/tests/tls/tls13-draft14/tls13_draft14.pcap"}


def every_capture() -> list[str]:
    """Return all captures of the corpus in which tshark found TLS over TCP."""
    rows = map(json.loads, (CORPUS / "truth.jsonl").read_text(encoding="utf-8").splitlines())
    return [
        row["path"]
        for row in rows
        if row["path"] not in MISREAD and any(stream["kind"] == "tcp" for stream in row["streams"])
    ]


@needs_corpus
@needs_tshark
@pytest.mark.parametrize("path", SAMPLES)
def test_ja3_and_ja3s_are_what_tshark_says(path: str) -> None:
    assert compared_to_tshark(path) > 0


@pytest.mark.long
@needs_corpus
@needs_tshark
def test_ja3_and_ja3s_are_what_tshark_says_of_every_capture() -> None:
    assert sum(compared_to_tshark(path) for path in every_capture()) > 2000


def compared_to_tshark(path: str) -> int:
    """Hold the fingerprints of one capture to tshark's, hello by hello; return how many were compared."""
    theirs = tshark_fingerprints(path)
    compared = 0
    for connection in read(CORPUS / path):
        for name, ours in (("client_hello", connection.ja3), ("server_hello", connection.ja3s)):
            frames = hello_frames(connection, name)
            if ours is None or len(frames) != 1 or len(theirs.get((name, frames[0]), ())) != 1:
                continue  # of two hellos in one frame or connection nobody says which is meant
            assert theirs[name, frames[0]] == [ours], f"{path}, frame {frames[0]}"
            compared += 1
    return compared


def hello_frames(connection: Connection, name: str) -> list[int | None]:
    return [message.position.frame for message in connection.messages if message.message == name]


def tshark_fingerprints(path: str) -> dict[tuple[str, int | None], list[str]]:
    """Return tshark's JA3 and JA3S of each frame, by the message's name and the frame's number."""
    command = [
        "tshark",
        "-n",
        "-r",
        str(CORPUS / path),
        "-Y",
        "tls.handshake.ja3 or tls.handshake.ja3s",
        "-T",
        "fields",
    ]
    for field in ("frame.number", "tls.handshake.ja3", "tls.handshake.ja3s"):
        command += ["-e", field]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "LC_ALL": "C"})
    found: dict[tuple[str, int | None], list[str]] = {}
    for line in done.stdout.splitlines():
        frame, clients, servers = line.split("\t")
        found["client_hello", int(frame)] = clients.split(",") if clients else []
        found["server_hello", int(frame)] = servers.split(",") if servers else []
    return found
