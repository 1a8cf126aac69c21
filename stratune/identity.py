"""Identity: all that the numbers of a run depend on, in one place.

Two runs with the same identity are the same run: its result is taken as done. The part that all rows of one
leaderboard have in common (`shared_by`) says which runs may be ranked together.
"""

from __future__ import annotations

import importlib.metadata
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from types import MappingProxyType
from typing import Any

from stratune.files import sha256
from stratune.version import PACKAGES, versions

NUMBERS = 12  # raised when the same settings give other numbers than before
# How trials are found (train/searches.py), and its version. `tpe`: numbers depend on optuna's version, too.
SEARCHES = {"random": "random 1", "halving": "halving 1", "tpe": "tpe 1"}
ASKING = 2  # raised when servers are asked the same in another way
ANSWERING = ("extra", "tokenizer", "thought", "dimensions", "way")
_WHERE_THERE = ("asked", "ratings")
# Of the settings of training: what moves no number.
_HOW_ONLY = ("checkpoint_seconds", "track")


@dataclass(frozen=True)
class Identity:
    """`data`: the split's fingerprint. `weights`: a digest of the backbone's files, or its hub commit."""

    data: str
    task: dict[str, Any]  # kind, labels in their order, columns, metric
    budget: dict[str, Any]
    train: dict[str, Any]
    strategy: dict[str, Any]
    backbone: str | None
    weights: str | None
    seed: int
    decide: dict[str, Any] = field(default_factory=dict)  # how answers are made of probabilities
    members: dict[str, str] = field(default_factory=dict)  # of a combination: run id -> digest of that run
    asked: dict[str, Any] = field(default_factory=dict)  # of a server: `asked_by`
    ratings: str = ""  # of what learns soft labels: a digest of these (data/soft_labels.py)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values; settings that move no number are left out."""
        found = {key: value for key, value in asdict(self).items() if key not in _WHERE_THERE or value}
        if not self.strategy.get("soft_labels"):  # what there was before 0.17
            found["strategy"] = {key: value for key, value in self.strategy.items() if key != "soft_labels"}
        shared = shared_by(self.data, self.task, self.budget, self.train, self.decide)
        own = {key: value for key, value in found.items() if key not in shared}
        return shared | _plain(own)

    def digest(self) -> str:
        return digest(self.to_dict())


def asked_by(remote: Mapping[str, Any]) -> dict[str, Any]:
    """What of the section `remote` a server's answers depend on, and how prompts are put to servers."""
    changed = {key: value for key, value in remote.items() if key in ANSWERING and value}
    return {"asking": ASKING, **changed}


def shared_by(
    data: str,
    task: Mapping[str, Any],
    budget: Mapping[str, Any],
    train: Mapping[str, Any],
    decide: Mapping[str, Any] = MappingProxyType({}),
) -> dict[str, Any]:
    """What all rows of a leaderboard have in common."""
    moving = {key: value for key, value in train.items() if key not in _HOW_ONLY}
    if moving.get("weights") == "auto":  # as they are stored: what there was before 0.15
        del moving["weights"]
    versions = numbers_of()
    found = {"data": data, "task": task, "budget": _tried(budget), "train": moving, "decide": dict(decide)}
    return _plain(found | {"versions": versions})


def _tried(budget: Mapping[str, Any]) -> dict[str, Any]:
    """One trial is what there was before 0.10; of several the numbers depend on how settings are drawn."""
    minutes = budget.get("minutes")
    kept = {key: value for key, value in budget.items() if key not in ("trials", "search", "minutes")}
    if budget.get("trials", 1) == 1 and minutes is None:
        return kept
    kept |= {} if minutes is None else {"minutes": minutes}
    search = SEARCHES[budget.get("search", "random")]
    if search.startswith("tpe"):
        search += f", optuna {importlib.metadata.version('optuna')}"
    return {**kept, "trials": budget["trials"], "sampler": search}


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """As JSON reads them back: lists for tuples."""
    plain: dict[str, Any] = json.loads(json.dumps(values))
    return plain


def digest(identity: Mapping[str, Any]) -> str:
    return sha256(json.dumps(identity, sort_keys=True))


def numbers_of() -> dict[str, str]:
    """Versions that numbers depend on: of a library its major and minor one."""
    found = versions()
    libraries = {name: ".".join(found[name].split(".")[:2]) for name in PACKAGES if name in found}
    return {"stratune": str(NUMBERS), **libraries}


def difference(found: Mapping[str, Any], wanted: Mapping[str, Any], path: str = "") -> str | None:
    """The first thing in `wanted` that is another in `found`: `budget.epochs is 1.0, not 6.0`; None: none."""
    for key, value in wanted.items():
        here, other = f"{path}{key}", found.get(key)
        if other == value:
            continue
        if isinstance(value, Mapping) and isinstance(other, Mapping):
            more = next(name for name in [*other, ""] if name not in value)
            extra = f"{here}.{more} is {_shown(other.get(more))}, not given"
            return difference(other, value, f"{here}.") or (
                extra if here == "budget" else f"{here} has more keys"
            )
        if here == "data":
            return "it was made on another split"
        return f"{here} is {_shown(other)}, not {_shown(value)}"
    return None


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}..."
