"""column_types(): the columns of a file and their types, before any row of it is worked on."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from stratune.data.arrow import common_type, to_array
from stratune.data.parquet import parquet_types
from stratune.data.read import iter_batches


def column_types(
    source: str, rows: int = 8192, *, encoding: str | None = None, delimiter: str | None = None
) -> dict[str, pa.DataType]:
    """Column -> type, as all rows together have it: numbers and text in one column are text.

    Reads the file once, which takes far less than a model does, so that a damaged row at its end is an error
    now. Nothing of standard input, which can be read only once. DataError as iter_batches.
    """
    if source == "-":
        return {}
    if Path(source).suffix.lower() == ".parquet":
        return parquet_types(Path(source))
    found: dict[str, set[pa.DataType]] = {}
    done = 0
    for batch in iter_batches(source, rows, encoding=encoding, delimiter=delimiter):
        for name, values in batch.items():
            found.setdefault(name, set()).add(to_array(values, name, source, done).type)
        done += len(next(iter(batch.values())))
    return {name: common_type(kinds - {pa.null()}) or pa.string() for name, kinds in found.items()}
