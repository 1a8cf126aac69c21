"""Fitting a baseline."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from stratune.data.rows import text_columns
from stratune.fitting.trained import Trained, predictor_of
from stratune.model.baseline import BaselineModel, Examples
from stratune.strategy.base import Baseline
from stratune.train.processes import is_main

if TYPE_CHECKING:
    from stratune.data.split import Split
    from stratune.task import Task


def fit_baseline(baseline: Baseline, task: Task, split: Split, seed: int, max_words: int | None) -> Trained:
    """`max_words`: words read of each text, as by the other models of a comparison."""
    started = time.perf_counter()
    seen, chosen_on = (
        Examples(*text_columns(table), truth=task.target.truth(table["label"][:])).first_words(max_words)
        for table in (split.train, split.val)
    )
    if split.wanted is not None:
        seen = replace(seen, shares=split.wanted)
        chosen_on = replace(chosen_on, shares=split.wanted_of_val)
    if split.cross_validated:
        seen = replace(seen, folds=np.asarray(split.folds))
    fitted = baseline.fit(seen, chosen_on, task=task, seed=seed)
    tensors = ("weight", "bias", "prior")
    weights = sum(array.size for name, array in fitted.state()[0].items() if name in tensors)
    predictor = predictor_of(baseline, None, task, BaselineModel(fitted, max_words), split, seed)
    seconds = time.perf_counter() - started
    tried = int(getattr(fitted, "tried", 1))
    return Trained(
        predictor, None, seconds, weights, weights, settings_tried=tried, is_main_process=is_main()
    )
