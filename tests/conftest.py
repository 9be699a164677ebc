"""What all tests share: expected output that lives in files.

``pytest --rewrite-golden`` writes those files anew from what the code says now; look at the diff before
you keep it, it is reviewed like code.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# What a slow or busy machine takes is no property of the code.
settings.register_profile("tests", deadline=None)
settings.load_profile("tests")


@pytest.fixture(autouse=True)
def collector() -> Iterator[None]:
    """Set the cycle collector back: the command line sets it for a process of its own, and tests run it in theirs."""
    thresholds = gc.get_threshold()
    yield
    gc.set_threshold(*thresholds)
    gc.enable()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--rewrite-golden",
        action="store_true",
        help="write the expected output in tests/**/golden anew from what the code says now",
    )


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """A function of (name, text) that holds text against the file golden/NAME beside the test."""
    folder = Path(request.path).parent / "golden"

    def check(name: str, text: str) -> None:
        file = folder / name
        if request.config.getoption("--rewrite-golden"):
            folder.mkdir(exist_ok=True)
            file.write_text(text, encoding="utf-8")
        assert text == file.read_text(encoding="utf-8"), f"{file} differs; see pytest --rewrite-golden"

    return check
