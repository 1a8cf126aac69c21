"""Runs: the turns, or cues, that are one speaker's until the next one speaks.

Captions cut what is said where a line is full, in the middle of a sentence. Turns go on from each other
where the speaker is the same, and the cut is technical: both have times, or the sentence goes on in small
letters. A cue without a speaker goes on from the one before it only where that ends within a sentence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from stratune.transcript.turn import Turn

Turns = Sequence[Turn]

CLOSING = "\"'”’)]»"  # may stand after the end of a sentence
_ENDS = ".?!…。？！"
MOST_WORDS = 100  # of a run without a speaker; recognised captions may have no full stop at all


def runs(turns: Turns) -> list[list[Turn]]:
    """The turns, in order, in groups that are each one turn of one speaker."""
    groups: list[list[Turn]] = []
    words = 0
    for turn in turns:
        count = len(turn.text.split())
        nameless = not turn.speaker and words + count > MOST_WORDS
        if groups and not nameless and _goes_on(groups[-1], turn):
            groups[-1].append(turn)
            words += count
        else:
            groups.append([turn])
            words = count
    return groups


def merged(turns: Turns) -> Turn:
    """A run as one turn: from the start of the first to the end of the last, with a blank between texts."""
    first = turns[0]
    if len(turns) == 1:
        return first
    ends = [turn.end for turn in turns if turn.end is not None]
    starts = [turn.start for turn in turns if turn.start is not None]
    return replace(
        first,
        start=starts[0] if starts else None,
        end=max(ends) if ends else None,
        text=" ".join(turn.text for turn in turns),
    )


def speakers_runs(turns: Turns) -> list[list[Turn]]:
    """Runs, and those of the same speaker that follow each other, together; nobody is the same as nobody."""
    groups: list[list[Turn]] = []
    for run in runs(turns):
        if groups and run[0].speaker and run[0].speaker == groups[-1][-1].speaker:
            groups[-1] += run
        else:
            groups.append(run)
    return groups


def ends_sentence(text: str) -> bool:
    return text.rstrip().rstrip(CLOSING).endswith(tuple(_ENDS))


def _goes_on(run: Turns, turn: Turn) -> bool:
    before, within = run[-1], not ends_sentence(run[-1].text)
    if turn.index != before.index + 1 or turn.section != before.section:
        return False
    timed = before.start is not None and turn.start is not None
    within = within and (timed or turn.text[:1].islower())
    if turn.speaker != run[0].speaker or not turn.speaker:
        return not turn.speaker and within
    return timed or within
