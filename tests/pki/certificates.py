"""Certificates made for tests, and what another reader says of a certificate: the words it should be told in."""

from __future__ import annotations

import warnings
from datetime import UTC, datetime
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes, PublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID
from cryptography.x509.oid import ObjectIdentifier as Oid
from cryptography.x509.oid import SignatureAlgorithmOID as Signed

from tlsalert.pki.certificate import KEY_USAGES
from tlsalert.pki.names import ATTRIBUTES

SUBJECT = x509.Name.from_rfc4514_string("CN=IPMI,OU=Software,O=Super Micro Computer,ST=California,C=US")
NOT_BEFORE = datetime(2016, 5, 19, 9, 46, 36, tzinfo=UTC)
NOT_AFTER = datetime(2026, 5, 17, 9, 46, 36, tzinfo=UTC)
KEY = ec.generate_private_key(ec.SECP256R1())

CURVES = {
    "secp192r1": "P-192",
    "secp224r1": "P-224",
    "secp256r1": "P-256",
    "secp384r1": "P-384",
    "secp521r1": "P-521",
}
SHORT_NAMES = {Oid(dotted): short for dotted, short in ATTRIBUTES.items()}
USAGE_FIELDS = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)
PURPOSES = {
    ExtendedKeyUsageOID.SERVER_AUTH: "serverAuth",
    ExtendedKeyUsageOID.CLIENT_AUTH: "clientAuth",
    ExtendedKeyUsageOID.CODE_SIGNING: "codeSigning",
    ExtendedKeyUsageOID.EMAIL_PROTECTION: "emailProtection",
    ExtendedKeyUsageOID.TIME_STAMPING: "timeStamping",
    ExtendedKeyUsageOID.OCSP_SIGNING: "OCSPSigning",
    ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE: "anyExtendedKeyUsage",
    ExtendedKeyUsageOID.SMARTCARD_LOGON: "smartcardLogon",
    ExtendedKeyUsageOID.IPSEC_IKE: "ipsecIKE",
    Oid("1.3.6.1.5.5.7.3.5"): "ipsecEndSystem",
    Oid("1.3.6.1.5.5.7.3.6"): "ipsecTunnel",
    Oid("1.3.6.1.5.5.7.3.7"): "ipsecUser",
    Oid("1.3.6.1.4.1.311.10.3.3"): "msSGC",
    Oid("2.16.840.1.113730.4.1"): "nsSGC",
}
#: RFC 3279 §2.2.1, RFC 4055 §5, RFC 5758 §3, RFC 8410 §3.
ALGORITHMS = {
    Signed.RSA_WITH_MD5: "md5WithRSAEncryption",
    Signed.RSA_WITH_SHA1: "sha1WithRSAEncryption",
    Oid("1.3.14.3.2.29"): "sha1WithRSASignature",
    Signed.RSA_WITH_SHA224: "sha224WithRSAEncryption",
    Signed.RSA_WITH_SHA256: "sha256WithRSAEncryption",
    Signed.RSA_WITH_SHA384: "sha384WithRSAEncryption",
    Signed.RSA_WITH_SHA512: "sha512WithRSAEncryption",
    Signed.RSASSA_PSS: "rsassaPss",
    Signed.ECDSA_WITH_SHA1: "ecdsa-with-SHA1",
    Signed.ECDSA_WITH_SHA224: "ecdsa-with-SHA224",
    Signed.ECDSA_WITH_SHA256: "ecdsa-with-SHA256",
    Signed.ECDSA_WITH_SHA384: "ecdsa-with-SHA384",
    Signed.ECDSA_WITH_SHA512: "ecdsa-with-SHA512",
    Signed.DSA_WITH_SHA1: "dsa-with-sha1",
    Signed.DSA_WITH_SHA256: "dsa-with-sha256",
    Signed.ED25519: "Ed25519",
    Signed.ED448: "Ed448",
}


def made(
    *extensions: x509.ExtensionType,
    subject: x509.Name = SUBJECT,
    issuer: x509.Name | None = None,
    serial: int = 0x4EBA7241,
    not_before: datetime = NOT_BEFORE,
    not_after: datetime = NOT_AFTER,
    key: CertificateIssuerPrivateKeyTypes = KEY,
    digest: hashes.SHA256 | hashes.SHA384 | hashes.SHA512 | None = None,
) -> bytes:
    """Return a certificate that signed itself."""
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(subject if issuer is None else issuer)
    builder = builder.serial_number(serial).not_valid_before(not_before).not_valid_after(not_after)
    builder = builder.public_key(key.public_key())
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    chosen = None if isinstance(key, ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey) else digest or hashes.SHA256()
    return builder.sign(key, chosen).public_bytes(Encoding.DER)


def told(der: bytes) -> dict[str, object]:
    """Return what cryptography says of a certificate, in the model's words. Raises ValueError where it is broken."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of what it will refuse one day
        theirs = x509.load_der_x509_certificate(der)
        extensions = {extension.oid: extension.value for extension in theirs.extensions}
        return {
            "subject": theirs.subject.rfc4514_string(SHORT_NAMES),
            "issuer": theirs.issuer.rfc4514_string(SHORT_NAMES),
            "serial": f"{theirs.serial_number:x}",
            "not_before": theirs.not_valid_before_utc,
            "not_after": theirs.not_valid_after_utc,
            "key": _key(theirs.public_key()),
            "signature_algorithm": _algorithm(theirs),
            "subject_alt_names": _names(extensions.get(ExtensionOID.SUBJECT_ALTERNATIVE_NAME)),
            "key_usage": _usages(extensions.get(ExtensionOID.KEY_USAGE)),
            "extended_key_usage": _purposes(extensions.get(ExtensionOID.EXTENDED_KEY_USAGE)),
            "ca": _authority(extensions.get(ExtensionOID.BASIC_CONSTRAINTS)),
        }


def _key(key: PublicKeyTypes) -> str:
    if isinstance(key, rsa.RSAPublicKey):
        return f"RSA {key.key_size}"
    if isinstance(key, dsa.DSAPublicKey):
        return f"DSA {key.key_size}"
    if isinstance(key, ec.EllipticCurvePublicKey):
        return f"EC {CURVES.get(key.curve.name, key.curve.name)}"
    return {"Ed25519PublicKey": "Ed25519", "Ed448PublicKey": "Ed448"}[type(key).__name__]


def _algorithm(certificate: x509.Certificate) -> str:
    kind = certificate.signature_algorithm_oid
    return ALGORITHMS.get(kind, kind.dotted_string)


def _names(extension: x509.ExtensionType | None) -> tuple[str, ...]:
    assert isinstance(extension, x509.SubjectAlternativeName | None)
    return tuple(_general_name(name) for name in extension or ())


def _general_name(name: x509.GeneralName) -> str:
    if isinstance(name, x509.DirectoryName):
        return "dirName:" + name.value.rfc4514_string(SHORT_NAMES)
    if isinstance(name, x509.RegisteredID):
        return f"RID:{name.value.dotted_string}"
    if isinstance(name, x509.IPAddress):
        return f"IP:{ip_address(str(name.value))}"
    kinds = {x509.DNSName: "DNS", x509.RFC822Name: "email", x509.UniformResourceIdentifier: "URI"}
    return f"{kinds[type(name)]}:{name.value}" if type(name) in kinds else "otherName"


def _usages(extension: x509.ExtensionType | None) -> tuple[str, ...]:
    assert isinstance(extension, x509.KeyUsage | None)
    if extension is None:
        return ()
    fields = USAGE_FIELDS if extension.key_agreement else USAGE_FIELDS[:7]  # else the last two have no meaning
    return tuple(word for word, field in zip(KEY_USAGES, fields, strict=False) if getattr(extension, field))


def _purposes(extension: x509.ExtensionType | None) -> tuple[str, ...]:
    assert isinstance(extension, x509.ExtendedKeyUsage | None)
    return tuple(PURPOSES.get(purpose, purpose.dotted_string) for purpose in extension or ())


def _authority(extension: x509.ExtensionType | None) -> bool | None:
    assert isinstance(extension, x509.BasicConstraints | None)
    return None if extension is None else extension.ca
