"""What a variant shows, in words that fit into a sentence: "answers 45 to *an expired certificate*".

The names are those of the catalogue of variants; one that has no words here is told by its name.
"""

from __future__ import annotations

PHRASES: dict[str, str] = {
    "good": "the good certificate",
    "good_no_eku": "a good certificate without extended key usage",
    "good_p256": "a good P-256 certificate",
    "good_p384": "a good P-384 certificate",
    "good_p521": "a good P-521 certificate",
    "good_ed25519": "a good Ed25519 certificate",
    "good_root_issued": "a good certificate that the root issued",
    "good_rsa4096": "a good certificate with a 4096-bit RSA key",
    "good_with_root": "the good certificate with its root",
    "none_sent": "no certificate",
    "certificate_msg_omitted": "a flight without a Certificate message",
    "certificate_msg_malformed": "a Certificate message whose lengths do not add up",
    "zero_length_entry": "a certificate of no bytes",
    "self_signed_unknown": "a stranger's self-signed certificate",
    "self_signed_ca_true": "a stranger's self-signed CA certificate",
    "same_name_ca_no_keyid": "a certificate by another CA of the same name",
    "same_name_ca_keyid": "a certificate by another CA of the same name, with that CA's key identifier",
    "same_name_inter_no_keyid": "a certificate by another intermediate of the same name",
    "unknown_issuer": "a certificate by an unknown issuer",
    "unknown_issuer_with_root": "a certificate by an unknown issuer, its root sent with it",
    "expired": "an expired certificate",
    "expired_intermediate": "a certificate by an expired issuer",
    "expired_root": "a certificate under an expired root",
    "expired_unknown_issuer": "an expired certificate by an unknown issuer",
    "not_yet_valid": "a certificate that is not yet valid",
    "not_yet_valid_intermediate": "a certificate by an issuer that is not yet valid",
    "inverted_validity": "a certificate that ends before it begins",
    "bad_time_encoding": "a certificate whose dates cannot be read",
    "gentime_9999": "a certificate valid until the year 9999",
    "utctime_no_seconds": "a certificate with dates without seconds",
    "valid_2016_2040": "a certificate valid from 2016 to 2040",
    "root_and_leaf_2016": "a certificate whose root and it are valid from 2016",
    "eku_server_only": "a certificate for servers only",
    "eku_server_only_critical": "a certificate for servers only (critical)",
    "eku_code_signing": "a certificate for signing code",
    "eku_any_only": "a certificate for any extended usage",
    "ku_key_encipherment_only": "a certificate without the usage digitalSignature",
    "ku_certsign_only": "a certificate whose key may only sign certificates",
    "ca_true_leaf": "a CA's certificate as the client's",
    "ca_true_leaf_root_issued": "a CA's certificate, issued by the root, as the client's",
    "sig_tampered": "a certificate whose signature was changed",
    "tbs_tampered": "a certificate whose contents were changed",
    "sig_alg_mismatch": "a certificate that names two signature algorithms",
    "sig_alg_unknown": "a certificate signed with an unknown algorithm",
    "garbage_der": "random bytes for a certificate",
    "truncated_der": "a certificate that was cut off",
    "trailing_garbage": "a certificate with bytes after its end",
    "rsa512": "a certificate with a 512-bit RSA key",
    "rsa1024": "a certificate with a 1024-bit RSA key",
    "md5_signed": "a certificate signed with MD5",
    "sha1_signed": "a certificate signed with SHA-1",
    "sha1_intermediate": "a certificate by an issuer that SHA-1 signed",
    "p224": "a certificate with a P-224 key",
    "secp256k1": "a certificate with a secp256k1 key",
    "ed448": "a certificate with an Ed448 key",
    "unknown_key_type": "a certificate with a key of an unknown type",
    "key_mismatch": "a certificate with another's key",
    "cv_corrupted": "a CertificateVerify with a broken signature",
    "cv_omitted": "a certificate without CertificateVerify",
    "cv_bad_scheme": "a CertificateVerify by a scheme that was not offered",
    "finished_corrupted": "a broken Finished",
    "missing_intermediate": "a certificate without its intermediate",
    "wrong_order_inter_first": "a chain whose issuer comes first",
    "wrong_order_root_before_inter": "a chain with the root before the intermediate",
    "duplicate_leaf": "the good certificate sent twice",
    "unrelated_extra_cert": "the good certificate with an unrelated one after it",
    "intermediate_not_ca": "a certificate by an issuer that is no CA",
    "intermediate_no_bc": "a certificate by an issuer without basicConstraints",
    "intermediate_no_certsign": "a certificate by an issuer that may not sign certificates",
    "intermediate_eku_server": "a certificate by an issuer for servers only",
    "pathlen_exceeded": "a chain longer than its path length allows",
    "name_constraints_ok": "a certificate within its issuer's name constraints",
    "name_constraints_violated": "a certificate outside its issuer's name constraints",
    "unknown_critical_ext": "a certificate with an unknown critical extension",
    "unknown_noncritical_ext": "a certificate with an unknown extension",
    "v1_certificate": "an X.509 v1 certificate",
    "v1_with_extensions": "an X.509 v1 certificate with extensions",
    "v1_intermediate": "a certificate by an X.509 v1 issuer",
    "v4_certificate": "a certificate of an X.509 version that does not exist",
    "duplicate_extension": "a certificate with an extension twice",
    "bad_extension_der": "a certificate with an extension that cannot be read",
    "negative_serial": "a certificate with a negative serial number",
    "zero_serial": "a certificate with the serial number 0",
    "long_serial": "a certificate with an over-long serial number",
    "empty_subject": "a certificate without a subject",
    "revoked": "a revoked certificate",
    "revoked_hold": "a certificate on hold",
    "revoked_intermediate": "a certificate by a revoked issuer",
}


def phrase(variant: str) -> str:
    """Return what the variant shows, with its article: "an expired certificate"."""
    if (known := PHRASES.get(variant)) is not None:
        return known
    kind, _, size = variant.rpartition("_")
    if kind == "huge":
        return f"a certificate of {size.removesuffix('k')} KB"
    if variant.startswith("chain_") and variant.endswith("_cas"):
        return f"a chain of {variant.split('_')[1]} CAs"
    return f"the certificate of variant {variant}"
