"""What is compared where nobody says what."""

from __future__ import annotations

from stratune.evaluate.kinds import Kind
from stratune.target import TARGETS


def default_strategies(kind: Kind) -> tuple[str, ...]:
    """For a kind of task: two baselines, and techniques from no trained weight to all."""
    baselines = (TARGETS[kind].baseline, "tfidf")
    return (*baselines, "untuned", "probe", "partial", "bitfit", "lora", "full")
