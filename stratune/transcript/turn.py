"""Turn and Transcript: who spoke, what and when; and what was wrong with the file."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

# Damage that a reader counts and reads over: one turn, cue, line or byte of a document each.
TROUBLES: dict[str, str] = {
    "broken cue": "a cue whose times cannot be read: its text is kept, without the times that are lost",
    "no header": "a .vtt file that does not begin with WEBVTT",
    "no speaker": "a turn that names no speaker: its speaker is empty",
    "no document": "a row that names no document, though its table could: it goes to the file's name",
    "bad time": "a time that is no number of seconds and no clock time: the turn has no such time",
    "time runs backwards": "a turn that starts before the one ahead of it, or ends before it starts: kept",
    "out of order": "a row whose turn number is lower than that of the row ahead of it: sorted",
    "empty turn": "a turn without text: left out",
    "bad line": "a line or record that is no turn, such as a cut-off JSON object: left out",
    "one text": "a JSON text without turns: it is read as plain text (name its parts with --columns)",
    "left out": "a heading, page head, title or footer of the export around the turns: left out",
    "undecodable bytes": "bytes that are no text, up to one in a thousand: each became U+FFFD",
}


@dataclass(frozen=True, slots=True)
class Turn:
    """One speaker's text until the next speaks. `index` counts from 0 in the document as it was read.

    `start` and `end`: seconds from the beginning of the recording. An unknown speaker, role or section is "".
    """

    document: str
    index: int
    speaker: str
    role: str
    start: float | None
    end: float | None
    section: str
    text: str
    confidence: float | None = None  # of the recogniser, from 0 to 1, where the file tells it

    @property
    def line(self) -> str:
        """SPEAKER: text"""
        return f"{self.speaker}: {self.text}" if self.speaker else self.text


@dataclass(frozen=True)
class Transcript:
    """One document. `troubles` counts what its reader met, by the names in TROUBLES."""

    document: str
    turns: tuple[Turn, ...]
    troubles: Mapping[str, int] = field(default_factory=dict)
    form: str = field(default="", compare=False)  # the format that was recognised, such as "Deepgram"

    @property
    def speakers(self) -> list[str]:
        """In order of appearance, without "" for unknown ones."""
        return list(dict.fromkeys(turn.speaker for turn in self.turns if turn.speaker))

    @property
    def words(self) -> int:
        return sum(len(turn.text.split()) for turn in self.turns)

    @property
    def minutes(self) -> float | None:
        """From the first time to the last; None without times."""
        times = [time for turn in self.turns for time in (turn.start, turn.end) if time is not None]
        return (max(times) - min(times)) / 60 if times else None


def total_troubles(transcripts: Iterable[Transcript]) -> dict[str, int]:
    """The troubles of several documents, added up."""
    total: Counter[str] = Counter()
    for transcript in transcripts:
        total.update(transcript.troubles)
    return dict(total)


def total_forms(transcripts: Iterable[Transcript]) -> dict[str, int]:
    """Format that was recognised -> how many documents have it."""
    return dict(Counter(transcript.form for transcript in transcripts if transcript.form))


class Draft:
    """A transcript while it is read: numbers the turns and counts the troubles."""

    def __init__(self, document: str, form: str = "") -> None:
        self.document, self.form = document, form
        self.turns: list[Turn] = []
        self.troubles: Counter[str] = Counter()
        self._latest = -math.inf  # the start of the last turn that had one, seconds

    def add(
        self,
        speaker: str,
        text: str,
        start: float | None = None,
        end: float | None = None,
        role: str = "",
        section: str = "",
        confidence: float | None = None,
    ) -> None:
        text = text.strip()
        if not text:
            self.troubles["empty turn"] += 1
            return
        if not speaker:
            self.troubles["no speaker"] += 1
        if start is not None:
            if start < self._latest or (end is not None and end < start):
                self.troubles["time runs backwards"] += 1
            self._latest = start
        number = len(self.turns)
        self.turns.append(Turn(self.document, number, speaker, role, start, end, section, text, confidence))

    def transcript(self) -> Transcript:
        return Transcript(self.document, tuple(self.turns), dict(+self.troubles), self.form)
