"""Sections of documents whose files name none: by headings among the turns, else by who speaks and what of.

Headings are turns (or names of speakers) that are nothing but "Prepared Remarks", "Q&A session" and the like.
Without them, questions and answers begin where somebody says so: an operator's "our first question comes
from", a "let us open the line for questions", or, after a "happy to take your questions", with the next who
speaks; else with the first turn of an analyst or of the audience. What is said of questions to come ("after
the remarks we will take questions") begins nothing.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import pairwise

from stratune.transcript.runs import merged, speakers_runs
from stratune.transcript.turn import Transcript, Turn

REMARKS, QUESTIONS = "Prepared Remarks", "Questions and Answers"
BY_HEADINGS, BY_WORDS, BY_SPEAKERS = "headings", "what is said", "who speaks"

_HEADINGS = {
    REMARKS: r"(?:management'?s? )?prepared (?:remarks|statements?)|management(?:'s)? (?:discussion|remarks)"
    r"(?: section)?|(?:corporate |management )?presentation(?: section)?",
    QUESTIONS: r"questions?(?: ?(?:and|&|-and-|n) ?)answers?|q ?(?:&|and|-and-|/) ?a|q ?a",
    "Opening Remarks": r"opening (?:remarks|statements?|comments)|introduct(?:ion|ory remarks)",
    "Closing Remarks": r"(?:closing|concluding) (?:remarks|statements?|comments|arguments?)",
    "Direct Examination": r"direct examination(?: by .{1,40})?",
    "Cross-Examination": r"cross[ -]?examination(?: by .{1,40})?",
    "Redirect Examination": r"re-?direct examination(?: by .{1,40})?",
}
_HEADING = {
    name: re.compile(rf"(?:the )?(?:{pattern})(?: (?:session|section|portion|period|part))?", re.IGNORECASE)
    for name, pattern in _HEADINGS.items()
}
_MARKS = " \t#*_=-–—[](){}<>:.>"

_OPERATOR = re.compile(r"\b(?:operator|moderator|coordinator|facilitator)\b", re.IGNORECASE)
_ASKER = re.compile(
    r"\b(?:analysts?|audience|attendees?|shareholders?|reporters?|journalists?|press)\b", re.IGNORECASE
)
_FIRST = re.compile(r"(?<!\bmy )\bfirst (?:audience |analyst )?question\b", re.IGNORECASE)
_COMES = re.compile(
    r"(?<!\bmy )\bfirst question\b[^.?!]{0,30}\b(?:comes?|coming|goes|from)\b"
    r"|\b(?:take|have|hear|get) (?:our|the|your) first question\b",
    re.IGNORECASE,
)
_OPENS = re.compile(
    r"\b(?:begin|start|open|move (?:on )?to|go to|turn to|proceed (?:to|with)|commence|take)\b[^.?!]{0,60}"
    r"\b(?:questions(?! (?:of|about|on|regarding)\b)|question[- ]and[- ]answers?|q ?(?:&|and) ?a)\b",
    re.IGNORECASE,
)
_NOW = re.compile(r"\b(?:now|let'?s|let us|with that|at this (?:time|point)|ready to)\b", re.IGNORECASE)
_LATER = re.compile(
    r"\b(?:after|afterwards?|following|then|later|once|before|prior to|end of|conclusion of|there will be"
    r"|until)\b",
    re.IGNORECASE,
)
_HAPPY = re.compile(
    r"\b(?:happy|glad|pleased|delighted|look(?:ing)? forward|ready|welcome)\b[^.?!]{0,40}\bquestions\b",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"(?<=[.?!])\s+")
LAST = 2  # sentences of a turn that may end it with an invitation to ask


def heading_of(line: str) -> str | None:
    """The section that a line begins, by one name for all its spellings; None for other lines."""
    text = " ".join(line.strip(_MARKS).split())
    return next((name for name, pattern in _HEADING.items() if pattern.fullmatch(text)), None)


def sectioned(transcripts: Iterable[Transcript]) -> tuple[list[Transcript], dict[str, int]]:
    """(the documents, those without any section with theirs, where any are found; how -> documents)."""
    ways: Counter[str] = Counter()
    found = []
    for transcript in transcripts:
        names, way = _sections(transcript.turns)
        if way is not None:
            ways[way] += 1
            pairs = zip(transcript.turns, names, strict=True)
            transcript = replace(transcript, turns=tuple(replace(turn, section=name) for turn, name in pairs))
        found.append(transcript)
    return found, dict(ways)


def _sections(turns: Sequence[Turn]) -> tuple[list[str], str | None]:
    """(a section for each turn, how they were found); ([], None) where there are some, or none is found."""
    if not turns or any(turn.section for turn in turns):
        return [], None
    by_headings = _by_headings(turns)
    if by_headings is not None:
        return by_headings, BY_HEADINGS
    groups = speakers_runs(turns)
    ways: dict[str, Callable[[Sequence[Sequence[Turn]]], int | None]] = {
        BY_WORDS: _by_words,
        BY_SPEAKERS: _by_speakers,
    }
    for way, begins in ways.items():
        number = begins(groups)
        if number is not None and 0 < number < len(groups):  # there are remarks before it
            before = sum(map(len, groups[:number]))
            return [REMARKS] * before + [QUESTIONS] * (len(turns) - before), way
    return [], None


def _by_headings(turns: Sequence[Turn]) -> list[str] | None:
    """None without headings, and where one alone stands before everything."""
    headings = [heading_of(turn.text) or heading_of(turn.speaker) for turn in turns]
    first = next((name for name in headings if name is not None), None)
    if first is None:
        return None
    now, names = REMARKS if first == QUESTIONS else "", list[str]()
    for name in headings:
        now = name or now
        names.append(now)
    return names if len(set(names)) > 1 else None


def _by_words(groups: Sequence[Sequence[Turn]]) -> int | None:
    """The number of the run that begins questions."""
    said = [merged(group) for group in groups]
    for number, turn in enumerate(said):
        operator = _is(turn, _OPERATOR)
        sentences = _SENTENCE.split(turn.text)
        if any(_begins(sentence, operator) for sentence in sentences):
            # who opens the floor while he still speaks of other things ends his remarks with that
            return number if operator or len(sentences) <= 2 * LAST else number + 1
    for number, (turn, after) in enumerate(pairwise(said)):
        if any(map(_HAPPY.search, _SENTENCE.split(turn.text)[-LAST:])) and after.speaker != turn.speaker:
            return number + 1
    return None


def _begins(sentence: str, operator: bool) -> bool:
    if _COMES.search(sentence) or (operator and _FIRST.search(sentence)):
        return True
    return bool(_OPENS.search(sentence) and _NOW.search(sentence) and not _LATER.search(sentence))


def _by_speakers(groups: Sequence[Sequence[Turn]]) -> int | None:
    """The number of the first run of an analyst or of the audience, with an operator's before it."""
    for number, group in enumerate(groups):
        if _is(group[0], _ASKER):
            before = number > 1 and _is(groups[number - 1][0], _OPERATOR)
            return number - 1 if before else number
    return None


def _is(turn: Turn, people: re.Pattern[str]) -> bool:
    return bool(people.search(turn.role) or people.search(turn.speaker))
