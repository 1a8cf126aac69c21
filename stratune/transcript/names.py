"""Speakers' names in one form: "MR. SMITH:", "Mr Smith" and "JOHN SMITH (Counsel)" are JOHN SMITH.

Names are in capitals, without title, marks and what stands in parentheses or after a dash ("Tim Cook - CEO"),
which becomes the role where there is none.
Within a document a surname alone is the one full name that ends with it. Mr. and Mrs. Smith stay two people.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable

MEN, WOMEN = frozenset(["MR", "SIR"]), frozenset(["MRS", "MS", "MISS", "MADAM", "DAME"])
TITLES = (MEN | WOMEN) | frozenset(
    ["ATTORNEY", "CHIEF", "CONGRESSMAN", "CONGRESSWOMAN", "DR", "GENERAL", "GOV", "GOVERNOR", "HON", "JUDGE"]
    + ["AMBASSADOR", "CHAIR", "CHAIRMAN", "CHAIRWOMAN", "COMMISSIONER", "HONORABLE", "LADY", "LORD", "MAYOR"]
    + ["MINISTER", "SECRETARY", "VICE", "CAPTAIN", "COLONEL", "MADAME", "MONSIEUR"]
    + ["JUSTICE", "PRESIDENT", "PROF", "PROFESSOR", "REP", "REPRESENTATIVE", "REV", "SEN", "SENATOR"]
)
GENERATIONS = frozenset(["JR", "SR", "II", "III", "IV"])
ROLES = frozenset(
    ["MEMBER", "MEMBERS", "PERSON", "SPEAKER", "VOICE", "WITNESS"]
)  # last words that are no surname

_NOTE = re.compile(r"\(([^()]*)\)")
_DASH = re.compile(r"--+|\s[–—-]\s")  # Tim Cook - CEO; Lee Moss -- Acme Bank -- Analyst
_OFFICE = re.compile(  # Tim Cook, CEO
    r"([^,]{2,60}),\s?((?:[CV][A-Z]O|EVP|SVP|VP|chief|vice|president|director|head|analyst|chair|secretary)\b.{0,80})",
    re.IGNORECASE,
)
_LONGEST = 200  # characters of a name; a title is looked for in no longer one
_MARKS = re.compile(r"[.,:;]+")

Label = tuple[frozenset[str], str, str]  # titles, name, what stood in parentheses


def parts(label: str) -> Label:
    """("MR",), "SMITH", "Counsel" of "Mr. Smith (Counsel):"."""
    note = " ".join(_NOTE.findall(label)).strip()
    label, title = _without_title(label)
    note = note or title
    words = _MARKS.sub(" ", _NOTE.sub(" ", label).replace(".", "")).upper().split()
    first = next((number for number, word in enumerate(words) if word not in TITLES), len(words))
    if first == len(words):  # a title alone: "MR." is all that is known
        return frozenset(), " ".join(words) or label.strip(), note
    return frozenset(words[:first]), " ".join(words[first:]), note


def _without_title(label: str) -> tuple[str, str]:
    """(name, title) of "Tim Cook - CEO" and "Tim Cook, CEO"; the title is "" where there is none."""
    if len(label) > _LONGEST:
        return label, ""
    name, *titles = (part.strip() for part in _DASH.split(label))
    if titles and any(map(str.isalpha, name)) and any(map(str.isalpha, titles[-1])):
        return name, titles[-1]
    office = _OFFICE.fullmatch(label.strip())
    return (office.group(1), office.group(2).strip()) if office is not None else (label, "")


def one_form(labels: Iterable[str]) -> dict[str, str]:
    """Label -> name, for the labels of one document."""
    parsed = {label: parts(label) for label in labels if label}
    titles: dict[str, set[str]] = defaultdict(set)
    for found, name, _ in parsed.values():
        titles[name] |= found
    couples = {name for name, found in titles.items() if found & MEN and found & WOMEN}
    full = _by_surname(titles)
    forms = {}
    for label, (found, name, _) in parsed.items():
        if name in couples and found:
            forms[label] = " ".join([*sorted(found), name])
            continue
        longer = full.get(name, [])
        same = [other for other in longer if not _apart(found, titles[other])]
        forms[label] = same[0] if len(longer) == len(same) == 1 else name
    return forms


def _by_surname(names: Iterable[str]) -> dict[str, list[str]]:
    """Surname -> the full names that end with it."""
    found: dict[str, list[str]] = defaultdict(list)
    for name in names:
        words = [word for word in name.split() if word not in GENERATIONS]
        if len(words) > 1 and words[-1] not in ROLES and words[-1].isalpha():
            found[words[-1]].append(name)
    return found


def _apart(one: Iterable[str], other: Iterable[str]) -> bool:
    """Whether one has a man's title and the other a woman's."""
    both = set(one), set(other)
    return any(a & MEN and b & WOMEN for a, b in (both, both[::-1]))
