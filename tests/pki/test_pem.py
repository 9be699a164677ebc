"""PEM blocks are found in whatever text or bytes they stand in."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tlsalert.pki.pem import Block, blocks

DATA = bytes(range(48)) * 3
BODY = base64.encodebytes(DATA).decode()
PEM = f"-----BEGIN CERTIFICATE-----\n{BODY}-----END CERTIFICATE-----\n"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(PEM, id="as it is"),
        pytest.param(PEM.replace("\n", "\r\n"), id="CRLF"),
        pytest.param(PEM.replace("\n", "\n> "), id="quoted in mail"),
        pytest.param("    " + PEM.replace("\n", "\n    "), id="set in, as in YAML"),
        pytest.param(json.dumps({"certificate": PEM}), id="JSON"),
        pytest.param(json.dumps(PEM).replace("+", "\\u002b").replace("=", "\\u003d"), id="JSON of a careful writer"),
        pytest.param('"' + PEM.replace("\n", '\\n"\n"') + '"', id="C"),
        pytest.param(PEM.replace("\n", "\\x0a"), id="a dump in hex escapes"),
        pytest.param(PEM.replace("\n", "\\012"), id="a dump in octal"),
        pytest.param(PEM.replace(BODY, BODY.replace("\n", "")), id="one line"),
        pytest.param("Bag Attributes\n  friendlyName: me\n" + PEM, id="OpenSSL's bag attributes"),
    ],
)
def test_a_block_is_read_however_it_is_quoted(text: str) -> None:
    assert [(one.label, one.data) for one in blocks(text.encode())] == [("CERTIFICATE", DATA)]


def test_headers_are_kept_and_written_back() -> None:
    headers = "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\n"
    text = PEM.replace(BODY, headers + BODY).replace("CERTIFICATE", "RSA PRIVATE KEY")
    (block,) = blocks(text.encode())
    assert block.encrypted
    assert block.headers[1] == ("DEK-Info", "AES-128-CBC,00")
    assert list(blocks(block.text())) == [block._replace(stop=block.stop)]


def test_places_count_bytes_and_blocks_end_before_the_next_begins() -> None:
    broken = PEM[: len(PEM) // 2]
    found = list(blocks(b"\0" * 7 + broken.encode() + PEM.encode()))
    assert [(one.start, one.data) for one in found] == [(7, None), (7 + len(broken), DATA)]


@pytest.mark.parametrize(
    "text", ["-----BEGIN CERTIFICATE-----\0-----END %s-----\n", "-----BEGIN %s-----", "-----BEGIN "]
)
def test_the_markers_that_libraries_hold_are_no_blocks(text: str) -> None:
    assert list(blocks(text.encode())) == []


def test_the_time_grows_with_the_length_alone() -> None:
    assert list(blocks(b"-----BEGIN CERTIFICATE-----\n" * 100_000)) == []


@given(st.binary(max_size=300).map(lambda data: b"-----BEGIN A-----" + data + b"-----END A-----"))
def test_any_bytes_end_in_blocks(data: bytes) -> None:
    assert all(isinstance(one, Block) for one in blocks(data))
