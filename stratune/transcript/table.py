"""A table of turns (parquet, CSV, TSV): a row a turn, many documents in one file. Holds everything.

Read as strictly as any other table of stratune: a row that does not fit its header is an error with its line.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from stratune.data.read import iter_batches
from stratune.data.write import open_writer
from stratune.transcript.json_turns import turn_row
from stratune.transcript.records import COLUMNS, Columns, Drafts
from stratune.transcript.turn import Transcript

ROWS = 16384  # read at a time


def read_table(
    path: Path, document: str, columns: Columns | None = None, encoding: str | None = None
) -> list[Transcript]:
    """DataError as in stratune.data.read, and when no column is the text."""
    drafts = Drafts(path, document, columns)
    for batch in iter_batches(path, ROWS, encoding=encoding):
        drafts.add(batch)
    return drafts.transcripts()


def write_table(transcripts: Sequence[Transcript], path: Path) -> None:
    """csv, jsonl or parquet, by the suffix. DataError when it cannot be written."""
    rows = [turn_row(turn) for transcript in transcripts for turn in transcript.turns]
    sure = ("confidence",) if any("confidence" in row for row in rows) else ()
    with open_writer(path) as writer:
        writer.write({name: [row.get(name) for row in rows] for name in (*COLUMNS, *sure)})
