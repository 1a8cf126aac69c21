"""Which document a cell of a score sheet means: `calls/Call_001.VTT ` is the document `call_001`.

A cell means a document by its name; else, where only one document fits, without the suffix of a file and the
folder before it, in any case, with blanks as one and none at the ends; else as the number that it is (Excel
makes 1 of 001). Anything further apart is proposed, never joined.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections import defaultdict
from collections.abc import Collection, Iterable
from functools import cached_property

# Of transcripts, and of the recordings that they were made from: a sheet may name either.
SUFFIXES = frozenset(
    [".vtt", ".srt", ".sbv", ".ttml", ".dfxp", ".txt", ".text", ".md", ".json", ".jsonl", ".ndjson", ".csv"]
    + [".tsv", ".parquet", ".xml", ".html", ".htm", ".docx", ".doc", ".odt", ".rtf", ".pdf", ".xlsx", ".cha"]
    + [".textgrid", ".eaf", ".mp3", ".mp4", ".m4a", ".wav", ".flac", ".ogg", ".opus", ".aac", ".wma", ".aiff"]
    + [".webm", ".mov", ".avi", ".mkv", ".mpg", ".mpeg"]
)
LIKE = 0.6  # of difflib's ratio, from which a name with the same numbers is near
ALIKE = 0.8  # a name without numbers
NEAR = 2  # names that are proposed for one

_SUFFIX = re.compile(r"\.[a-z0-9]+$")
_COPY = re.compile(r"\s*\(\d+\)$")  # "call (1)": what browsers make of a second download
_BETWEEN = re.compile(r"[\W_]+")


class Documents:
    """The names of the documents that were read, and how cells find them."""

    def __init__(self, names: Iterable[str]) -> None:
        self.names = list(dict.fromkeys(names))
        self._exact = set(self.names)

    def find(self, cell: str) -> str | None:
        """The document that a cell means; None where there is none, or more than one."""
        cell = cell.strip()
        if not cell or cell in self._exact:
            return cell or None
        form = _form(cell)
        # A path in the sheet may end in the document's name, which is a path itself where files share one.
        parts = form.split("/")
        tails = ["/".join(parts[start:]) for start in range(len(parts))]
        found = next((self._by_form[tail] for tail in tails if tail in self._by_form), [])
        if not found and form.isascii() and form.isdigit():
            found = self._by_number.get(int(form), [])
        return found[0] if len(found) == 1 else None

    def near(self, cell: str, among: Collection[str]) -> list[str]:
        """The likeliest of the documents `among` for a cell that means none: the same numbers, and letters
        that are much alike.
        """
        plain = _plain(cell)
        others = {name: _plain(name) for name in among}
        same = {name: other for name, other in others.items() if _numbers(other) == _numbers(plain)}
        ratios = {name: difflib.SequenceMatcher(None, plain, other).ratio() for name, other in same.items()}
        least = LIKE if _numbers(plain) else ALIKE
        likely = [name for name, ratio in ratios.items() if ratio >= least]
        return sorted(likely, key=lambda name: -ratios[name])[:NEAR]

    @cached_property
    def _by_form(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = defaultdict(list)
        for name in self.names:
            found[_form(name)].append(name)
        return dict(found)

    @cached_property
    def _by_number(self) -> dict[int, list[str]]:
        found: dict[int, list[str]] = defaultdict(list)
        for form, names in self._by_form.items():
            if form.isascii() and form.isdigit():
                found[int(form)] += names
        return dict(found)


def _form(name: str) -> str:
    """Equal for names that mean one file."""
    form = " ".join(unicodedata.normalize("NFC", name).replace("\\", "/").split()).casefold()
    while (found := _SUFFIX.search(form)) is not None and found[0] in SUFFIXES and found.start() > 0:
        form = form[: found.start()].rstrip()
    return form.removeprefix("./")


def _plain(name: str) -> str:
    """Without folder, marks and the number of a copy."""
    bare = _COPY.sub("", _form(name).rpartition("/")[2])
    return _BETWEEN.sub(" ", bare).strip()


def _numbers(plain: str) -> list[int]:
    return [int(number) for number in re.findall(r"[0-9]+", plain) if len(number) < 19]
