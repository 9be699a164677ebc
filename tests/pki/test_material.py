"""Files of certificates and keys become material, in whatever form they come; errors are sentences."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)
from cryptography.hazmat.primitives.serialization.pkcs12 import serialize_key_and_certificates

from tests.pki.issuing import AUTHORITY, Holder, issue
from tlsalert.errors import CaptureError, TlsalertError, UsageError
from tlsalert.pki.material import Authority, Material, is_self_signed, load_material

AT = datetime(2021, 6, 17, tzinfo=UTC)
ROOT = issue("CN=Root", None, AUTHORITY)
INTERMEDIATE = issue("CN=Intermediate", ROOT, AUTHORITY)
LEAF = issue("CN=leaf", INTERMEDIATE)
NONE = NoEncryption()
SECRET = BestAvailableEncryption(b"open sesame")


def pem(*holders: Holder) -> bytes:
    return b"".join(x509.load_der_x509_certificate(one.der).public_bytes(Encoding.PEM) for one in holders)


def key_pem(holder: Holder, encryption: KeySerializationEncryption = NONE) -> bytes:
    encoded: bytes = holder.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)
    return encoded


def keystore(encryption: KeySerializationEncryption = SECRET) -> bytes:
    leaf, *others = (x509.load_der_x509_certificate(one.der) for one in (LEAF, ROOT, INTERMEDIATE))
    return serialize_key_and_certificates(b"client", LEAF.key, leaf, others, encryption)


class Folder:
    """Files by their content."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __call__(self, name: str, content: bytes) -> str:
        (self.path / name).write_bytes(content)
        return str(self.path / name)


@pytest.fixture
def file(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def same_key(one: object, holder: Holder) -> bool:
    return one is not None and bool(one.public_key() == holder.key.public_key())  # type: ignore[attr-defined]


def test_separate_files_are_put_together(file: Folder) -> None:
    material = load_material(
        AT, file("c.pem", pem(LEAF)), file("k.pem", key_pem(LEAF)), [file("chain.pem", pem(ROOT, INTERMEDIATE))]
    )
    assert material.certificate == LEAF.der
    assert same_key(material.key, LEAF)
    assert material.chain == (INTERMEDIATE.der, ROOT.der)
    assert (material.intermediates, material.anchor, material.at) == ((INTERMEDIATE.der,), ROOT.der, AT)
    assert material.ca is None


@pytest.mark.parametrize("order", [(LEAF, INTERMEDIATE, ROOT), (ROOT, INTERMEDIATE, LEAF)])
def test_one_file_may_hold_all_of_it_in_any_order(file: Folder, order: tuple[Holder, ...]) -> None:
    material = load_material(AT, file("all.pem", pem(*order) + key_pem(LEAF)))
    assert material.certificate == LEAF.der
    assert same_key(material.key, LEAF)
    assert material.chain == (INTERMEDIATE.der, ROOT.der)


def test_der_and_pkcs12_are_read_and_passphrases_asked_for(file: Folder) -> None:
    asked: list[str] = []

    def ask(source: str) -> bytes:
        asked.append(Path(source).name)
        return b"open sesame"

    encoded = LEAF.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, SECRET)
    plain = load_material(AT, file("c.der", LEAF.der), file("k.der", encoded), ask=ask)
    assert (plain.certificate, same_key(plain.key, LEAF)) == (LEAF.der, True)
    stored = load_material(AT, file("c.p12", keystore()), ask=ask)
    assert (stored.certificate, same_key(stored.key, LEAF)) == (LEAF.der, True)
    assert stored.chain == (INTERMEDIATE.der, ROOT.der)
    assert asked == ["k.der", "c.p12"]


def test_a_cas_certificate_and_key_are_an_authority(file: Folder) -> None:
    ca = file("ca.pem", pem(INTERMEDIATE, ROOT)), file("ca.key", key_pem(INTERMEDIATE))
    material = load_material(AT, file("c.pem", pem(LEAF)), ca_certificate=ca[0], ca_key=ca[1])
    assert isinstance(material.ca, Authority)
    assert material.ca.certificate == INTERMEDIATE.der
    assert (material.chain, material.root) == ((INTERMEDIATE.der, ROOT.der), ROOT.der)


def test_a_cas_certificate_without_its_key_still_names_the_root(file: Folder) -> None:
    material = load_material(AT, file("c.pem", pem(LEAF)), ca_certificate=file("ca.pem", pem(ROOT)))
    assert (material.ca, material.anchor) == (None, ROOT.der)


def test_nothing_is_material_too() -> None:
    before = datetime.now(UTC)
    material = load_material()
    assert (material.certificate, material.key, material.ca, material.chain) == (None, None, None, ())
    assert material.at >= before


def test_a_certificate_that_names_itself_but_was_signed_by_another_is_not_self_signed() -> None:
    assert is_self_signed(ROOT.der)
    assert not is_self_signed(LEAF.der)
    assert not is_self_signed(issue("CN=Root", ROOT).der)
    assert not is_self_signed(b"junk")


@pytest.mark.parametrize(
    ("content", "key", "error", "says"),
    [
        (pem(LEAF), key_pem(ROOT), UsageError, "k: this key is not the certificate's; look for the key"),
        (pem(LEAF), b"junk", CaptureError, "k: is no private key; PEM, DER"),
        (pem(LEAF), pem(LEAF), CaptureError, "k: has no private key; name the file with the key"),
        (pem(LEAF), key_pem(LEAF, SECRET), UsageError, "k: is encrypted; give the passphrase"),
        (b"junk", None, CaptureError, "c: has no certificate; PEM, DER and PKCS #12"),
        (b"", None, CaptureError, "c: has no certificate"),
        (key_pem(LEAF), None, CaptureError, "c: has no certificate"),
        (keystore(), None, UsageError, "c: is encrypted; give the passphrase"),
        (pem(LEAF).replace(b"M", b"=", 1), None, TlsalertError, "c: "),
        (
            b"-----BEGIN CERTIFICATE-----\nMIIC\n-----END CERTIFICATE-----\n",
            None,
            CaptureError,
            "c: has a certificate that is cut",
        ),
        (b"\x30" + b"\x00" * (1 << 20), None, CaptureError, "c: is too long"),
        (
            pem(LEAF),
            X25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NONE),
            UsageError,
            "k: is a kind of key that cannot sign",
        ),
    ],
)
def test_errors_say_which_file_and_what_to_do(
    file: Folder, content: bytes, key: bytes | None, error: type[TlsalertError], says: str
) -> None:
    with pytest.raises(error) as caught:
        load_material(AT, file("c", content), None if key is None else file("k", key))
    said = str(caught.value).replace(f"{file.path}/", "")
    assert said.startswith(says)


def test_a_missing_file_and_a_key_without_its_ca_are_errors(file: Folder) -> None:
    with pytest.raises(CaptureError, match="cannot be read: No such file"):
        load_material(AT, str(file.path / "missing"))
    with pytest.raises(UsageError, match="the CA's key is of no use without its certificate"):
        load_material(AT, ca_key=file("k", key_pem(ROOT)))


def test_keys_do_not_show() -> None:
    material = Material(AT, LEAF.der, (INTERMEDIATE.der,), LEAF.key, Authority(ROOT.der, ROOT.key))
    assert repr(material) == "Material(certificate, 1 issuers, its key, a CA's key, at 2021-06-17)"
    assert repr(material.ca) == f"Authority(certificate of {len(ROOT.der)} bytes)"
