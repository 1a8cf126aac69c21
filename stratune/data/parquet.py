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
from stratune.errors import DataError


def read_parquet(path: Path) -> Dataset:
    """The whole file. DataError when it is no parquet file or has no rows."""
    with _opened(path) as file:
        table = file.read()
    if table.num_rows == 0:
        raise DataError("has columns but no rows", path=path)
    return to_dataset(table, path)


def parquet_batches(path: Path, rows: int, encoding: str | None = None) -> Iterator[Batch]:
    """`encoding` is for text files: parquet has its own."""
    with _opened(path) as file:
        for batch in file.iter_batches(batch_size=rows):
            yield batch.to_pydict()


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[pq.ParquetFile]:
    try:
        with pq.ParquetFile(path) as file:
            check_header(file.schema_arrow.names, path)
            yield file
    except PermissionError:
        raise DataError("no permission to read it", path=path) from None
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"cannot be read as parquet: {str(error).splitlines()[0]}", path=path) from None
