"""What finished runs answered to validation, as their folders keep it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stratune.errors import ArtifactError, boundary
from stratune.model.answers import Scored
from stratune.model.ensemble import mean_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from stratune.data.split import Split


def kept_answers(run: Path, split: Split) -> Scored:
    """In the order of `split.val`, calibrated as the run's model is. ArtifactError: the file is damaged."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = run / "predictions.parquet"
    labels = split.task.labels
    columns = [f"score_{label}" for label in labels] or ["prediction"]
    with boundary(lambda why: ArtifactError(f"{path}: cannot be read ({why})")):
        table = pq.read_table(path, columns=["id", "part", "tokens_cut", *columns])
        table = table.filter(pa.compute.equal(table["part"], "val"))
    if table["id"].to_pylist() != list(split.val["id"]):
        raise ArtifactError(f"{path}: its validation rows are not those of this split")
    found = [np.asarray(table[name].to_pylist(), dtype=np.float64) for name in columns]  # None is NaN
    predictions = np.stack(found, axis=1)
    invalid: NDArray[np.bool_] = np.asarray(np.isnan(predictions).any(axis=1))
    cut = np.asarray(table["tokens_cut"].to_pylist(), dtype=np.int32)
    return Scored(predictions, cut, invalid=invalid if invalid.any() else None)


def mean_of_kept(runs: Sequence[Path], split: Split) -> Scored:
    """The mean of what they answered, as an ensemble of them would."""
    return mean_of([kept_answers(run, split) for run in runs])
