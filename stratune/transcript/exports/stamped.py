"""Exports where a line of name and time stands above the text (Otter, Teams, Zoom), and their relatives.

`Ann Lee  0:08`, `[Ann Lee] 10:02:11`, `00:04 | Ann Lee`; names in brackets or before a tab; times alone.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from stratune.transcript.exports.believed import believed_names, is_common, name_like
from stratune.transcript.exports.headings import is_footer
from stratune.transcript.exports.marks import Mark, Marks, openings, opens
from stratune.transcript.exports.stamps import STAMP, times_of
from stratune.transcript.noise_words import NOISE
from stratune.transcript.sections import heading_of

_NAME = r"[^\W_][^:\[\]()<>|\n]{0,59}?(?:\s?\([^()\d\n]{1,40}\))?"
_GAP = r"\s{0,9}(?:[-–—|•,]\s{0,9})?"  # bounded: a line of blanks must not take quadratic time
_DECOR = r"(?:[#>*_\s]{0,6})"
_HEAD = re.compile(rf"{_DECOR}[\[(<]?({_NAME})[\])>]?[*_]{{0,3}}{_GAP}({STAMP})[*_]{{0,3}}\s*:?\s*")
_HEAD_AFTER = re.compile(rf"{_DECOR}({STAMP}){_GAP}[*_]{{0,3}}[\[(<]?({_NAME})[\])>]?[*_]{{0,3}}\s*:?\s*")
_INLINE = re.compile(rf"\s*({_NAME})(?:\s{{2,}}|\t\s*)({STAMP})(?:\s{{2,}}|\t\s*)(\S.*)")
_INLINE_MARKED = re.compile(
    rf"\s*({_NAME})\s{{1,9}}((?=[\[(<]){STAMP})\s{{1,9}}(\S.*)"
)  # Ann Lee [0:03] Good
_BRACKET = re.compile(rf"\s*(?:({STAMP})\s*)?[\[(<]({_NAME})[\])>]\s+(\S.*)")
_TIMED = re.compile(rf"\s*({STAMP})(?:\s{{0,9}}[-–—|:]?\s{{1,9}}(\S.*))?\s*")
_LEAST = 2  # lines, before a form is believed


def stamped(lines: Sequence[str]) -> Marks:
    """A name and a time, alone on a line."""
    found = [_head(line) for line in lines]
    return _with_others(lines, _of_names(found))


def _head(line: str) -> Mark | None:
    if not line.strip() or ":" not in line:
        return None
    for pattern, name, stamp in ((_HEAD, 1, 2), (_HEAD_AFTER, 2, 1)):
        head = pattern.fullmatch(line)
        if head is not None and _could_name(head.group(name)):
            start, end = times_of(head.group(stamp))
            return opens(head.group(name).strip(), "", start, end)
    inline = _INLINE.fullmatch(line) or _INLINE_MARKED.fullmatch(line)
    if inline is not None and _could_name(inline.group(1)):
        start, end = times_of(inline.group(2))
        return opens(inline.group(1).strip(), inline.group(3).strip(), start, end)
    return None


def _could_name(text: str) -> bool:
    return name_like(text.strip())


def _of_names(found: Sequence[Mark | None]) -> Marks:
    """Without those whose name is a common word, unless it recurs."""
    names = Counter(one.speaker or "" for one in found if one is not None)
    good = {name for name, count in names.items() if count > 1 or not is_common(name)}
    return [one if one is not None and one.speaker in good else None for one in found]


def bracketed(lines: Sequence[str]) -> Marks:
    """`[Ann Lee] Good morning.` in at least half of the lines with text."""
    found: list[Mark | None] = []
    for line in lines:
        match = _BRACKET.fullmatch(line)
        if match is None or not _could_name(match.group(2)) or _is_noise(match.group(2)):
            found.append(None)
        else:
            start, end = times_of(match.group(1) or "")
            found.append(opens(match.group(2).strip(), match.group(3).strip(), start, end))
    names = believed_names([one.speaker or "" for one in found if one is not None], everywhere=True)
    marks: Marks = [one if one is not None and one.speaker in names else None for one in found]
    texts = sum(bool(line.strip()) for line in lines)
    enough = openings(marks) >= max(_LEAST, texts / 2)
    return _with_others(lines, marks) if enough else [None] * len(lines)


def _is_noise(text: str) -> bool:
    return any(word.lower().strip(".,") in NOISE for word in text.split())


def tabbed(lines: Sequence[str]) -> Marks:
    """Name, tab, text in every line; a time may stand before or between them."""
    rows = [[cell.strip() for cell in line.split("\t")] for line in lines if line.strip()]
    if len(rows) < _LEAST or any(not 2 <= len(row) <= 4 or len(row) != len(rows[0]) for row in rows):
        return [None] * len(lines)
    columns = list(zip(*rows, strict=True))
    stamps = [number for number, cells in enumerate(columns) if all(map(re.compile(STAMP).fullmatch, cells))]
    rest = [number for number in range(len(columns)) if number not in stamps]
    if len(rest) != 2 or not all(_could_name(name) for name in columns[rest[0]]):
        return [None] * len(lines)
    names = believed_names(columns[rest[0]], everywhere=True)
    if any(name not in names for name in columns[rest[0]]):
        return [None] * len(lines)
    marks: Marks = []
    for line in lines:
        cells = [cell.strip() for cell in line.split("\t")]
        times = [times_of(cells[number])[0] for number in stamps] if line.strip() else []
        start, end = [*times, None, None][:2]
        marks.append(opens(cells[rest[0]], cells[rest[1]], start, end) if line.strip() else None)
    return marks


def timed(lines: Sequence[str]) -> Marks:
    """Times alone: above the text (YouTube's page), or before it (Whisper's screen). Nobody is named."""
    marks: Marks = []
    for line in lines:
        match = _TIMED.fullmatch(line)
        start, end = times_of(match.group(1)) if match is not None else (None, None)
        marks.append(opens("", (match.group(2) or "").strip(), start, end) if match is not None else None)
    texts = sum(bool(line.strip()) for line in lines)
    return marks if openings(marks) >= max(_LEAST, texts / 3) else [None] * len(lines)


def _with_others(lines: Sequence[str], marks: Marks) -> Marks:
    """Headings and footers between the turns; what stands above the first turn is left out.

    Two openings at least, or the first line is one.
    """
    named = [number for number, mark in enumerate(marks) if mark is not None]
    written = [number for number, line in enumerate(lines) if line.strip()]
    if not named or (len(named) < _LEAST and named[0] != written[0]):
        return [None] * len(lines)
    for number in written:
        section = heading_of(lines[number]) if marks[number] is None else None
        if section is not None:
            marks[number] = Mark("section", text=section)
        elif number < named[0] or (marks[number] is None and is_footer(lines[number])):
            marks[number] = Mark("left out")
    return marks
