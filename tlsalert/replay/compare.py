"""Two results side by side: what the device answers now where it answered something else before, in words."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING

from tlsalert.replay.result import GAVE_UP, LOST, Result, Row
from tlsalert.replay.words import phrase

if TYPE_CHECKING:
    from tlsalert.render.notebook.plain import Page


#: So many variants are told one by one, even if their answers changed in the same way.
ALIKE = 3


@dataclass(frozen=True, slots=True)
class Change:
    """One variant that is answered otherwise, in the ``tls_versions`` named; a row is None where there is none."""

    variant: str
    tls_versions: tuple[str, ...]
    before: Row | None
    after: Row | None
    sentence: str

    @property
    def way(self) -> tuple[object, ...] | None:
        """How it changed: equal for changes of which one sentence can tell; None where there was no trial."""
        if self.before is None or self.after is None:
            return None
        return self.tls_versions, self.before.answer, self.after.answer

    def __str__(self) -> str:
        return self.sentence


@dataclass(frozen=True, slots=True)
class Comparison:
    """What changed from the result called ``before`` to the one called ``after``. ``same`` counts the equal rows.

    ``versions`` holds a sentence for each TLS version that only one of the two speaks: in it nearly everything changed,
    and what did is among the ``changes`` all the same.
    """

    before: str
    after: str
    changes: tuple[Change, ...]
    same: int
    remarks: tuple[str, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)

    @property
    def apart(self) -> tuple[Change, ...]:
        """The changes that are not just those of a TLS version in ``versions``."""
        return tuple(change for change in self.changes if not set(change.tls_versions) <= set(self.versions))

    @property
    def sentences(self) -> tuple[str, ...]:
        """All that changed, in words.

        What changed with a whole TLS version is one sentence, and so are more than :data:`ALIKE` variants of which the
        answers changed in the same way.
        """
        groups: dict[object, list[Change]] = {}
        for change in self.apart:
            groups.setdefault(change.way or change.variant, []).append(change)
        told = list(self.versions.values())
        for group in groups.values():
            if len(group) > ALIKE:
                told.append(_together(group, (self.before, self.after)))
            else:
                told += (change.sentence for change in group)
        return tuple(told)

    @property
    def differs(self) -> bool:
        """Whether anything that is compared changed; ``remarks`` (clock, stack) do not count."""
        return bool(self.changes)

    def __str__(self) -> str:
        if not self.changes:
            return f"{self.after} answers as {self.before} did ({_rows(self.same)})"
        return "\n".join(self.sentences)

    def _repr_html_(self) -> str:
        from tlsalert.render.notebook.answers import comparison_html

        return comparison_html(self)

    def _repr_pretty_(self, page: Page, cycle: bool) -> None:
        from tlsalert.render.notebook.plain import show_comparison

        show_comparison(self, page)


def compare(before: Result, after: Result, among: Collection[tuple[str, str]] | None = None) -> Comparison:
    """Return what changed; with ``among`` only those (variant, TLS version) are looked at.

    Equal changes of one variant in several TLS versions are one.
    """
    names = _names(before, after)
    old, new = ({row.place: row for row in one.rows} for one in (before, after))
    places = [place for place in dict.fromkeys([*new, *old]) if among is None or place in among]
    differing = [place for place in places if _answer(old.get(place)) != _answer(new.get(place))]
    order = {variant: number for number, (variant, _) in reversed([*enumerate(places)])}
    differing.sort(key=lambda place: order[place[0]])  # stable: a variant's versions stay in their order
    changes: list[Change] = []
    for variant, group in groupby(differing, lambda place: place[0]):
        versions_of = {version for name, version in places if name == variant}
        for versions in _alike([version for _, version in group], variant, old, new):
            row, was = new.get((variant, versions[0])), old.get((variant, versions[0]))
            where = "" if len(versions) == len(versions_of) else " in " + _and(versions)
            changes.append(Change(variant, versions, was, row, _sentence(variant, where, was, row, names)))
    remarks = tuple(_remarks(before, after, names))
    wholly = dict(_versions(before, after, names)) if among is None else {}
    return Comparison(*names, tuple(changes), len(places) - len(differing), remarks, wholly)


def answers(row: Row) -> str:
    """Return what the device does, now: "answers unknown_ca (48) to an expired certificate"."""
    return _does(row)[0].format(phrase(row.variant))


def answered(row: Row) -> str:
    """Return what the device did, without what it was shown: "answered certificate_expired (45)"."""
    return _does(row)[1]


def short_answer(row: Row) -> str:
    """Return the answer alone: "certificate_expired (45)", "accepted", "closed (FIN)"."""
    if row.alert is not None:
        by = " from the client" if row.alert.sender == "client" else ""
        warning = "warning " if row.alert.level == "warning" else ""
        return f"{warning}{row.alert}{by}"
    if row.outcome == "refused":
        gave_up = row.note is not None and row.note.startswith(GAVE_UP)
        return GAVE_UP if gave_up else row.note or "refused"
    if row.outcome == "closed":
        lost = row.note is not None and row.note.startswith(LOST)
        return ("reset, alert lost" if lost else "reset") if row.how == "rst" else "closed (FIN)"
    return {"not_tried": "not tried"}.get(row.outcome, row.outcome)


def _does(row: Row) -> tuple[str, str]:
    """Return what it does, with a place for what was shown, and what it did."""
    if row.alert is not None and row.alert.sender == "client":
        return (
            f"brings the client to refuse it with {row.alert} when shown {{}}",
            f"brought it to refuse with {row.alert}",
        )
    if row.alert is not None:
        level = " as a warning" if row.alert.level == "warning" else ""
        return f"answers {row.alert}{level} to {{}}", f"answered {row.alert}{level}"
    if row.outcome == "refused":
        said = row.note or "in words that were not read"
        shown = said.replace("{", "{{").replace("}", "}}")
        if said.startswith(GAVE_UP):
            return f"brings the client to give up when it shows {{}} ({shown})", f"brought it to give up ({said})"
        where = "inside TLS" if row.stage == "established" else "before TLS"
        return f"refuses {{}} {where} ({shown})", f"refused {where} ({said})"
    if row.outcome == "closed" and row.how == "rst":
        return "resets the connection on {}", "reset the connection"
    return _PLAIN[row.outcome]


_PLAIN = {
    "accepted": ("accepts a client with {}", "accepted it"),
    "closed": ("closes without an alert on {}", "closed without an alert"),
    "silent": ("says nothing to {}", "said nothing"),
    "unreachable": ("could not be reached with {}", "could not be reached"),
    "not_tried": ("was not tried with {}", "was not tried"),
}


def _sentence(variant: str, where: str, was: Row | None, now: Row | None, names: tuple[str, str]) -> str:
    """Return the change in one sentence: who answers what, to what, where what was answered before."""
    before, after = names
    if was is None or now is None:
        has_it, has_none = (before, after) if now is None else (after, before)
        there = was or now
        said = "" if there is None else f"; {has_it} {answered(there)}"
        return f"{has_none} has no trial of {phrase(variant)} ({variant}){where}{said}"
    told = f"{after} {answers(now)}{where} where {before} {answered(was)}{_elsewhere(was, now)}"
    if now.outcome == "not_tried" and now.note:
        told += f" ({now.note})"
    return told


def _elsewhere(was: Row, now: Row) -> str:
    """Return at which other point of the handshake the same is answered."""
    if was.stage == now.stage or was.answer[:3] != now.answer[:3]:
        return ""
    return f", but at another point: {_stage(now)} and not {_stage(was)}"


def _together(changes: list[Change], names: tuple[str, str]) -> str:
    """Return one sentence about variants whose answers changed in the same way."""
    was, now, versions = changes[0].before, changes[0].after, changes[0].tls_versions
    if was is None or now is None:  # those are told one by one
        return "\n".join(change.sentence for change in changes)
    told = _does(now)[0].format(f"each of {len(changes)} variants")
    what = ", ".join(change.variant for change in changes)
    return f"{names[1]} {told} in {_and(versions)} where {names[0]} {_does(was)[1]}{_elsewhere(was, now)}: {what}"


_STAGE_WORDS = {
    "connect": "while connecting",
    "starttls": "when asked for TLS",
    "client_hello": "after the ClientHello",
    "server_hello": "in its first flight",
    "client_certificate": "after the client's certificate",
    "established": "when the handshake was over",
}


def _stage(row: Row) -> str:
    return _STAGE_WORDS[row.stage]


def _alike(
    versions: list[str], variant: str, old: dict[tuple[str, str], Row], new: dict[tuple[str, str], Row]
) -> Iterator[tuple[str, ...]]:
    """Yield the versions in which a variant changed in the same way, in the order of the first of each."""
    groups: dict[object, list[str]] = {}
    for version in versions:
        place = (variant, version)
        groups.setdefault((_answer(old.get(place)), _answer(new.get(place))), []).append(version)
    return (tuple(group) for group in groups.values())


def _remarks(before: Result, after: Result, names: tuple[str, str]) -> Iterator[str]:
    """Yield what else is worth a word and is no difference: clock and stack are inferred, hello and trust are told."""
    was, now = names
    if before.hello != after.hello:
        if before.hello.name != after.hello.name:
            yield f"the ClientHello was another: {before.hello.name} and now {after.hello.name}"
        else:
            yield f"the ClientHello is {after.hello.name} in both, but what could not be reproduced of it differs"
    if before.trusts and after.trusts and set(before.trusts) != set(after.trusts):
        gone, new = (sorted(set(a) - set(b)) for a, b in ((before.trusts, after.trusts), (after.trusts, before.trusts)))
        yield from (f"{now} trusts {name}, {was} did not" for name in new)
        yield from (f"{now} does not trust {name} any more" for name in gone)
    if before.stack is not None and after.stack is not None and before.stack.name != after.stack.name:
        yield f"{now} resembles {after.stack.name}, {was} resembled {before.stack.name}"
    if before.clock is not None and after.clock is not None and before.clock.says != after.clock.says:
        yield f"clock: {after.clock.says}; {was}: {before.clock.says}"


def _versions(before: Result, after: Result, names: tuple[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the TLS versions that one of the two refuses whatever the client shows, and what the other does there."""
    was, now = names
    old, new = before.refused_versions, after.refused_versions
    tried = [{row.tls_version for row in one.rows if row.outcome != "not_tried"} for one in (before, after)]
    for version in dict.fromkeys([*new, *old]):
        if version not in tried[0] & tried[1] or _answer(old.get(version)) == _answer(new.get(version)):
            continue
        if version not in old:
            yield version, f"{now} {_refuses(new[version], version)}, whatever the client shows; {was} spoke it"
        elif version not in new:
            yield version, f"{now} speaks {version}; {was} {_refused(old[version])}, whatever the client showed"
        else:
            yield version, f"{now} {_refuses(new[version], version)}; {was} {_refused(old[version])}"


def _refuses(row: Row, version: str) -> str:
    return _does(row)[0].format(f"the ClientHello of {version}")


def _refused(row: Row) -> str:
    return f"{_does(row)[1]} {'to' if row.alert is not None else 'at'} its ClientHello"


def _answer(row: Row | None) -> tuple[object, ...] | None:
    return None if row is None else row.answer


def _names(before: Result, after: Result) -> tuple[str, str]:
    """Return what the two are called; where that is one name, "before" and "now" tell them apart."""
    was, now = before.label or "the baseline", after.label or "the device"
    return (f"{was} (before)", f"{now} (now)") if was == now else (was, now)


def _and(versions: tuple[str, ...]) -> str:
    return versions[0] if len(versions) == 1 else ", ".join(versions[:-1]) + " and " + versions[-1]


def _rows(many: int) -> str:
    return "1 answer" if many == 1 else f"{many} answers"
