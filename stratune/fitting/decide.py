"""After training: how the probabilities of a model become answers, chosen on validation.

One rule for all: nets, prompted models, documents in chunks, combinations and baselines.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stratune.data.rows import text_columns
from stratune.data.soft_labels import soft_truth
from stratune.model.postprocess import Postprocess

if TYPE_CHECKING:
    from datasets import Dataset

    from stratune.data.split import Split
    from stratune.fitting.trained import Trained
    from stratune.model.answers import Scored
    from stratune.target.decision import Decide
    from stratune.watch import Progress


def answers_to(trained: Trained, rows: Dataset, progress: Progress, *, cache: bool) -> Scored:
    """The model's own, before anything is chosen for them."""
    model = trained.predictor.model
    progress.stage("predicting val", len(rows))
    scorer = model.caching() if cache else model
    return scorer(*text_columns(rows), progress)


def decide_on_validation(trained: Trained, split: Split, how: Decide, *, soft: bool = False) -> None:
    """Give the predictor what its answers to validation choose; without such answers nothing is chosen.

    `soft`: probabilities are those of the raters' answers, so they are calibrated to these.
    """
    if trained.validation is None:
        return
    target = split.task.target
    truth = target.truth(split.val["label"][:])
    shares = soft_truth(split.val, split.task) if soft else None
    trained.predictor.post = Postprocess.chosen(trained.validation, truth, target, how, split.wrong, shares)
