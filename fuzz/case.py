"""A case: one command on damaged input, in a folder of its own. A kind makes cases from seeds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Protocol


@dataclass(frozen=True)
class Case:
    """What is run. `call`: what stands in for the command line where that would be slow."""

    command: tuple[str, ...]
    codes: tuple[int, ...] = (0, 2)  # exit codes that are right here
    call: Callable[[], object] | None = None
    engine: str = "refusing"  # what does the runs of a comparison: see `worker.py`


class Kind(Protocol):
    """`make(random, folder, base)` writes the damaged input of one case into `folder`, which is empty and the
    working folder of the command. `base`: sound material (material.py), which a case copies or reads.
    """

    def __call__(self, random: Random, folder: Path, base: Path) -> Case: ...


def random_of(kind: str, seed: int) -> Random:
    return Random(f"{kind}:{seed}")
