"""Tables of users: csv, tsv, json, jsonl, parquet, damaged, and the commands that read them."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from random import Random
from typing import Any

from fuzz.bytes_and_text import WORDS, damaged_bytes, damaged_text
from fuzz.case import Case
from fuzz.material import rows_of
from fuzz.trees import damaged_tree, json_of, some_value

FORMATS = ("csv", "csv", "tsv", "json", "jsonl", "jsonl", "parquet")
COMMANDS: tuple[tuple[str, ...], ...] = (
    ("data", "check", "{}", "--text", "review", "--label", "mood", "--backbone", ""),
    ("data", "check", "{}", "--backbone", ""),
    ("data", "check", "{}", "--text", "review", "--label", "score", "--kind", "regression", "--backbone", ""),
    (
        "data",
        "check",
        "{}",
        "--text",
        "review",
        "--label",
        "tags",
        "--kind",
        "multilabel",
        "--backbone",
        "",
        "--json",
    ),
    (
        "data",
        "check",
        "{}",
        "--text",
        "review",
        "--label",
        "level",
        "--kind",
        "ordinal",
        "--group",
        "author",
        "--backbone",
        "",
    ),
    ("data", "split", "{}", "--text", "review", "--label", "mood", "--out", "made", "--split-column", "part"),
    ("data", "agree", "{}", "--annotations", "rater"),
    (
        "data",
        "gap",
        "{}",
        "--text",
        "review",
        "--label",
        "mood",
        "--group",
        "author",
        "--folds",
        "2",
        "--repeats",
        "1",
    ),
    ("predict", "{base}/models/new-tfidf", "{}", "--text", "review", "-o", "made.csv", "--quiet"),
    ("predict", "{base}/models/new-tfidf", "{}", "--text", "review", "-o", "made.jsonl", "--quiet"),
    ("predict", "{base}/models/new-tfidf", "{}", "--text", "review", "-o", "made.parquet", "--quiet"),
    (
        "compare",
        "--data",
        "{}",
        "--text",
        "review",
        "--label",
        "mood",
        "--strategies",
        "majority",
        "--out",
        "made",
        "--quiet",
    ),
)


def data_files(random: Random, folder: Path, base: Path) -> Case:
    format_ = random.choice(FORMATS)
    rows = rows_of(base)[: random.choice((0, 1, 3, 60, 60, 60))]
    if random.random() < 0.7:
        rows = _damaged_rows(rows, random)
    path = folder / f"rows.{format_}"
    path.write_bytes(_written(rows, format_, random))
    command = [part.format(path.name, base=base) for part in random.choice(COMMANDS)]
    if random.random() < 0.1:
        command += [
            "--encoding",
            random.choice(("latin-1", "utf-16", "hex", "rot13", "nothing", "idna", "utf-8")),
        ]
    codes = (0, 1, 2) if command[1] == "check" or command[0] == "compare" else (0, 2)
    return Case(tuple(command), codes)


def _damaged_rows(rows: list[dict[str, Any]], random: Random) -> list[dict[str, Any]]:
    """Cells of all types, columns that are there twice, missing or empty."""
    rows = [dict(row) for row in rows]
    columns = list(rows[0]) if rows else ["review", "mood"]
    change = random.randrange(5)
    if change == 0:
        return damaged_tree(rows, random) if rows else rows
    column = random.choice(columns)
    for row in rows if change == 1 else random.sample(rows, min(len(rows), random.choice((1, 2, 20)))):
        if change == 4:
            row.pop(column, None)
        else:
            row[column if change < 3 else random.choice(WORDS)] = some_value(random)
    return rows


def _written(rows: Any, format_: str, random: Random) -> bytes:
    if format_ == "parquet":
        data = _parquet(rows)
        return damaged_bytes(data, random) if random.random() < 0.5 else data
    if format_ in ("csv", "tsv"):
        text = _delimited(rows, "\t" if format_ == "tsv" else ",")
    elif format_ == "jsonl":
        text = "".join(json_of(row) + "\n" for row in rows)
    else:
        text = json_of(rows)
    chance = random.random()
    if chance < 0.4:
        return damaged_text(text, random)
    data = text.encode(errors="surrogatepass")
    return damaged_bytes(data, random) if chance < 0.6 else data


def _delimited(rows: Any, mark: str) -> str:
    """Whatever a row is, a line."""
    lines = (
        [row if isinstance(row, dict) else {"review": row} for row in rows] if isinstance(rows, list) else []
    )
    names = list(dict.fromkeys(str(name) for row in lines for name in row)) or ["review", "mood"]
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=mark, escapechar="\\")
    writer.writerow(names)
    writer.writerows([_cell(row.get(name)) for name in names] for row in lines)
    return out.getvalue()


def _cell(value: Any) -> str:
    try:
        return str(value)
    except ValueError:  # a number of more digits than Python writes
        return "9" * 5_000


def _parquet(rows: Any) -> bytes:
    """With the types that Arrow infers; of what has no common type, text."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    lines = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    columns: dict[str, Any] = {}
    for name in dict.fromkeys(str(name) for row in lines for name in row):
        cells = [row.get(name) for row in lines]
        try:
            columns[name] = pa.array(cells)
        except (pa.ArrowException, OverflowError, ValueError, TypeError):
            columns[name] = pa.array([_cell(cell).encode("utf-8", "replace").decode() for cell in cells])
    out = io.BytesIO()
    try:
        pq.write_table(pa.table(columns), out)
    except (pa.ArrowException, ValueError):  # a type or a name that Parquet does not have
        return b"PAR1"
    return out.getvalue()
