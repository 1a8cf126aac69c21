"""pieces(): a transcript in parts small enough for a model. documents(): rows of a table out of them.

turn        what one speaker says until the next speaks; cues of captions are put together (runs.py)
exchange    a question of the interviewer, or of anybody where nobody interviews, and what follows it
            (exchanges.py)
minutes:n   n minutes of speech, by the starts of the turns (no turn is cut)
section     turns of the same section, as long as they follow each other
speaker     all turns of a speaker
document    everything
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

from stratune.data.pieces import NAMES, SPEAKERS, STARTS
from stratune.data.segments import SEPARATOR
from stratune.errors import ConfigError, DataError, choices
from stratune.transcript.clock import short_clock
from stratune.transcript.exchanges import exchanges
from stratune.transcript.runs import merged, runs
from stratune.transcript.turn import Transcript, Turn

Turns = Sequence[Turn]

UNITS = ("document", "speaker", "segment")
MINUTES = "minutes:"
SELF, OTHER = "SPEAKER", "OTHER"  # names in a document from the view of one of its speakers
_SHOWN_NAMES = 3


@dataclass(frozen=True)
class Piece:
    """`name` tells where it is ("turns 3-5, 0:42, ROBERTS"), turns or cues as they were read, from 1; `text`
    has a line for each turn, of cues that go on from each other one line. `speaker` is "" where several
    speak; `start`, in seconds, of the first turn that has one.
    """

    name: str
    text: str
    speaker: str
    start: float | None


def pieces(transcript: Transcript, by: str) -> list[Piece]:
    """In order; none for a transcript without turns.

    ConfigError for an unknown `by`; DataError for minutes of a document without times.
    """
    return [_piece(part) for part in _parts(transcript, by)]


def documents(
    transcripts: Iterable[Transcript], unit: str, by: str, *, named: bool = True, others: bool = False
) -> list[dict[str, Any]]:
    """Rows {"id", "document", "speaker", "text", "pieces", "speakers", "starts"}: the joined texts of the
    pieces, and of each piece its name, its speaker and when it starts.

    `unit`: a row for each document, for each speaker of a document (id "document/speaker"; turns without one
    are left out), or for each piece (id "document/number"). `speaker` is "" where several speak. `named`:
    turns begin with "NAME: ". `others`: of a speaker the whole document, as SPEAKER, and OTHER for the rest.
    """
    check_unit(unit)
    return [row for transcript in transcripts for row in _rows(transcript, unit, by, named, others)]


def check_unit(unit: str) -> None:
    if unit not in UNITS:
        raise ConfigError(choices(unit, UNITS), key="unit")


def check_by(by: str) -> None:
    """ConfigError for an unknown `by`."""
    if by.startswith(MINUTES):
        _number(by)
    elif by not in CUTS:
        raise ConfigError(choices(by, [*CUTS, f"{MINUTES}<n>"]), key="by")


def _rows(transcript: Transcript, unit: str, by: str, named: bool, others: bool) -> Iterator[dict[str, Any]]:
    name = transcript.document
    if unit == "document":
        yield _row(name, transcript, _parts(transcript, by), named)
    elif unit == "speaker":
        for speaker, turns in _by_speaker(transcript.turns):
            if speaker:
                own = transcript if others else replace(transcript, turns=tuple(turns))
                heard = speaker if others else None
                row = _row(f"{name}/{speaker}", own, _parts(own, by), named, heard)
                yield {**row, "speaker": speaker}
    else:
        for number, part in enumerate(_parts(transcript, by), start=1):
            yield _row(f"{name}/{number}", replace(transcript, turns=tuple(part)), [part], named)


def _row(
    id_: str, transcript: Transcript, parts: Sequence[Turns], named: bool, heard: str | None = None
) -> dict[str, Any]:
    cut = [_piece(part, named, heard) for part in parts]
    speakers = {turn.speaker for turn in transcript.turns}
    return {
        "id": id_,
        "document": transcript.document,
        "speaker": speakers.pop() if len(speakers) == 1 else "",
        "text": SEPARATOR.join(piece.text for piece in cut),
        NAMES: [piece.name for piece in cut],
        SPEAKERS: [piece.speaker for piece in cut],
        STARTS: [piece.start for piece in cut],
    }


def _parts(transcript: Transcript, by: str) -> list[Turns]:
    check_by(by)
    if by.startswith(MINUTES):
        return _by_minutes(transcript, _number(by))
    return CUTS[by](transcript.turns) if transcript.turns else []


def _by_section(turns: Turns) -> list[Turns]:
    return [list(run) for _, run in groupby(turns, key=lambda turn: turn.section)]


def _by_speaker(turns: Turns) -> list[tuple[str, list[Turn]]]:
    found: dict[str, list[Turn]] = {}
    for turn in turns:
        found.setdefault(turn.speaker, []).append(turn)
    return list(found.items())


def _by_minutes(transcript: Transcript, minutes: float) -> list[Turns]:
    """Turns without a start, and those that go back in time, stay with the turn before them."""
    starts = [turn.start for turn in transcript.turns if turn.start is not None]
    if not starts:
        if not transcript.turns:
            return []
        raise DataError(f"has no start times, which {MINUTES}{minutes:g} needs", path=transcript.document)
    parts: dict[int, list[Turn]] = {}
    now = 0
    for turn in transcript.turns:
        if turn.start is not None:
            now = max(now, int((turn.start - starts[0]) // (minutes * 60)))
        parts.setdefault(now, []).append(turn)
    return list(parts.values())


def _number(by: str) -> float:
    try:
        minutes = float(by.removeprefix(MINUTES))
    except ValueError:
        minutes = math.nan
    if not 0.001 <= minutes < math.inf:
        raise ConfigError(f"{by!r} should be {MINUTES}<n>, such as {MINUTES}5", key="by")
    return minutes


CUTS: dict[str, Callable[[Turns], list[Turns]]] = {
    "turn": lambda turns: [*runs(turns)],
    "exchange": lambda turns: [*exchanges(turns)],
    "section": _by_section,
    "speaker": lambda turns: [own for _, own in _by_speaker(turns)],
    "document": lambda turns: [turns],
}


def _piece(turns: Turns, named: bool = True, heard: str | None = None) -> Piece:
    """`heard`: the speaker who is SPEAKER, where all others are OTHER."""
    said = (_as_heard(merged(run), heard) for run in runs(turns))
    lines = (turn.line if named else turn.text for turn in said)
    named_turns = [_as_heard(turn, heard) for turn in turns]
    start, speakers = _start(turns), {turn.speaker for turn in named_turns}
    text = "\n".join(lines).replace(SEPARATOR, " ")
    return Piece(_name(named_turns), text, speakers.pop() if len(speakers) == 1 else "", start)


def _start(turns: Turns) -> float | None:
    return next((turn.start for turn in turns if turn.start is not None), None)


def _as_heard(turn: Turn, speaker: str | None) -> Turn:
    if speaker is None or not turn.speaker:
        return turn
    return replace(turn, speaker=SELF if turn.speaker == speaker else OTHER)


def _name(turns: Turns) -> str:
    first, last = turns[0].index + 1, turns[-1].index + 1
    if first == last:
        where = f"turn {first}"
    elif last - first + 1 == len(turns):
        where = f"turns {first}-{last}"
    else:
        where = f"{len(turns)} turns in {first}-{last}"
    start = _start(turns)
    speakers = list(dict.fromkeys(turn.speaker for turn in turns if turn.speaker))
    more = [f"{len(speakers) - _SHOWN_NAMES} more"] if len(speakers) > _SHOWN_NAMES else []
    when = [short_clock(start)] if start is not None else []
    return ", ".join([where, *when, *speakers[:_SHOWN_NAMES], *more])
