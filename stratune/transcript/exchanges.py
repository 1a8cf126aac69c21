"""Where exchanges begin: with a question of the interviewer, or of anybody where nobody interviews.

An interviewer is who has that role or name, or asks more than half of the questions, and three or more. Then
only turns of theirs that hold a question begin an exchange; questions back do not. Without an interviewer it
is every turn that ends with a question. Where nothing in a document ends with "?", as some recognisers write
it, each turn of an interviewer by role or name begins one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from stratune.transcript.runs import CLOSING, speakers_runs
from stratune.transcript.turn import Turn

Turns = Sequence[Turn]

INTERVIEWERS = frozenset(["interviewer", "int", "i", "q", "questioner", "examiner", "moderator", "host"])
LEAST = 3  # questions of who asks most, from which that is an interviewer


def exchanges(turns: Turns) -> list[list[Turn]]:
    """The turns, in order, in groups that begin with a question; the first begins with the document."""
    groups = speakers_runs(turns)
    asking = interviewers(groups)
    questions = any("?" in turn.text for turn in turns)
    parts: list[list[Turn]] = []
    open_question = False  # a question without a speaker goes on with the next, until something else is said
    for group in groups:
        if asking:
            begins = _is_by(group, asking) and (_asks(group) or not questions)
        else:
            begins = _ends_asking(group) and not (open_question and not group[0].speaker)
        if not parts or begins:
            parts.append([])
        parts[-1] += group
        open_question = _ends_asking(group) and not group[0].speaker
    return parts


def interviewers(groups: Sequence[Turns]) -> set[str]:
    """Of runs of one speaker each: who interviews, by role or name, else by the number of questions."""
    named = {group[0].speaker for group in groups if group[0].speaker and _is_interviewer(group[0])}
    if named:
        return named
    asked = Counter(group[0].speaker for group in groups if _asks(group))
    for speaker, count in asked.most_common(1):
        if speaker and count >= LEAST and 2 * count > asked.total():
            return {speaker}
    return set()


def _is_interviewer(turn: Turn) -> bool:
    return any(name.strip(". ").casefold() in INTERVIEWERS for name in (turn.role, turn.speaker) if name)


def _is_by(group: Turns, speakers: set[str]) -> bool:
    return group[0].speaker in speakers


def _asks(group: Turns) -> bool:
    return any("?" in turn.text for turn in group)


def _ends_asking(group: Turns) -> bool:
    return group[-1].text.rstrip().rstrip(CLOSING).endswith("?")
