"""Transcripts (vtt, srt, txt, json, csv), damaged, and the commands that read turns."""

from __future__ import annotations

from pathlib import Path
from random import Random

from fuzz.bytes_and_text import damaged_bytes, damaged_text
from fuzz.case import Case
from fuzz.trees import as_json, damaged_tree, json_of

TURNS = [
    {"speaker": "Ann", "text": "Good evening, everybody.", "start": 0.5, "end": 2.0, "role": "host"},
    {
        "speaker": "Ben",
        "text": "Uh, thank you [laughs]. I, I have one.",
        "start": 2.0,
        "end": 7.25,
        "role": "guest",
    },
    {
        "speaker": "Ann",
        "text": "The storm was near the old house.",
        "start": 7.5,
        "end": 3661.0,
        "role": "host",
    },
]
COMMANDS: tuple[tuple[str, ...], ...] = (
    ("data", "turns", "{}"),
    ("data", "turns", "{}", "--by", "minutes:2"),
    ("data", "turns", "{}", "--columns", "text=text,speaker=speaker", "--json"),
    ("data", "clean", "{}", "--steps", "fillers,repeats,timestamps,noise,speakers,boilerplate", "-o", "made"),
    ("data", "clean", "{}", "--steps", "noise,no_speakers", "-o", "made.jsonl", "--diff"),
    ("data", "texts", "{}", "--unit", "speaker", "-o", "made.csv"),
    ("data", "texts", "{}", "--unit", "segment", "--by", "minutes:1", "--clean", "noise", "-o", "made.parquet"),
)  # fmt: skip


def transcripts(random: Random, folder: Path, base: Path) -> Case:
    suffix = random.choice(tuple(WRITERS))
    path = folder / f"talk.{suffix}"
    path.write_bytes(WRITERS[suffix](random))
    return Case(tuple(part.format(path.name) for part in random.choice(COMMANDS)))


def _clock(seconds: float, mark: str) -> str:
    whole = int(seconds)
    return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}{mark}{int(seconds % 1 * 1000):03}"


def _damaged(text: str, random: Random) -> bytes:
    return damaged_text(text, random) if random.random() < 0.7 else damaged_bytes(text.encode(), random)


def _vtt(random: Random) -> bytes:
    cues = [
        f"{_clock(turn['start'], '.')} --> {_clock(turn['end'], '.')}\n<v {turn['speaker']}>{turn['text']}</v>\n"
        for turn in TURNS
    ]
    return _damaged("WEBVTT\nKind: captions\n\n" + "\n".join(cues), random)


def _srt(random: Random) -> bytes:
    cues = [
        f"{i}\n{_clock(turn['start'], ',')} --> {_clock(turn['end'], ',')}\n{turn['speaker']}: {turn['text']}\n"
        for i, turn in enumerate(TURNS, start=1)
    ]
    return _damaged("\n".join(cues), random)


def _txt(random: Random) -> bytes:
    return _damaged(
        "".join(f"[{_clock(turn['start'], '.')[:8]}] {turn['speaker']}: {turn['text']}\n" for turn in TURNS),
        random,
    )


def _json(random: Random) -> bytes:
    tree = random.choice(
        (
            TURNS,
            {"segments": TURNS},
            {"documents": [{"id": "a", "turns": TURNS}]},
            {"results": {"turns": TURNS}},
        )
    )
    return as_json(damaged_tree(tree, random), random)


def _jsonl(random: Random) -> bytes:
    lines = [json_of(damaged_tree(turn, random) if random.random() < 0.4 else turn) for turn in TURNS]
    return _damaged("\n".join(lines), random) if random.random() < 0.5 else "\n".join(lines).encode()


def _csv(random: Random) -> bytes:
    lines = [",".join(TURNS[0]), *(",".join(f'"{cell}"' for cell in turn.values()) for turn in TURNS)]
    return _damaged("\n".join(lines), random)


WRITERS = {"vtt": _vtt, "srt": _srt, "txt": _txt, "json": _json, "jsonl": _jsonl, "csv": _csv}
