"""Suites: what an engineer writes is read, and what is wrong in it is told by file, table and key."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tlsalert.errors import UsageError
from tlsalert.replay import suite as module
from tlsalert.replay.expectation import expectation
from tlsalert.replay.suite import Suite, load_suite, read_version

KNOWN = ("good", "expired", "none_sent")


def load(folder: Path, text: str) -> Suite:
    path = folder / "a.tlsalert.toml"
    path.write_text(text, encoding="utf-8")
    return load_suite(path, KNOWN)


def test_the_example_in_the_documentation_is_one(tmp_path: Path) -> None:
    assert module.__doc__ is not None
    example = "\n".join(line[4:] for line in module.__doc__.splitlines() if line.startswith("    "))
    (tmp_path / "captures").mkdir()
    (tmp_path / "captures" / "console.pcap").touch()
    suite = load(tmp_path, example)
    (console,) = suite.targets
    assert (console.name, console.address) == ("console", "10.0.0.7:5900")
    assert console.hello == str(tmp_path / "captures/console.pcap:0")
    assert console.baseline == str(tmp_path / "console.json")
    assert console.identity.cert == str(tmp_path / "client.crt")
    assert console.identity.passphrase_env == "CLIENT_KEY_PASSPHRASE"
    assert (suite.variants, suite.versions) == (("good", "expired"), ("TLS 1.2", "TLS 1.3"))
    assert (suite.delay, suite.timeout, suite.jobs, suite.orders) == (0.2, 5.0, 1, 1)
    assert suite.expects("expired", "TLS 1.2") == expectation([45, 42])
    assert suite.expects("none_sent", "TLS 1.3") == expectation(116)
    assert suite.expects("none_sent", "TLS 1.2") is None


def test_an_empty_suite_is_one_target_without_an_address(tmp_path: Path) -> None:
    suite = load(tmp_path, "")
    assert [(target.name, target.address) for target in suite.targets] == [("target", None)]
    assert suite.variants is suite.versions is None


def test_the_only_identity_is_everyones(tmp_path: Path) -> None:
    suite = load(tmp_path, '[identity.me]\ncert = "c"\n[target.a]\naddress = "a:1"\n[target.b]\naddress = "b:1"')
    assert [target.identity.name for target in suite.targets] == ["me", "me"]
    alone = load(tmp_path, '[identity.me]\ncert = "c"')
    assert alone.targets[0].identity.cert == str(tmp_path / "c")


def test_a_profile_is_no_file(tmp_path: Path) -> None:
    assert load(tmp_path, '[target.a]\nfrom = "openssl-1.0.2"').targets[0].hello == "openssl-1.0.2"


def test_an_expectation_of_one_version_goes_before_that_of_all(tmp_path: Path) -> None:
    suite = load(tmp_path, '[expect]\nnone_sent = 40\n[expect."1.3"]\nnone_sent = "certificate_required"')
    assert suite.expects("none_sent", "TLS 1.2") == expectation(40)
    assert suite.expects("none_sent", "TLS 1.3") == expectation(116)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[suite", "a.tlsalert.toml: is no TOML: Expected"),
        ("[suit]", "a.tlsalert.toml: suit: there is no such table; did you mean 'suite'?"),
        ("suite = 1", "suite: is no table; write [suite] on a line of its own and its keys below"),
        ("[suite]\ndelai = 1", "a.tlsalert.toml: [suite]: delai: there is no such key; did you mean 'delay'?"),
        ("[suite]\nxyz = 1", "[suite]: xyz: there is no such key; these are known: tls, variants"),
        ('[suite]\nvariants = ["expird"]', "variants: names the variant 'expird', which there is not; did you mean"),
        ("[suite]\nvariants = 1", '[suite]: variants: is no list of texts; write variants = ["…", "…"]'),
        ("[suite]\nvariants = []", "[suite]: variants: is no list of texts"),
        ('[suite]\ntls = ["1.4"]', "[suite]: tls: '1.4' is no TLS version that can be tried; these are: ssl3, 1.0"),
        ("[suite]\ndelay = -1", "[suite]: delay: is no number of seconds"),
        ("[suite]\ntimeout = inf", "[suite]: timeout: is no number of seconds"),
        ("[suite]\njobs = 0", "[suite]: jobs: is no whole number from 1 on"),
        ("[suite]\nrepeat = true", "[suite]: repeat: is no whole number"),
        ("[target]\na = 1", "target.a: is no table; write [target.a]"),
        ("[target.a]\naddress = 5900", '[target.a]: address: is no text; write address = "…"'),
        ('[target.a]\nidentity = "me"', "identity: names 'me', which there is not; add a table [identity.me]"),
        (
            '[target.a]\nidentity = "mee"\n[identity.me]\ncert = "c"',
            "[target.a]: identity: names 'mee', which there is not; did you mean 'me'?",
        ),
        (
            '[identity.me]\npassphrase = "hunter2"',
            "[identity.me]: passphrase: is a secret, which has no place in a file",
        ),
        ('[identity.me]\nkey = "k"', "[identity.me]: key: is a key without its certificate; add cert"),
        ('[identity.me]\nca-key = "k"', "[identity.me]: ca-key: is a key without its certificate; add ca-cert"),
        (
            '[expect]\nexpird = "accepted"',
            "[expect]: expird: names the variant 'expird', which there is not; did you mean",
        ),
        (
            '[expect]\nexpired = "acepted"',
            "[expect]: expired: names 'acepted', which is no alert; did you mean 'accepted'?",
        ),
        ('[expect."1.9"]\ngood = 1', "[expect]: 1.9: '1.9' is no TLS version"),
        ('[expect."1.3"]\ngood = 300', '[expect."1.3"]: good: has the alert 300'),
    ],
)
def test_what_is_wrong_is_told_by_file_table_and_key(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(UsageError) as caught:
        load(tmp_path, text)
    told = str(caught.value)
    assert told.startswith(str(tmp_path))
    assert says in told or re.search(says, told)


def test_a_passphrase_is_never_repeated(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        load(tmp_path, '[identity.me]\npassphrase = "hunter2"')
    assert "hunter2" not in str(caught.value)


def test_files_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        load_suite(tmp_path / "none.toml")
    (tmp_path / "x.toml").write_bytes(b"\xff")
    with pytest.raises(UsageError, match="is not UTF-8"):
        load_suite(tmp_path / "x.toml")


@pytest.mark.parametrize("said", ["1.2", "TLS 1.2", "tls1.2", "TLSv1.2", " 1.2 ", "TLSv1_2"])
def test_a_version_is_written_as_people_do(said: str) -> None:
    assert read_version(said) == "TLS 1.2"


@pytest.mark.parametrize(
    ("said", "version"), [("ssl3", "SSLv3"), ("SSLv3", "SSLv3"), ("TLSv1", "TLS 1.0"), ("1.0", "TLS 1.0")]
)
def test_old_versions_too(said: str, version: str) -> None:
    assert read_version(said) == version
