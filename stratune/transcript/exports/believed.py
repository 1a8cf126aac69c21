"""Whether a label names a speaker: names recur, or are no words of the language.

"Budget: forty thousand" and "Note: this is important" look like turns. A label counts as a name when it is no
common word (common_words.txt), or says a role (Operator), or when it recurs among others that do.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from stratune.transcript.label import split_label
from stratune.transcript.names import TITLES
from stratune.transcript.noise_words import NOISE

ROLES = frozenset(
    [
        "operator",
        "moderator",
        "interviewer",
        "interviewee",
        "chair",
        "chairman",
        "chairwoman",
        "chairperson",
        "clerk",
        "host",
        "guest",
        "analyst",
        "teacher",
        "student",
        "doctor",
        "physician",
        "nurse",
        "patient",
        "client",
        "therapist",
        "counselor",
        "agent",
        "customer",
        "user",
        "assistant",
        "speaker",
        "speakers",
        "caller",
        "president",
        "judge",
        "justice",
        "witness",
        "court",
        "senator",
        "minister",
        "narrator",
        "announcer",
        "man",
        "woman",
        "voice",
        "reporter",
        "audience",
        "counsel",
        "mother",
        "father",
        "boy",
        "girl",
        "child",
        "member",
        "members",
        "participant",
        "facilitator",
        "presenter",
        "researcher",
        "panelist",
        "respondent",
        "examiner",
        "investigator",
        "prosecutor",
        "defendant",
        "lawyer",
        "attorney",
        "officer",
        "bailiff",
        "juror",
        "translator",
        "interpreter",
        "executive",
        "representative",
        "secretary",
        "mayor",
        "governor",
        "spokesman",
        "spokeswoman",
        "candidate",
        "professor",
        "instructor",
        "tutor",
        "coach",
        "attendee",
        "everyone",
        "crowd",
        "unknown",
        "unidentified",
    ]
)
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_DATE = re.compile(
    r"\b(?:19|20)\d{2}\b|^(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?\b"
    r"|^(?:jan|feb|mar|apr|may|june?|july?|aug|sep|oct|nov|dec)[a-z]*\.?\s\d",
    re.IGNORECASE,
)
_ABBREVIATED = frozenset(["ps", "nb", "eg", "ie", "fyi", "re", "cc", "tldr", "aka", "faq", "vs", "approx"])
_ARTICLES = ("the", "a", "an")
_MOST_WORDS = 6  # of a name that stands on a line of its own


@cache
def common_words() -> frozenset[str]:
    lines = (Path(__file__).parent / "common_words.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(word for line in lines if not line.startswith("#") for word in line.split())


def is_common(label: str) -> bool:
    """Whether all of its words are common: no name as far as one can see. Roles and titles are none."""
    if label.replace(".", "").lower() in _ABBREVIATED:
        return True
    words = [word.lower() for word in _WORD.findall(label)]
    if any(word in ROLES or word.upper() in TITLES for word in words) or not words:
        return not words
    return all(word in common_words() or (word in _ARTICLES and len(words) > 1) for word in words)


def believed_names(labels: Sequence[str], *, everywhere: bool) -> set[str]:
    """Those of the labels (one for each line that has one) that name a speaker.

    `everywhere`: nearly all lines have a label, so that even a common word that recurs names somebody.
    """
    counts = Counter(labels)
    names = {label for label in counts if not is_common(label)}
    recurring = {label for label, count in counts.items() if count > 1}
    if everywhere and len(recurring) > 1:
        names |= recurring
    return names


def name_like(text: str) -> bool:
    """Whether a text that stands alone, or in brackets, could name a speaker."""
    words = text.split()
    if _DATE.search(text) is not None:
        return False
    if not 0 < len(words) <= _MOST_WORDS or any(word.lower().strip(".,") in NOISE for word in words):
        return False
    return text[0].isalnum() and split_label(f"{text}: x") == (text, "x")
