"""2,000 damaged files: each is read with counted troubles, or is one clear line. Nothing else ever comes out."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from stratune.errors import DataError
from stratune.transcript import TROUBLES, Transcript, Turn, clean, pieces, read_transcripts, write_transcript
from stratune.transcript.clock import format_clock
from stratune.transcript.write import WRITERS

FILES = 2000
TEXTS = [
    "Thank you, Mr. Chief Justice.",
    "Café — naïve “quotes”?",
    "Note: it's 12:30",
    "um, I- I mean [crosstalk]",
    "日本語",
]


def whole(chance: random.Random) -> Transcript:
    starts = [chance.random() * 5000 for _ in range(chance.randint(1, 12))]
    turns = [
        Turn(
            "m",
            i,
            chance.choice(["", "ANN", "Bob Jones", "dr. who"]),
            "",
            start,
            start + 3,
            "1",
            chance.choice(TEXTS),
        )
        for i, start in enumerate(sorted(starts))
    ]
    return Transcript("m", tuple(turns))


def cut(raw, chance):
    return raw[: chance.randint(0, len(raw))]


def recoded(raw, chance):
    return raw.decode("utf-8", "replace").encode(
        chance.choice(["latin-1", "cp1252", "utf-16", "shift-jis", "utf-32"]), "replace"
    )


def shuffled_times(raw, chance):
    lines = raw.split(b"\n")
    at = [i for i, line in enumerate(lines) if b"-->" in line or b"start" in line]
    times = [lines[i] for i in at]
    chance.shuffle(times)
    for i, line in zip(at, times, strict=True):
        lines[i] = line
    return b"\n".join(lines)


def with_binary(raw, chance):
    at = chance.randint(0, len(raw))
    return raw[:at] + chance.randbytes(chance.randint(1, 40)) + raw[at:]


def without_lines(raw, chance):
    return b"\n".join(line for line in raw.split(b"\n") if chance.random() > 0.3)


def flipped(raw, chance):
    changed = bytearray(raw)
    for _ in range(chance.randint(1, 8)):
        changed[chance.randrange(len(changed))] = chance.choice(b'\0\n<>{}[]":,-&#;09')
    return bytes(changed)


DAMAGES = [cut, recoded, shuffled_times, with_binary, without_lines, flipped]


ENDLESS = [
    *(
        "um, um",
        "a -- ",
        "(",
        "[1:00",
        "I- ",
        "th- ",
        ", ",
        "-",
        "you know, ",
        ".",
        " ",
        "\n",
        "--",
        "<v ",
        "{\\",
        "<",
        "MR ",
    ),
]


@pytest.mark.timeout(20)
@pytest.mark.parametrize("suffix", [".vtt", ".srt", ".txt", ".jsonl"])
def test_endless_repetition_takes_no_endless_time(tmp_path, suffix):
    turns = [
        Turn("m", i, f"{what * 30_000}x", "", 1.0, 2.0, "", f"0:10 um{what * 30_000}x")
        for i, what in enumerate(ENDLESS)
    ]
    write_transcript(Transcript("m", tuple(turns)), tmp_path / f"m{suffix}")
    if suffix == ".vtt":
        with (tmp_path / "m.vtt").open("a") as stream:
            stream.write("\n00:01.000 --> 00:02.000\n" + "<v " * 30_000)
    (read,) = read_transcripts(tmp_path / f"m{suffix}")
    _, counted = clean([read], ["timestamps", "fillers", "repeats", "noise", "speakers", "boilerplate"])
    assert len(read.turns) >= len(ENDLESS) and counted.turns > 0


@pytest.mark.timeout(120)  # each file is synced to the disk, which others may be using
def test_damaged_files_are_read_or_refused_in_one_line(tmp_path):
    chance, seen = random.Random(0), Counter()
    for number in range(FILES):
        suffix, damage = list(WRITERS)[number % len(WRITERS)], DAMAGES[number % len(DAMAGES)]
        path = tmp_path / f"m{suffix}"
        write_transcript(whole(chance), path)
        path.write_bytes(damage(path.read_bytes(), chance))
        try:
            read = read_transcripts(path)
        except DataError as error:
            assert str(error).startswith(str(path)) and "\n" not in str(error)
            seen["refused"] += 1
            continue
        for transcript in read:
            assert (
                set(transcript.troubles) <= set(TROUBLES) and min(transcript.troubles.values(), default=1) > 0
            )
            assert all(turn.text.strip() == turn.text != "" for turn in transcript.turns)
            assert all(format_clock(turn.start) for turn in transcript.turns if turn.start is not None)
            assert len(pieces(transcript, "exchange")) <= len(transcript.turns)
            seen.update(transcript.troubles.keys())
        seen["read"] += 1
    assert seen["read"] > FILES / 4 and seen["refused"] > FILES / 10
    assert {"broken cue", "no speaker", "time runs backwards", "bad line", "undecodable bytes"} <= set(seen)
