"""Distillation: finished runs answer texts that nobody has labelled, and a student learns these answers.

The student's training rows are those of the split, with their labels, and the texts, with the teachers'
probabilities. So it is fitted as it would be on more labelled rows, and validation chooses as ever.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from stratune.data.arrow import to_arrow, to_dataset
from stratune.data.rows import text_columns
from stratune.errors import TrainingError
from stratune.files import sha256
from stratune.fitting.combine import loaded_members, too_few
from stratune.model.ensemble import EnsembleModel
from stratune.result import RunResult
from stratune.train.processes import meet

if TYPE_CHECKING:
    from datasets import Dataset

    from stratune.data.split import Split
    from stratune.fitting.trained import Trained
    from stratune.model.answers import Scored
    from stratune.remote.named import Servers
    from stratune.strategy.base import Distillation
    from stratune.watch import Progress

TAUGHT = "unlabelled:"  # before the ids of texts without labels, which are their own


def distil(
    distillation: Distillation,
    teachers: Sequence[Path],
    split: Split,
    servers: Servers,
    fit_on: Callable[[Split], Trained],
    progress: Progress,
) -> Trained:
    """`teachers` are run folders, which may ask `servers`; `fit_on` fits the student.

    Their training time is the student's too, and so is the time that their answers take: without them there
    is no student. Raises ConfigError for a split without such texts, TrainingError without an answer.
    """
    meet()  # under `accelerate launch` one process has just written the last of them
    distillation.check_data(split)
    assert split.unlabelled is not None
    if not teachers:
        raise too_few(distillation, teachers, "one finished run")
    started = time.perf_counter()
    loaded = loaded_members(teachers, servers)
    progress.stage("asking the teachers", len(split.unlabelled))
    answers = EnsembleModel(loaded)(*text_columns(split.unlabelled), progress)
    seconds = time.perf_counter() - started
    del loaded
    gc.collect()  # a net has circles: without this teachers and student would be in memory
    taught = taught_by(answers, split)
    trained = fit_on(taught)
    results = [RunResult.load(teacher / "result.json") for teacher in teachers]
    trained.train_seconds += seconds + sum(result.train_seconds or 0.0 for result in results)
    trained.predictor.about |= {
        "strategy": {**distillation.strategy.settings(), "name": distillation.name},
        "fingerprint": split.fingerprint,
        "members": [result.run_id for result in results],
    }
    count = len(taught.train) - len(split.train)
    by = ", ".join(result.run_id for result in results)
    trained.notes = [*trained.notes, f"learned {count:,} texts without labels from {by}"]
    return trained


def taught_by(answers: Scored, split: Split) -> Split:
    """The split whose training rows are also the texts without labels; `answers` of the teachers to these.

    A text that no teacher has a valid answer for is left out.
    """
    assert split.unlabelled is not None
    told = np.isfinite(answers.predictions).all(axis=1)
    if not told.any():
        raise TrainingError("the teachers have no valid answer to any of the texts without labels")
    target, predictions = split.task.target, answers.predictions[told]
    texts = split.unlabelled.select(np.flatnonzero(told))
    labels = target.named(target.decided(predictions))
    own = split.wanted if split.wanted is not None else target.soft(target.truth(split.train["label"][:]))
    return replace(
        split,
        train=_joined(split.train, texts, labels),
        unlabelled=None,
        wanted=np.concatenate([own, predictions]),
        taught=len(texts),
        # a checkpoint is that of these answers
        fingerprint=sha256(split.fingerprint, predictions.tobytes()),
    )


def _joined(train: Dataset, texts: Dataset, labels: Sequence[object]) -> Dataset:
    """The columns that training reads. Each text without a label is a group of its own."""
    rows = to_arrow(train)
    kept = [name for name in ("id", "text", "text_pair", "label", "group") if name in rows.column_names]
    more = to_arrow(texts)
    ids = pa.array([f"{TAUGHT}{name}" for name in more.column("id").to_pylist()], pa.string())
    columns = {"id": ids, "label": pa.array(map(str, labels), pa.string()), "group": ids}
    columns |= {name: more.column(name) for name in ("text", "text_pair") if name in more.column_names}
    schema = pa.schema([(name, pa.large_string()) for name in kept])
    added = pa.table({name: columns[name] for name in kept})
    return to_dataset(pa.concat_tables([rows.select(kept).cast(schema), added.cast(schema)]))
