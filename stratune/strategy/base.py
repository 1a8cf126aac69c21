"""A strategy is two answers: which weights learn (`tune`), and where the answer is read (`readout`).

A technique is one file in this folder with one registered class; files are found by themselves, and so are
classes behind the entry point `stratune.strategies`. A class brings the presets it is known by:

    @register("bitfit", recipe=Recipe(learning_rate=1e-3))
    @dataclass(frozen=True)
    class BitFit:
        def adapt(self, net: Net) -> None: ...
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeVar

import numpy as np

from stratune.errors import ConfigError, choices
from stratune.longtext.options import LongText
from stratune.model.baseline import Examples, FittedBaseline
from stratune.options import build, typed
from stratune.readout.generate import Generate
from stratune.readout.head import Head
from stratune.readout.words import Words
from stratune.train.settings import Recipe

if TYPE_CHECKING:
    from stratune.predictor.predictor import Predictor
    from stratune.result import RunResult

    Gain = Callable[[RunResult], float]  # validation metric, higher is better
    Load = Callable[[RunResult], Predictor]
    from numpy.typing import NDArray

    from stratune.task import Task

    Rows = Sequence[str]
    Predictions = NDArray[np.float64]  # (N, C): probabilities of the labels, or values
    from stratune.net.net import Net


class Tune(Protocol):
    """What learns. `adapt` gets a net whose backbone is frozen whole and whose head learns; it only
    unfreezes, swaps or wraps.
    """

    __dataclass_fields__: ClassVar[dict[str, Any]]

    def adapt(self, net: Net) -> None: ...


@dataclass(frozen=True)
class Strategy:
    name: str
    tune: Tune
    readout: Head | Words = field(default_factory=Head)
    recipe: Recipe = field(default_factory=Recipe)

    @property
    def trains(self) -> bool:
        """A technique that trains nothing says so with `trains = False` (`learns`, its name up to 0.6)."""
        return bool(getattr(self.tune, "trains", getattr(self.tune, "learns", True)))

    def settings(self) -> dict[str, Any]:
        """Its options written out, as config.yaml and result.json keep it. `parse_strategy` reads it back."""
        return {
            "name": self.name,
            "tune": tune_name(self.tune),
            **dataclasses.asdict(self.tune),
            "readout": {"kind": self.readout.kind, **dataclasses.asdict(self.readout)},
            **dataclasses.asdict(self.recipe),
        }


@dataclass(frozen=True)
class Preset:
    tune: type[Tune]
    options: Mapping[str, Any]
    recipe: Recipe
    about: str
    readout: Head | Words = field(default_factory=Head)


READOUTS: dict[str, type[Head | Words]] = {"head": Head, "words": Words, "generate": Generate}
TUNES: dict[str, type[Tune]] = {}
PRESETS: dict[str, Preset] = {}
BASELINES: dict[str, type[Baseline]] = {}
COMBINATIONS: dict[str, type[Combination]] = {}

_T = TypeVar("_T", bound=type)


def register(
    name: str, *, preset: str | None = None, recipe: Recipe | None = None, **options: Any
) -> Callable[[_T], _T]:
    """Make a technique known under `name`, with a preset (default: the same name) that people ask for."""

    def keep(cls: _T) -> _T:
        TUNES[name] = cls
        about = (cls.__doc__ or "").strip().splitlines()[0]
        PRESETS[preset or name] = Preset(cls, options, recipe or Recipe(), about)
        return cls

    return keep


def register_baseline(name: str) -> Callable[[_T], _T]:
    """Make a floor known: a strategy that is not a language model."""

    def keep(cls: _T) -> _T:
        BASELINES[name] = cls
        return cls

    return keep


def register_combination(name: str) -> Callable[[_T], _T]:
    """Make known what is made of finished runs."""

    def keep(cls: _T) -> _T:
        COMBINATIONS[name] = cls
        return cls

    return keep


def tune_name(tune: Tune) -> str:
    return next(name for name, cls in TUNES.items() if cls is type(tune))


def strategy_names() -> list[str]:
    """In the order a reader expects: floors, from few trained weights to all, what is made of their runs."""
    return [*BASELINES, *PRESETS, *COMBINATIONS]


def about(name: str) -> str:
    if name in PRESETS:
        return PRESETS[name].about
    cls: type = BASELINES[name] if name in BASELINES else COMBINATIONS[name]
    return (cls.__doc__ or "").strip().splitlines()[0]


def parse_strategy(
    spec: str | Mapping[str, Any] | Strategy | Baseline | Combination,
) -> Strategy | Baseline | Combination:
    """A preset's name; or a mapping with `preset` or `tune`, and any option of technique, recipe or readout.

    `{"preset": "lora", "rank": 32, "learning_rate": 5e-4, "readout": {"pool": "first"}, "name": "lora-32"}`;
    `lora+words` is the preset with another readout.
    Raises ConfigError naming what could have been meant.
    """
    if isinstance(spec, str):
        spec = {"preset": spec}
    if not isinstance(spec, Mapping):
        return spec
    options = dict(spec)
    name, tune = options.pop("name", None), options.pop("tune", None)
    preset = options.pop("preset", None) or (None if tune else name)
    if preset is not None and "+" in preset:
        name, (preset, kind) = name or preset, preset.split("+", 1)
        options["readout"] = {"kind": kind, **_as_mapping(options.get("readout", {}))}
    if preset is None and tune is None:
        raise ConfigError("a strategy needs a `preset` or a `tune`", key="strategies")
    if preset in BASELINES or preset in COMBINATIONS:
        named = {**options, **({"name": name} if name else {})}
        cls: type = BASELINES[preset] if preset in BASELINES else COMBINATIONS[preset]
        made: Baseline | Combination = build(cls, named, key=f"strategies.{preset}")
        return made
    if preset is not None and preset.startswith("peft:"):
        return _from_peft(name, preset, options)
    if preset is not None and preset not in PRESETS:
        raise ConfigError(choices(preset, strategy_names()), key="strategies")
    if tune is not None and tune not in TUNES:
        raise ConfigError(choices(tune, TUNES), key="strategies.tune")
    return _from_options(str(name or preset or tune), preset, tune, options)


def _from_options(name: str, preset: str | None, tune: str | None, options: dict[str, Any]) -> Strategy:
    key = f"strategies.{name}"
    base = PRESETS[preset] if preset else next(p for p in PRESETS.values() if p.tune is TUNES[str(tune)])
    cls = TUNES[tune] if tune else base.tune
    readout = _readout(options.pop("readout", {}), base.readout, key)
    recipe_names = {f.name for f in dataclasses.fields(Recipe)}
    recipe_options = {k: options.pop(k) for k in list(options) if k in recipe_names}
    options = {**(base.options if cls is base.tune else {}), **options}
    tune_made: Tune = build(cls, options, key=key, also=(*recipe_names, "name", "readout"))
    recipe = dataclasses.replace(base.recipe, **typed(Recipe, recipe_options, key=key))
    return Strategy(name, tune_made, readout, recipe)


def _from_peft(name: str | None, preset: str, options: dict[str, Any]) -> Strategy:
    """`peft:<method>`: what is not an option of ours is one of peft's."""
    ours = {f.name for cls in (Recipe, TUNES["peft"]) for f in dataclasses.fields(cls)} | {"readout"}
    theirs = {key: options.pop(key) for key in list(options) if key not in ours}
    theirs |= options.pop("options", {})
    made = {**options, "method": preset.removeprefix("peft:"), "options": theirs}
    return _from_options(name or preset, None, "peft", made)


def _as_mapping(options: str | Mapping[str, Any], key: str = "kind") -> Mapping[str, Any]:
    return {key: options} if isinstance(options, str) else options


def _readout(options: str | Mapping[str, Any], preset: Head | Words, key: str) -> Head | Words:
    """The preset's readout with what is asked for changed; `head` and the ways to ask share no option."""
    given = dict(_as_mapping(options))
    kind = given.pop("kind", preset.kind)
    if kind not in READOUTS:
        raise ConfigError(choices(kind, READOUTS), key=f"{key}.readout")
    # Between ways to ask, what both have an option for stays.
    asks = preset.language_model and READOUTS[kind].language_model
    shared = {f.name for f in dataclasses.fields(READOUTS[kind])} if asks or kind == preset.kind else set()
    own = {name: value for name, value in dataclasses.asdict(preset).items() if name in shared}
    if "long" in given:
        long = _as_mapping(given["long"], "way")
        given["long"] = build(LongText, {**own.get("long", {}), **long}, key=f"{key}.readout.long")
    made: Head | Words = build(READOUTS[kind], {**own, **given}, key=f"{key}.readout", also=("kind",))
    return made


class Baseline(Protocol):
    """Hyperparameters of a floor. `fit` learns from train; validation may choose, test is never seen.

    Raises UnsupportedError for a kind of task that it cannot do.
    """

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def name(self) -> str: ...

    def settings(self) -> dict[str, Any]: ...

    def fit(self, train: Examples, val: Examples, task: Task, seed: int) -> FittedBaseline: ...

    def restore(
        self, task: Task, arrays: Mapping[str, NDArray[Any]], state: Mapping[str, Any]
    ) -> FittedBaseline: ...


@dataclass(frozen=True)
class Combination:
    """What all have: a name, and the strategies whose runs they may take (none named: any)."""

    name: str = ""
    of: tuple[str, ...] = ()

    kind: ClassVar[str]  # the preset's name
    within_backbone: ClassVar[bool]  # one row for each backbone, made of its runs alone

    def settings(self) -> dict[str, Any]:
        options = {f.name: getattr(self, f.name) for f in dataclasses.fields(self) if f.name != "name"}
        return {"name": self.name, "preset": self.kind, **options, "of": list(self.of)}

    def check(self, seeds: int) -> None:
        """Raises ConfigError when a comparison with so many seeds could never have the runs it needs."""

    def choose(self, runs: Sequence[RunResult], gain: Gain) -> list[RunResult]:
        """The members, of the finished `runs`; by validation alone."""
        raise NotImplementedError

    def combine(self, members: Sequence[RunResult], load: Load) -> Predictor:
        """`load` reads a member's model folder."""
        raise NotImplementedError

    def costs(self, members: Sequence[RunResult], cost: str) -> int:
        """A count of parameters, out of those of the members."""
        raise NotImplementedError

    def _asked(self, runs: Sequence[RunResult]) -> list[RunResult]:
        return [run for run in runs if not self.of or run.strategy in self.of]
