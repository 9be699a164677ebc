"""What was spoken before TLS, for the model: the protocol, who asked for TLS where, and how the server answered."""

from __future__ import annotations

from typing import Final

from tlsalert.model import Position, Preamble
from tlsalert.wire.envelope import OPENVPN
from tlsalert.wire.preamble import COMMANDS, asked_at, declined, protocol_before
from tlsalert.wire.transcript import Spoken, Transcript

#: Headers that a proxy puts before everything: after them the server has nothing to say before TLS.
ONE_SIDED: Final = ("proxy-v1", "proxy-v2")


def before(transcript: Transcript, client: int) -> tuple[str | None, Preamble | None]:
    """Return the protocol that was spoken before TLS, and what of it tells something; ``client`` is the side."""
    spoken = transcript.spoken
    named = "openvpn" if transcript.framing == OPENVPN else None
    if spoken is None:
        return named, None
    asks, answers = _early(spoken, client), _early(spoken, 1 - client)
    hello, answered = _first_frames(transcript, client)
    if not asks and not (answers and answered):
        return named, None  # the server's plain words are its answer to the hello, or there were none
    protocol = named or protocol_before(asks, answers)
    if protocol is None:
        return None, None
    asked = asked_at(protocol, asks)
    refused = declined(asks, answers, spoken.pieces, client)
    answer = 0 if answered else _answer_from(spoken, client, hello, protocol, asked)
    if refused is not None and answer > 0:
        answer = refused.at
    last = [frame for _, _, frame in spoken.pieces if not hello or frame <= hello]
    return protocol, Preamble(
        command=COMMANDS.get(protocol, ""),
        asked=_position(spoken, client, asked) if asked >= 0 else None,
        until=Position(last[-1]) if last else None,
        refusal=None if refused is None else refused.says,
        refused=None if refused is None else _position(spoken, 1 - client, refused.at),
        answer=answers[answer:] if answer > 0 or protocol in ONE_SIDED else b"",
        answered=_position(spoken, 1 - client, answer) if answer > 0 else None,
    )


def _early(spoken: Spoken, side: int) -> bytes:
    """Return what a side said before it spoke TLS."""
    return b"" if spoken.late >> side & 1 else spoken.of(side)


def _first_frames(transcript: Transcript, client: int) -> tuple[int, int]:
    """Return the frames in which client and server first spoke TLS, 0 where they did not."""
    first = [0, 0]
    for event in (*transcript.events, *transcript.records):
        side = 0 if event.side == client else 1
        if first[side] == 0:
            first[side] = int(event.frame)
    return first[0], first[1]


def _answer_from(spoken: Spoken, client: int, hello: int, protocol: str, asked: int) -> int:
    """Return from where on a server's words answer the ClientHello in frame ``hello``, or 0 where none do.

    A client may send its hello without waiting: what the server says then may still be about the command before.
    """
    if not hello:
        return 0
    asked_in = max((frame for side, at, frame in spoken.pieces if side == client and at <= asked), default=0)
    if asked_in == hello and protocol not in ONE_SIDED:
        return 0
    for side, at, frame in spoken.pieces:
        if side != client and frame > hello:
            return at
    return 0


def _position(spoken: Spoken, side: int, at: int) -> Position | None:
    """Return the frame in which a side said what stands at an offset."""
    frames = [frame for who, offset, frame in spoken.pieces if who == side and offset <= at]
    return Position(frames[-1]) if frames else None
