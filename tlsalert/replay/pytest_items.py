"""What :mod:`tlsalert.replay.pytest_plugin` collects: a file, its targets, and a test for each variant and version."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from functools import cached_property
from typing import Any

import pytest

from tlsalert.errors import TlsalertError
from tlsalert.model import Connection
from tlsalert.replay import baseline, tally
from tlsalert.replay.bench import Asked, Bench, VariantFacts, passphrases
from tlsalert.replay.checking import complaint, wanted
from tlsalert.replay.compare import compare
from tlsalert.replay.outcome import Unreachable
from tlsalert.replay.replay import chosen
from tlsalert.replay.result import HelloTold, Result, Row, load_result
from tlsalert.replay.result_json import row_json
from tlsalert.replay.runner import GIVE_UP, Plan, run_plan
from tlsalert.replay.suite import Suite, SuiteTarget, load_suite

#: Collecting must not read captures and keys, so where a suite names no versions these are tried.
VERSIONS = ("TLS 1.2", "TLS 1.3")
WIDTH = 100

#: The answers of this run for new baselines: by the file, the target, and what is needed to write its result.
_answers: dict[str, list[dict[str, Any]]] = {}


class WrongAnswer(Exception):  # noqa: N818 - it is the device's error
    """The device gave another answer than it should have."""

    def __init__(self, sentences: tuple[str, ...], connection: Connection | None) -> None:
        super().__init__(sentences, connection)
        self.sentences, self.connection = sentences, connection


class SuiteFile(pytest.File):
    """One ``*.tlsalert.toml``."""

    def collect(self) -> Iterator[TargetNode]:
        """Yield its targets."""
        from tlsalert.replay.parts import catalogue

        known = catalogue()
        try:
            suite = load_suite(self.path, known)
        except TlsalertError as error:
            raise self.CollectError(str(error)) from None
        for target in suite.targets:
            yield TargetNode.from_parent(self, name=target.name, suite=suite, target=target, known=known)


class TargetNode(pytest.Collector):
    """One device of a suite: it is prepared when its first test runs, and asked by one test after the other."""

    def __init__(self, *, suite: Suite, target: SuiteTarget, known: dict[str, VariantFacts], **others: Any) -> None:
        super().__init__(**others)
        self.suite, self.target, self.known = suite, target, known
        self._asked = False
        self._unreached = 0

    def collect(self) -> Iterator[VariantItem]:
        """Yield a test for each variant and version."""
        for variant in chosen(self.suite.variants, self.known):
            for version in self.suite.versions or VERSIONS:
                yield VariantItem.from_parent(self, name=f"{variant}[{version}]", variant=variant, version=version)

    @property
    def updating(self) -> bool:
        """Whether baselines are written and not looked at."""
        return bool(self.config.getoption("--tls-update-baseline"))

    @cached_property
    def baseline_file(self) -> str | None:
        """The baseline's file: the command line's, else the suite's."""
        given: str | None = self.config.getoption("--tls-baseline")
        return given or self.target.baseline

    @cached_property
    def baseline(self) -> Result | None:
        """The baseline, None where there is none or it is to be written."""
        if self.baseline_file is None or self.updating:
            return None
        baseline.must_be_there(self.baseline_file)
        return load_result(self.baseline_file)

    @cached_property
    def bench(self) -> Bench:
        """The device with all that is to be shown to it."""
        from tlsalert.replay.parts import open_bench

        target = self.target
        asked = Asked(
            self._address(), target.identity, target.hello, target.starttls, target.sni, self.suite.timeout, target.http
        )
        return open_bench(asked, passphrases(target.identity, lambda _: None))

    def ask(self, variant: str, version: str) -> tuple[Row, Connection | None]:
        """Make one handshake, or skip the test where that cannot be or the device is left alone."""
        if (why := self.bench.not_tried.get(variant)) is not None:
            pytest.skip(why.why)
        if self._unreached >= GIVE_UP:
            pytest.skip(f"the target could not be reached {GIVE_UP} times in a row and was left alone")
        if self._asked:
            time.sleep(self.suite.delay)
        self._asked = True
        plan = Plan((variant,), (version,), repeat=self.suite.repeat, delay=self.suite.delay)
        run = run_plan(plan, self.bench.try_one)
        if run.ended == "interrupted":
            raise KeyboardInterrupt
        trial = run.attempts[-1].trial
        self._unreached = self._unreached + 1 if isinstance(trial.outcome, Unreachable) else 0
        return tally.rows(run)[0], trial.connection

    def _address(self) -> str:
        given: str | None = self.config.getoption("--tls-target")
        if given is not None:
            name, named, address = given.rpartition("=")
            if named and name == self.target.name:
                return address
            if not named and len(self.suite.targets) == 1:
                return given
        if self.target.address is None:
            pytest.skip(f"name the device with --tls-target {self.target.name}=HOST:PORT")
        return self.target.address


class VariantItem(pytest.Item):
    """One variant in one TLS version."""

    parent: TargetNode

    def __init__(self, *, variant: str, version: str, **others: Any) -> None:
        super().__init__(**others)
        self.variant, self.version = variant, version
        #: What a new baseline is to hold of this test, once it has run.
        self.tlsalert_answer: dict[str, Any] | None = None

    def runtest(self) -> None:
        """Ask, and hold the answer against what it should be. Raises :class:`WrongAnswer`."""
        node = self.parent
        old = node.baseline
        row, connection = node.ask(self.variant, self.version)
        if row.outcome == "unreachable":
            raise WrongAnswer((f"the target could not be reached: {row.note}",), connection)
        if row.outcome == "not_tried":
            pytest.skip(row.note or "not tried")
        if node.updating and node.baseline_file is not None:
            self.tlsalert_answer = self._answer(row)
            said = complaint(row, wanted(node.suite, node.known, row, has_baseline=True))
            sentences = [] if said is None else [said]
        else:
            sentences = self._complaints(row, old)
        if sentences:
            raise WrongAnswer(tuple(sentences), connection)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Return the difference and the ladder of what passed, or an error of tlsalert in its own words."""
        error = excinfo.value
        if isinstance(error, WrongAnswer):
            return "\n".join([*error.sentences, *_ladder(error.connection)])
        if isinstance(error, TlsalertError):
            return str(error)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[os.PathLike[str], int | None, str]:
        """Return the file and the name that stand over a failure."""
        return self.path, None, f"{self.parent.name}: {self.name}"

    def _complaints(self, row: Row, old: Result | None) -> list[str]:
        """Return what is wrong with the answer."""
        node = self.parent
        expected = wanted(node.suite, node.known, row, old is not None)
        sentences = [complaint(row, expected)]
        if old is not None:
            new = Result(node.bench.target, old.hello, (row,))
            sentences += [change.sentence for change in compare(old, new, {row.place}).changes]
        return [sentence for sentence in sentences if sentence is not None]

    def _answer(self, row: Row) -> dict[str, Any]:
        """Return the answer as what travels between processes: plain values only."""
        node = self.parent
        hello = node.bench.hello_for(node.suite.versions or VERSIONS)
        return {
            "file": self.parent.baseline_file,
            "target": self.parent.bench.target,
            "hello": hello.name,
            "lost": list(hello.lost),
            "row": row_json(row),
        }


def keep(answer: dict[str, Any]) -> None:
    """Keep one answer for a new baseline."""
    _answers.setdefault(answer["file"], []).append(answer)


def write_baselines() -> None:
    """Write what was kept. Files are merged with what they hold: not every test need have run."""
    from tlsalert.replay.parts import catalogue
    from tlsalert.replay.result_json import read_row

    places = {variant: number for number, variant in enumerate(catalogue())}
    for path, answers in _answers.items():
        first = answers[0]
        rows = {(row := read_row(one["row"], path)).place: row for one in answers}
        hello = HelloTold(first["hello"], tuple(first["lost"]))
        # Processes end in another order each time: the file has the catalogue's.
        ordered = sorted(rows.values(), key=lambda row: (places.get(row.variant, len(places)), row.tls_version))
        baseline.update(Result(first["target"], hello, tuple(ordered)), path)
    _answers.clear()


def _ladder(connection: Connection | None) -> list[str]:
    """Return the handshake and its verdict as plain text."""
    if connection is None:
        return []
    from tlsalert.render.story import block

    alone = "(By this handshake alone: `tlsalert replay --suite` judges it with the answers to the other variants.)"
    return ["", *("".join(text for text, _ in line) for line in block(connection, WIDTH)), "", alone]
