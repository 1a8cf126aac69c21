"""OUT/texts.parquet: what the rows of test say, so that the page can show them. Predictions have no texts.

    id, text, [text_pair], words, characters, [pieces]

A text is kept whole where all of them together are no more than ROOM, else up to CHARACTERS; `words` and
`characters` are of the whole row; `pieces` are those of a transcript (data/pieces.py). `report.texts: 0` in
the configuration (`--texts 0`) keeps none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stratune.data.pieces import COLUMN
from stratune.errors import ArtifactError, boundary, choices

if TYPE_CHECKING:
    from datasets import Dataset

FILE = "texts.parquet"
CHARACTERS = 2000  # of a text: more than a page of a book, which nobody reads in a list
ROOM = 20_000_000  # characters of all texts: three hundred calls of an hour
ROWS = 2000  # rows that the page shows, where nothing else is asked for
_COLUMNS = ("id", "text", "words", "characters")


@dataclass(frozen=True)
class Texts:
    """N rows of test, in the split's order."""

    texts: list[str]
    pairs: list[str] | None
    words: list[int]
    characters: list[int]
    pieces: list[list[dict[str, Any]]] | None = None  # of transcripts: {name, speaker, start}


def keep(out: Path, test: Dataset) -> None:
    """Write OUT/texts.parquet. `test`: the split's test part, a canonical table."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from stratune.data.arrow import to_arrow
    from stratune.data.rows import text_columns
    from stratune.files import replacing

    texts, pairs = text_columns(test)
    whole = texts if pairs is None else [f"{one} {other}" for one, other in zip(texts, pairs, strict=True)]
    most = None if sum(map(len, whole)) <= ROOM else CHARACTERS
    columns: dict[str, Any] = {"id": list(map(str, test["id"][:])), "text": [text[:most] for text in texts]}
    if pairs is not None:
        columns["text_pair"] = [pair[:most] for pair in pairs]
    columns["words"] = [len(text.split()) for text in whole]
    columns["characters"] = [len(text) for text in whole]
    if COLUMN in test.column_names:
        columns[COLUMN] = to_arrow(test).column(COLUMN)
    with replacing(out / FILE) as temporary:
        pq.write_table(pa.table(columns), temporary, compression="zstd")


def read(path: Path, ids: Sequence[str]) -> Texts:
    """The texts of `ids`. Raises ArtifactError for a file that is damaged or of another split."""
    import pyarrow.parquet as pq

    again = "the same `stratune compare` command writes it again"
    with boundary(lambda why: ArtifactError(f"{path}: not a Parquet file, or cut short ({why}); {again}")):
        table = pq.read_table(path)
        table.validate(full=True)  # text that is not UTF-8
    for column in _COLUMNS:
        if column not in table.column_names:
            raise ArtifactError(f"{path}: column {choices(column, table.column_names)}")
    if table["id"].to_pylist() != list(ids):
        raise ArtifactError(f"{path}: its rows are not the test rows of split.json; {again}")
    found = {name: table[name].to_pylist() for name in table.column_names}
    pieces = found.get(COLUMN)
    return Texts(found["text"], found.get("text_pair"), found["words"], found["characters"], pieces)
