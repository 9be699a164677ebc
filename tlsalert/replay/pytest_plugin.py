"""TLS regression tests of a device in pytest: ``*.tlsalert.toml`` files are test files, and three fixtures.

Each variant in each TLS version is a test, ``console::expired[TLS 1.2]``. It holds the answer against what the file
expects, against a baseline where there is one, and where neither says anything against the RFCs: what they accept is to
be accepted, what they refuse is to be refused.

    def test_the_console_knows_the_date(tls_replay):
        result = tls_replay(certificate="client.crt", key="client.key", variants=["good"])
        assert result.row("good", "TLS 1.2").outcome == "accepted"

This module is imported in every run of pytest where tlsalert is installed, so it imports nothing until it is needed.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tlsalert.replay.pytest_items import SuiteFile
    from tlsalert.replay.result import Result

ENDING = ".tlsalert.toml"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    group = parser.getgroup("tlsalert", "TLS regression tests of a device")
    group.addoption(
        "--tls-target",
        metavar="HOST:PORT",
        help="the device to ask, in place of the address in the suite; of a suite with several, NAME=HOST:PORT",
    )
    group.addoption("--tls-baseline", metavar="FILE", help="hold the answers against this result of tlsalert replay")
    group.addoption(
        "--tls-update-baseline", action="store_true", help="write the answers to the baseline; then none is wrong"
    )


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> SuiteFile | None:
    """Collect the suites."""
    if not file_path.name.endswith(ENDING):
        return None
    from tlsalert.replay.pytest_items import SuiteFile

    return SuiteFile.from_parent(parent, path=file_path)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Give the answer to the report, which xdist carries to where baselines are written."""
    report = yield
    answer = getattr(item, "tlsalert_answer", None)
    if call.when == "call" and answer is not None:
        report.tlsalert_answer = answer  # type: ignore[attr-defined]
    return report


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Keep the answers for a new baseline."""
    answer = getattr(report, "tlsalert_answer", None)
    if answer is not None:
        from tlsalert.replay.pytest_items import keep

        keep(answer)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write the new baselines, where the answers of all processes come together."""
    if session.config.getoption("--tls-update-baseline") and not hasattr(session.config, "workerinput"):
        from tlsalert.replay.pytest_items import write_baselines

        write_baselines()


@pytest.fixture(scope="session")
def tls_target(request: pytest.FixtureRequest) -> str:
    """The device that ``--tls-target`` names, "HOST:PORT"; a test that uses it is skipped where none is named."""
    target: str | None = request.config.getoption("--tls-target")
    if target is None:
        pytest.skip("name the device with --tls-target HOST:PORT")
    return target.rpartition("=")[2]


@pytest.fixture
def tls_replay(request: pytest.FixtureRequest) -> Callable[..., Result]:
    """A function that asks a device and returns the result: :func:`tlsalert.replay`.

    Without a first argument it asks ``tls_target``. Options are those of the function: ``certificate``, ``key`` …
    """

    def ask(target: str | tuple[str, int] | None = None, **options: Any) -> Result:
        from tlsalert.replay.replay import replay

        if target is None:
            target = request.getfixturevalue("tls_target")
        address = target if isinstance(target, str) else _written(*target)
        return replay(address, **options)

    return ask


@pytest.fixture
def tls_lab() -> Iterator[Callable[..., Any]]:
    """A function that starts a lab device on loopback (needs ``tlsalert[lab]``); it ends with the test.

    It takes what :func:`tlsalert.lab.server.serve` takes and returns the running device.
    """
    from contextlib import ExitStack

    with ExitStack() as running:

        def start(device: Any, **options: Any) -> Any:
            pytest.importorskip("OpenSSL", reason="the lab needs pyOpenSSL: install tlsalert[lab]")
            from importlib import import_module

            return running.enter_context(import_module("tlsalert.lab.server").serve(device, **options))

        yield start


def _written(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
