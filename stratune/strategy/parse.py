"""parse_strategy: a preset's name, or a mapping of options -> a strategy, a baseline or a combination."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from stratune.errors import ConfigError, choices
from stratune.longtext.options import LongText
from stratune.options import build, shown, typed
from stratune.readout import READOUTS
from stratune.readout.base import Readout
from stratune.strategy.base import TUNES, Candidate, Strategy, Tune
from stratune.strategy.registry import PRESETS, strategy_names, whole
from stratune.train.settings import Recipe

SOFT = "soft:"
_FLAGS = {"yes": True, "no": False, "on": True, "off": False}  # of what peft does not check


def parse_strategy(spec: str | Mapping[str, Any] | Candidate) -> Candidate:
    """A preset's name; or a mapping with `preset` or `tune`, and any option of technique, recipe or readout.

    `{"preset": "lora", "rank": 32, "learning_rate": 5e-4, "readout": {"pool": "first"}, "name": "lora-32"}`;
    `lora+words` is the preset with another readout, `soft:lora` learns the shares of the raters.
    Raises ConfigError naming what could have been meant.
    """
    if isinstance(spec, str):
        spec = {"preset": spec}
    if not isinstance(spec, Mapping):
        return spec
    options = {str(key): value for key, value in spec.items()}
    name, tune = _text(options, "name"), _text(options, "tune")
    preset = _text(options, "preset") or (None if tune else name)
    if preset is not None and preset.startswith(SOFT):
        name, preset = name or preset, preset.removeprefix(SOFT)
        options["soft_labels"] = True
    if preset is not None and "+" in preset:
        name, (preset, kind) = name or preset, preset.split("+", 1)
        options["readout"] = {"kind": kind, **_as_mapping(options.get("readout", {}))}
    if preset is None and tune is None:
        raise ConfigError("a strategy needs a `preset` or a `tune`", key="strategies")
    if preset is not None and (cls := whole(preset)) is not None:
        named = {**options, **({"name": name} if name else {})}
        if "soft_labels" in options and "soft_labels" not in {f.name for f in dataclasses.fields(cls)}:
            why = "it learns no soft labels; majority, tfidf, and what trains or solves a head can"
            raise ConfigError(why, key=f"strategies.{preset}")
        made: Candidate = build(cls, named, key=f"strategies.{preset}")
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
    soft = typed(Strategy, {"soft_labels": options.pop("soft_labels", False)}, key=key)
    options = {**(base.options if cls is base.tune else {}), **options}
    if recipe_options and "solved" in {f.name for f in dataclasses.fields(cls)}:  # it is to be trained, so
        options = {"solved": False, **options}
    tune_made: Tune = build(cls, options, key=key, also=(*recipe_names, "name", "readout", "soft_labels"))
    recipe = dataclasses.replace(base.recipe, **typed(Recipe, recipe_options, key=key))
    made = Strategy(name, tune_made, readout, recipe, **soft)
    learns = (made.trains or made.solved) and getattr(cls, "reads_labels", True)
    if made.soft_labels and not learns:
        raise ConfigError("it learns no labels, so no soft labels either", key=f"{key}.soft_labels")
    if recipe_options and made.solved and not made.trains:
        given = next(iter(recipe_options))
        why = "its head is solved, not trained in steps: leave this option out, or `solved: true`"
        raise ConfigError(why, key=f"{key}.{given}")
    return made


def _from_peft(name: str | None, preset: str, options: dict[str, Any]) -> Strategy:
    """`peft:<method>`: what is not an option of ours is one of peft's."""
    ours = {f.name for cls in (Recipe, TUNES["peft"]) for f in dataclasses.fields(cls)}
    ours |= {"readout", "soft_labels"}
    theirs = {key: options.pop(key) for key in list(options) if key not in ours}
    theirs |= _as_mapping(options.pop("options", {}), "options")
    theirs = {
        key: _FLAGS.get(value, value) if isinstance(value, str) else value for key, value in theirs.items()
    }
    made = {**options, "method": preset.removeprefix("peft:"), "options": theirs}
    return _from_options(name or preset, None, "peft", made)


def _text(options: dict[str, Any], key: str) -> str | None:
    """Taken out of the options. Raises ConfigError for what is no text."""
    value = options.pop(key, None)
    if value is not None and not isinstance(value, str):
        raise ConfigError(f"{shown(value)} is no text", key=f"strategies.{key}")
    return value


def _as_mapping(options: Any, key: str = "kind") -> Mapping[str, Any]:
    if isinstance(options, Mapping):
        return options
    if not isinstance(options, str):
        raise ConfigError(f"{shown(options)} is neither a {key} nor a mapping of options", key="strategies")
    return {key: options}


def _readout(options: str | Mapping[str, Any], preset: Readout, key: str) -> Readout:
    """The preset's readout with what is asked for changed."""
    given = dict(_as_mapping(options))
    kind = given.pop("kind", preset.kind)
    if kind not in READOUTS:
        raise ConfigError(choices(kind, READOUTS), key=f"{key}.readout")
    cls = READOUTS[kind]
    own = preset.shared_with(cls)
    if "long" in given:
        long = _as_mapping(given["long"], "way")
        given["long"] = build(LongText, {**own.get("long", {}), **long}, key=f"{key}.readout.long")
    made: Readout = build(cls, {**own, **given}, key=f"{key}.readout", also=("kind",))
    return made
