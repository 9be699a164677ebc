"""Talks of real peers as captures: pcap files, and pcapng files that bring their secrets along."""

from __future__ import annotations

import struct
from pathlib import Path

from tests import talks
from tests.secrets.peers import Talk
from tests.wire.packets import block, enhanced, interface, section
from tlsalert.secrets.direction import Record

#: draft-ietf-opsawg-pcapng §4.7: the block, and the type of secrets that is a key log.
SECRETS_BLOCK, TLSK = 10, 0x544C534B


def whole(record: Record) -> bytes:
    """Return a record with its header."""
    fragment = record.fragment or b""
    return struct.pack(">BHH", record.content_type, record.version, len(fragment)) + fragment


def conversation(talk: Talk, at: float = 0, port: int = 40112) -> talks.Talk:
    """Return a talk record by record, as a conversation that the client closes."""
    return talks.Talk(tuple((one.side, whole(one)) for one in talk.records), at, port, closer="client")


def write(path: Path, *spoken: Talk) -> Path:
    """Write talks one after the other as a pcap."""
    return talks.write(path, *(conversation(one, 10 * place, 40112 + place) for place, one in enumerate(spoken)))


def with_secrets(path: Path, pcap: Path, keylog: bytes, place: float) -> Path:
    """Write a pcap again as a pcapng with a block of secrets in it: ``place`` is the share of packets before it."""
    data, at, packets = pcap.read_bytes(), 24, []
    while at < len(data):
        seconds, fraction, size = struct.unpack_from("<III", data, at)
        ticks = seconds * 10**6 + (fraction if data[:4] == b"\xd4\xc3\xb2\xa1" else fraction // 1000)
        packets.append(enhanced(data[at + 16 : at + 16 + size], ticks))
        at += 16 + size
    padded = keylog + bytes(-len(keylog) % 4)
    packets.insert(round(place * len(packets)), block(SECRETS_BLOCK, struct.pack("<II", TLSK, len(keylog)) + padded))
    path.write_bytes(section() + interface() + b"".join(packets))
    return path
