"""What is compared where nobody says what."""

from __future__ import annotations

from stratune.evaluate.kinds import Kind
from stratune.target import TARGETS

# Texts that are encoded apart: the best of all strategies on some data of pairs, and far behind on other.
OF_PAIRS = ("probe+two_tower", "partial+two_tower")


def default_strategies(kind: Kind, *, pairs: bool) -> tuple[str, ...]:
    """Two baselines of the kind of task, and techniques from no trained weight to all; more for pairs."""
    baselines = (TARGETS[kind].baseline, "tfidf")
    apart = OF_PAIRS if pairs else ()
    return (*baselines, "untuned", "probe", "partial", "bitfit", "lora", "full", *apart)
