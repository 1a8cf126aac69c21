"""What is compared where nobody says what."""

from __future__ import annotations

from typing import Any

from stratune.evaluate.kinds import Kind
from stratune.target import TARGETS

# Texts that are encoded apart: the best of all strategies on some data of pairs, and far behind on other.
OF_PAIRS = ("probe+two_tower", "partial+two_tower")


# Pieces of a long text that a frozen or tuned encoder reads, and what joins them.
CHUNKS = {"way": "chunk", "window": 256, "aggregate": "auto"}
OVER_ALL = {"way": "hierarchical", "window": 256, "model": "attention"}


def long_strategies(kind: Kind) -> tuple[str | dict[str, Any], ...]:
    """Of texts that are longer than what most encoders read: all of each is read."""
    return (
        TARGETS[kind].baseline,
        "tfidf",
        {"preset": "probe", "name": "probe-head", "readout": {"long": "truncate"}},
        {"preset": "probe", "name": "probe-chunks", "readout": {"long": CHUNKS}},
        {"preset": "probe", "name": "probe-attention", "readout": {"long": OVER_ALL}},
        {"preset": "features", "name": "features-chunks", "readout": {"long": CHUNKS}},
        {"preset": "lora", "name": "lora-chunks", "readout": {"long": CHUNKS}},
    )


def default_strategies(kind: Kind, *, pairs: bool) -> tuple[str, ...]:
    """Two baselines of the kind of task, and techniques from no trained weight to all; more for pairs."""
    baselines = (TARGETS[kind].baseline, "tfidf")
    apart = OF_PAIRS if pairs else ()
    return (*baselines, "untuned", "probe", "partial", "bitfit", "lora", "full", *apart)
