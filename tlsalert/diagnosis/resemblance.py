"""Which TLS stack a device resembles: its answers held against those that were measured, cell by cell.

The measurements are :mod:`tlsalert.diagnosis.stack_vectors`. A stack is weighed in each set-up that it was measured in
(its clock behind or ahead, certificates pinned): a device whose clock is off answers as such a stack does then. An
answer that few stacks give says more than one that most give.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from math import exp, log
from typing import Final, NamedTuple

from tlsalert.diagnosis import stack_vectors
from tlsalert.diagnosis.stacks import LABELS
from tlsalert.diagnosis.tried import Cell, Tried, cells, said

#: Servers that cannot speak TLS 1.3: OpenSSL before 1.1.1, Mbed TLS and Botan 2.
WITHOUT_TLS13: Final = frozenset(
    ("openssl-0.9.8zh", "openssl-1.0.1e", "openssl-1.0.2u", "s_server-1.0.2u", "mbedtls-2.28", "botan")
)
#: Which version's answers stand in where a server was not measured in this one, the nearest first.
NEAREST: Final[dict[str, tuple[str, ...]]] = {
    "SSLv3": ("SSLv3",),
    "TLS 1.0": ("TLS 1.0", "TLS 1.1", "TLS 1.2"),
    "TLS 1.1": ("TLS 1.1", "TLS 1.2", "TLS 1.0"),
    "TLS 1.2": ("TLS 1.2", "TLS 1.1", "TLS 1.0", "TLS 1.3"),
    "TLS 1.3": ("TLS 1.3", "TLS 1.2"),
    "DTLS 1.0": ("TLS 1.1", "TLS 1.2"),
    "DTLS 1.2": ("TLS 1.2",),
    "DTLS 1.3": ("TLS 1.3",),
}
#: The five harmless probes that tell nearly all of the measured stacks apart in TLS 1.2.
TELLING: Final = ("none_sent", "self_signed_unknown", "garbage_der", "key_mismatch", "not_yet_valid")
#: Variants whose answers do not depend on the device's clock.
UNDATED: Final = ("none_sent", "unknown_issuer", "self_signed_unknown", "garbage_der")
#: Variants with keys that the measuring client could not sign with: it made the CertificateVerify up, and what servers
#: said to that is no answer to a true one.
MADE_UP: Final = frozenset(("ed448", "p224", "secp256k1"))
#: From so many cells on a resemblance is worth a name.
ENOUGH: Final = 3
#: From this share of agreement on a device is likened to a stack; below, it is only told which is the nearest.
LIKE: Final = 0.75
#: How many separating variants are named.
MOST: Final = 5
_STRAY = 0.04  # how often one answer differs although the stack is the same: builds and settings do
_STRAY_ERA = 0.25  # the same where another version's answers stand in
_USUAL_SETUP, _OTHER_SETUP = 1.0, 0.4  # how likely a device is set up so, before its answers are looked at


class Difference(NamedTuple):
    """A cell in which the device answers otherwise than the stack that it resembles."""

    variant: str
    tls_version: str
    answer: str
    measured: str

    def __str__(self) -> str:
        return f"{self.variant} in {self.tls_version} got {said(self.answer)} where it gives {said(self.measured)}"


@dataclass(frozen=True, slots=True)
class Resemblance:
    """How nearly the device answers as one stack, or as several that gave the same answers here.

    ``stack`` is the name to show, ``servers`` and ``families`` are keys of ``stack_vectors.SERVERS`` and of
    ``knowledge.STACKS``. ``agreeing`` of ``compared`` cells are equal. ``confidence`` is the probability of this row
    among all that were measured, 0 to 1; a stack that nobody measured is not thought of.
    """

    stack: str
    servers: tuple[str, ...]
    families: tuple[str, ...]
    setup: str
    agreeing: int
    compared: int
    differs: tuple[Difference, ...]
    confidence: float

    @property
    def share(self) -> float:
        """The share of the comparable answers that agree, 0 to 1."""
        return self.agreeing / self.compared if self.compared else 0.0


class Candidate(NamedTuple):
    """One server in one set-up: its answers by version."""

    server: str
    setup: str
    answers: Mapping[str, Mapping[str, str]]

    @property
    def family(self) -> str:
        """Its family in ``knowledge.STACKS``."""
        return stack_vectors.SERVERS[self.server][1]

    def at(self, variant: str, version: str) -> tuple[str, bool] | None:
        """Return its answer, and whether it is that of this very version; None where it was not measured."""
        for near in NEAREST.get(version, (version,)):
            answer = self.answers.get(near, {}).get(variant)
            if answer is not None:
                return answer, near == version
        return None


Key = tuple[str, str]  # a server and a version


@cache
def candidates(hidden: frozenset[Key] = frozenset()) -> tuple[Candidate, ...]:
    """Return every server in every set-up; ``hidden`` rows are left out, as if they had not been measured."""
    found: defaultdict[tuple[str, str], dict[str, dict[str, str]]] = defaultdict(dict)
    for setup, version, servers, answers in stack_vectors.VECTORS:
        pairs = zip(stack_vectors.VARIANTS[setup].split(), answers.split(), strict=True)
        row = {variant: answer for variant, answer in pairs if answer != "-"}
        for server in servers.split():
            if (server, version) not in hidden:
                found[server, setup][version] = _shifted(row) if setup.startswith("clock") else row
    return tuple(Candidate(server, setup, rows) for (server, setup), rows in found.items())


def resembles(
    tried: Iterable[Tried], prior: Mapping[str, float] | None = None, hidden: frozenset[Key] = frozenset()
) -> list[Resemblance]:
    """Return the stacks that answer as the device does, the nearest first; none where nothing can be compared.

    ``prior`` says how likely each family is by other signs (:func:`tlsalert.diagnosis.stacks.server_stack`). Stacks
    that answer alike in every cell that was tried are one entry: these trials cannot tell them apart.
    """
    told = [cell for cell in cells(tried) if cell.variant not in MADE_UP]
    groups: defaultdict[tuple[object, ...], list[tuple[Candidate, float]]] = defaultdict(list)
    for one in _able(told, hidden):
        answers = tuple(one.at(cell.variant, cell.tls_version) for cell in told)
        if sum(map(bool, answers)) >= min(ENOUGH, len(told)):  # with fewer it would agree by chance
            score = _score(told, answers, hidden) + log(_prior(one, prior, hidden))
            groups[_signature(answers)].append((one, score))
    total = _sum_of_exponents([score for group in groups.values() for _, score in group])
    rows = [_row(told, group, total) for group in groups.values()]
    return sorted(_merged(rows), key=lambda row: (-row.confidence, -row.share, row.stack))


def separating(ranked: Sequence[Resemblance], tried: Iterable[Tried]) -> tuple[str, ...]:
    """Return variants that were not tried and that the first two entries answer differently, the most telling first.

    Where the first entry is a tie of several stacks, it is those that the variants would tell apart.
    """
    done = {(one.variant, one.tls_version) for one in tried}
    versions = sorted({version for _, version in done}, reverse=True)
    parties = _parties(ranked)
    if len(parties) < 2 or not versions:
        return ()
    found: Counter[str] = Counter()
    for variant in stack_vectors.VARIANTS["trust store"].split():
        for version in versions:
            if (variant, version) not in done:
                answers = [_usual(party, variant, version) for party in parties]
                apart = sum(not (one & other) for one, other in combinations(answers, 2))
                if all(answers) and apart:
                    found[variant] = max(found[variant], apart)
    order = sorted(found, key=lambda variant: (variant not in TELLING, -found[variant]))
    return tuple(order[:MOST])


def in_words(ranked: Sequence[Resemblance], tried: Sequence[Tried]) -> tuple[str, ...]:
    """Say which stack it is, how sure that is, and what would tell more."""
    if not ranked or ranked[0].compared < ENOUGH:
        untried = [variant for variant in TELLING if variant not in {one.variant for one in tried}]
        few = "Too little was tried to tell the TLS stack"
        return (f"{few}: try {', '.join(untried)}, which tell most stacks apart." if untried else f"{few}.",)
    first = ranked[0]
    near = "It answers exactly as" if not first.differs else "It answers most like"
    if first.share < LIKE:
        near = "It answers like none of the stacks that were measured; the nearest is"
    what = f"{near} {first.stack} ({first.agreeing} of {first.compared} answers agree"
    sentences = [f"{what}{'' if first.setup == 'trust store' else f'; that one with {SETUPS[first.setup]}'})."]
    if first.differs:
        more = len(first.differs) - 3
        listed = "; ".join(str(one) for one in first.differs[:3]) + (f"; and {more} more" if more > 0 else "")
        sentences.append(f"It differs: {listed}.")
    others = [row.stack for row in ranked[1:] if row.confidence > 0.1 * first.confidence and row.stack != first.stack]
    further = separating(ranked, tried)
    if (others or len(_parties(ranked[:1])) > 1) and further:
        beside = f" It may as well be {' or '.join(dict.fromkeys(others[:2]))};" if others else " To tell these apart,"
        sentences.append(f"{beside.strip()} try {', '.join(further[:3])}.")
    elif others:
        sentences.append(f"It may as well be {' or '.join(dict.fromkeys(others[:2]))}.")
    return tuple(sentences)


def _shifted(row: Mapping[str, str]) -> dict[str, str]:
    """Return what a server whose clock is off answers to the variants that are told apart by more than dates.

    What was measured as "good" was valid at any time; a device is shown one that is valid today, as "valid_2016_2040".
    """
    return {variant: row[variant] for variant in UNDATED if variant in row} | {"good": row["valid_2016_2040"]}


#: The set-ups as they stand in a sentence.
SETUPS: Final[dict[str, str]] = {
    "trust store": "the CA in its trust store",
    "trust store and CRLs": "CRLs",
    "clock behind": "its clock years behind",
    "clock ahead": "its clock years ahead",
    "pinned": "pinned certificates",
    "pinned leaf": "a pinned leaf",
    "pinned leaf, partial chain": "a pinned leaf",
}


def _able(told: Sequence[Cell], hidden: frozenset[Key]) -> Iterable[Candidate]:
    """Go through the candidates that can speak the versions which the device spoke."""
    modern = any(cell.tls_version.endswith("TLS 1.3") for cell in told)
    return (one for one in candidates(hidden) if not (modern and one.server in WITHOUT_TLS13))


def _score(told: Sequence[Cell], answers: Sequence[tuple[str, bool] | None], hidden: frozenset[Key]) -> float:
    """Return how much more likely these answers are from this candidate than from any: a logarithm."""
    total = 0.0
    for cell, known in zip(told, answers, strict=True):
        if known is not None:
            answer, exact = known
            usual = _frequency(cell, hidden)
            stray = _STRAY if exact else _STRAY_ERA
            total += log((1 - stray) * (answer == cell.answer) + stray * usual) - log(usual)
    return total


@cache
def _frequency(cell: Cell, hidden: frozenset[Key]) -> float:
    """Return how usual an answer to a variant is among the families, never 0."""
    families: defaultdict[str, list[bool]] = defaultdict(list)
    for one in candidates(hidden):
        known = one.at(cell.variant, cell.tls_version)
        if known is not None:
            families[one.family].append(known[0] == cell.answer)
    shares = [sum(hits) / len(hits) for hits in families.values()]
    return (sum(shares) + 0.5) / (len(shares) + 5)


def _prior(one: Candidate, prior: Mapping[str, float] | None, hidden: frozenset[Key]) -> float:
    family = 1.0 if prior is None else prior.get(one.family, 0.0) + 0.01
    setup = _USUAL_SETUP if one.setup.startswith("trust store") else _OTHER_SETUP
    return family * setup / _size(one.family, hidden)


@cache
def _size(family: str, hidden: frozenset[Key]) -> int:
    return len({one.server for one in candidates(hidden) if one.family == family})


def _signature(answers: Sequence[tuple[str, bool] | None]) -> tuple[object, ...]:
    return tuple(None if known is None else known[0] for known in answers)


def _sum_of_exponents(scores: Sequence[float]) -> float:
    """Return the logarithm of the sum, without an overflow."""
    highest = max(scores, default=0.0)
    return highest + log(sum(exp(score - highest) for score in scores)) if scores else 0.0


def _row(told: Sequence[Cell], group: Sequence[tuple[Candidate, float]], total: float) -> Resemblance:
    best = max(group, key=lambda pair: pair[1])[0]
    known = [(cell, best.at(cell.variant, cell.tls_version)) for cell in told]
    compared = [(cell, answer[0]) for cell, answer in known if answer is not None]
    differs = tuple(
        Difference(cell.variant, cell.tls_version, cell.answer, answer)
        for cell, answer in compared
        if answer != cell.answer
    )
    servers = tuple(dict.fromkeys(one.server for one, _ in group))
    return Resemblance(
        _label(servers),
        servers,
        _families(servers),
        best.setup,
        len(compared) - len(differs),
        len(compared),
        differs,
        sum(exp(score - total) for _, score in group),
    )


def _merged(rows: Iterable[Resemblance]) -> list[Resemblance]:
    """Return the rows, those of the same servers (in other set-ups) told once: by the likelier set-up."""
    best: dict[tuple[str, ...], Resemblance] = {}
    for row in sorted(rows, key=lambda row: -row.confidence):
        best.setdefault(row.servers, row)
    return list(best.values())


def _families(servers: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(stack_vectors.SERVERS[server][1] for server in servers))


def _label(servers: Sequence[str]) -> str:
    """Return what to call servers that answer alike: one by its name and version, several by their families."""
    families = _families(servers)
    if len(servers) == 1:
        return stack_vectors.SERVERS[servers[0]][0]
    names = [LABELS[family] for family in families]
    if {"openssl<=1.0.2", "openssl>=1.1.1"} <= set(families):
        old_and_new = (LABELS["openssl<=1.0.2"], LABELS["openssl>=1.1.1"])
        names = ["OpenSSL", *(name for name in names if name not in old_and_new)]
    if len(names) <= 3:
        return " or ".join(names)
    return f"{', '.join(names[:3])} or {len(names) - 3} more"


def _parties(ranked: Sequence[Resemblance]) -> list[tuple[str, ...]]:
    """Return the groups of servers to be told apart: the families of a tie, else the first two entries."""
    if not ranked:
        return []
    first = ranked[0]
    # stunnel that pins is OpenSSL: what tells it apart is which certificate it has, not how it answers.
    families = [family for family in first.families if family != "stunnel-pinned"]
    if len(families) > 1:
        return [
            tuple(server for server in first.servers if stack_vectors.SERVERS[server][1] == family)
            for family in families
        ]
    return [row.servers for row in ranked[:2]]


def _usual(servers: Sequence[str], variant: str, version: str) -> frozenset[str]:
    """Return what these servers answer with the CA in their trust store; none where one of them was not asked."""
    known = [one.at(variant, version) for one in candidates() if one.server in servers and one.setup == "trust store"]
    return frozenset(answer[0] for answer in known if answer is not None) if all(known) else frozenset()
