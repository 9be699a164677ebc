"""What ``import tlsalert`` gives, and what it does not load."""

from __future__ import annotations

import subprocess
import sys

import pytest

import tlsalert
from tests.evidence import CAPTURES, ROOT

#: What takes long to import, or is not needed by those who ask a small question.
HEAVY = (
    "msgspec",
    "click",
    "rich",
    "cryptography",
    "zstandard",
    "tlsalert.capture",
    "tlsalert.wire",
    "json",
    "OpenSSL",
)


def loaded(statement: str) -> list[str]:
    """Return what of HEAVY a fresh interpreter has loaded after a statement."""
    program = f"import sys\n{statement}\nprint(*(name for name in {HEAVY!r} if name in sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stderr == ""
    return done.stdout.split()


def test_importing_it_loads_nothing_heavy() -> None:
    assert loaded("import tlsalert; tlsalert.__version__; dir(tlsalert)") == []


def test_explaining_an_alert_does_not_wait_for_the_reading_of_captures() -> None:
    assert set(loaded("import tlsalert; tlsalert.explain('42')")) <= {"json"}


def test_reading_does_not_load_what_only_the_command_line_or_the_lab_needs() -> None:
    found = set(loaded("import tlsalert; [*tlsalert.read('captures/console.pcap')]"))
    assert found & {"click", "rich", "cryptography", "OpenSSL"} == set()
    assert "tlsalert.capture" in found


@pytest.mark.parametrize("name", tlsalert.__all__)
def test_every_public_name_is_there_and_documented(name: str) -> None:
    value = getattr(tlsalert, name)
    assert name in dir(tlsalert)
    assert name == "__version__" or value.__doc__


def test_a_star_import_gives_exactly_these() -> None:
    names: dict[str, object] = {}
    exec("from tlsalert import *", names)
    assert names.keys() - {"__builtins__"} == set(tlsalert.__all__)


def test_a_name_that_is_none_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match=r"module 'tlsalert' has no attribute 'nothing'"):
        tlsalert.nothing  # noqa: B018


def test_the_names_in_the_docstring_do_what_it_says() -> None:
    said = [
        connection.verdict.summary
        for connection in tlsalert.read(CAPTURES / "console.pcap").failed
        if connection.verdict is not None
    ]
    assert len(said) == 3
    assert "not valid yet" in said[-1]


def test_errors_are_caught_by_their_family() -> None:
    with pytest.raises(tlsalert.TlsalertError):
        tlsalert.read("there is no such file.pcap")
