"""Real transcripts, where they are: next to the project, not in it."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path

import pytest

from stratune.transcript import documents, read_transcripts

DATA = Path(__file__).parents[3] / "shared" / "data"


def read(name):
    path = DATA / name / "turns.parquet"
    if not path.is_file():
        pytest.skip(f"{path} is not there")
    return read_transcripts(path)


@pytest.mark.parametrize(
    ("name", "document_count", "turns", "troubles"),
    [
        ("scotus", 604, 135_797, {"no speaker": 894, "time runs backwards": 24}),
        ("annomi", 133, 9_699, {"time runs backwards": 10}),
        ("casino", 1_030, 14_297, {}),
    ],
)  # fmt: skip
def test_real_transcripts_are_read_whole_and_soon(name, document_count, turns, troubles):
    began = time.perf_counter()
    found = read(name)
    assert time.perf_counter() - began < 20  # about one second, on a machine that has nothing else to do
    assert len(found) == document_count and sum(len(transcript.turns) for transcript in found) == turns
    assert sum((Counter(transcript.troubles) for transcript in found), Counter()) == troubles


def test_supreme_court_hearings_have_times_sections_and_roles():
    found = read("scotus")
    first = found[0].turns[1]
    assert (first.speaker, first.role, first.start, first.end) == (
        "Martin N.  Buchanan",
        "advocate",
        6.854,
        81.468,
    )
    rows = documents(found[:3], "document", "section")
    assert [len(row["pieces"]) for row in rows] == [
        len({turn.section for turn in t.turns}) for t in found[:3]
    ]
    assert all(minutes > 30 for minutes in (transcript.minutes for transcript in found[:3]))
