"""After training: how the probabilities of a model become answers, chosen on validation.

One rule for all: nets, prompted models, documents in chunks, combinations and baselines.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stratune.data.rows import text_columns
from stratune.fitting.trained import Trained
from stratune.model.postprocess import Postprocess
from stratune.target.decision import Decide
from stratune.watch import Progress

if TYPE_CHECKING:
    from stratune.data.split import Split


def decide_on_validation(
    trained: Trained, split: Split, how: Decide, progress: Progress, *, cache: bool, ask: bool
) -> None:
    """Give the predictor what is chosen, and keep the model's answers to validation, before it, in `trained`.

    Where the fit has left answers there, such as come from weights that were learned without the row, these
    are looked at, and the model is not asked.

    `ask`: also a server whose answers cost money, where nothing has to be chosen.
    """
    target = split.task.target
    if trained.validation is None and not _answer(trained, split, how, progress, cache=cache, ask=ask):
        return
    assert trained.validation is not None
    truth = target.truth(split.val["label"])
    trained.predictor.post = Postprocess.chosen(trained.validation, truth, target, how, split.wrong)


def _answer(
    trained: Trained, split: Split, how: Decide, progress: Progress, *, cache: bool, ask: bool
) -> bool:
    """Whether the model was asked."""
    model = trained.predictor.model
    if model.paid and not (ask or how != Decide()):
        return False
    progress.stage("predicting val", len(split.val))
    scorer = model.caching() if cache else model
    trained.validation = scorer(*text_columns(split.val), progress)
    return True
