"""Addresses as people write them."""

from __future__ import annotations

import pytest

from tlsalert.errors import UsageError
from tlsalert.replay.target import Target


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("10.0.0.7:5900", "10.0.0.7", 5900),
        ("bmc.example:443", "bmc.example", 443),
        ("[2001:db8::7]:443", "2001:db8::7", 443),
        ("[fe80::1%eth0]:65535", "fe80::1%eth0", 65535),
    ],
)
def test_an_address_is_read_and_written_back(text: str, host: str, port: int) -> None:
    target = Target.parse(text)
    assert (target.host, target.port) == (host, port)
    assert str(target) == text
    assert target.place == (host, port)


@pytest.mark.parametrize(
    "text", ["", "host", "host:", ":443", "2001:db8::7:443", "host:0", "host:70000", "a b:1", "[]:1"]
)
def test_what_is_no_address_is_told(text: str) -> None:
    with pytest.raises(UsageError):
        Target.parse(text)


def test_the_proxy_is_where_tcp_connects_to() -> None:
    assert Target("bmc", 443, "socks5", through=("proxy", 1080)).place == ("proxy", 1080)
