"""Files of every format, mutated: a reading or one line. `python -m tests.transcript.test_mutated 10000 0` tries more."""

from __future__ import annotations

import io
import json
import random
import sys
import tempfile
import time
import zipfile
from collections import Counter
from pathlib import Path

import pytest

from fuzz.bytes_and_text import damaged_bytes, damaged_text
from fuzz.trees import as_json, damaged_tree
from stratune.errors import DataError
from stratune.transcript import TROUBLES, clean, pieces, read_transcripts
from stratune.transcript.clock import format_clock
from stratune.transcript.near_names import near_names
from stratune.transcript.read import READERS
from tests.transcript.test_captions import TTML, YOUTUBE
from tests.transcript.test_documents import CHAT, LONG, SHORT
from tests.transcript.test_exports import COURT, MEET, MOTLEY, OTTER, SEEKING, TEAMS
from tests.transcript.test_shapes import GOOGLE_WORDS, TWO

CALL = "Ann Lee: Good morning.\nBo Tan: Where do we begin?\n\n00:05:00\nAnn Lee (00:06): [laughs] With the budget.\n"
TEXTS = {
    ".vtt": [YOUTUBE, "WEBVTT\n\n1\n00:00:01.000 --> 00:00:02.000\n<v Ann Lee>Hi.</v>\n\n00:00:02.000 --> 00:00:03.000\nBo: Yes.\n"],
    ".srt": ["1\n00:00:01,000 --> 00:00:02,000\n>> ANN: Hello.\n\n2\n00:00:02,000 --> 00:00:03,000\n- Who?\n- Me.\n"],
    ".sbv": ["0:00:00.000,0:00:02.000\n(Ann Lee) Good.\n\n0:00:02.000,0:00:04.000\n(Bo Tan) Hello.[br]All.\n"],
    ".ttml": [TTML],
    ".xml": ['<transcript><text start="0.16" dur="2.2">it&amp;#39;s</text></transcript>', '<timedtext format="3"><body><p t="160" d="2269"><s>it</s></p></body></timedtext>'],
    ".txt": [CALL, COURT, MEET, MOTLEY, OTTER, SEEKING, TEAMS, "Ann\tGood morning.\nBo\tHello.\n", "[Ann Lee] x\n[Bo Tan] y\n", "0:00\nmorning\n0:02\nlate\n"],
    ".md": ["---\ntitle: x\n---\n# Talk\n\n**Ann:** Hi.\n\n**Bo**: No.\n"],
    ".html": ["<html><head><title>x</title></head><body><p><b>Ann:</b> Hi.</p><table><tr><td>Bo</td><td>No.</td></tr></table></body></html>"],
    ".textgrid": [LONG, SHORT],
    ".cha": [CHAT],
    ".csv": ["document,speaker,start,text\na,Ann,1,Hi.\na,Bo,0:02,No.\n", "Utterance;Speaker;StartTime\nHi;Ann;1\n"],
    ".tsv": ["speaker\tvalue\nAnn\tHi.\n"],
    ".jsonl": ['{"speaker": "Ann", "text": "Hi.", "start": 1}\n{"speaker": "Bo", "text": "No."}\n', '{"messages": [{"role": "user", "content": "x"}]}\n' * 2],
}  # fmt: skip
TREES = [value for _, value in TWO] + [
    GOOGLE_WORDS,
    [{"speaker": "Ann", "text": "Hi.", "timestamp": "2024-05-02T10:00:00Z"}],
]


def word_bytes() -> bytes:
    import docx

    made, held = docx.Document(), io.BytesIO()
    for line in CALL.split("\n"):
        made.add_paragraph(line)
    made.add_table(rows=1, cols=2).rows[0].cells[0].text = "Ann"
    made.save(held)
    return held.getvalue()


def repacked(packed: bytes, chance: random.Random) -> bytes:
    """A zip with one of its files damaged."""
    held = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(packed)) as old, zipfile.ZipFile(held, "w") as new:
        hit = chance.choice(["word/document.xml", chance.choice(old.namelist())])
        for name in old.namelist():
            data = old.read(name)
            new.writestr(name, damaged_bytes(data, chance) if name == hit else data)
    return held.getvalue()


def mutated(chance: random.Random, word: bytes) -> tuple[str, bytes]:
    """(suffix, content) of a damaged file."""
    suffix = chance.choice([*TEXTS, ".json", ".json", ".json", ".txt", ".docx"])
    if suffix == ".json":
        return suffix, as_json(damaged_tree(chance.choice(TREES), chance), chance)
    if suffix == ".docx":
        return suffix, repacked(word, chance) if chance.random() < 0.7 else damaged_bytes(word, chance)
    text = chance.choice(TEXTS[suffix])
    if chance.random() < 0.2:  # a file of another kind under this name
        text = chance.choice(TEXTS[chance.choice(list(TEXTS))])
    for _ in range(chance.randint(1, 3) - 1):
        text = damaged_text(text, chance).decode("utf-8", "replace")
    return suffix, damaged_text(text, chance) if chance.random() < 0.7 else damaged_bytes(
        text.encode(), chance
    )


def tried(path: Path) -> str:
    """What became of a file: "read" or "refused"; AssertionError where it is neither."""
    try:
        found = read_transcripts(path)
    except DataError as error:
        assert str(error).startswith(str(path)) and "\n" not in str(error), repr(str(error))
        return "refused"
    for transcript in found:
        assert set(transcript.troubles) <= set(TROUBLES) and min(transcript.troubles.values(), default=1) > 0
        assert [turn.index for turn in transcript.turns] == list(range(len(transcript.turns)))
        for turn in transcript.turns:
            assert turn.text.strip() == turn.text != ""
            assert all(format_clock(time) for time in (turn.start, turn.end) if time is not None)
        assert len(pieces(transcript, "exchange")) <= len(transcript.turns)
    clean(
        found, ["timestamps", "noise", "fillers", "repeats", "speakers", {"step": "speakers", "by": "role"}]
    )
    near_names(found)
    return "read"


def campaign(folder: Path, files: int, seed: int) -> Counter[str]:
    chance, seen, word = random.Random(seed), Counter[str](), word_bytes()
    for number in range(files):
        suffix, content = mutated(chance, word)
        path = folder / f"m{suffix}"
        path.write_bytes(content or b"x")
        began = time.perf_counter()
        try:
            seen[f"{suffix} {tried(path)}"] += 1
        except Exception as error:
            kept = Path(tempfile.gettempdir()) / f"mutated-{seed}-{number}{suffix}"
            kept.write_bytes(path.read_bytes())
            raise AssertionError(f"{kept}: {type(error).__name__}: {error}") from error
        assert time.perf_counter() - began < 20, path
    return seen


@pytest.mark.timeout(200)
def test_mutated_files_are_read_or_refused_in_one_line(tmp_path):
    seen = campaign(tmp_path, 600, seed=18)
    assert {key.split()[0] for key in seen} == {*TEXTS, ".json", ".docx"} <= set(READERS)
    total = Counter(key.split()[1] for key in seen for _ in range(seen[key]))
    assert total["read"] > 200 and total["refused"] > 50 and json.loads(json.dumps(total))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        print(campaign(Path(made), int(sys.argv[1]), int(sys.argv[2])))
