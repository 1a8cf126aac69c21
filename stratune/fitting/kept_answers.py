"""A run's answers to the validation rows, out of its folder: nothing is predicted again.

They are what its score on validation was computed from. A model that was fitted again could not give them:
answers that come from folds, each by a model that had not seen the row, exist nowhere else.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from stratune.data.predictions import read_predictions
from stratune.errors import ArtifactError
from stratune.model.answers import Scored, unanswered
from stratune.model.ensemble import mean_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stratune.data.split import Split


def kept_answers(member: Path, split: Split) -> Scored:
    """Of the run folder `member`, (N, C) in the order of `split.val`, as calibrated by the run.

    Raises ArtifactError where they are missing, damaged, or of other rows.
    """
    path = member / "predictions.parquet"
    found = read_predictions(path, split.task, {"val": [str(one) for one in split.val["id"][:]]}, ("val",))[
        "val"
    ]
    if not np.array_equal(found.truth, split.task.target.truth(split.val["label"][:])):
        raise ArtifactError(f"{path}: the truth of its val rows is not that of the split")
    cut = found.tokens_cut.astype(np.int32)
    return Scored(found.predictions, cut, invalid=unanswered(found.predictions))


def mean_of_kept(members: Sequence[Path], split: Split) -> Scored:
    """The mean of what they answered."""
    return mean_of([kept_answers(member, split) for member in members], np.ones(len(members)))
