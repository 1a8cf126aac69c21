"""A run that engines are given."""

from __future__ import annotations

from pathlib import Path

from stratune.data.store import store_split
from stratune.engine.job import Job
from stratune.strategy import parse_strategy
from stratune.testing import toy_split


def toy_job(backbone: Path, epochs: float) -> Job:
    split = toy_split()
    return Job(
        split=store_split(split).name,
        fingerprint=split.fingerprint,
        strategy=parse_strategy("partial").settings(),
        backbone=str(backbone),
        seed=0,
        budget={"epochs": epochs},
        train={"precision": "float32", "patience": 1000},
    )
