"""`NAME: text` in its many dresses: times before, in or after it, Markdown, `Q.` and `A.`"""

from __future__ import annotations

import re
from collections.abc import Sequence

from stratune.transcript.exports.believed import believed_names
from stratune.transcript.exports.headings import is_footer, is_header
from stratune.transcript.exports.marks import Mark, Marks, opens
from stratune.transcript.exports.stamps import INNER, STAMP, times_of
from stratune.transcript.label import split_label
from stratune.transcript.sections import heading_of

NEARLY_ALL = 0.8  # of the lines with text have a label

_BOLD = re.compile(r"\s*(?:[-*+>]\s+)?(\*{1,3}|_{2,3})([^*_\n]{1,80}?)(:?)\1(:?)\s*(.*)")
_ESCAPED = re.compile(r"\\([\[\]()*_#.-])")
_BEFORE = re.compile(rf"\s*({STAMP})\s{{0,9}}[-–—|:]?\s{{1,9}}(?=\S)")
_AFTER_NAME = re.compile(
    rf"\s*([^\W_][^:\[\]()\n]{{0,79}}?)\s?,?\s?[-–—|]?\s{{0,9}}({STAMP})\s?:(?:\s+|$)(.*)"
)
_AFTER_LABEL = re.compile(rf"([\[(<]\s?{INNER})\s*")
_ALONE = re.compile(rf"\s*({STAMP})\s*")
_QA = re.compile(r"\s*([QA])(?:[.:)]\s+|\s{2,})(?=\S)(.*)")
_BRACKETED = re.compile(r"\s*\[.*?\]:(?:\s|$)")
_CHAT = re.compile(
    rf"\s*({STAMP})\s{{1,9}}From\s{{1,9}}(\S.{{0,60}}?)(?:\s{{1,9}}[Tt]o\s.{{1,60}}?)?\s?:(?:\s+|$)(.*)"
)
# Hearings: "The CHAIRMAN. The committee", "Mr. SMITH of Ohio. Thank you"
_HEARING = re.compile(
    r"\s*((?:The|Mr|Ms|Mrs|Miss|Dr|Senator|Representative|Chairman|Judge|General|Admiral|Secretary)\.?"
    r"\s[A-Z][A-Z'’-]{2,30}(?:\s[A-Z][A-Z'’-]{1,30}){0,2}(?:\sof\s[A-Z]\w{2,20})?)\.\s+(?=[\[(A-Z])(.*)"
)
_EXAMINER = re.compile(r"\s*BY\s+M(?:R|S|RS|ISS)\b.{1,40}:\s*$")


def is_own_form(lines: Sequence[str]) -> bool:
    """Whether every line with text is `[NAME]: text`: as plain.py writes what could be misread."""
    return all(_BRACKETED.match(line) for line in lines if line.strip())


def own_form(lines: Sequence[str]) -> Marks:
    found = (split_label(line) for line in lines)
    return [None if one is None else opens(one[0], one[1]) for one in found]


def labelled(lines: Sequence[str]) -> Marks:
    """Marks of every line; nothing is opened where no label is believed."""
    asks = {found.group(1) for found in map(_QA.match, lines) if found is not None} == {"Q", "A"}
    found = [_opened(line, asks) for line in lines]
    labels = [one.speaker for one in found if one is not None and one.speaker]
    texts = sum(bool(line.strip()) for line in lines)
    names = believed_names(labels, everywhere=len(labels) >= NEARLY_ALL * texts)
    sure = {
        one.speaker
        for one, line in zip(found, lines, strict=True)
        if one is not None and (_BRACKETED.match(line) or one.start is not None)
    }
    marks: Marks = [
        one if one is not None and (one.speaker in names or one.speaker in sure) else _other(line)
        for one, line in zip(found, lines, strict=True)
    ]
    return _checked(lines, marks)


def _opened(line: str, asks: bool) -> Mark | None:
    """What a line opens, if its label is a name."""
    if _BRACKETED.match(line):
        own = split_label(line)
        return None if own is None else opens(own[0], own[1])
    if asks and (question := _QA.match(line)) is not None:
        return opens(question.group(1), question.group(2).strip())
    hearing = _HEARING.fullmatch(line)
    if hearing is not None:
        return opens(hearing.group(1), hearing.group(2).strip())
    if ":" not in line or _EXAMINER.match(line):
        return None
    chat = _CHAT.fullmatch(line)
    if chat is not None:  # Zoom: 10:02:11 From Ann Lee to Everyone: ...
        start, end = times_of(chat.group(1))
        return opens(chat.group(2).strip(), chat.group(3).strip(), start, end)
    line = _without_markup(line)
    start, end = None, None
    before = _BEFORE.match(line)
    if before is not None:
        start, end = times_of(before.group(1))
        line = line[before.end() :]
    inside = _AFTER_NAME.fullmatch(line)
    if inside is not None and split_label(f"{inside.group(1)}: x") is not None:
        start, end = times_of(inside.group(2))
        return opens(inside.group(1).strip(), inside.group(3).strip(), start, end)
    label = split_label(line)
    if label is None:
        return None
    who, text = label
    after = _AFTER_LABEL.match(text) if start is None else None
    if after is not None:
        start, end = times_of(after.group(1))
        text = text[after.end() :]
    return opens(who, text, start, end)


def _without_markup(line: str) -> str:
    """`**Ann Lee:** text` and `**Ann Lee**: text` as `Ann Lee: text`."""
    bold = _BOLD.fullmatch(line)
    if bold is None or not (bold.group(3) or bold.group(4)):
        return line
    name, text = bold.group(2).rstrip(":").strip(), _ESCAPED.sub(r"\1", bold.group(5))
    return f"{name}: {text}"


def _other(line: str) -> Mark | None:
    section = heading_of(line)
    if section is not None:
        return Mark("section", text=section)
    alone = _ALONE.fullmatch(line)
    if alone is not None:
        start, _ = times_of(alone.group(1))
        return None if start is None else Mark("time", start=start)
    if is_footer(line) or _EXAMINER.match(line):
        return Mark("left out")
    before = _BEFORE.match(line)
    if before is not None and before.group(1)[0] in "[(<":
        start, end = times_of(before.group(1))
        return opens(None, line[before.end() :].strip(), start, end)
    return None


def _checked(lines: Sequence[str], marks: Marks) -> Marks:
    """Two openings at least, or one before which only notes stand; what an export has above is left out."""
    named = [
        number
        for number, mark in enumerate(marks)
        if mark is not None and mark.kind == "opens" and mark.speaker is not None
    ]
    written = [number for number, line in enumerate(lines) if line.strip()]
    above = [number for number in written if named and number < named[0]]
    if not named or (len(named) < 2 and any(lines[number].lstrip()[0] not in "([*♪" for number in above)):
        return [None] * len(lines)
    export = any(is_header(lines[number]) for number in above)
    for number in above:
        if export or lines[number].lstrip().startswith("#"):
            mark = marks[number]
            marks[number] = mark if mark is not None and mark.kind == "section" else Mark("left out")
    return marks
