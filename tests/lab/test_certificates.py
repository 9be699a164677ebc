"""The lab's certificates are what their names say, and what is wrong with them is wrong."""

from datetime import UTC, datetime

import pytest

pytest.importorskip("cryptography", reason="needs the extra lab")

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.x509.oid import ExtendedKeyUsageOID

from tlsalert.lab.certificates import Usage, issued, self_signed, tampered

FROM, UNTIL = datetime(2021, 1, 1, tzinfo=UTC), datetime(2046, 1, 1, tzinfo=UTC)
ROOT = self_signed("CN=root", FROM, UNTIL, "p256")


@pytest.mark.parametrize(
    ("usage", "oids"),
    [
        pytest.param(("server",), [ExtendedKeyUsageOID.SERVER_AUTH], id="servers only"),
        pytest.param(("client",), [ExtendedKeyUsageOID.CLIENT_AUTH], id="clients only"),
        pytest.param(
            ("server", "client"), [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH], id="both"
        ),
    ],
)
def test_a_certificate_is_good_for_what_it_is_asked_to_be(
    usage: tuple[Usage, ...], oids: list[x509.ObjectIdentifier]
) -> None:
    made = issued("CN=leaf", ROOT, FROM, UNTIL, "p256", usage=usage).certificate
    assert list(made.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value) == oids


def test_an_authority_stands_behind_what_it_issued_and_not_behind_a_forgery() -> None:
    leaf = issued("CN=leaf", ROOT, FROM, UNTIL, "p256")
    leaf.certificate.verify_directly_issued_by(ROOT.certificate)
    forged = tampered(leaf)
    assert forged.certificate.tbs_certificate_bytes == leaf.certificate.tbs_certificate_bytes
    assert (forged.key, forged.chain) == (leaf.key, leaf.chain)
    with pytest.raises(InvalidSignature):
        forged.certificate.verify_directly_issued_by(ROOT.certificate)
