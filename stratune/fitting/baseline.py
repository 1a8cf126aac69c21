"""A baseline, fitted to the training texts."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from stratune.data.rows import sample_rows, text_columns, truth_of
from stratune.fitting.trained import Trained
from stratune.model.baseline import BaselineModel, Examples
from stratune.predictor.predictor import Predictor
from stratune.strategy.base import Baseline
from stratune.train.processes import is_main

if TYPE_CHECKING:
    from stratune.data.split import Split
    from stratune.task import Task


def fit_baseline(floor: Baseline, task: Task, split: Split, seed: int, max_words: int | None) -> Trained:
    started = time.perf_counter()
    seen, chosen_on = (
        Examples(*text_columns(table), truth=truth_of(table, task)).first_words(max_words)
        for table in (split.train, split.val)
    )
    model = floor.fit(seen, chosen_on, task=task, seed=seed)
    weights = sum(
        array.size for name, array in model.state()[0].items() if name in ("weight", "bias", "prior")
    )
    about = {
        "strategy": floor.settings(),
        "backbone": None,
        "limit": {"max_words": max_words},
        "fingerprint": split.fingerprint,
        "seed": seed,
    }
    predictor = Predictor(task, BaselineModel(model, max_words), about, sample=sample_rows(split.val))
    seconds = time.perf_counter() - started
    return Trained(predictor, None, seconds, weights, weights, is_main_process=is_main())
