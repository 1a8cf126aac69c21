"""Words with times become turns: where the speaker changes, and of one speaker where a sentence ends."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from stratune.transcript.shapes.said import Said, mean

PAUSE = 2.0  # seconds without a word; of one speaker, what follows is another turn
_SENTENCE_END = re.compile(r"[.?!…。？！][\"'”’)]*$")
_NO_BLANK_BEFORE = re.compile(r"[.,?!;:%…。、，？！)\]”’]+$")


def turns_of_words(words: Iterable[Said]) -> list[Said]:
    """Runs of words of one speaker; where the whole file has only one (or none), its sentences.

    A mark of punctuation (no times, or only marks) is joined without a blank and takes the speaker before it.
    """
    known = _with_marks([word for word in words if word.text.strip()])
    alone = len({word.speaker for word in known}) < 2
    runs: list[list[Said]] = []
    for word in known:
        if not runs or (_sentence_ended(runs[-1], word) if alone else word.speaker != runs[-1][-1].speaker):
            runs.append([])
        runs[-1].append(word)
    return [_turn(run) for run in runs]


def _with_marks(words: Sequence[Said]) -> list[Said]:
    """Marks of punctuation joined to the word before them."""
    found: list[Said] = []
    for word in words:
        text = word.text.strip()
        if found and _NO_BLANK_BEFORE.fullmatch(text):
            found[-1] = replace(found[-1], text=found[-1].text + text)
        else:
            found.append(replace(word, text=text))
    return found


def _sentence_ended(run: Sequence[Said], word: Said) -> bool:
    last = run[-1]
    if _SENTENCE_END.search(last.text):
        return True
    return last.end is not None and word.start is not None and word.start - last.end > PAUSE


def _turn(run: Sequence[Said]) -> Said:
    starts = [word.start for word in run if word.start is not None]
    ends = [word.end for word in run if word.end is not None]
    return replace(
        run[0],
        text=" ".join(word.text for word in run),
        start=starts[0] if starts else None,
        end=ends[-1] if ends else None,
        confidence=mean(word.confidence for word in run),
    )
