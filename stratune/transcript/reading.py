"""How transcripts are read into texts, as a model folder keeps it: others are read alike when it is asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields, replace
from typing import Any

from stratune.errors import ConfigError, choices
from stratune.transcript.steps import Spec
from stratune.transcript.texts import Texts

OF_TRAINING = (
    "labels",
    "keep",
    "ratings",
    "min_words",
)  # which texts it was trained on, not how they are read


def reading_of(options: Texts, steps: Sequence[Spec]) -> dict[str, Any]:
    """For JSON. `steps`: those of cleaning, with what they found in the training documents written out."""
    found = asdict(replace(options, clean=tuple(steps)))
    return {name: value for name, value in found.items() if name not in OF_TRAINING}


def parse_reading(kept: Mapping[str, Any]) -> Texts:
    """Raises ConfigError for what no version has written."""
    known = [field.name for field in fields(Texts) if field.name not in OF_TRAINING]
    for name in kept:
        if name not in known:
            raise ConfigError(choices(name, known), key="transcripts")
    return Texts(**kept)
