"""Connections that have ended → decrypted, built, judged, and counted: the same for all kinds of evidence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Literal

from msgspec import structs

from tlsalert.diagnosis.inside import may_refuse
from tlsalert.diagnosis.verdict import judge
from tlsalert.given import Given
from tlsalert.model import Connection, Summary
from tlsalert.secrets.opening import OpenWith
from tlsalert.wire.connection import client_side, connection
from tlsalert.wire.flow import Flow
from tlsalert.wire.harvest import Harvest
from tlsalert.wire.opened import opened_well
from tlsalert.wire.readings import server_key
from tlsalert.wire.transcript import Transcript
from tlsalert.witnesses import Witnesses

if TYPE_CHECKING:
    from tlsalert.secrets.glance import Glance

Wanted = Literal["all", "failed", "alerts"]


class Telling:
    """Takes the flows of one piece of evidence as they end, and tells those that are wanted as connections.

    With ``wanted`` "failed" those that surely went well are counted and not built; with "alerts" those without an
    alert. ``secrets`` decrypt, ``given`` are facts that the evidence lacks. ``began`` is the time of its first packet.
    ``placed``, where it is set, is applied to each connection at the end, and ``amends``, by a flow's number, to one
    before it is judged; ``dated`` says that its day is known.
    """

    def __init__(
        self, source: str, wanted: Wanted, secrets: OpenWith | None = None, given: Given | None = None
    ) -> None:
        self.source = source
        self.given = given
        self.secrets = secrets
        self.told_some = False
        self.flow = -1  # the number of the flow of which a connection was told last
        self.began = 0
        self.digits = 6
        self.dated = True
        self.placed: Callable[[Connection], Connection] | None = None
        self.amends: dict[int, Callable[[Connection], Connection]] = {}
        self._wanted = wanted
        self._harvest = Harvest(wanted == "all", wanted == "alerts")
        self._witnesses = Witnesses(self._harvest.readings, self._harvest.servers)
        self._tally: Counter[str] = Counter()
        self._glance: Glance | None = None

    @property
    def held_bytes(self) -> int:
        """About how much memory the connections take that wait to be told."""
        return int(self._harvest.held_bytes)

    def keep_good(self) -> None:
        """Let none go unbuilt: while records are to be opened nobody knows which connections went well."""
        self._harvest.with_good = True

    def recognise_all(self, numbers: list[int]) -> None:
        """Note that flows are TLS: connections are numbered by them."""
        self._harvest.recognise_all(numbers)

    def take(self, flows: list[Flow]) -> None:
        """Take flows that have ended."""
        self._harvest.take(flows)

    def told(self, final: bool = False) -> Iterator[Connection]:
        """Build and judge what is held, in the order of first packets."""
        flows = self._harvest.release()
        self.told_some = self.told_some or bool(flows)
        opened = self._open(flows, final)
        for flow in flows:
            well = flow.transcript is not None and not opened and flow.transcript.went_well()  # before the model's use
            built = connection(flow, self.source, self._harvest.rank(flow.number), self.digits)
            _forget(flow)
            amend = self.amends.get(int(flow.number)) if self.amends else None
            if amend is not None:
                built, well = amend(built), False
            self.flow = int(flow.number)
            yield from self.judged(built, well)
        if flows:
            self.amends = {number: amend for number, amend in self.amends.items() if number > flows[-1].number}

    def judged(self, built: Connection, well: bool = False) -> Iterator[Connection]:
        """Judge a connection, count it, and give it where it is wanted."""
        judged = self._judge(built, well)
        self._tally["connections"] += 1
        if judged.verdict is not None and judged.verdict.outcome == "failed":
            self._tally[f"failed_by_{judged.verdict.refused_by or 'other'}"] += 1
        if self._is_wanted(judged):
            yield judged if self.placed is None else self.placed(judged)

    def summary(self, start: int | None, end: int | None, packets: int, notes: tuple[str, ...]) -> Summary:
        """Return the counts of all that was taken."""
        tally = self._tally
        return Summary(
            self.source,
            start,
            end,
            packets,
            tally["connections"] + self._harvest.good,
            tally["failed_by_server"],
            tally["failed_by_client"],
            tally["failed_by_other"],
            self._harvest.other_streams,
            notes,
        )

    def _judge(self, built: Connection, well: bool) -> Connection:
        """Judge a connection, by what was given as well where the evidence does not show it."""
        if built.account is not None:
            from tlsalert.diagnosis.account import judge_account

            return judge_account(built, None if self.given is None else self.given.server_clock(built, self.began))
        if self.given is None and self.dated:
            return judge(built, self._witnesses, well)
        supplied = built if self.given is None else self.given.supplied(built)
        clock = None if self.given is None else self.given.server_clock(built, self.began)
        start = built.start
        if not self.dated and start is not None:  # nothing is concluded from a day that is guessed
            supplied = structs.replace(supplied, start=None)
        judged = judge(supplied, self._witnesses, well, clock)
        return judged if supplied is built else structs.replace(judged, certificates=built.certificates, start=start)

    def _open(self, flows: list[Flow], final: bool) -> bool:
        """Decrypt what the secrets at hand open, and note the clocks that show inside; say whether there are any.

        Where only failures are wanted, those that surely went well are counted and taken out of ``flows``.
        """
        secrets = self.secrets
        if secrets is None:
            return False
        from tlsalert.secrets.reveal import reveal

        secrets.keyring.keylog.refresh(final)
        glance = self._glancing(secrets)
        left = []
        for flow in flows:
            transcript = flow.transcript
            if transcript is None:
                left.append(flow)
                continue
            known = transcript.answer
            client = client_side(flow, transcript)
            well = glance is not None and glance.surely_well(transcript, client) and _agreed(transcript, client)
            if well or reveal(transcript, client, secrets.keyring, secrets.everything):
                self._harvest.servers.note_opened(server_key(flow.key, client), transcript)
                well = well or (self._wanted == "failed" and opened_well(transcript) and _agreed(transcript, client))
            if known is None and transcript.answer is not None:
                self._harvest.readings.note_date(flow.key, transcript)
            if well:
                self._tally["connections"] += 1
                _forget(flow)
            else:
                left.append(flow)
        flows[:] = left
        return True

    def _glancing(self, secrets: OpenWith) -> Glance | None:
        """Return what tells connections that surely went well, where they are not wanted."""
        if self._wanted != "failed" or secrets.everything:
            return None
        if self._glance is None:
            from tlsalert.secrets.glance import Glance

            self._glance = Glance(secrets.keyring)
        return self._glance

    def _is_wanted(self, judged: Connection) -> bool:
        if self._wanted == "alerts":
            return bool(judged.alerts)
        return self._wanted == "all" or (judged.verdict is not None and judged.verdict.outcome in ("failed", "not_tls"))


def _agreed(transcript: Transcript, client: int) -> bool:
    """Whether nothing that the server is seen to say inside TLS refuses the client's certificate."""
    return transcript.inside is not None and not may_refuse(transcript.inside[1 - client])


def _forget(flow: Flow) -> None:
    """Give up the protected records that were kept of a connection."""
    if flow.transcript is not None and flow.transcript.kept is not None:
        flow.transcript.kept.release()
