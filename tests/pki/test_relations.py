"""What belongs together: keys and certificates, issuers, copies, and what configurations name."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.pki.stores import Made, look, make
from tlsalert.pki.found import Found
from tlsalert.pki.relations import MOST_PLACES, related, resolved
from tlsalert.pki.usage import read_config

ROOT = make("CN=root", ca=True)
LEAF = make("CN=leaf", by=ROOT)


def at(where: str, data: bytes) -> list[Found]:
    return look(data, where=where)


def by_place(found: list[Found]) -> dict[str, Found]:
    return {one.where: one for one in found}


def everything() -> dict[str, Found]:
    found = [*at("leaf", LEAF.der), *at("root", ROOT.der), *at("key", LEAF.private()), *at("copy", LEAF.der)]
    return by_place(related(found, (), ()))


def test_a_key_fits_the_certificates_with_its_public_half() -> None:
    found = everything()
    assert found["key"].fits == ("leaf", "copy")
    assert found["leaf"].fits == found["copy"].fits == ("key",)
    assert found["root"].fits == ()


def test_an_issuer_is_one_whose_key_made_the_signature() -> None:
    found = everything()
    assert found["leaf"].issued_by == ("root",)
    assert found["root"].issued_by == ("root",)


def test_a_namesake_of_the_issuer_signed_nothing() -> None:
    namesake = make("CN=root", ca=True)
    found = by_place(related([*at("leaf", LEAF.der), *at("namesake", namesake.der)], (), ()))
    assert (found["leaf"].issued_by, found["leaf"].problems) == ((), ())


def test_a_signature_that_its_own_key_did_not_make_is_a_problem() -> None:
    broken = bytearray(ROOT.der)
    broken[-1] ^= 1
    found = by_place(related(at("broken", bytes(broken)), (), ()))
    assert found["broken"].issued_by == ()
    assert "itself as its issuer, whose key did not make its signature" in found["broken"].problems[0]


def test_copies_know_each_other() -> None:
    found = everything()
    assert (found["leaf"].duplicates, found["copy"].duplicates) == (("copy",), ("leaf",))
    assert found["root"].duplicates == ()


def test_a_thousand_copies_make_no_lists_of_a_thousand() -> None:
    (one,) = at("x", LEAF.der)
    found = related([replace(one, where=f"{number}") for number in range(1000)], (), ())
    assert max(len(other.duplicates) for other in found) == MOST_PLACES


def test_a_configuration_says_what_a_file_is_used_for() -> None:
    text = b"[ikvm]\naccept = 5900\ncert = leaf\nkey = /etc/stunnel/key\nCApath = /etc/ca\n"
    config = read_config(text)
    assert config is not None
    image = "IMG!cramfs@0x400000:"
    found: list[Found] = []
    for name, made in (("/etc/stunnel/leaf", LEAF.der), ("/etc/stunnel/key", LEAF.private()), ("/etc/ca/a", ROOT.der)):
        found += at(image + name, made)
    uses = by_place(related(found, [(f"{image}/etc/stunnel/stunnel.conf", config)], ()))
    told = {where.removeprefix(image): [str(use) for use in one.used_by] for where, one in uses.items()}
    assert told == {
        "/etc/stunnel/leaf": ["stunnel [ikvm] cert (accept 5900)"],
        "/etc/stunnel/key": ["stunnel [ikvm] key (accept 5900)"],
        "/etc/ca/a": ["stunnel [ikvm] CApath (accept 5900)"],
    }


def test_what_lies_in_a_key_store_is_used_as_the_store_is() -> None:
    config = read_config(b"[a]\naccept = 1\ncert = s.jks\n")
    assert config is not None
    (one,) = related(at("/etc/s.jks!/me", LEAF.der), [("/etc/stunnel.conf", config)], ())
    assert [use.role for use in one.used_by] == ["cert"]


@pytest.mark.parametrize(
    ("where", "path", "place"),
    [
        ("/etc/stunnel/a.conf", "/etc/x.pem", "/etc/x.pem"),
        ("/etc/stunnel/a.conf", "x.pem", "/etc/stunnel/x.pem"),
        ("/etc/stunnel/a.conf", "../x.pem", "/etc/x.pem"),
        ("/tmp/rootfs/etc/a.conf", "/etc/x.pem", "/tmp/rootfs/etc/x.pem"),
        ("F.zip!/rootfs/etc/a.conf", "/rootfs/etc/x.pem", "F.zip!/rootfs/etc/x.pem"),
        ("F.zip!/a.conf", "/etc/ssl/x.pem", "F.zip!/x.pem"),
        ("F!ubifs@0x10:/etc/a.conf", "/etc/x.pem", "F!ubifs@0x10:/etc/x.pem"),
        ("F!ubifs@0x10:/etc/a.conf", "../../../../etc/x.pem", "F!ubifs@0x10:/etc/x.pem"),
    ],
)
def test_a_path_counts_from_the_root_of_what_the_configuration_lies_in(where: str, path: str, place: str) -> None:
    assert resolved(where, path, {place}, {}) == [place]
    assert resolved(where, path, {"elsewhere"}, {}) == []


def test_many_of_one_name_are_not_all_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    from tlsalert.pki import relations

    tried: list[bytes] = []

    def never(_: bytes, issuer: bytes) -> bool:
        tried.append(issuer)
        return False

    monkeypatch.setattr(relations, "signed_by", never)
    crowd: list[Made] = [make("CN=root") for _ in range(40)]
    related([*at("leaf", LEAF.der), *(one for made in crowd for one in at("c", made.der))], (), ())
    assert len(tried) == 41 * relations.MOST_ISSUERS
