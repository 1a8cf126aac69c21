"""CHAT (.cha), the format of TalkBank: `*CHI:` begins a turn, `%mor:` and other tiers are not speech.

The codes inside the text are taken out, the words stay: `&-um the boy is [/] is (be)cause .` is "um the boy
is is because." MacWhinney, The CHILDES Project: Tools for Analyzing Talk, part 1: the CHAT format.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from stratune.transcript.text import read_lines
from stratune.transcript.turn import Draft, Transcript

_MAIN = re.compile(r"\*([\w-]{1,20}):\s*(.*)")
_HEADER = re.compile(r"@([\w ]{1,40})(?::\s*(.*))?")
_TIMES = re.compile(r"\x15(\d{1,12})_(\d{1,12})-?\x15|\u2022(\d{1,12})_(\d{1,12})\u2022")  # milliseconds
_CODES = (
    (re.compile(r"\[[^\[\]]{0,200}\]"), " "),  # [/] [//] [*] [= note] [: target] [+ code]
    (re.compile(r"&=\S+|&\*\S+|&\{\S*|&\}\S*"), " "),  # &=laughs, what another one says meanwhile
    (re.compile(r"&[-+~]?(?=\w)"), ""),  # &-um, &+fr
    (re.compile(r"\+\.\.\.|\+\.\.\?"), "..."),  # trailing off
    (re.compile(r"\+(?:/{1,2}|!|\"/?)?([.?!])"), r"\1"),  # interrupted
    (re.compile(r"(?<!\S)\+(?:[\"<^,+]|\+)?(?=\s)|(?<!\S)\+[\"<^,]"), " "),  # how a turn begins
    (re.compile(r"\((?:\.{1,3}|\d{1,4}(?:[.:]\d{0,4})?\.?)\)"), " "),  # pauses
    (re.compile(r"(?<!\S)0\S*"), " "),  # a word that was left out
    (re.compile(r"\((\w{1,30})\)"), r"\1"),  # (be)cause
    (re.compile(r"@[\w:$-]+"), ""),  # bow@o
    (re.compile(r"[<>‹›⌈⌉⌊⌋↑↓ˈˌ„‡]"), " "),
    (re.compile(r"(?<=\w)[:_^](?=\w)"), " "),
)
_BLANKS = re.compile(r"\s+")
_BEFORE_MARK = re.compile(r"\s(?=[.,?!;:])")


def read_cha(path: Path, document: str, encoding: str | None = None) -> Transcript:
    """DataError when it is no text. Roles are those of @Participants, sections those of @G and @Bg."""
    lines, damaged = read_lines(path, encoding)
    draft = Draft(document)
    draft.troubles["undecodable bytes"] += damaged
    roles, section = dict[str, str](), ""
    for line in _whole(lines):
        header, main = _HEADER.fullmatch(line), _MAIN.fullmatch(line)
        if header is not None:
            name, value = header.group(1).strip(), (header.group(2) or "").strip()
            if name == "Participants":
                roles = _roles(value)
            elif name in ("G", "Bg", "Eg"):
                section = "" if name == "Eg" else value
        elif main is not None:
            speaker, text = main.groups()
            start, end = _times(text)
            draft.add(speaker, _spoken(text), start, end, roles.get(speaker, ""), section)
        elif line.strip() and not line.startswith("%"):
            draft.troubles["bad line"] += 1
    return draft.transcript()


def _whole(lines: list[str]) -> Iterator[str]:
    """Lines with what is indented below them."""
    whole = ""
    for line in lines:
        if line.startswith(("\t", " ")) and whole:
            whole += " " + line.strip()
        else:
            if whole:
                yield whole
            whole = line.lstrip("\ufeff")
    if whole:
        yield whole


def _roles(value: str) -> dict[str, str]:
    """{"CHI": "Target_Child"} of "CHI Adam Target_Child, MOT Mother"."""
    found = (part.split() for part in value.split(","))
    return {words[0]: words[-1] for words in found if len(words) > 1}


def _times(text: str) -> tuple[float | None, float | None]:
    """Of the first piece that has times to the last, seconds."""
    found = [[int(number) for number in match.groups() if number] for match in _TIMES.finditer(text)]
    return (found[0][0] / 1000, found[-1][1] / 1000) if found else (None, None)


def _spoken(text: str) -> str:
    text = _TIMES.sub(" ", text)
    for code, instead in _CODES:
        text = code.sub(instead, text)
    text = _BEFORE_MARK.sub("", _BLANKS.sub(" ", text)).strip()
    return text if re.search(r"\w", text) else ""
