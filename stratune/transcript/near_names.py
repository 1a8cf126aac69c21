"""Names that may be one speaker's: "Jon Smith" and "John Smith". They are proposed, never joined."""

from __future__ import annotations

import difflib
import itertools
from collections.abc import Iterable, Sequence

from stratune.transcript.names import TITLES, one_form
from stratune.transcript.turn import Transcript

ALIKE = 0.75  # of the letters of the words that differ
MOST_NAMES = 200  # of a document, compared with each other
_LEAST = 3  # letters of a word


def near_names(transcripts: Sequence[Transcript]) -> list[tuple[str, str]]:
    """Pairs of names of one document that differ little, each pair once, in order of appearance."""
    found: dict[tuple[str, str], None] = {}
    for transcript in transcripts:
        names = transcript.speakers[:MOST_NAMES]
        forms = one_form(names)
        for one, other in itertools.combinations(names, 2):
            if forms[one] == forms[other] or are_near(forms[one], forms[other]):
                found.setdefault((one, other))
    return list(found)


def are_near(one: str, other: str) -> bool:
    """Whether two names in capitals differ in the spelling of one word, in blanks, or by an initial."""
    if any(letter.isdigit() for letter in one + other):  # SPEAKER 1, P2: told apart on purpose
        return False
    first, second = _words(one), _words(other)
    if "".join(first) == "".join(second):
        return len("".join(first)) > _LEAST
    if len(first) != len(second) or not first:
        return False
    differ = [(a, b) for a, b in zip(first, second, strict=True) if a != b]
    if len(differ) != 1:
        return False
    (a, b), alone = differ[0], len(first) == 1
    if min(len(a), len(b)) == 1:  # J SMITH and JOHN SMITH
        return not alone and a[0] == b[0] and max(len(a), len(b)) > 1
    return min(len(a), len(b)) >= _LEAST + alone and difflib.SequenceMatcher(None, a, b).ratio() >= ALIKE


def _words(name: str) -> list[str]:
    return [word for word in name.split() if word not in TITLES]


def note(pairs: Iterable[tuple[str, str]], shown: int = 3) -> str:
    """One line about them; "" without any."""
    known = list(pairs)
    named = ", ".join(f"{one!r} and {other!r}" for one, other in known[:shown])
    more = f" and {len(known) - shown} more" if len(known) > shown else ""
    return f"perhaps one speaker each: {named}{more} (the step speakers takes a map)" if known else ""
