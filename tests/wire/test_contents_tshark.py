"""What the messages and extensions say is what tshark reads in the same captures, frame by frame."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator

import pytest

from tests.evidence import CORPUS, needs_corpus
from tests.wire.test_fingerprint import every_capture
from tlsalert.capture import read
from tlsalert.decode import contents
from tlsalert.extensions import KeyShare, PskOffer, Timestamp
from tlsalert.messages import (
    CertificateRequestMessage,
    CertificateStatus,
    CertificateVerify,
    ClientKeyExchange,
    DhParameters,
    EcParameters,
    EncryptedExtensions,
    NewSessionTicket,
    ServerKeyExchange,
    Signature,
)
from tlsalert.model import ClientHello, Connection, Extension, ServerHello
from tlsalert.wire.extensions import read_extension

needs_tshark = pytest.mark.skipif(shutil.which("tshark") is None, reason="there is no tshark")

SCHEME = "tls.handshake.sig_hash_alg"
#: tshark's fields, each with all of its values in one frame, in order.
FIELDS = (
    "tls.handshake.server_named_curve",
    "tls.handshake.server_point_len",
    "tls.handshake.p_len",
    "tls.handshake.g_len",
    "tls.handshake.ys_len",
    "tls.handshake.client_point_len",
    "tls.handshake.epms_len",
    "tls.handshake.sig_len",
    "tls.handshake.session_ticket_lifetime_hint",
    "tls.handshake.session_ticket_length",
    "ocsp.responseStatus",
    "tls.handshake.extensions_key_share_group",
    "tls.handshake.extensions_key_share_key_exchange_length",
    "tls.extension.psk_ke_mode",
    "tls.record_size_limit",
    "tls.compress_certificate.algorithm",
    "tls.handshake.extensions.supported_version",
    "tls.handshake.extensions_alpn_str",
    "tls.handshake.extensions.psk.identity.obfuscated_ticket_age",
    "tls.handshake.extensions.psk.identity.identity_length",
    "tls.handshake.extensions_key_share_selected_group",
    SCHEME,
    "tls.handshake.yc_len",
)
Told = dict[tuple[int, str], list[str]]

#: A hello whose extensions are all empty, where they may be and where not: tshark reads on into the next extension.
MISREAD = {"arkime/tests/pcap/arkime_synthetic.pcap"}
SAMPLES = ["ja4/pcap/tls-handshake.pcapng", "ja4/pcap/latest.pcapng", "arkime/tests/pcap/openssl-ssl3.pcap"]


@needs_corpus
@needs_tshark
@pytest.mark.parametrize("path", SAMPLES)
def test_it_is_what_tshark_says(path: str) -> None:
    assert compared(path) > 0


@pytest.mark.long
@needs_corpus
@needs_tshark
def test_it_is_what_tshark_says_of_every_capture() -> None:
    assert sum(compared(path) for path in every_capture() if path not in MISREAD) > 10_000


def compared(path: str) -> int:
    """Hold what is said of one capture to what tshark says; return how many values were compared."""
    theirs = tshark(path)
    ours: Told = {}
    frames: dict[int, list[bool]] = {}
    certified: set[int] = set()
    for connection in read(CORPUS / path):
        if connection.protocol == "openvpn":
            continue  # tshark puts all that a flight of OpenVPN's packets carries into the last one's frame
        tell(connection, ours)
        for one in connection.messages:
            frame = one.position.frame or 0
            frames.setdefault(frame, []).append(one.type is not None and not one.cut)
            if one.message == "certificate":
                certified.add(frame)
    whole = {frame for frame, read_ in frames.items() if all(read_)}
    count = 0
    for key in sorted(ours.keys() | theirs.keys()):
        if key[1] == SCHEME and key[0] in certified:
            continue  # tshark counts the certificate's own timestamps among them
        if key[0] in whole and key in theirs:
            assert ours.get(key, []) == theirs[key], f"{path}, frame {key[0]}, {key[1]}"
            count += len(theirs[key])
    return count


def tell(connection: Connection, told: Told) -> None:
    """Add what the messages of a connection say under tshark's names."""
    for message in connection.messages:
        frame = message.position.frame or 0
        for field, value in pairs(connection, contents(message, connection)):
            told.setdefault((frame, field), []).append(value)


def pairs(connection: Connection, said: object) -> Iterator[tuple[str, str]]:
    """Return what one message says as tshark's fields."""
    if isinstance(said, ServerKeyExchange):
        held = said.parameters
        if isinstance(held, EcParameters) and held.group is not None:
            yield "tls.handshake.server_named_curve", f"0x{held.group:04x}"
            yield "tls.handshake.server_point_len", str(len(held.point))
        elif isinstance(held, DhParameters):
            yield "tls.handshake.p_len", str(len(held.prime))
            yield "tls.handshake.g_len", str(len(held.generator))
            yield "tls.handshake.ys_len", str(len(held.public))
        yield from of_signature(said.signature)
    elif isinstance(said, CertificateVerify):
        yield from of_signature(said.signature)
    elif isinstance(said, CertificateRequestMessage):
        for scheme in said.schemes:
            yield SCHEME, f"0x{scheme:04x}"
    elif isinstance(said, ClientKeyExchange):
        if said.kind == "ec":
            yield "tls.handshake.client_point_len", str(len(said.public))
        elif said.kind == "dh":
            yield "tls.handshake.yc_len", str(len(said.public))
        elif said.kind == "rsa" and connection.tls_version != "SSLv3":
            yield "tls.handshake.epms_len", str(len(said.public))
    elif isinstance(said, NewSessionTicket):
        yield "tls.handshake.session_ticket_lifetime_hint", str(said.lifetime)
        yield "tls.handshake.session_ticket_length", str(len(said.ticket))
    elif isinstance(said, CertificateStatus):
        for response in said.responses:
            if response is not None:
                yield "ocsp.responseStatus", str(response.status)
    elif isinstance(said, ClientHello):
        yield from of_extensions(said.extensions, 1)
    elif isinstance(said, ServerHello):
        yield from of_extensions(said.extensions, 6 if said.hello_retry_request else 2)
    elif isinstance(said, EncryptedExtensions):
        yield from of_extensions(said.extensions, 8)


def of_signature(signature: Signature | None) -> Iterator[tuple[str, str]]:
    if signature is not None:
        yield "tls.handshake.sig_len", str(len(signature.signature))
        if signature.scheme is not None:
            yield SCHEME, f"0x{signature.scheme:04x}"


def of_extensions(extensions: tuple[Extension, ...], message: int) -> Iterator[tuple[str, str]]:
    for extension in extensions:
        value = read_extension(extension.type, extension.data, message).value
        if isinstance(value, KeyShare):
            value = (value,)
        if isinstance(value, PskOffer):
            for identity in value.identities:
                yield "tls.handshake.extensions.psk.identity.identity_length", str(identity.length)
                yield "tls.handshake.extensions.psk.identity.obfuscated_ticket_age", str(identity.obfuscated_age)
            continue
        for one in value if isinstance(value, tuple) else (value,):
            if isinstance(one, Timestamp):
                yield SCHEME, f"0x{one.scheme:04x}"
            elif isinstance(one, KeyShare):
                yield "tls.handshake.extensions_key_share_group", str(one.group)
                yield "tls.handshake.extensions_key_share_key_exchange_length", str(one.length)
            elif isinstance(one, str) and extension.type == 16:
                yield "tls.handshake.extensions_alpn_str", one
            elif isinstance(one, int):
                if extension.type == 45:
                    yield "tls.extension.psk_ke_mode", str(one)
                elif extension.type == 51:
                    yield "tls.handshake.extensions_key_share_selected_group", str(one)
                elif extension.type in (13, 34, 50):
                    yield SCHEME, f"0x{one:04x}"
                elif extension.type == 28:
                    yield "tls.record_size_limit", str(one)
                elif extension.type == 27:
                    yield "tls.compress_certificate.algorithm", str(one)
                elif extension.type == 43:
                    yield "tls.handshake.extensions.supported_version", f"0x{one:04x}"


def tshark(path: str) -> Told:
    """Return tshark's values of each frame, by frame and field."""
    command = ["tshark", "-n", "-r", str(CORPUS / path), "-Y", "tls.handshake", "-T", "fields", "-e", "frame.number"]
    for field in FIELDS:
        command += ["-e", field]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "LC_ALL": "C"})
    found: Told = {}
    for line in done.stdout.splitlines():
        frame, *values = line.split("\t")
        for field, listed in zip(FIELDS, values, strict=True):
            if listed:
                found[int(frame), field] = listed.split(",")
    return found
