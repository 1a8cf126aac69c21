"""What every tracker can do: open a run, write numbers, settings and files into it, and end it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

Plain = bool | int | float | str
PROJECT = "stratune"  # where the user's environment names none


@dataclass(frozen=True)
class About:
    """Of a run of a comparison, or of the comparison itself, whose `run` is empty."""

    comparison: str  # the name of its folder
    run: str  # lora@minilm#0
    tags: Mapping[str, str]

    @property
    def name(self) -> str:
        return self.run or self.comparison


class Run(Protocol):
    @property
    def id(self) -> str:
        """By which it is found again, also by another process."""

    def numbers(self, values: Mapping[str, float], step: int | None = None) -> None:
        """Without a step: what the run came to."""

    def settings(self, values: Mapping[str, Plain]) -> None:
        """Once in a run."""

    def says(self, text: str) -> None:
        """What it came to, in words, in the place of what it said before."""

    def files(self, paths: Sequence[Path]) -> None: ...

    def close(self, *, failed: bool = False) -> None: ...


class Tracker(Protocol):
    def open(self, about: About, *, parent: str | None, known: str | None) -> Run:
        """A new run, or the one of id `known`. `parent`: the comparison's id; None for itself."""


def flat(settings: Mapping[str, object], prefix: str = "") -> dict[str, Plain]:
    """Mappings within mappings as names with dots: trackers take plain values alone."""
    found: dict[str, Plain] = {}
    for key, value in settings.items():
        if isinstance(value, Mapping):
            found |= flat(value, f"{prefix}{key}.")
        else:
            found[prefix + key] = value if isinstance(value, (bool, int, float, str)) else str(value)
    return found
