"""GCM over any block cipher is the same GCM that others have."""

from __future__ import annotations

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from tlsalert.secrets.aria import Aria
from tlsalert.secrets.gcm import Gcm

NONCE = bytes(range(12))


def aes_gcm(key: bytes) -> Gcm:
    return Gcm(Cipher(algorithms.AES(key), modes.ECB()).encryptor().update)


@given(key=st.binary(min_size=16, max_size=16), plain=st.binary(max_size=100), associated=st.binary(max_size=40))
def test_with_aes_it_is_openssls(key: bytes, plain: bytes, associated: bytes) -> None:
    theirs = AESGCM(key).encrypt(NONCE, plain, associated)
    assert aes_gcm(key).encrypt(NONCE, plain, associated) == theirs
    assert aes_gcm(key).decrypt(NONCE, theirs, associated) == plain


@given(plain=st.binary(max_size=40), data=st.data())
def test_what_was_changed_by_a_bit_does_not_open(plain: bytes, data: st.DataObject) -> None:
    gcm = Gcm(Aria(bytes(16)).encrypt)
    sealed = bytearray(gcm.encrypt(NONCE, plain, b"header"))
    assert gcm.decrypt(NONCE, bytes(sealed), b"headers") is None
    sealed[data.draw(st.integers(0, len(sealed) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    assert gcm.decrypt(NONCE, bytes(sealed), b"header") is None


def test_what_is_shorter_than_a_tag_does_not_open() -> None:
    assert aes_gcm(bytes(16)).decrypt(NONCE, bytes(15), b"") is None
