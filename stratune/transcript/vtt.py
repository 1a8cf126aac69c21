"""WebVTT: a cue is a turn. `<v Name>` names the speaker, else `NAME:` at the start of a line.

Cannot hold: role and section, missing times (filled in from the turns around), line breaks inside a turn,
times finer than a millisecond.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from stratune.transcript.captions import add_cues, add_voices
from stratune.transcript.clock import format_clock
from stratune.transcript.cue_text import spoken_turns
from stratune.transcript.cues import Block, Cue, blocks, cues
from stratune.transcript.label import one_line
from stratune.transcript.text import read_lines
from stratune.transcript.timing import filled
from stratune.transcript.turn import Draft, Transcript

_VOICE = re.compile(r"<v(?:\.[^\s>]*)?(?:\s+([^<>]*))?>")
_TAG = re.compile(r"</?(?:[a-zA-Z][^<>]*|[\d:.]+)?>")
_STYLES = re.compile(r"Style:\s*$|::cue|##")  # YouTube's styles after its headers
_HEADER = re.compile(  # WebVTT's "metadata headers": NAME: value
    r"(?:kind|language|style|region|source|title|author|channel|created|creator|date|duration|id|note"
    r"|x-[\w-]+|#+)\s*(?:[:=].*)?$",
    re.IGNORECASE,
)
_ASIDE = re.compile(r"(?:NOTE|STYLE|REGION)(?:\s|$)")  # comments and styles, not speech


def read_vtt(path: Path, document: str, encoding: str | None = None) -> Transcript:
    """DataError when it is no text. Everything else that is wrong is counted."""
    lines, damaged = read_lines(path, encoding)
    draft = Draft(document)
    if damaged:
        draft.troubles["undecodable bytes"] += damaged
    found = list(blocks(lines))
    if found and found[0][0].lstrip("\ufeff").startswith("WEBVTT"):
        found[0] = _after_header(found[0])
    else:
        draft.troubles["no header"] += 1
    heard = [cue for block in _spoken(found) for cue in cues(block)]
    if any(_VOICE.search(line) for cue in heard for line in cue.lines):
        add_voices(draft, heard, [voices(cue) or [("", "")] for cue in heard])
    else:
        add_cues(draft, (replace(cue, lines=_plain("\n".join(cue.lines)).split("\n")) for cue in heard))
    return draft.transcript()


def _spoken(found: Sequence[Block]) -> Iterator[Block]:
    """The blocks that hold cues: no comments and styles, and before the first cue no headers."""
    begun = False
    for block in filter(None, found):
        begun = begun or any("-->" in line for line in block)
        header = not begun and (_STYLES.match(block[0]) or all(_HEADER.match(line) for line in block))
        if not header and not _ASIDE.match(block[0]):
            yield block


def _after_header(block: Block) -> Block:
    """What follows WEBVTT and its settings in their block: a cue whose blank line was lost."""
    return next((block[number:] for number, line in enumerate(block) if "-->" in line), [])


def voices(cue: Cue) -> list[tuple[str, str]]:
    """(speaker, text) of each voice of a cue, tags removed, entities read."""
    before, *parts = _VOICE.split("\n".join(cue.lines))
    turns = spoken_turns(_plain(before).split("\n")) if before.strip() or not parts else []
    for name, text in zip(parts[::2], parts[1::2], strict=True):
        turns.append((html.unescape(name or "").strip(), " ".join(_plain(text).split("\n"))))
    return turns


def _plain(marked: str) -> str:
    return html.unescape(_TAG.sub("", marked))


def vtt_text(transcripts: Sequence[Transcript]) -> str:
    (transcript,) = transcripts
    parts = ["WEBVTT"]
    for turn, (start, end) in zip(transcript.turns, filled(transcript), strict=True):
        text, speaker = one_line(turn.text), one_line(turn.speaker)
        named = speaker or spoken_turns([text]) != [("", text)]  # `<v>`: nothing in the text begins a turn
        voice = f"<v {_escaped(speaker)}>".replace("<v >", "<v>") if named else ""
        parts.append(f"{format_clock(start)} --> {format_clock(end)}\n{voice}{_escaped(text)}")
    return "\n\n".join(parts) + "\n"


def _escaped(text: str) -> str:
    return html.escape(text, quote=False)
