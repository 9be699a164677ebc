"""``tlsalert replay``: the device is asked, and the matrix of its answers is shown."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TextIO

import click

from tlsalert.cli import known as complete
from tlsalert.cli.output import open_output
from tlsalert.cli.screen import pages
from tlsalert.errors import CaptureError, UsageError
from tlsalert.replay import baseline
from tlsalert.replay.bench import Asked, Bench, VariantFacts, passphrases
from tlsalert.replay.checking import complaints, wanted
from tlsalert.replay.compare import Comparison
from tlsalert.replay.expectation import Expectation
from tlsalert.replay.replay import Replayed, chosen, plan_for, replay_plan
from tlsalert.replay.result import Result, Row
from tlsalert.replay.runner import Attempt, Plan
from tlsalert.replay.suite import IdentityFiles, Suite, SuiteTarget, load_suite, read_version

if TYPE_CHECKING:
    from tlsalert.render.html.replay import Shown

#: With fewer handshakes than these, or where standard error is no terminal, there is no bar.
WORTH_A_BAR = 8

File = click.Path(dir_okay=False)


def _versions(ctx: click.Context, param: click.Parameter, value: str | None) -> tuple[str, ...] | None:
    """Return TLS versions, parted by commas, as results write them."""
    if value is None:
        return None
    try:
        return tuple(dict.fromkeys(read_version(one) for one in value.split(",")))
    except ValueError as error:
        raise click.BadParameter(str(error), ctx, param) from None


@click.command(
    epilog="""\b
Examples:
  tlsalert replay bmc:5900 --from console.pcap --cert c.crt --key c.key
  tlsalert replay bmc:5900 --cert c.p12 --ca-cert ca.crt --ca-key ca.key
  tlsalert replay bmc:5900 --variant good --variant none_sent --dry-run
  tlsalert replay --suite console.tlsalert.toml --junit answers.xml

\b
A suite, in TOML; files are named from its folder:
  [suite]
  tls = ["1.2", "1.3"]
  variants = ["good", "none_sent", "expired"]  # default: all that can be made
  delay = 0.2                                  # seconds
  [target.console]
  address = "10.0.0.7:5900"
  from = "captures/console.pcap:0"
  baseline = "console.json"
  [identity.engineer]
  cert = "client.crt"
  key = "client.key"
  passphrase-env = "CLIENT_KEY_PASSPHRASE"     # or passphrase = "prompt"
  [expect]
  good = "accepted"
  expired = ["certificate_expired", 42]
  [expect."TLS 1.3"]
  none_sent = 116

Ends with 0; with 1 where an answer is not the baseline's or the suite's; with 4 where the target could not be
reached (what was learned is shown); with 130 when interrupted (likewise)."""
)
@click.argument("target", metavar="HOST:PORT", required=False)
@click.option("--suite", "suite_file", type=File, metavar="FILE.toml", help="Take targets and all else from a suite.")
@click.option(
    "--from",
    "hello",
    metavar="CAPTURE[:N]",
    help="Send the ClientHello of connection N (from 0), or a profile's: openssl-1.0.2, openssl-3.0, openssl-4.0, "
    "java-8, java-17, curl-7.88, python-3.11, node-20 or gnutls-3.7.",
)
@click.option("--cert", type=File, metavar="FILE", help="The client's certificate: PEM, DER or PKCS #12.")
@click.option("--key", type=File, metavar="FILE", help="Its private key. You are asked for its passphrase.")
@click.option("--chain", type=File, metavar="FILE", help="The certificates to send after it.")
@click.option(
    "--ca-cert",
    type=File,
    metavar="FILE",
    help="The CA that the device trusts; with its key, signed variants are made.",
)
@click.option("--ca-key", type=File, metavar="FILE", help="That CA's private key.")
@click.option("--passphrase-env", metavar="NAME", help="The environment variable with the passphrase of --key.")
@click.option("--ca-passphrase-env", metavar="NAME", help="The environment variable with the passphrase of --ca-key.")
@click.option(
    "--variant",
    "variants",
    multiple=True,
    metavar="NAME",
    shell_complete=complete.variants,
    help="What to show. Repeat; default: all that can be made.",
)
@click.option(
    "--tls",
    "versions",
    metavar="LIST",
    callback=_versions,
    shell_complete=complete.versions,
    help="TLS versions, as 1.0,1.2,1.3. Default: those of the ClientHello.",
)
@click.option(
    "--starttls",
    metavar="PROTOCOL",
    shell_complete=complete.protocols,
    help="Ask for TLS in this protocol first: smtp, imap, ldap …",
)
@click.option("--sni", metavar="NAME", help="The server name to send.")
@click.option("--http", metavar="PATH", help="Once accepted, GET this path: some servers (nginx) refuse only inside.")
@click.option(
    "--baseline", "baseline_file", type=File, metavar="FILE", help="Hold the answers against an earlier result."
)
@click.option("--update-baseline", is_flag=True, help="Write the answers to the baseline instead.")
@click.option("--junit", "junit_file", type=File, metavar="FILE", help="Write JUnit XML as well.")
@click.option("--pcap", type=File, metavar="FILE", help="Write what passed, for Wireshark.")
@click.option("--keylog", type=File, metavar="FILE", help="Write its secrets to a new key log (mode 0600).")
@click.option(
    "--crl-out",
    "crl_file",
    type=File,
    metavar="FILE",
    help="Write the CRLs that the device must have before the revoked variants mean anything; also with --dry-run.",
)
@click.option("--delay", type=click.FloatRange(0), metavar="SECONDS", help="Wait between handshakes.")
@click.option(
    "--timeout", type=click.FloatRange(0, min_open=True), metavar="SECONDS", help="How long an answer may take."
)
@click.option("--jobs", type=click.IntRange(1, 64), metavar="N", help="Handshakes at the same time. Default: 1.")
@click.option(
    "--orders",
    type=click.IntRange(1),
    metavar="N",
    help="Try all in N shuffled orders, and say where the order matters.",
)
@click.option(
    "--repeat", type=click.IntRange(1), metavar="N", help="Try each N times in each order, and say what is flaky."
)
@click.option("--seed", type=int, metavar="N", help="Shuffle otherwise. Default: 0.")
@click.option(
    "--find-clock/--no-find-clock",
    default=None,
    help="Find the device's clock with certificates of chosen dates (needs --ca-key). Default: where all variants are"
    " tried and nothing is compared.",
)
@click.option("--dry-run", is_flag=True, help="Say what would be sent, and send nothing.")
@click.option("--list-variants", is_flag=True, help="List all variants, what they need and why there are.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "html"]),
    default="text",
    show_default=True,
    help="For people, for programs, or a page to look at.",
)
@click.option("-o", "--output", type=click.Path(dir_okay=False, allow_dash=True), default="-", help="Write to a file.")
@pages
def command(
    target: str | None,
    suite_file: str | None,
    hello: str | None,
    cert: str | None,
    key: str | None,
    chain: str | None,
    ca_cert: str | None,
    ca_key: str | None,
    passphrase_env: str | None,
    ca_passphrase_env: str | None,
    variants: tuple[str, ...],
    versions: tuple[str, ...] | None,
    starttls: str | None,
    sni: str | None,
    http: str | None,
    baseline_file: str | None,
    update_baseline: bool,
    junit_file: str | None,
    pcap: str | None,
    keylog: str | None,
    crl_file: str | None,
    delay: float | None,
    timeout: float | None,
    jobs: int | None,
    orders: int | None,
    repeat: int | None,
    seed: int | None,
    find_clock: bool | None,
    dry_run: bool,
    list_variants: bool,
    form: str,
    output: str,
) -> None:
    """Ask the device at HOST:PORT with many client certificates, and say what its answers mean.

    Each variant has one thing wrong, and is made from your certificate, or from nothing. Without the CA's key those
    that it would have to sign are left out. One handshake at a time, and a device that does not answer three times in a
    row is left alone. Private keys are never written or shown.
    """
    from tlsalert.replay.parts import catalogue

    known = catalogue()
    files = IdentityFiles("the command line", cert, key, chain, ca_cert, ca_key, passphrase_env, ca_passphrase_env)
    if list_variants:
        with open_output(output) as out:
            _list(out, known, form)
        return
    if suite_file is not None:
        suite = _overridden(load_suite(suite_file, known), target, files, hello, starttls, sni, http, baseline_file)
    else:
        if target is None:
            raise click.UsageError("name the device, HOST:PORT, or a suite with --suite")
        one = SuiteTarget(target, target, _complete(files), hello, starttls, sni, baseline_file, http)
        suite = Suite("the command line", (one,))
    given = {"variants": variants or None, "versions": versions, "delay": delay, "timeout": timeout}
    given |= {"jobs": jobs, "orders": orders, "repeat": repeat, "seed": seed}
    suite = replace(suite, **{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]
    if find_clock is None and (suite_file is not None or variants or any(one.baseline for one in suite.targets)):
        find_clock = False
    session = _Session(suite, known, suite_file is not None, update_baseline, find_clock, crl_file)
    if update_baseline and not all(one.baseline for one in suite.targets):
        raise click.UsageError("--update-baseline needs to know the file: give --baseline")
    if crl_file is not None and len(suite.targets) > 1:
        raise click.UsageError("--crl-out is for one target: name it, or take a suite with one")
    for path, what in ((keylog, "secrets are"), (pcap, "a capture is"), (crl_file, "CRLs are")):
        if path is not None and os.path.lexists(path):
            raise click.UsageError(f"{path} is there already: {what} written to a new file only")
    _spare(suite, suite_file, (output, junit_file))
    with open_output(output) as out:
        if dry_run:
            session.dry(out, form)
            return
        session.run()
        session.show(out, form)
    session.write(junit_file, pcap, keylog)
    if form == "json" and not update_baseline:
        session.complain()
    sys.exit(session.exit_code)


@dataclass(slots=True)
class _Done:
    """One target that was asked."""

    target: SuiteTarget
    bench: Bench
    replayed: Replayed
    expects: Mapping[tuple[str, str], Expectation]
    comparison: Comparison | None = None

    @property
    def result(self) -> Result:
        return self.replayed.result

    @property
    def complaints(self) -> dict[tuple[str, str], list[str]]:
        return complaints(self.result, self.expects, self.comparison)


class _Session:
    """One run over all targets."""

    def __init__(
        self,
        suite: Suite,
        known: Mapping[str, VariantFacts],
        from_file: bool,
        update: bool,
        find_clock: bool | None,
        crl_file: str | None,
    ) -> None:
        self._suite, self._known, self._from_file, self._update = suite, known, from_file, update
        self._find_clock, self._crl_file = find_clock, crl_file
        self._done: list[_Done] = []
        chosen(suite.variants, known)  # a wrong name is told before anybody is asked for a passphrase

    def dry(self, out: TextIO, form: str) -> None:
        """Say what would be sent."""
        told = []
        for target in self._suite.targets:
            bench = self._open(target)
            plan = self._plan(bench)
            self._write_crls(bench)
            told.append(_dry_json(bench, plan, self._known))
            if form != "json":
                _write_dry(out, told[-1], plan)
        if form == "json":
            out.write(json.dumps(told[0] if len(told) == 1 else told, indent=1, ensure_ascii=False) + "\n")

    def run(self) -> None:
        """Ask all targets, one after the other, until the user interrupts."""
        if not self._update:
            for target in self._suite.targets:
                baseline.must_be_there(target.baseline)
        benches = [(target, self._open(target)) for target in self._suite.targets]
        for target, bench in benches:
            plan = self._plan(bench)
            self._write_crls(bench)
            with _bar(len(plan)) as progress:
                replayed = replay_plan(bench, plan, progress, self._find_clock)
            done = _Done(target, bench, replayed, self._expects(replayed.result, target))
            self._done.append(done)
            if target.baseline is not None and not self._update:
                done.comparison = baseline.check(done.result, target.baseline, plan.cells())
            if replayed.run.ended == "interrupted":
                break

    def show(self, out: TextIO, form: str) -> None:
        """Write the results."""
        if form == "json":
            texts = [done.result.to_json() for done in self._done]
            out.write(texts[0] if len(texts) == 1 else "[\n" + ",\n".join(text.rstrip() for text in texts) + "\n]\n")
            return
        if form == "html":
            from tlsalert.render.html.replay import replay_page

            out.write(replay_page([self._shown(done) for done in self._done]))
            return
        from tlsalert.render.replay_text import write_comparison, write_complaints, write_result

        for number, done in enumerate(self._done):
            if number:
                out.write("\n\n")
            if self._from_file:
                write_result(out, done.result, lambda row, d=done: d.expects.get(row.place), "is expected")  # type: ignore[misc]
            else:
                write_result(out, done.result, self._called_for(done.result))
            unmet = [
                sentence for sentences in complaints(done.result, done.expects, None).values() for sentence in sentences
            ]
            if unmet:
                out.write("\n")
                write_complaints(out, unmet)
            if done.comparison is not None:
                out.write("\n")
                write_comparison(out, done.comparison)

    def _shown(self, done: _Done) -> Shown:
        """Return one result for the page: with what the suite expects of it, or what the RFC calls for."""
        from tlsalert.render.html.replay import Shown

        told = [sentence for sentences in done.complaints.values() for sentence in sentences]
        if self._from_file:
            return Shown(done.result, lambda row: done.expects.get(row.place), "is expected", told)
        return Shown(done.result, self._called_for(done.result), complaints=told)

    def write(self, junit_file: str | None, pcap: str | None, keylog: str | None) -> None:
        """Write the other files, and the new baselines; tell of what is not on standard output."""
        if junit_file is not None:
            from tlsalert.render.junit import junit

            _write_text(junit_file, junit([(done.result, done.complaints) for done in self._done]))
        for path, kind in ((pcap, "pcap"), (keylog, "keylog")):
            if path is not None and self._done:
                bench = self._done[0].bench
                trials = [attempt.trial for done in self._done for attempt in done.replayed.run.attempts]
                (bench.write_pcap if kind == "pcap" else bench.write_keylog)(trials, path)
        if self._update:
            for done in self._done:
                assert done.target.baseline is not None  # noqa: S101 - the command line was checked
                changed = baseline.update(done.result, done.target.baseline)
                click.echo(f"tlsalert: {done.target.baseline}: {'written' if changed else 'as it was'}", err=True)

    def complain(self) -> None:
        """Say on standard error what is wrong, where it is not shown with the results."""
        for done in self._done:
            for sentences in done.complaints.values():
                for sentence in sentences:
                    click.echo(f"tlsalert: {_printable(sentence)}", err=True)

    @property
    def exit_code(self) -> int:
        """What the run ends with."""
        if any(done.replayed.run.ended == "interrupted" for done in self._done):
            return 130
        if any(done.replayed.run.ended == "unreachable" or not done.result.reached for done in self._done):
            return 4
        return 1 if any(done.complaints for done in self._done) else 0  # of a new baseline's run: the suite's own

    def _write_crls(self, bench: Bench) -> None:
        """Write what the device must know, whichever variants are tried now."""
        if self._crl_file is not None:
            many = bench.write_crls(self._known, self._crl_file)
            click.echo(f"tlsalert: {self._crl_file}: {many} CRL{'s' if many > 1 else ''} for the device", err=True)

    def _open(self, target: SuiteTarget) -> Bench:
        from tlsalert.replay.parts import open_bench

        if target.address is None:
            raise UsageError(
                "has no address", f"{self._suite.path}: [target.{target.name}]", "add it, or give HOST:PORT"
            )
        asked = Asked(
            target.address, target.identity, target.hello, target.starttls, target.sni, self._suite.timeout, target.http
        )
        return open_bench(asked, passphrases(target.identity, _ask))

    def _plan(self, bench: Bench) -> Plan:
        suite = self._suite
        return plan_for(
            bench,
            suite.variants,
            suite.versions,
            orders=suite.orders,
            repeat=suite.repeat,
            seed=suite.seed,
            delay=suite.delay,
            jobs=suite.jobs,
        )

    def _expects(self, result: Result, target: SuiteTarget) -> dict[tuple[str, str], Expectation]:
        """Return what the suite expects; the command line expects nothing."""
        if not self._from_file:
            return {}
        has_baseline = target.baseline is not None
        found = {row.place: wanted(self._suite, self._known, row, has_baseline) for row in result.rows}
        return {place: expected for place, expected in found.items() if expected is not None}

    def _called_for(self, result: Result) -> Callable[[Row], Expectation | None]:
        """Return what the RFC calls for: not where the device's clock has refused a variant for its dates instead."""

        def called_for(row: Row) -> Expectation | None:
            known = None if row.place in result.by_dates else self._known.get(row.variant)
            return None if known is None else known.expected(row)

        return called_for


def _complete(files: IdentityFiles) -> IdentityFiles:
    for key, cert, option in ((files.key, files.cert, "--cert"), (files.ca_key, files.ca_cert, "--ca-cert")):
        if key is not None and cert is None:
            raise click.UsageError(f"{key} is the key of a certificate: give it with {option}")
    return files


def _overridden(
    suite: Suite,
    address: str | None,
    files: IdentityFiles,
    hello: str | None,
    starttls: str | None,
    sni: str | None,
    http: str | None,
    baseline_file: str | None,
) -> Suite:
    """Return the suite with what the command line says in its place; that is for one target only."""
    given: dict[str, object] = {
        "address": address, "hello": hello, "starttls": starttls, "sni": sni, "http": http, "baseline": baseline_file
    }  # fmt: skip
    if any(value is not None for value in (files.cert, files.ca_cert, files.key, files.ca_key, files.chain)):
        given["identity"] = _complete(files)
    given = {name: value for name, value in given.items() if value is not None}
    if not given:
        return suite
    if len(suite.targets) > 1:
        raise click.UsageError(f"{suite.path} has several targets: say in it what is said of one on the command line")
    return replace(suite, targets=(replace(suite.targets[0], **given),))  # type: ignore[arg-type]


def _spare(suite: Suite, suite_file: str | None, outputs: Sequence[str | None]) -> None:
    """Refuse to write over what is read."""
    read: list[str | None] = [suite_file]
    for target in suite.targets:
        files = target.identity
        read += [files.cert, files.key, files.chain, files.ca_cert, files.ca_key, target.baseline, target.hello]
        read.append((target.hello or "").rpartition(":")[0])
    for path in filter(None, read):
        for output in filter(None, outputs):
            if os.path.exists(output) and os.path.exists(path) and os.path.samefile(output, path):
                raise click.UsageError(f"{output} is read: it would be lost; write to another file")


def _ask(name: str) -> bytes | None:
    if not sys.stdin.isatty():
        return None
    phrase: str = click.prompt(f"Passphrase of {name}", hide_input=True, err=True)
    return phrase.encode()


def _bar(total: int) -> AbstractContextManager[Callable[[Attempt], None] | None]:
    if total < WORTH_A_BAR or not sys.stderr.isatty():
        return nullcontext(None)
    return _Bar(total)


class _Bar(AbstractContextManager["Callable[[Attempt], None]"]):
    """A bar that names what was just tried."""

    def __init__(self, total: int) -> None:
        from tlsalert.cli.progress import steps

        self._steps = steps(total)

    def __enter__(self) -> Callable[[Attempt], None]:
        told = self._steps.__enter__()
        return lambda attempt: told(f"{attempt.trial.variant} {attempt.trial.tls_version}")

    def __exit__(self, *error: object) -> None:
        self._steps.__exit__(None, None, None)


def _list(out: TextIO, known: Mapping[str, VariantFacts], form: str) -> None:
    """List the variants."""
    if form == "json":
        rows = [
            {"variant": one.name, "needs": one.needs, "why": one.why, "calls_for": _calls(one)}
            for one in known.values()
        ]
        out.write(json.dumps(rows, indent=1, ensure_ascii=False) + "\n")
        return
    name_width = max(map(len, known), default=0)
    needs_width = max((len(one.needs) for one in known.values()), default=0)
    for one in known.values():
        out.write(f"{one.name:{name_width}}  {one.needs:{needs_width}}  {one.why}".rstrip() + "\n")


def _calls(one: VariantFacts) -> dict[str, str]:
    return {version: str(expected) for version, expected in one.calls_for.items()}


def _dry_json(bench: Bench, plan: Plan, known: Mapping[str, VariantFacts]) -> dict[str, object]:
    hello = bench.hello_for(plan.versions)
    cells = [cell for cell in plan.cells() if cell[0] not in plan.not_tried]
    return {
        "target": bench.target,
        "hello": {"name": hello.name, "lost": list(hello.lost)},
        "would_send": [
            {"variant": variant, "tls_version": version, "calls_for": _calls(known[variant]).get(version)}
            for variant, version in cells
        ],
        "not_tried": [
            {"variant": variant, "note": plan.not_tried[variant].why}
            for variant in plan.variants
            if variant in plan.not_tried
        ],
        "handshakes": len(plan),
    }


def _write_dry(out: TextIO, told: dict[str, object], plan: Plan) -> None:
    out.write(f"{told['target']}: {len(plan)} handshakes in {', '.join(plan.versions)}; nothing was sent\n")
    for variant in plan.variants:
        why = plan.not_tried.get(variant)
        out.write(f"  {variant}" + (f"   left out: {_printable(why.why)}" if why is not None else "") + "\n")


def _write_text(path: str, text: str) -> None:
    try:
        with open(path, "w", encoding="utf-8", newline="") as file:
            file.write(text)
    except OSError as error:
        raise CaptureError(f"cannot be written: {error.strerror}", path) from None


def _printable(text: str) -> str:
    from tlsalert.render.style import escape

    return escape(text)
