"""Parquet: read with its types, or streamed in batches."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from datasets import Dataset

from stratune.data.arrow import to_dataset
from stratune.data.delimited import Batch, check_header
from stratune.errors import DataError, boundary


def read_parquet(path: Path) -> Dataset:
    """The whole file. DataError when it is no parquet file or has no rows."""
    with _opened(path) as file:
        table = file.read()
        table.validate(full=True)  # text that is not UTF-8 would be an error when it is first looked at
    if table.num_rows == 0:
        raise DataError("has columns but no rows", path=path)
    return to_dataset(table, path)


def parquet_batches(
    path: Path, rows: int, encoding: str | None = None, delimiter: str | None = None
) -> Iterator[Batch]:
    """`encoding` and `delimiter` are for text files: parquet has its own."""
    with _opened(path) as file:
        for batch in file.iter_batches(batch_size=rows):
            batch.validate(full=True)
            yield batch.to_pydict()


def parquet_types(path: Path) -> dict[str, pa.DataType]:
    """Column -> type, dictionaries as what they hold."""
    with _opened(path) as file:
        types = {field.name: field.type for field in file.schema_arrow}
    return {name: kind.value_type if pa.types.is_dictionary(kind) else kind for name, kind in types.items()}


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[pq.ParquetFile]:
    with boundary(lambda why: DataError(f"cannot be read as parquet: {why}", path=path)):
        try:
            with pq.ParquetFile(path) as file:
                check_header(file.schema_arrow.names, path)
                yield file
        except PermissionError:
            raise DataError("no permission to read it", path=path) from None
