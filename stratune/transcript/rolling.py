"""Rolling captions, read once.

Live captions and those that YouTube makes show a line again while the next one appears below it, so that
every word stands in two or three cues. Here each cue keeps only the words that the cue before did not show.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from stratune.transcript.cues import Cue

LEAST_SHARE = 0.5  # of the cues repeat the one before them, in captions that roll
LEAST_CUES = 2  # that repeat two words or more; "Yes." said twice is speech
_WORDS = 60  # compared: two lines of captions have about twenty


def read_once(cues: Sequence[Cue]) -> list[Cue]:
    """The cues without what the one before showed already; unchanged where captions do not roll."""
    repeats = [0] * min(1, len(cues)) + [_repeated(one, other) for one, other in pairwise(cues)]
    repeating = sum(count > 1 for count in repeats)
    going_on = any(1 < count < len(_words(cue)) for count, cue in zip(repeats, cues, strict=True))
    if not going_on or repeating < max(LEAST_CUES, LEAST_SHARE * (len(cues) - 1)):
        return list(cues)
    once = [_without(cue, count) for cue, count in zip(cues, repeats, strict=True)]
    return [cue for cue in once if cue.lines or cue.broken]


def _words(cue: Cue) -> list[str]:
    return " ".join(cue.lines).split()


def _repeated(before: Cue, cue: Cue) -> int:
    """How many words at the beginning of `cue` are the last ones of `before`: its last line at least."""
    shown = [line.split() for line in before.lines if line.strip()]
    if not shown or before.start is None or cue.start is None:
        return 0
    if before.end is not None and cue.start > before.end + 1:  # seconds; a pause ends the screen
        return 0
    words, now = [word for line in shown for word in line], _words(cue)
    for count in range(min(len(words), len(now), _WORDS), len(shown[-1]) - 1, -1):
        if count and words[-count:] == now[:count]:
            return count
    return 0


def _without(cue: Cue, count: int) -> Cue:
    """The cue after its first `count` words; its lines stay lines."""
    lines = []
    for line in cue.lines:
        words = line.split()
        if count >= len(words):
            count -= len(words)
            continue
        lines.append(line if count == 0 else " ".join(words[count:]))
        count = 0
    return replace(cue, lines=lines)
