"""Profiles: what they say is what real clients send."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.evidence import CORPUS, ROOT, needs_corpus
from tests.replay.hellos import decoded
from tlsalert.capture import read
from tlsalert.model import ClientHello
from tlsalert.replay.hello import from_profile
from tlsalert.replay.profiles import PROFILES
from tlsalert.wire.fingerprint import ja3, ja4


def hello_in(path: Path, number: int) -> ClientHello:
    hello = read(path)[number].client_hello
    assert hello is not None
    return hello


def bodies(hello: ClientHello) -> list[tuple[int, bytes]]:
    return [(one.type, one.data) for one in hello.extensions]


@pytest.mark.parametrize("name", PROFILES)
def test_a_profile_makes_a_sound_hello_and_says_where_it_comes_from(name: str) -> None:
    profile, hello = PROFILES[name], from_profile(name)
    sent = decoded(hello.fresh(server_name="bmc.example"))
    assert (sent.problems, sent.server_name, hello.lost) == ((), "bmc.example", ())
    assert profile.source.startswith(("recorded: ", "put together: "))
    assert (hello.name, profile.name) == (f"profile {name}", name)
    assert [one.type for one in sent.extensions] == [one.type for one in profile.extensions]


@pytest.mark.parametrize("name", PROFILES)
def test_without_a_name_a_profile_has_no_server_name(name: str) -> None:
    sent = decoded(from_profile(name).fresh())
    assert 0 not in [one.type for one in sent.extensions]
    assert len(sent.extensions) == len(PROFILES[name].extensions) - 1


@pytest.mark.parametrize("name", ["curl-7.88", "python-3.11"])
@pytest.mark.parametrize("server", ["bmc.example", "a.much.longer.name.than.that.example", ""])
def test_padding_fills_up_to_512_bytes_as_openssl_does(name: str, server: str) -> None:
    """OpenSSL's option TLSEXT_PADDING, RFC 7685 §4: no message of 256 to 511 bytes."""
    assert len(from_profile(name).fresh(server_name=server).message) == 512


def test_the_fingerprints_are_those_that_are_known() -> None:
    """JA3 of OpenSSL 3.0's and Java's clients as they were recorded, so that no list changes unseen."""
    known = {
        "openssl-3.0": ("a3afc2c46ba4a7d7fbe1cfb7a3031c2f", "t13d311000_e8f1e7e78f70_1f22a2ca17c4"),
        "java-8": ("d2935c58fe676744fecc8614ee5356c7", "t12d430500_1ce71f0edbb1_0a9e4f040ead"),
    }
    for name, prints in known.items():
        sent = decoded(from_profile(name).fresh(server_name="bmc.example"))
        assert (ja3(sent), ja4(sent)) == prints


def openssl() -> str:
    """Return what the installed program says that it is."""
    if shutil.which("openssl") is None:
        return ""
    return subprocess.run(["openssl", "version"], capture_output=True, text=True, check=True).stdout


@pytest.mark.skipif(not openssl().startswith("OpenSSL 3.0."), reason="no OpenSSL 3.0 is installed")
def test_openssl_3_0_is_what_the_installed_one_sends_as_the_tool_records_it() -> None:
    command = "openssl s_client -connect {host}:{port} -servername {name}"
    tool = [sys.executable, str(ROOT / "tools" / "make_profiles.py"), "openssl-3.0", command]
    ran = subprocess.run(tool, capture_output=True, text=True, check=True, env={**os.environ, "PYTHONPATH": str(ROOT)})
    profile = PROFILES["openssl-3.0"]
    assert f'"{" ".join(f"{suite:04x}" for suite in profile.cipher_suites)}"' in ran.stdout
    listed = "\n    ".join(f'({one.type}, "{one.data.hex()}"),' for one in profile.extensions)
    assert f"(\n    {listed}\n    )," in ran.stdout
    assert "record_version=0x0301" in ran.stdout


@needs_corpus
def test_openssl_1_0_2_is_that_of_public_captures() -> None:
    """One that compresses as well (JA3 does not see that), and one of a build without IDEA."""
    ours = decoded(from_profile("openssl-1.0.2").fresh())
    whole = hello_in(CORPUS / "zeek/testing/btest/Traces/tls/telesec.pcap", 0)
    assert (ja3(ours), ours.cipher_suites) == (ja3(whole), whole.cipher_suites)
    assert bodies(ours) == bodies(whole)
    debian = hello_in(CORPUS / "joy/test/pcaps/tls12.pcap", 0)
    assert tuple(suite for suite in ours.cipher_suites if suite != 0x0007) == debian.cipher_suites
    assert bodies(ours) == bodies(debian)
    engine = hello_in(CORPUS / "joy/test/pcaps/openssl102n.pcap", 0)  # with an engine that brings GOST's suites
    assert tuple(suite for suite in engine.cipher_suites if suite not in (0x0080, 0x0081)) == ours.cipher_suites


@needs_corpus
def test_java_8_is_that_of_a_public_capture() -> None:
    theirs = hello_in(CORPUS / "mercury/test/data/top_100_fingerprints.pcap", 42)
    ours = decoded(from_profile("java-8").fresh(server_name=theirs.server_name))
    assert (ja3(ours), ja4(ours), ours.cipher_suites) == (ja3(theirs), ja4(theirs), theirs.cipher_suites)
    assert bodies(ours) == bodies(theirs)
