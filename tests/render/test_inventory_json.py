"""The inventory as JSON: every key is always there, and nothing secret is."""

from __future__ import annotations

import io
import json

from tests.render.things import CLIENT, DAMAGE, FOUND, KEY
from tlsalert.render.inventory_json import lines, thing, write_json

KEYS = (
    *("where", "kind", "offset", "label", "sha256", "spki_sha256", "subject", "issuer", "serial", "not_before"),
    *("not_after", "key", "encrypted", "fits", "issued_by", "duplicates", "used_by", "problems"),
)


def test_every_key_is_always_there() -> None:
    assert all(tuple(thing(one)) == KEYS for one in FOUND)
    assert thing(DAMAGE[0]) == {"where": "fw.bin!/b\x1b.crt", "kind": "damage", "says": "the member is damaged"}


def test_values_are_told_in_the_words_of_the_design() -> None:
    told = thing(CLIENT)
    assert (told["not_before"], told["not_after"]) == ("2016-05-19T09:46:36Z", "2026-05-17T09:46:36Z")
    assert told["used_by"] == [
        {
            "where": "fw.bin!cramfs@0x400000:/etc/stunnel.conf",
            "program": "stunnel",
            "section": "ikvm",
            "as": "CAfile",
            "settings": {"accept": "5900", "verify": "3"},
        }
    ]


def test_lines_and_array_hold_the_same() -> None:
    out = io.BytesIO()
    write_json((*FOUND, *DAMAGE), out)
    assert json.loads(out.getvalue()) == [json.loads(line) for line in lines((*FOUND, *DAMAGE))]


def test_a_private_key_is_in_none_of_it() -> None:
    assert b"secret" not in b"".join(lines([KEY]))
    assert thing(KEY)["spki_sha256"] == "3a18" * 16
