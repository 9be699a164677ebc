"""ARIA is the cipher of RFC 5794."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tlsalert.secrets.aria import Aria

PLAIN = bytes.fromhex("00112233445566778899aabbccddeeff")
KEY = bytes(range(32))
# RFC 5794 App. A.1 to A.3
VECTORS = [
    pytest.param(16, "d718fbd6ab644c739da95f3be6451778", id="128 bits"),
    pytest.param(24, "26449c1805dbe7aa25a468ce263a9e79", id="192 bits"),
    pytest.param(32, "f92bd7c79fb72e2f2b8f80c1972d24fc", id="256 bits"),
]


@pytest.mark.parametrize(("length", "encrypted"), VECTORS)
def test_it_encrypts_as_the_rfc_says(length: int, encrypted: str) -> None:
    assert Aria(KEY[:length]).encrypt(PLAIN).hex() == encrypted


@pytest.mark.parametrize(("length", "encrypted"), VECTORS)
def test_it_decrypts_as_the_rfc_says(length: int, encrypted: str) -> None:
    assert Aria(KEY[:length]).decrypt(bytes.fromhex(encrypted)) == PLAIN


@given(key=st.sampled_from([16, 24, 32]).flatmap(lambda size: st.binary(min_size=size, max_size=size)), data=st.data())
def test_decrypting_undoes_encrypting(key: bytes, data: st.DataObject) -> None:
    blocks = data.draw(st.integers(0, 4).flatmap(lambda count: st.binary(min_size=16 * count, max_size=16 * count)))
    iv = data.draw(st.binary(min_size=16, max_size=16))
    aria = Aria(key)
    assert aria.decrypt(aria.encrypt(blocks)) == blocks
    assert aria.decrypt_cbc(iv, aria.encrypt_cbc(iv, blocks)) == blocks


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl program to compare with")
@pytest.mark.parametrize("length", [16, 24, 32])
def test_cbc_is_that_of_openssl(length: int) -> None:
    iv, blocks = bytes(range(100, 116)), bytes(range(256))
    command = ["openssl", "enc", f"-aria-{8 * length}-cbc", "-K", KEY[:length].hex(), "-iv", iv.hex(), "-nopad"]
    theirs = subprocess.run(command, input=blocks, capture_output=True, check=False)
    if theirs.returncode:
        pytest.skip("this openssl was built without ARIA")
    assert Aria(KEY[:length]).encrypt_cbc(iv, blocks) == theirs.stdout
