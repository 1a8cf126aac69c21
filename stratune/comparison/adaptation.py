"""A backbone adapted to the texts of a comparison: those that it would train on, and those without labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from stratune.comparison.source import read_split
from stratune.config import Config
from stratune.errors import ConfigError
from stratune.fitting.adapting import RECIPE, Adapted, adapt, check_new, texts_of
from stratune.watch import SILENT, Progress


def adapted_backbone(
    config: Config,
    out: Path,
    *,
    learning_rate: float | None = None,
    batch_size: int | None = None,
    rows: Mapping[str, Any] | None = None,
    progress: Progress = SILENT,
) -> Adapted:
    """The configuration's one backbone, written to `out`. `rows`: parts in memory, in place of files.

    Raises ConfigError for several backbones, or an `out` that is there; DataError, BackboneError and
    TrainingError.
    """
    check_new(out)
    if len(config.backbones) > 1:
        raise ConfigError(f"one at a time; found {', '.join(config.backbones)}", key="backbones")
    given: dict[str, Any] = {"learning_rate": learning_rate, "batch_size": batch_size}
    recipe = replace(RECIPE, **{key: value for key, value in given.items() if value is not None})
    train, held_out = texts_of(read_split(config, rows)[0])
    epochs, settings = config.budget.epochs, config.train
    return adapt(
        config.backbones[0],
        train,
        held_out,
        out,
        recipe=recipe,
        epochs=epochs,
        settings=settings,
        progress=progress,
    )
