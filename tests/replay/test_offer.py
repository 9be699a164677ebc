"""An offer's fields, and its server name."""

from __future__ import annotations

import pytest

from tests.wire import tls
from tlsalert.errors import UsageError
from tlsalert.model import Extension
from tlsalert.replay.offer import Offer

NAME = Extension(*tls.server_name(b"bmc.example"))
TICKET = Extension(35, b"")


def offer(*extensions: Extension, legacy_version: int = 0x0303) -> Offer:
    return Offer("a.pcap #0", legacy_version, (0x002F,), (0,), extensions, 0, 0x0301, (), bare=True)


def test_versions_are_those_of_the_extension_or_the_legacy_version_alone() -> None:
    versions = Extension(43, tls.vector(1, tls.u16(0x1A1A, 0x0304, 0x0303)))
    assert offer(versions).versions == (0x1A1A, 0x0304, 0x0303)
    assert offer(legacy_version=0x0301).versions == (0x0301,)


def test_an_extension_is_found_by_its_type() -> None:
    assert (offer(TICKET).extension(35), offer(TICKET).extension(0)) == (b"", None)


@pytest.mark.parametrize(
    ("before", "name", "after"),
    [
        ((TICKET, NAME), "a.example", (TICKET, Extension(*tls.server_name(b"a.example")))),
        ((TICKET,), "a.example", (Extension(*tls.server_name(b"a.example")), TICKET)),
        ((), "bücher.example", (Extension(*tls.server_name(b"xn--bcher-kva.example")),)),
        ((TICKET, NAME), "", (TICKET,)),
        ((TICKET,), "", (TICKET,)),
    ],
)
def test_a_server_name_stands_where_one_was_or_first(
    before: tuple[Extension, ...], name: str, after: tuple[Extension, ...]
) -> None:
    assert offer(*before).with_server_name(name).extensions == after


def test_a_name_that_is_too_long_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="at most 255 bytes, not 256"):
        offer().with_server_name("x" * 256)
