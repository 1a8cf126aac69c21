"""Names on lines of their own, above the text: transcripts of earnings calls, interviews, plays.

`Dana Reed -- Chief Executive Officer`, `Lee Moss - Acme Bank`, `Operator`, `ANN LEE`. The titles are roles;
where only a list of participants tells them, they come from there.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from stratune.transcript.exports.believed import ROLES, is_common, name_like
from stratune.transcript.exports.headings import bare, is_footer, is_people
from stratune.transcript.exports.marks import Mark, Marks, opens
from stratune.transcript.sections import heading_of

_TITLED = re.compile(r"([^\W_][^\n]{1,50}?)\s*(?:--+|\s[–—-])\s*(\S[^\n]{1,120})")
_PARTS = re.compile(r"\s*(?:--+|\s[–—-]\s)\s*")
_SPEECH = re.compile(r"[.?!…:,;][\"'”’)\]]*$")
_ASKING = re.compile(r"conference call participants|analysts", re.IGNORECASE)
_LEAST = 2
_LONGEST_TITLE = 14  # words


def own_line(lines: Sequence[str]) -> Marks:
    """Marks of every line; nothing is opened where names neither recur nor begin every paragraph."""
    heads = _heads(lines)
    if len(heads) < _LEAST or not _believed(lines, heads):
        return [None] * len(lines)
    first = min(heads)
    titles = _listed_titles(lines[:first])
    marks: Marks = []
    ended = False  # a list of participants at the end: nobody speaks after it
    for number, line in enumerate(lines):
        section = heading_of(line)
        ended = ended or (number > first and is_people(line))
        if not line.strip():
            marks.append(None)
        elif section is not None:
            marks.append(Mark("section", text=section))
        elif number < first or ended or is_footer(line):
            marks.append(Mark("left out"))
        elif number in heads:
            name, title = heads[number]
            marks.append(opens(name, "", role=title or titles.get(name, "")))
        else:
            marks.append(None)
    return marks


def _heads(lines: Sequence[str]) -> dict[int, tuple[str, str]]:
    """Line -> (name, title), for the lines that could be names and have text below them."""
    written = [number for number, line in enumerate(lines) if line.strip()]
    could = {number: found for number in written if (found := _name_and_title(lines, number)) is not None}
    below = dict(zip(written, written[1:], strict=False))
    return {
        number: found
        for number, found in could.items()
        if number in below and below[number] not in could and not _is_listed(lines[below[number]])
    }


def _is_listed(line: str) -> bool:
    """Whether it is a heading or one of a list of participants, not what somebody says."""
    titled = _titled(line)
    return heading_of(line) is not None or is_people(line) or titled is not None


def _titled(line: str) -> tuple[str, str] | None:
    """(name, title) of `Dana Reed -- Chief Executive Officer`."""
    found = _TITLED.fullmatch(bare(line))
    if found is None or len(found.group(2).split()) > _LONGEST_TITLE:
        return None
    name, title = found.group(1).strip(), found.group(2)
    return (name, _title(title)) if _is_name(name) and not _SPEECH.search(title.rstrip(".")) else None


def _name_and_title(lines: Sequence[str], number: int) -> tuple[str, str] | None:
    line = bare(lines[number])
    begins = number == 0 or not lines[number - 1].strip() or heading_of(lines[number - 1]) is not None
    if not begins or not line or heading_of(line) is not None or is_people(line):
        return None
    titled = _titled(line)
    if titled is not None:
        return titled
    return (line, "") if _is_name(line) and not lines[number].strip().endswith(".") else None


def _is_name(text: str) -> bool:
    words = text.split()
    return name_like(text) and any(word[0].isupper() for word in words) and not _SPEECH.search(text)


def _title(text: str) -> str:
    """Of "Acme Bank -- Analyst" the last part: what the person does there."""
    return _PARTS.split(text)[-1].strip()


def _believed(lines: Sequence[str], heads: dict[int, tuple[str, str]]) -> bool:
    names = Counter(name for name, _ in heads.values())
    uncommon = [name for name in names if not is_common(name)]
    if not uncommon or 2 * len(uncommon) < len(names):
        return False
    titled = sum(bool(title) for _, title in heads.values())
    roles = any(name.lower() in ROLES for name in names)
    if any(names[name] > 1 for name in uncommon) and len(names) > 1:
        return True
    if titled >= _LEAST or (titled and roles):
        return True
    return _every_paragraph(lines, heads)


def _every_paragraph(lines: Sequence[str], heads: dict[int, tuple[str, str]]) -> bool:
    """Whether each paragraph is a name and, on the next line, what it says."""
    starts = [n for n, line in enumerate(lines) if line.strip() and (n == 0 or not lines[n - 1].strip())]
    return all(n in heads and n + 1 < len(lines) and lines[n + 1].strip() for n in starts)


def _listed_titles(lines: Sequence[str]) -> dict[str, str]:
    """Titles from the lists above the first turn; of those who ask, only the firm is listed."""
    titles, asking = dict[str, str](), False
    for line in lines:
        if is_people(line):
            asking = _ASKING.match(bare(line)) is not None
        elif (found := _titled(line)) is not None:
            titles[found[0]] = "Analyst" if asking else found[1]
    return titles
