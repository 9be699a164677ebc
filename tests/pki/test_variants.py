"""Each variant has the one defect that it is named for: by our own reader, and by OpenSSL's verdict on its chain."""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.evidence import SHARED
from tests.pki.issuing import AUTHORITY, Holder, issue, usage
from tlsalert.errors import UsageError
from tlsalert.pki import write
from tlsalert.pki.build import body_of, certificate
from tlsalert.pki.certificate import read_certificate
from tlsalert.pki.key_pool import KeyPool
from tlsalert.pki.material import Authority, Material
from tlsalert.pki.presentation import Presentation, PrivateKey
from tlsalert.pki.signatures import signed_by
from tlsalert.pki.signing import Signer, key_info
from tlsalert.pki.variants import VARIANTS, CannotMakeError, Unmade, dated, prepare
from tlsalert.registry.alerts import AlertDescription

AT = datetime(2021, 6, 17, 8, 51, tzinfo=UTC)
KEYS = KeyPool()


def authority(name: str, by: Holder | None) -> Holder:
    """Return a CA with a key identifier."""
    key = KEYS.key("rsa2048", name)
    return issue(name, by, AUTHORITY, x509.SubjectKeyIdentifier.from_public_key(key.public_key()), key=key)


ROOT = authority("CN=Root", None)
INTERMEDIATE = authority("CN=Intermediate", ROOT)
LEAF = issue(
    "CN=IPMI,O=Example",
    INTERMEDIATE,
    x509.SubjectAlternativeName([x509.DNSName("ipmi.example")]),
    x509.ExtendedKeyUsage([x509.ObjectIdentifier("1.3.6.1.5.5.7.3.2")]),
    usage("digital_signature", "key_encipherment"),
    x509.BasicConstraints(ca=False, path_length=None),
    x509.AuthorityKeyIdentifier.from_issuer_public_key(INTERMEDIATE.key.public_key()),
    key=KEYS.key("rsa2048", "leaf"),
)
PINNED = issue("CN=BMC", None, AUTHORITY, key=KEYS.key("rsa2048", "leaf"))

OF_ROOT = Material(AT, LEAF.der, (INTERMEDIATE.der,), LEAF.key, Authority(ROOT.der, ROOT.key), ROOT.der, keys=KEYS)
OF_INTERMEDIATE = replace(OF_ROOT, ca=Authority(INTERMEDIATE.der, INTERMEDIATE.key))
OF_PINNED = Material(AT, PINNED.der, (), PINNED.key, keys=KEYS)

#: What OpenSSL 3 calls the defect (X509_V_ERR_*, x509_vfy.h) where it has one; "load": it does not read the bytes.
#: Those left out verify: the defect lies in the handshake, in the order, or in nothing that OpenSSL looks at.
VERIFY_ERRORS: dict[str, int | str] = {
    "zero_length_entry": "load",
    "garbage_der": "load",
    "truncated_der": "load",
    "sig_tampered": 7,
    "tbs_tampered": 7,
    "self_signed_unknown": 18,
    "self_signed_ca_true": 18,
    "unknown_issuer": 20,
    "unknown_issuer_with_root": 19,
    "same_name_ca_no_keyid": 7,
    "same_name_ca_keyid": 20,
    "same_name_inter_no_keyid": 7,
    "expired": 10,
    "not_yet_valid": 9,
    "inverted_validity": 9,
    "expired_intermediate": 10,
    "not_yet_valid_intermediate": 9,
    "expired_unknown_issuer": 20,
    "bad_time_encoding": 14,
    "utctime_no_seconds": 13,
    "eku_server_only": 26,
    "eku_server_only_critical": 26,
    "eku_code_signing": 26,
    "eku_any_only": 26,
    "ku_key_encipherment_only": 26,
    "ku_certsign_only": 26,
    "unknown_critical_ext": 34,
    "duplicate_extension": 20,  # the certificate counts as invalid, so that no issuer fits
    "bad_extension_der": 20,
    "sig_alg_mismatch": 7,
    "sig_alg_unknown": 20,
    "missing_intermediate": 20,
    "chain_110_cas": 22,
    "intermediate_not_ca": 79,
    "intermediate_no_bc": 79,
    "intermediate_no_certsign": 79,
    "intermediate_eku_server": 26,
    "v1_intermediate": 79,
    "pathlen_exceeded": 25,
    "name_constraints_violated": 47,
    "revoked": 23,
    "revoked_hold": 23,
    "revoked_intermediate": 23,
}
#: OpenSSL has no verdict on a key that it cannot read: an internal error.
NO_VERDICT = {"unknown_key_type"}
PINNED_ERRORS = {
    "pinned_renewed_same_key": 18,
    "pinned_same_name_other_key": 18,
    "pinned_other_self_signed": 18,
    "pinned_sig_tampered": 18,
}
#: What our own reader finds wrong with the certificate itself; those left out are written as they should be.
PROBLEMS = {
    "zero_length_entry": "not a certificate",
    "garbage_der": "not a certificate",
    "truncated_der": "not a certificate",
    "trailing_garbage": "16 bytes follow the certificate",
    "negative_serial": "negative",
    "zero_serial": "zero",
    "long_serial": "38 bytes",
    "inverted_validity": "notAfter lies before notBefore",
    "bad_time_encoding": "is no time",
    "utctime_no_seconds": "no seconds",
    "duplicate_extension": "stands twice",
    "bad_extension_der": "extendedKeyUsage",
    "v1_with_extensions": "its version is 1",
    "v4_certificate": "its version is 4",
    "sig_alg_mismatch": "inside and",
}
#: The alert that OpenSSL sends for its errors (x509table in ssl/statem/statem_lib.c; 46 for all others).
ALERTS: dict[int | str, int] = {
    **dict.fromkeys((18, 19, 20, 22, 25, 79), 48),
    **dict.fromkeys((9, 13, 14), 42),
    7: 51,
    10: 45,
    23: 44,
    26: 43,
    34: 46,
    47: 46,
    "load": 50,
}
#: Refused by a server for what is not in the chain: the proof, the message, its length, its order, its key.
NOT_SEEN_IN_A_CHAIN = {
    "none_sent",
    "certificate_msg_omitted",
    "certificate_msg_malformed",
    "trailing_garbage",
    "key_mismatch",
    "cv_corrupted",
    "cv_omitted",
    "cv_bad_scheme",
    "finished_corrupted",
    "wrong_order_inter_first",
    "huge_70k",
    "huge_120k",
    "huge_300k",
    "p224",
    "secp256k1",
    "ed448",
    "unknown_key_type",
}
#: Defects of the atlas that a client does not bring about: the server's clock, trust, CRLs or memory do, or the hello.
NOT_THE_CLIENTS = {
    "expired_root",
    "root_and_leaf_2016",
    "crl_missing",
    "crl_stale",
    "crl_not_yet",
    "crl_bad_signature",
    "pinned_ca_true",
    "pinned_expired",
    "pinned_not_yet_valid",
    "pinned_ca_issued_leaf",
    "pinned_ca_issued_leaf_alone",
    "pinned_no_extensions",
    "pinned_bc_false_no_ku",
    "pinned_ku_no_bc",
    "pinned_bc_false_ku_certsign",
    "pinned_v1",
    "pinned_eku_server",
    "missing_intermediate_first",
    "missing_intermediate_after_good",
    "control_no_common_cipher",
    "control_old_version",
    "control_good",
    "control_version_probe",
}

needs_atlas = pytest.mark.skipif(not (SHARED / "atlas" / "atlas.json").is_file(), reason="no atlas beside the checkout")
needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl")


@pytest.fixture(scope="module")
def made() -> dict[str, Presentation]:
    return presentations(OF_ROOT)


@pytest.fixture(scope="module")
def atlas() -> dict[str, Any]:
    read: dict[str, Any] = json.loads((SHARED / "atlas" / "atlas.json").read_bytes())
    return read


def presentations(material: Material) -> dict[str, Presentation]:
    return {one.name: shown for one, shown in prepare(material) if isinstance(shown, Presentation)}


def reasons(material: Material) -> dict[str, str]:
    return {one.name: shown.why for one, shown in prepare(material) if isinstance(shown, Unmade)}


def openssl_says(shown: Presentation, anchor: bytes, at: datetime, folder: Path) -> int | str | None:
    """Return OpenSSL's first error for a client's chain at a time, None where it accepts it."""

    def pem(name: str, encoded: tuple[bytes, ...], kind: str = "CERTIFICATE") -> str:
        path = folder / name
        path.write_text(
            "".join(
                f"-----BEGIN {kind}-----\n{base64.encodebytes(one).decode()}-----END {kind}-----\n" for one in encoded
            )
        )
        return str(path)

    command = ["openssl", "verify", "-purpose", "sslclient", "-auth_level", "0", "-attime", str(int(at.timestamp()))]
    command += ["-CAfile", pem("anchor", (anchor,))]
    if shown.certificates[1:]:
        command += ["-untrusted", pem("others", shown.certificates[1:])]
    if shown.crls:
        command += ["-crl_check_all", "-CRLfile", pem("crls", shown.crls, "X509 CRL")]
    done = subprocess.run([*command, pem("leaf", shown.certificates[:1])], capture_output=True, text=True)
    if done.returncode == 0:
        return None
    error = re.search(r"error (\d+) at", done.stdout + done.stderr)
    return int(error[1]) if error else "load" if "Unable to load" in done.stderr else "no verdict"


@needs_openssl
@pytest.mark.parametrize("name", [name for name in VARIANTS if not name.startswith("pinned_")])
def test_openssl_finds_the_one_defect_that_is_meant(name: str, made: dict[str, Presentation], tmp_path: Path) -> None:
    shown = made[name]
    if not shown.certificates:
        assert name in ("none_sent", "certificate_msg_omitted", "certificate_msg_malformed")
    else:
        expected = "no verdict" if name in NO_VERDICT else VERIFY_ERRORS.get(name)
        assert openssl_says(shown, ROOT.der, AT, tmp_path) == expected


@needs_openssl
@pytest.mark.parametrize("name", [name for name in VARIANTS if name.startswith("pinned_")])
def test_openssl_tells_a_pinned_certificate_from_what_is_like_it(name: str, tmp_path: Path) -> None:
    shown = presentations(OF_PINNED)[name]
    assert openssl_says(shown, PINNED.der, AT, tmp_path) == PINNED_ERRORS.get(name)


@needs_openssl
def test_dates_are_set_by_the_moment_that_is_given(tmp_path: Path) -> None:
    later = datetime(2024, 2, 29, tzinfo=UTC)
    shown = presentations(replace(OF_ROOT, at=later))
    assert openssl_says(shown["expired"], ROOT.der, later, tmp_path) == 10
    assert openssl_says(shown["not_yet_valid"], ROOT.der, later, tmp_path) == 9
    assert openssl_says(shown["eku_code_signing"], ROOT.der, later, tmp_path) == 26


@pytest.mark.parametrize("name", VARIANTS)
def test_the_reader_finds_the_defect_and_no_other(name: str, made: dict[str, Presentation]) -> None:
    shown = presentations(OF_PINNED)[name] if name.startswith("pinned_") else made[name]
    problems = [problem for one in shown.certificates[:1] for problem in read_certificate(one).problems]
    assert len(problems) == (name in PROBLEMS), problems
    assert all(PROBLEMS[name] in problem for problem in problems)


@pytest.mark.parametrize("name", VARIANTS)
def test_the_key_is_the_certificates_but_for_a_mismatch(name: str, made: dict[str, Presentation]) -> None:
    shown = presentations(OF_PINNED)[name] if name.startswith("pinned_") else made[name]
    unread = ("zero_length_entry", "garbage_der", "truncated_der", "unknown_key_type", "rsa_pss")
    if not shown.certificates or name in unread or name.startswith(("wrong_order_inter", "chain_reversed")):
        return
    assert shown.key is not None
    fits = body_of(shown.certificates[0]).key == key_info(shown.key)
    assert fits == (name not in ("key_mismatch", "pinned_key_mismatch"))


def test_one_thing_is_changed_and_the_rest_is_copied_byte_for_byte(made: dict[str, Presentation]) -> None:
    good = body_of(LEAF.der)
    expired = body_of(made["expired"].certificates[0])
    assert (expired.subject, expired.key, expired.version) == (good.subject, good.key, good.version)
    kept = [one for one in good.extensions if one.dotted != "2.5.29.35"]
    assert [one for one in expired.extensions if one.dotted != "2.5.29.35"] == kept
    # The root issued it, for its key is the one at hand: the key identifier must be the root's.
    assert read_certificate(made["expired"].certificates[0]).issuer_key_identifier == identifier(ROOT)


def test_with_the_issuers_own_key_nothing_but_the_dates_and_the_serial_differ() -> None:
    good, expired = body_of(LEAF.der), body_of(presentations(OF_INTERMEDIATE)["expired"].certificates[0])
    assert replace(expired, serial=good.serial, not_before=good.not_before, not_after=good.not_after) == good


def test_an_intermediates_chain_is_sent_behind_what_its_key_issues() -> None:
    shown = presentations(OF_INTERMEDIATE)
    assert shown["expired"].certificates[1:] == (INTERMEDIATE.der,)
    assert shown["chain_5_cas"].certificates[-1] == INTERMEDIATE.der
    assert len(shown["chain_5_cas"].certificates) == 7
    assert reasons(OF_INTERMEDIATE)["good_root_issued"].startswith("needs the root's key")


def test_the_good_one_is_what_was_given_without_the_root() -> None:
    with_root = replace(OF_ROOT, chain=(INTERMEDIATE.der, ROOT.der))
    shown = presentations(with_root)
    assert shown["good"].certificates == (LEAF.der, INTERMEDIATE.der)
    assert shown["good_with_root"].certificates == (LEAF.der, INTERMEDIATE.der, ROOT.der)
    assert shown["chain_reversed"].certificates == (ROOT.der, INTERMEDIATE.der, LEAF.der)
    assert shown["wrong_order_root_before_inter"].certificates == (LEAF.der, ROOT.der, INTERMEDIATE.der)


def test_without_the_cas_key_all_is_made_that_can_be_and_the_rest_says_what_it_needs() -> None:
    alone = replace(OF_ROOT, ca=None)
    assert {"good", "key_mismatch", "sig_tampered", "unknown_issuer", "same_name_ca_keyid"} <= set(presentations(alone))
    why = reasons(alone)
    assert why["expired"] == "needs the CA's key (--ca-key)"
    assert set(why) | set(presentations(alone)) == set(VARIANTS)


def test_with_nothing_at_all_strangers_and_broken_messages_are_made() -> None:
    nothing = Material(AT, keys=KEYS)
    shown = presentations(nothing)
    assert set(shown) == {
        "none_sent",
        "certificate_msg_omitted",
        "certificate_msg_malformed",
        "zero_length_entry",
        "garbage_der",
        "self_signed_unknown",
        "self_signed_ca_true",
        "unknown_issuer",
        "unknown_issuer_with_root",
        "expired_unknown_issuer",
    }
    assert read_certificate(shown["unknown_issuer"].certificates[0]).subject == "CN=tlsalert client"
    assert reasons(nothing)["good"] == "needs the good certificate (--cert) and the good certificate's key (--key)"


def test_a_cas_key_alone_stands_in_for_the_good_certificate() -> None:
    shown = presentations(Material(AT, ca=Authority(ROOT.der, ROOT.key), keys=KEYS))
    assert signed_by(shown["good"].certificates[0], ROOT.der)
    assert set(VARIANTS) - set(shown) == {name for name in VARIANTS if name.startswith("pinned_")}


def test_a_ca_with_a_path_length_makes_no_chain_that_it_forbids() -> None:
    root = issue("CN=Short", None, x509.BasicConstraints(ca=True, path_length=0), key=ROOT.key)
    material = replace(OF_ROOT, ca=Authority(root.der, root.key))
    why = reasons(material)
    assert "path length" in why["chain_5_cas"]
    assert "path length" in why["name_constraints_ok"]
    assert len(presentations(material)["pathlen_exceeded"].certificates) == 2


def test_a_crl_that_a_device_was_given_once_holds_for_later_runs() -> None:
    first, second = presentations(OF_ROOT), presentations(replace(OF_ROOT, keys=KeyPool(), at=AT + timedelta(days=9)))
    crl = x509.load_der_x509_crl(first["revoked"].crls[0])
    assert crl.is_signature_valid(ROOT.key.public_key())
    for name in ("revoked", "revoked_hold"):
        later = int(read_certificate(second[name].certificates[0]).serial or "0", 16)
        assert crl.get_revoked_certificate_by_serial_number(later) is not None
    assert first["revoked_intermediate"].crls[0] == first["revoked"].crls[0]


def test_a_root_without_a_key_identifier_cannot_be_told_by_it() -> None:
    root = issue("CN=Root", None, AUTHORITY, key=ROOT.key)
    old = replace(OF_ROOT, root=root.der, ca=Authority(root.der, root.key))
    assert "key identifier" in reasons(old)["same_name_ca_keyid"]
    assert "same_name_ca_no_keyid" in presentations(old)


def test_dated_has_the_validity_that_was_asked_for() -> None:
    began, ends = datetime(2015, 1, 1, tzinfo=UTC), datetime(2015, 1, 3, 12, 30, 1, tzinfo=UTC)
    found = read_certificate(dated(OF_ROOT, began, ends).certificates[0])
    assert (found.not_before, found.not_after) == (began, ends)
    with pytest.raises(CannotMakeError, match="needs the CA's key"):
        dated(OF_PINNED, began, ends)


def test_an_unknown_name_is_told_with_those_that_are_like_it() -> None:
    with pytest.raises(UsageError, match="did you mean expired"):
        prepare(OF_ROOT, ["expird"])
    assert [one.name for one, _ in prepare(OF_ROOT, ["expired", "good"])] == ["expired", "good"]


def test_a_certificate_of_version_1_is_copied_as_one_until_it_gets_an_extension() -> None:
    body = replace(body_of(LEAF.der), version=None, extensions=())
    old = replace(OF_INTERMEDIATE, certificate=certificate(body, Signer(INTERMEDIATE.key)))
    shown = {
        name: read_certificate(one.certificates[0]) for name, one in presentations(old).items() if one.certificates
    }
    assert (shown["expired"].version, shown["expired"].problems) == (1, ())
    assert (shown["eku_code_signing"].version, shown["eku_code_signing"].problems) == (3, ())
    assert shown["v1_with_extensions"].problems == ("it has extensions, but its version is 1",)


def test_a_certificate_that_is_none_is_a_reason_and_no_error() -> None:
    for damaged in (b"", b"\x30\x00", b"\x30\x03\x30\x01\x00", b"junk", LEAF.der[:300]):
        for one, shown in prepare(replace(OF_ROOT, certificate=damaged)):
            assert isinstance(shown, Presentation | Unmade), one.name


def test_every_alert_that_is_called_for_is_in_the_registry() -> None:
    known = {alert.name for alert in AlertDescription}
    for one in VARIANTS.values():
        assert {alert for alert in one.calls_for.values() if alert is not None} <= known, one.name
        assert one.expected("TLS 1.0") == one.calls_for["TLS 1.2"]
        assert one.why
        assert "\n" not in one.why


@needs_atlas
def test_the_names_are_the_atlas_s(atlas: dict[str, Any]) -> None:
    assert set(atlas["defects"]) - NOT_THE_CLIENTS <= set(VARIANTS)
    assert not NOT_THE_CLIENTS & set(VARIANTS)


@needs_atlas
def test_what_openssl_finds_is_what_its_server_said_of_the_atlas_s_certificates(atlas: dict[str, Any]) -> None:
    said: dict[str, int | None] = {}
    for record in atlas["records"]:
        where = record["server"], record["tls_version"]
        config = "crl" if record["defect"].startswith("revoked") else "base"
        if where == ("openssl-3.0", "TLSv1.2") and record["config"] == config:
            said[record["defect"]] = record.get("alert_number")
    compared = set(said) & set(VARIANTS) - NOT_SEEN_IN_A_CHAIN
    assert len(compared) > 70
    ours = {name: ALERTS[VERIFY_ERRORS[name]] if name in VERIFY_ERRORS else None for name in compared}
    assert ours == {name: said[name] for name in compared}


@st.composite
def materials(draw: st.DrawFn) -> Material:
    """Return all kinds of material: what is there and what not, of which keys, with which extensions."""
    kinds = st.sampled_from(["rsa2048", "p256", "p384", "ed25519", "ed448"])
    root = issue("CN=Some Root", None, AUTHORITY, key=keyed(draw(kinds), "root"))
    between = issue("CN=Some CA", root, AUTHORITY, key=keyed(draw(kinds), "between"))
    issuer = draw(st.sampled_from([None, root, between]))
    offered = (
        x509.BasicConstraints(ca=draw(st.booleans()), path_length=None),
        usage("digital_signature"),
        x509.ExtendedKeyUsage([x509.ObjectIdentifier("1.3.6.1.5.5.7.3.2")]),
        x509.SubjectKeyIdentifier(b"any identifier"),
        x509.AuthorityKeyIdentifier(b"another", None, None),
    )
    extensions = [one for one in offered if draw(st.booleans())]
    subject = draw(st.sampled_from(["CN=client", "C=US,O=\\#1", "", "CN=\u00fc"]))
    leaf = issue(subject, issuer, *extensions, key=keyed(draw(kinds), "leaf"))
    ca = draw(st.sampled_from([None, root, between]))
    return Material(
        AT + timedelta(days=draw(st.integers(-700_000, 2_900_000))),
        leaf.der if draw(st.booleans()) else None,
        draw(st.sampled_from([(), (between.der,), (between.der, root.der)])),
        leaf.key if draw(st.booleans()) else None,
        Authority(ca.der, ca.key) if ca else None,
        root.der if draw(st.booleans()) else None,
        keys=KEYS,
    )


def keyed(kind: str, purpose: str) -> PrivateKey:
    return KEYS.key(kind, purpose)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(material=materials())
def test_no_material_makes_a_recipe_raise(material: Material) -> None:
    for one, shown in prepare(material):
        assert isinstance(shown, Presentation | Unmade), one.name


def identifier(holder: Holder) -> str:
    return x509.SubjectKeyIdentifier.from_public_key(holder.key.public_key()).digest.hex()


def test_keys_do_not_show() -> None:
    said = f"{OF_ROOT!r} {OF_ROOT.ca!r} {presentations(OF_ROOT)['good']!r}"
    assert said.count("RSAPrivateKey") == 0
    assert write.NULL not in said.encode()
