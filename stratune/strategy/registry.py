"""The tables of what people ask for by name, and the decorators that fill them.

A technique is one file in this folder with one registered class; files are found by themselves, and so are
classes behind the entry point `stratune.strategies`. A class brings the presets it is known by:

    @register("bitfit", recipe=Recipe(learning_rate=1e-3))
    @dataclass(frozen=True)
    class BitFit:
        def adapt(self, net: Net) -> None: ...
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from stratune.readout.base import Readout
from stratune.readout.head import Head
from stratune.strategy.base import TUNES, Baseline, Candidate, MadeOfRuns, Tune
from stratune.train.settings import Recipe


@dataclass(frozen=True)
class Preset:
    tune: type[Tune]
    options: Mapping[str, Any]
    recipe: Recipe
    about: str
    readout: Readout = field(default_factory=Head)


PRESETS: dict[str, Preset] = {}
BASELINES: dict[str, type[Baseline]] = {}
COMBINATIONS: dict[str, type[MadeOfRuns]] = {}

_T = TypeVar("_T", bound=type)


def register(
    name: str,
    *,
    preset: str | None = None,
    recipe: Recipe | None = None,
    readout: Readout | None = None,
    about: str | None = None,
    **options: Any,
) -> Callable[[_T], _T]:
    """Make a technique known under `name`, with a preset (default: the same name) that people ask for.

    `about` is a line for `stratune list strategies` (default: the first of the class's docstring). Other
    presets of a technique: register it again under its name, `register("lora", preset="mine")(Lora)`.
    """

    def keep(cls: _T) -> _T:
        TUNES[name] = cls
        PRESETS[preset or name] = Preset(
            cls, options, recipe or Recipe(), about or _first_line(cls), readout or Head()
        )
        return cls

    return keep


def register_baseline(name: str) -> Callable[[_T], _T]:
    """Make a baseline known: a subclass of Baseline."""

    def keep(cls: _T) -> _T:
        cls.preset = name  # type: ignore[attr-defined]
        BASELINES[name] = cls
        return cls

    return keep


def register_combination(name: str) -> Callable[[_T], _T]:
    """Make known what is made of finished runs: a subclass of MadeOfRuns."""

    def keep(cls: _T) -> _T:
        COMBINATIONS[name] = cls
        return cls

    return keep


def whole(name: str) -> type[Candidate] | None:
    """The class of a baseline or a combination, which has no technique and no readout to choose."""
    return BASELINES.get(name) or COMBINATIONS.get(name)


def strategy_names() -> list[str]:
    """As a reader expects them: baselines, from few trained weights to all, what is made of their runs."""
    return [*BASELINES, *PRESETS, *COMBINATIONS]


def about(name: str) -> str:
    """A preset, in a line."""
    cls = whole(name)
    return _first_line(cls) if cls is not None else PRESETS[name].about


def _first_line(cls: type) -> str:
    return (cls.__doc__ or "").strip().splitlines()[0]
