"""Captions in XML: TTML and DFXP (`<p begin end>`), and YouTube's own (`<text start dur>`, `<p t d>`).

A speaker is the `ttm:agent` of a paragraph, by the name in the head, else what begins the text (`NAME:`).
W3C, Timed Text Markup Language 2, section 12.3: how times are written.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from pathlib import Path

from stratune.errors import DataError
from stratune.transcript.captions import add_voices, ended
from stratune.transcript.clock import LATEST, parse_clock
from stratune.transcript.cue_text import Spoken, spoken_turns
from stratune.transcript.cues import Cue
from stratune.transcript.rolling import read_once
from stratune.transcript.text import read_lines
from stratune.transcript.turn import Draft, Transcript
from stratune.transcript.xml_events import parse_xml

_OFFSET = re.compile(r"(\d{1,15}(?:\.\d{1,9})?)(h|ms|m|s|f|t)")
_FRAMES = re.compile(r"(\d{1,9}:\d{1,2}:\d{2}):(\d{1,4})(?:\.\d+)?")
_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_ROOTS = ("tt", "transcript", "timedtext")


def read_ttml(path: Path, document: str, encoding: str | None = None) -> Transcript:
    """DataError when it is no well-formed XML, has a document type, or is no kind of captions."""
    lines, damaged = read_lines(path, encoding)
    found = _Captions(path)
    parse_xml("\n".join(lines).lstrip("\ufeff"), path, found.begin, found.end, found.characters)
    draft = Draft(document)
    draft.troubles["undecodable bytes"] += damaged
    if any(found.agents):
        _add_agents(draft, found)
    else:
        cues = read_once(ended(found.cues))
        add_voices(draft, cues, [spoken_turns(cue.lines) or [("", "")] for cue in cues])
    return draft.transcript()


def _add_agents(draft: Draft, found: _Captions) -> None:
    voices: list[list[Spoken]] = []
    for cue, agent in zip(found.cues, found.agents, strict=True):
        name = found.names.get(agent) or agent
        turns = spoken_turns(cue.lines) or [("", "")]
        voices.append([(who or name, text) for who, text in turns])
    add_voices(draft, ended(found.cues), voices)


class _Captions:
    """What the events of one file tell. `agents`: the id of each cue's agent, "" without."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.cues: list[Cue] = []
        self.agents: list[str] = []
        self.names: dict[str, str] = {}
        self._rates = {"f": 30.0, "t": 1.0}  # frames and ticks a second: the defaults of the standard
        self._depth = 0
        self._text: list[str] | None = None  # of the paragraph that is open
        self._times: tuple[float | None, float | None] = (None, None)
        self._agent = ""
        self._named: str | None = None  # id of the agent whose name is being read
        self._name = False
        self._offsets: list[float] = []  # begin of body and divs around, seconds
        self._root = ""

    def begin(self, name: str, found: Mapping[str, str]) -> None:
        if not self._root:
            self._root = name
            if name not in _ROOTS:
                raise DataError(f"<{name}> is no kind of captions ({', '.join(_ROOTS)})", path=self.path)
            self._read_rates(found)
        if name == "agent":
            self._named = found.get("id", "")
        elif name == "name" and self._named is not None:
            self._name = True
        elif name in ("body", "div"):
            self._offsets.append(self._seconds(found.get("begin", "")) or 0.0)
            self._agent = found.get("agent", self._agent) if name == "div" else self._agent
        elif name in ("p", "text") and self._text is None:
            self._text, self._times = [], self._times_of(found)
            self.agents.append(found.get("agent", self._agent).strip())
        elif name == "br" and self._text is not None:
            self._text.append("\n")
        elif self._text is not None and found.get("agent"):
            self.agents[-1] = self.agents[-1] or found["agent"].strip()

    def end(self, name: str) -> None:
        if name == "agent":
            self._named = None
        elif name == "name":
            self._name = False
        elif name in ("body", "div") and self._offsets:
            self._offsets.pop()
        elif name in ("p", "text") and self._text is not None:
            lines = [" ".join(line.split()) for line in "".join(self._text).split("\n")]
            if name == "text" or self._root == "timedtext":  # YouTube escapes its text twice
                lines = html.unescape("\n".join(lines)).split("\n")
            start, end = self._times
            self.cues.append(Cue(start, end, [line for line in lines if line], broken=start is None))
            self._text = None

    def characters(self, text: str) -> None:
        if self._name and self._named is not None:
            self.names[self._named] = (self.names.get(self._named, "") + text).strip()
        elif self._text is not None:
            self._text.append(text if self._root == "timedtext" else text.replace("\n", " "))

    def _read_rates(self, found: Mapping[str, str]) -> None:
        frames, _, _ = found.get("frameRate", "").partition(" ")
        if frames.isdigit() and int(frames) > 0:
            self._rates["f"] = float(frames)
            self._rates["t"] = float(frames)
        parts = found.get("frameRateMultiplier", "").replace(":", " ").split()
        if len(parts) == 2 and all(part.isdigit() and int(part) > 0 for part in parts):
            self._rates["f"] *= int(parts[0]) / int(parts[1])
        if found.get("tickRate", "").isdigit() and int(found["tickRate"]) > 0:
            self._rates["t"] = float(found["tickRate"])

    def _times_of(self, found: Mapping[str, str]) -> tuple[float | None, float | None]:
        """(start, end) in seconds, from the beginning of the recording."""
        if self._root == "timedtext":  # milliseconds
            start, length = (_number(found.get(key, ""), 0.001) for key in ("t", "d"))
            return start, None if start is None or length is None else round(start + length, 6)
        if self._root == "transcript":  # seconds
            start, length = (_number(found.get(key, ""), 1.0) for key in ("start", "dur"))
            return start, None if start is None or length is None else round(start + length, 6)
        before = sum(self._offsets)
        begin, end, length = (self._seconds(found.get(key, "")) for key in ("begin", "end", "dur"))
        start = None if begin is None else round(before + begin, 6)
        if end is not None:
            return start, round(before + end, 6)
        return start, None if start is None or length is None else round(start + length, 6)

    def _seconds(self, text: str) -> float | None:
        """Seconds of "00:00:01.5", "00:00:01:12" (frames), "1.5s", "100ms", "45f" or "90000t"."""
        text = text.strip()
        offset = _OFFSET.fullmatch(text)
        if offset is not None:
            unit = offset.group(2)
            return _number(offset.group(1), _SECONDS.get(unit) or 1 / self._rates[unit])
        frames = _FRAMES.fullmatch(text)
        if frames is None:
            return parse_clock(text)
        whole = parse_clock(frames.group(1))
        return None if whole is None else round(whole + int(frames.group(2)) / self._rates["f"], 6)


def _number(text: str, unit: float) -> float | None:
    try:
        seconds = float(text) * unit
    except ValueError:
        return None
    return round(seconds, 6) if 0 <= seconds <= LATEST else None
