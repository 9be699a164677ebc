"""The one place where the replay's parts meet: the hello, the variants, the client, and what the answers mean."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import cached_property

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from tlsalert.diagnosis.device_causes import Facts
from tlsalert.diagnosis.device_look import DeviceClock
from tlsalert.diagnosis.device_mind import DeviceMind, mind
from tlsalert.diagnosis.stacks import server_stack
from tlsalert.diagnosis.tried import Tried as TriedRow
from tlsalert.errors import ReplayError, UsageError
from tlsalert.model import Certificate, Clock, Connection, rfc3339, when
from tlsalert.pki.certificate import read_certificate
from tlsalert.pki.material import Material, load_material
from tlsalert.pki.presentation import Presentation
from tlsalert.pki.variant import Need
from tlsalert.pki.variants import VARIANTS, CannotMakeError, Unmade, Variant, dated, prepare
from tlsalert.registry.versions import LABELS
from tlsalert.replay import trial as trials
from tlsalert.replay.answers import BEFORE, tried
from tlsalert.replay.bench import Asked, AskPassphrase, Bench, Meaning, VariantFacts
from tlsalert.replay.client import exchange
from tlsalert.replay.clock_finder import ClockFound, find_clock
from tlsalert.replay.expectation import called_for
from tlsalert.replay.hello import Hello, from_capture, from_connection, from_profile
from tlsalert.replay.outcome import Accepted, NotTried, Outcome
from tlsalert.replay.profiles import PROFILES
from tlsalert.replay.result import ClockTold, FindingTold, HelloTold, Row, StackTold
from tlsalert.replay.runner import Run, Tried
from tlsalert.replay.suite import VERSIONS
from tlsalert.replay.target import Limits, Target
from tlsalert.replay.trial import Trial, trial_of, write_new

#: What is sent where the user names no ClientHello.
DEFAULT_PROFILE = "openssl-3.0"
USUAL = ("TLS 1.2", "TLS 1.3")
#: The name of a trial that looks for the clock, in captures.
DATED = "dated"

#: certificate_revoked, RFC 5246 §7.2.2: the device has a CRL, and looks at it.
REVOKED = 44

_PATH = re.compile(r"/[!-~]*")


def catalogue() -> Mapping[str, VariantFacts]:
    """Return all variants by name, in the order of results."""
    return {name: _facts(one) for name, one in VARIANTS.items()}


def open_bench(asked: Asked, ask: AskPassphrase) -> Bench:
    """Make everything ready: read the files, take the hello. Nothing is sent.

    Raises :class:`~tlsalert.errors.UsageError` and :class:`~tlsalert.errors.CaptureError`, as their readers do.
    """
    target = Target.parse(asked.address, starttls=asked.starttls, server_name=asked.sni)
    return _Bench(target, _hello(asked.hello), _material(asked, ask), _limits(asked.timeout), _request(asked))


class _Bench:
    """A :class:`~tlsalert.replay.bench.Bench` on the real parts."""

    def __init__(self, target: Target, hello: Hello, material: Material, limits: Limits, request: bytes | None) -> None:
        self._target, self._hello, self._material = target, hello, material
        self._limits, self._request = limits, request
        self._made: dict[str, Presentation | Unmade] = {}
        self._crls: str | None = None  # where they were written
        self._making = threading.Lock()  # keys are made once, also where several handshakes are under way

    @property
    def target(self) -> str:
        """The device's address."""
        return str(self._target)

    def hello_for(self, versions: Sequence[str]) -> HelloTold:
        """Return which ClientHello is sent, and what of it is not as it was."""
        lost = [*self._hello.lost]
        for version in versions:
            narrowed = self._hello.for_version(version)
            lost += [f"{version}: {said}" for said in narrowed.lost if said not in self._hello.lost]
        return HelloTold(self._hello.name, tuple(lost))

    @cached_property
    def versions(self) -> tuple[str, ...]:
        """The versions that a hello of the user's offers, the oldest first; of a profile those in use today."""
        if self._hello.name.startswith("profile "):
            return USUAL
        offered = {LABELS.get(code) for code in self._hello.versions}
        return tuple(version for version in VERSIONS.values() if version in offered) or ("TLS 1.2",)

    @cached_property
    def not_tried(self) -> Mapping[str, NotTried]:
        """The variants that lack something."""
        missing = {name: one.missing(self._material) for name, one in VARIANTS.items()}
        return {name: NotTried(why) for name, why in missing.items() if why is not None}

    def try_one(self, variant: str, tls_version: str) -> Tried:
        """Make one handshake. Raises :class:`ReplayError` where the variant cannot be made after all."""
        made = self._presentation(variant)
        if isinstance(made, Unmade):
            raise ReplayError(made.why)
        trial = self._try(variant, tls_version, made)
        must_know = VARIANTS[variant].server_must_know
        if must_know is None or not isinstance(trial.outcome, Accepted):
            return trial
        return replace(trial, note="; ".join(filter(None, (trial.note, f"means nothing unless it has {must_know}"))))

    def meaning(self, run: Run, rows: tuple[Row, ...], find_clock: bool | None) -> Meaning:
        """Return what a run means, and look for the clock."""
        connections = [one.trial.connection for one in run.attempts if one.trial.connection is not None]
        shown = _shown_clock(connections)
        found: ClockFound | None = None
        notes: tuple[str, ...] = ()
        if find_clock is not False and self._material.ca is not None:
            found = self._find_clock(run, shown)
        elif find_clock:
            notes = ("the clock was not looked for: that needs the CA's key (--ca-key)",)
        cut_short = bool(run.attempts) and all(one.trial.outcome.stage in BEFORE for one in run.attempts)
        facts = replace(self._facts(), cut_short=cut_short)
        understood = mind(
            self._tried(run),
            facts,
            next((one.certificate_request for one in connections if one.certificate_request is not None), None),
            shown,
            None if found is None else found.clock,
            next((server_stack(one) for one in connections if one.server_hello is not None), None),
        )
        return _meaning(understood, found, facts, (*notes, *_unknown(rows, self._crls)))

    def write_crls(self, variants: Iterable[str], path: str) -> int:
        """Write the CRLs that the device must have: one of each CA."""
        made = [self._presentation(name) for name in variants if VARIANTS[name].server_must_know is not None]
        lists: dict[bytes, x509.CertificateRevocationList] = {}
        for shown in made:
            for encoded in shown.crls if isinstance(shown, Presentation) else ():
                crl = x509.load_der_x509_crl(encoded)
                lists.setdefault(crl.issuer.public_bytes(), crl)
        if not lists:
            raise UsageError("no CRL can be made", path, "give the CA's key (--ca-cert, --ca-key)")
        write_new(path, b"".join(crl.public_bytes(Encoding.PEM) for crl in lists.values()))
        self._crls = path
        return len(lists)

    def write_pcap(self, trials_made: Iterable[Tried], path: str) -> None:
        """Write what passed."""
        trials.write_pcap([one for one in trials_made if isinstance(one, Trial)], path)

    def write_keylog(self, trials_made: Iterable[Tried], path: str) -> None:
        """Write the secrets of what passed."""
        trials.write_keylog([one for one in trials_made if isinstance(one, Trial)], path)

    def _presentation(self, variant: str) -> Presentation | Unmade:
        with self._making:
            if variant not in self._made:
                ((_, self._made[variant]),) = prepare(self._material, [variant])
            return self._made[variant]

    def _try(self, variant: str, tls_version: str, shown: Presentation) -> Trial:
        told = exchange(self._target, self._hello, shown, tls_version, self._limits, request=self._request)
        return trial_of(variant, tls_version, told)

    def _find_clock(self, run: Run, shown: Clock | None) -> ClockFound:
        """Bisect the clock in the version that the device answers best in."""
        version = _best_version(run)
        authority = self._material.ca

        def ask(not_before: datetime, not_after: datetime) -> Outcome:
            if run.plan.delay:
                time.sleep(run.plan.delay)
            try:
                made = dated(self._material, not_before, not_after)
            except CannotMakeError as error:
                return NotTried(str(error))
            return self._try(DATED, version, made).outcome

        guesses = [] if shown is None else [when(shown.time + time.time_ns() - shown.at)]
        ca = None if authority is None else read_certificate(authority.certificate)
        valid = None if ca is None or ca.not_before is None or ca.not_after is None else (ca.not_before, ca.not_after)
        return find_clock(ask, guesses, valid)

    def _tried(self, run: Run) -> Iterator[TriedRow]:
        """Yield the attempts as rows, with the validity of what was shown."""
        for attempt in run.attempts:
            one, step = attempt.trial, attempt.step
            row = tried(
                one.variant,
                one.tls_version,
                one.outcome,
                step.order - 1,
                step.repetition - 1,
                self._validity(one.variant),
            )
            if row is not None:
                yield row

    def _validity(self, variant: str) -> tuple[datetime, datetime] | None:
        """Return between which times the certificate that a variant showed is valid."""
        shown = self._made.get(variant)
        if not isinstance(shown, Presentation) or not shown.certificates:
            return None
        leaf = read_certificate(shown.certificates[0])
        if leaf.not_before is None or leaf.not_after is None:
            return None
        return leaf.not_before, leaf.not_after

    def _facts(self) -> Facts:
        """Return what is known of the good certificate."""
        material = self._material
        chain = () if material.certificate is None else (material.certificate, *material.chain)
        authority = None if material.ca is None else read_certificate(material.ca.certificate)
        return Facts(
            tuple(map(read_certificate, chain)), datetime.now(UTC), authority, asked_inside=self._request is not None
        )


def _hello(asked: str | Connection | None) -> Hello:
    if isinstance(asked, Connection):
        return from_connection(asked)
    if asked is None:
        return from_profile(DEFAULT_PROFILE)
    return from_profile(asked) if asked in PROFILES else from_capture(asked)


def _material(asked: Asked, ask: AskPassphrase) -> Material:
    files = asked.identity
    chain = () if files.chain is None else (files.chain,)
    return load_material(datetime.now(UTC), files.cert, files.key, chain, files.ca_cert, files.ca_key, ask)


def _limits(timeout: float | None) -> Limits:
    return Limits() if timeout is None else Limits(connect=timeout, read=timeout)


def _request(asked: Asked) -> bytes | None:
    """Return the HTTP request for a path. Raises :class:`UsageError` where that would be more than a path."""
    if asked.http is None:
        return None
    if not _PATH.fullmatch(asked.http):
        raise UsageError("is no path for an HTTP request", asked.http, "write it as /status, without blanks")
    host = asked.sni or asked.address
    return f"GET {asked.http} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode("ascii", "replace")


def _facts(one: Variant) -> VariantFacts:
    calls = {version: called_for(one.expected(version)) for version in VERSIONS.values()}
    needs = " and ".join(need for need in Need if need in one.needs)
    return VariantFacts(one.name, one.why, needs, calls, one.server_must_know)


def _unknown(rows: Sequence[Row], crls: str | None) -> Iterator[str]:
    """Say which acceptances mean nothing where the device was not given what it must know."""
    must_know = {row.variant: VARIANTS[row.variant].server_must_know for row in rows if row.variant in VARIANTS}
    known = {must_know[row.variant] for row in rows if row.alert is not None and row.alert.code == REVOKED}
    taken: dict[str, dict[str, None]] = {}
    for row in rows:
        what = must_know.get(row.variant)
        if what is not None and row.outcome == "accepted":
            taken.setdefault(what, {})[row.variant] = None
    written = "--crl-out FILE writes it" if crls is None else f"it was written to {crls}"
    for what, variants in taken.items():
        are = f"{', '.join(variants)} {'is' if len(variants) == 1 else 'are'} accepted"
        if what in known:
            yield f"{are} although the device has {what}: it does not look so far up"
        else:
            yield f"{are}, which means nothing unless the device has {what}: {written}"


def _shown_clock(connections: Iterable[Connection]) -> Clock | None:
    """Return the clock that the device shows most credibly."""
    clocks = [one.clocks.server for one in connections if one.clocks.server is not None]
    return max(clocks, key=lambda clock: clock.confidence, default=None)


def _best_version(run: Run) -> str:
    """Return the version in which the good certificate was accepted, else the one with the most alerts."""

    def told(version: str) -> tuple[int, int]:
        kinds = [one.trial.outcome.kind for one in run.attempts if one.trial.tls_version == version]
        return kinds.count("accepted"), kinds.count("refused")

    return max(run.plan.versions, key=told)


def _meaning(understood: DeviceMind, found: ClockFound | None, facts: Facts, notes: tuple[str, ...]) -> Meaning:
    findings = [FindingTold(one.topic, one.says, one.alarming) for one in understood.findings]
    findings += [FindingTold("memory", says) for says in understood.memory]
    return Meaning(
        understood.verdict,
        _clock(understood.clock),
        _stack(understood),
        tuple(_trusts(understood, facts)),
        (*notes, *(() if found is None else found.says)),
        tuple(findings),
        understood.by_dates,
    )


def _clock(clock: DeviceClock) -> ClockTold | None:
    if not clock.known:
        return None
    told = None if clock.time is None else rfc3339(clock.time, 0)
    skew = None if clock.skew_seconds is None else round(clock.skew_seconds, 3)
    return ClockTold(told, clock.error_seconds, f"{clock} ({clock.source})", skew)


def _stack(understood: DeviceMind) -> StackTold | None:
    if not understood.stack:
        return None
    nearest = understood.stack[0]
    differs = tuple(dict.fromkeys(one.variant for one in nearest.differs))
    return StackTold(nearest.stack, round(nearest.share, 3), differs, " ".join(understood.stack_says))


def _trusts(understood: DeviceMind, facts: Facts) -> Iterator[str]:
    """Yield whose certificates the device takes: by what it accepted, and by what it says."""
    trust = understood.trusts
    if trust.how == "anyone":
        yield "anyone"
    elif trust.your_ca and facts.chain:
        yield _issuer(facts.chain)
    for name in trust.authorities:
        if not facts.chain or name != _issuer(facts.chain):
            yield name


def _issuer(chain: tuple[Certificate, ...]) -> str:
    return chain[-1].issuer or "a CA without a name"
