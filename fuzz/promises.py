"""What must hold whatever is damaged: the promises that a case is checked against.

An exit code that is right; with code 2 one printable line and nothing written; no error that is not ours; no
answer taken from standard input; no address contacted; no code of a file run; bounded time and memory.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from fuzz.case import Case
from fuzz.hostile import RAN

LINE = 500  # characters of the one line
# What moves a cursor or ends a line; a table of our own has line feeds and nothing else.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")

Snapshot = dict[str, str]


@dataclass(frozen=True)
class Ran:
    """What a command did. `raised`: what went past the command line, as type, place and message."""

    code: int | None
    error: str  # standard error
    output: str
    raised: str | None
    answered: bool  # something read standard input
    contacted: tuple[str, ...]  # addresses


def snapshot(folder: Path) -> Snapshot:
    """Path -> what is there."""
    return {str(path.relative_to(folder)): _what(path) for path in folder.rglob("*")}


def _what(path: Path) -> str:
    if path.is_symlink():
        return f"link to {path.readlink()}"
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "folder"


def broken(case: Case, ran: Ran, before: Snapshot, after: Snapshot) -> list[str]:
    """The promises that did not hold, each in words that are the same for the same fault."""
    found = []
    if ran.raised is not None:
        found.append(ran.raised)
    elif ran.code not in case.codes:
        found.append(f"exit code {ran.code}, expected {' or '.join(map(str, case.codes))}: {_told(ran)}")
    if ran.code == 2:
        found += _line(ran.error)
        found += [f"written or changed though refused: {name}" for name in _changed(before, after)[:1]]
    elif "Traceback" in ran.error:
        found.append(f"a traceback with exit code {ran.code}: {_told(ran)}")
    if _CONTROL.search(ran.output):
        found.append("control characters on standard output")
    if ran.answered:
        found.append("standard input was read")
    found += [f"an address was contacted: {address}" for address in ran.contacted[:1]]
    if any(Path(name).name == RAN for name in set(after) - set(before)):
        found.append("code of the file ran")
    return found


def _line(error: str) -> list[str]:
    lines = error.removesuffix("\n").split("\n")
    found = []
    if len(lines) != 1 or not lines[0]:
        found.append(
            f"{'no line' if not error.strip() else 'several lines'} on standard error: {lines[0][:24]}"
        )
    if len(lines[0]) > LINE:
        found.append("a line of more than 500 characters")
    if _CONTROL.search("".join(lines)):
        found.append("control characters in the message")
    if "Traceback" in error:
        found.append("a traceback with exit code 2")
    return found


def _changed(before: Snapshot, after: Snapshot) -> list[str]:
    return sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))


def _told(ran: Ran) -> str:
    """The last line that says something."""
    lines = [line.strip() for line in (ran.error or ran.output).splitlines() if line.strip()]
    return plain(lines[-1]) if lines else "nothing said"


def plain(message: str) -> str:
    """The beginning of a message, without what differs from case to case."""
    return re.sub(r"\d+|'[^']*'|/tmp/\S+", "_", message[:1_000])[:80]
