"""A capture that is annotated is the same capture, with comments that Wireshark shows."""

from __future__ import annotations

import gzip
import subprocess
from pathlib import Path

import pytest

from tests.evidence import CAPTURES
from tests.sources.test_blocks import options
from tests.talks import refused, write
from tests.wire.packets import Order, block, enhanced, interface, old, section, simple
from tests.wireshark import comments, needs_tshark, tshark
from tlsalert.annotation import Annotation
from tlsalert.capture import Reader
from tlsalert.sources.blocks import SECTION, Blocks
from tlsalert.sources.packets import packets

UNKNOWN = 0x80000ABC
CONSOLE = CAPTURES / "console.pcap"


def annotated(path: Path, out: Path) -> list[str]:
    annotation = Annotation(str(out))
    reader = Reader(path)
    for connection in reader:
        annotation.take(connection)
    return list(annotation.write(reader.summary))


def refused_packets(tmp_path: Path) -> list[bytes]:
    path = write(tmp_path / "refused.pcap", refused(42))
    return [one.data for one in packets([path.read_bytes()])]


def test_a_pcap_becomes_a_pcapng_with_the_same_packets(tmp_path: Path) -> None:
    out = tmp_path / "out.pcapng"
    (said,) = annotated(CAPTURES / "console.pcap", out)
    assert said.startswith(f"{out}: ")
    assert "comments on packets, and one on the whole capture" in said
    assert list(packets([out.read_bytes()])) == list(packets([(CAPTURES / "console.pcap").read_bytes()]))


@pytest.mark.parametrize("order", ["<", ">"])
def test_all_blocks_and_options_of_a_pcapng_stay(tmp_path: Path, order: Order) -> None:
    sent = refused_packets(tmp_path)
    whole = [
        section(order),
        interface(order=order, options=[(2, b"eth0"), (9, b"\x09")]),
        interface(link=101, order=order),
        block(UNKNOWN, b"whatever this is", order),
        *(enhanced(packet, 1000 * at, order=order) for at, packet in enumerate(sent[:-2])),
        block(4, b"\0\0\0\0", order),
        *(old(packet, 1000 * at, order=order) for at, packet in enumerate(sent[-2:], len(sent))),
        block(5, bytes(12), order),
        section(order),
        interface(order=order),
        enhanced(sent[0], 7, order=order),
    ]
    path, out = tmp_path / "in.pcapng", tmp_path / "out.pcapng"
    path.write_bytes(b"".join(whole))
    annotated(path, out)
    told = [one.data for one in Blocks([out.read_bytes()])]
    assert len(told) == len(whole)
    changed = [at for at, (before, after) in enumerate(zip(whole, told, strict=True)) if before != after]
    assert 0 in changed
    assert len(changed) >= 4  # the section, and the packets of hello, certificate and alert
    for at in changed:
        before, after = whole[at], told[at]
        start = 24 if at == 0 else len(before) - 4  # none of these had options: they stand at the end
        assert after[8:start][:8] == before[8:start][:8]
        assert {code for code, _ in options(after, start, order)} == {1, 0}
    assert list(packets([out.read_bytes()])) == list(packets([path.read_bytes()]))


def test_no_section_keeps_a_length_that_it_has_no_more(tmp_path: Path) -> None:
    first = b"".join([interface(), *(enhanced(one, at) for at, one in enumerate(refused_packets(tmp_path)))])
    path, out = tmp_path / "in.pcapng", tmp_path / "out.pcapng"
    path.write_bytes(
        section() + interface() + section()[:16] + len(first).to_bytes(8, "little") + section()[24:] + first
    )
    assert ": 0 comments" not in annotated(path, out)[0]
    headers = [one.data for one in Blocks([out.read_bytes()]) if one.kind == SECTION]
    assert [one[16:24] for one in headers] == [b"\xff" * 8] * 2


def test_what_was_cut_off_since_it_was_read_is_counted(tmp_path: Path) -> None:
    path, out = tmp_path / "in.pcap", tmp_path / "out.pcapng"
    path.write_bytes(CONSOLE.read_bytes())
    annotation, reader = Annotation(str(out)), Reader(path)
    for connection in reader:
        annotation.take(connection)
    path.write_bytes(CONSOLE.read_bytes()[:24])
    first, second = annotation.write(reader.summary)
    assert ": 0 comments on packets" in first
    assert "no place for 18 of the comments" in second


def test_packets_without_room_for_a_comment_are_counted(tmp_path: Path) -> None:
    path, out = tmp_path / "in.pcapng", tmp_path / "out.pcapng"
    path.write_bytes(section() + interface() + b"".join(map(simple, refused_packets(tmp_path))))
    first, second = annotated(path, out)
    assert ": 0 comments on packets" in first
    assert "of the comments: simple packet blocks cannot hold any" in second
    assert len(out.read_bytes()) > len(path.read_bytes())


def test_what_is_damaged_is_left_out_and_told(tmp_path: Path) -> None:
    whole = (CAPTURES / "console.pcap").read_bytes()
    path, out = tmp_path / "cut.pcap", tmp_path / "out.pcapng"
    path.write_bytes(whole[:-7])
    assert any("bytes are damaged or cut short, and left out" in one for one in annotated(path, out))
    assert len(list(packets([out.read_bytes()]))) == 35
    squeezed = tmp_path / "cut.pcap.gz"
    squeezed.write_bytes(gzip.compress(whole * 1)[:-9])
    assert any("ends where the original is damaged" in one for one in annotated(squeezed, out))


def test_connections_that_went_well_have_no_comments(tmp_path: Path) -> None:
    (said,) = annotated(CAPTURES / "success.pcap", tmp_path / "out.pcapng")
    assert ": 0 comments on packets" in said


@needs_tshark
@pytest.mark.parametrize(
    "name",
    ["console.pcap", "nanoseconds.pcapng", "tls13-expired.pcapng", "no-shared-version.pcap.gz",
     "no-shared-cipher-suite.pcap.zst", "disturbed.pcap"],
)  # fmt: skip
def test_tshark_reads_it_without_a_complaint_and_shows_the_comments(tmp_path: Path, name: str) -> None:
    out = tmp_path / "out.pcapng"
    annotated(CAPTURES / name, out)
    shown = comments(out)
    assert bool(shown) == (name != "nanoseconds.pcapng")  # in which all went well
    assert all("tlsalert #" in text for text in shown.values())
    number = ("-T", "fields", "-e", "frame.number", "-e", "frame.time_epoch", "-e", "frame.len")
    assert tshark(out, *number) == tshark(CAPTURES / name, *number)


@needs_tshark
def test_wireshark_shows_the_verdict_as_the_capture_s_comment(tmp_path: Path) -> None:
    out = tmp_path / "out.pcapng"
    annotated(CAPTURES / "console.pcap", out)
    told = subprocess.run(["capinfos", "-k", str(out)], capture_output=True, text=True, timeout=60, check=True).stdout
    assert "tlsalert: 3 TLS connections, 3 failed" in told
    assert "it is not valid yet by the server's clock" in told
