"""Lines of an export that nobody speaks: titles, lists of people, footers (headings: sections.py)."""

from __future__ import annotations

import re

_PEOPLE = re.compile(
    r"(?:attendees|(?:call|company|corporate|conference call|meeting|other|key)? ?participants|speakers"
    r"|analysts|executives|present|invited)",
    re.IGNORECASE,
)
_HEADER = re.compile(
    r"(?:contents|transcript|summary keywords|keywords|outline|summary|duration.*)", re.IGNORECASE
)
_FOOTER = re.compile(
    r"(?:transcribed by\b|this (?:editable )?transcript\b|end of (?:the )?(?:transcript|recording|audio)\b"
    r"|meeting ended after\b|transcription (?:started|ended|stopped)"
    r"|\[?\(?(?:end|recording) (?:ended|stopped|ends)\b"
    r"|.{1,60} (?:started|stopped) (?:the )?(?:transcription|recording)\.?$|more .{1,40} analysis$"
    r"|all earnings call transcripts$|\[?end\]?$|page intentionally left blank)",
    re.IGNORECASE,
)


def bare(line: str) -> str:
    """The line without Markdown's marks around it, and without a colon at its end."""
    return line.strip().lstrip("#> ").strip("*_ ").rstrip(":").rstrip("*_ ")


def is_people(line: str) -> bool:
    """Whether a list of participants follows."""
    return _PEOPLE.fullmatch(bare(line)) is not None


def is_header(line: str) -> bool:
    """Whether the line is a heading that only exports have, before the first turn."""
    text = bare(line)
    return is_people(line) or _HEADER.fullmatch(text) is not None or text.endswith("- Transcript")


def is_footer(line: str) -> bool:
    return _FOOTER.match(line.strip()) is not None
