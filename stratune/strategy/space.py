"""What a candidate may try in the trials of its budget, and the candidate with the settings of one."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterator
from typing import Any

from stratune.options import set_key
from stratune.strategy.base import Baseline, Candidate, Combination, Distillation, Strategy
from stratune.strategy.parse import parse_strategy
from stratune.strategy.registry import PRESETS, Preset
from stratune.train.space import Dimension, Settings, Space, plain


def space_of(candidate: Candidate, but: Collection[str] = ()) -> tuple[Space, Settings]:
    """The options worth a trial, with the candidate's own values; none where there is nothing to choose.

    Values that are not relative to the own one are tried only in the place of a default: a rank that the user
    set stays. Nor are the options in `but`, and those that a technique names as `not_tried`.
    """
    declared = candidate.fitted_by(_Declared())
    not_tried = {*but, *getattr(getattr(candidate, "tune", None), "not_tried", ())}
    space = {
        option: dimension
        for option, dimension, own, usual in declared
        if option not in not_tried
        and dimension.is_open(own)
        and (dimension.relative or plain(own) in map(plain, usual))
    }
    return space, {option: plain(own) for option, _, own, _ in declared if option in space}


def with_settings(candidate: Candidate, settings: Settings) -> Candidate:
    """Raises ConfigError for values that its options do not take."""
    fields = plain(candidate.settings())
    for option, value in settings.items():
        set_key(fields, option, value)
    return parse_strategy(fields)


Declared = tuple[str, Dimension, Any, list[Any]]  # option, values to try, own value, default values


class _Declared:
    """By the kind of candidate (base.Fitter)."""

    def strategy(self, strategy: Strategy) -> list[Declared]:
        return list(_of_strategy(strategy))

    def baseline(self, baseline: Baseline) -> list[Declared]:
        space: Space = type(baseline).space
        usual = type(baseline)() if space else baseline
        return [(name, one, getattr(baseline, name), [getattr(usual, name)]) for name, one in space.items()]

    def combination(self, combination: Combination) -> list[Declared]:
        return []

    def distillation(self, distillation: Distillation) -> list[Declared]:
        return []  # every trial would ask the teachers again


def _of_strategy(strategy: Strategy) -> Iterator[Declared]:
    """What nothing is trained with is not tried where nothing is trained."""
    tune, readout, recipe = strategy.tune, strategy.readout, strategy.recipe
    presets = [preset for preset in PRESETS.values() if preset.tune is type(tune)]
    space: Space = getattr(type(tune), "space", {})
    for option, one in space.items():
        yield option, one, getattr(tune, option), [_option(preset, option) for preset in presets]
    if strategy.trains or readout.language_model:
        listed = getattr(readout, "tries", ())  # which the fit itself chooses among
        for option, one in type(readout).space.items():
            usual = [getattr(preset.readout, option, None) for preset in presets]
            usual += [_default(type(readout), option)]
            if option not in listed:
                yield f"readout.{option}", one, getattr(readout, option), usual
    if strategy.trains:
        for option, one in type(recipe).space.items():
            yield option, one, getattr(recipe, option), [getattr(preset.recipe, option) for preset in presets]


def _option(preset: Preset, option: str) -> Any:
    return preset.options[option] if option in preset.options else _default(preset.tune, option)


def _default(cls: Any, option: str) -> Any:
    return next(field.default for field in dataclasses.fields(cls) if field.name == option)
