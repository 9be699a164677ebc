"""Link types have the names of tcpdump.org's list."""

from __future__ import annotations

import pytest

from tlsalert.registry.link_types import LinkType, link_type_name


@pytest.mark.parametrize(
    ("number", "name"),
    [
        (0, "LINKTYPE_NULL"),
        (1, "LINKTYPE_ETHERNET"),
        (105, "LINKTYPE_IEEE802_11"),
        (147, "LINKTYPE_USER0"),
        (162, "LINKTYPE_USER15"),
        (195, "LINKTYPE_IEEE802_15_4_WITHFCS"),
        (276, "LINKTYPE_LINUX_SLL2"),
        (301, "LINKTYPE_DECT_NR"),
    ],
)
def test_a_link_type_has_its_name(number: int, name: str) -> None:
    assert link_type_name(number) == name


@pytest.mark.parametrize("number", [-1, 11, 302, 65535, 0x3FFFFFF, 1 << 40])
def test_another_number_has_none(number: int) -> None:
    before = len(LinkType.__members__)
    assert link_type_name(number) == "a number without a name"
    assert len(LinkType.__members__) == before
