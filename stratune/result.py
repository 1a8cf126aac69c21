"""RunResult: what one strategy on one backbone with one seed gave, what it cost, or why it failed."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from stratune.errors import ArtifactError, reason
from stratune.files import read_json, sha256, write_json
from stratune.printable import middle_cut


@dataclass
class RunResult:
    """`runs/<strategy>@<backbone>#<seed>/result.json`. Costs are measured; a failed run has them as None."""

    strategy: str
    backbone: str | None  # None for baselines, which use no language model
    seed: int
    status: Literal["ok", "failed"] = "ok"
    error: str | None = None
    val: dict[str, float] = field(
        default_factory=dict
    )  # metric name -> value on validation, at the best checkpoint
    test: dict[str, float] = field(default_factory=dict)
    trainable_params: int | None = None
    total_params: int | None = None
    examples_seen: int | None = None  # rows shown to the optimiser, all epochs
    best_epoch: float | None = None
    train_seconds: float | None = None  # validation apart, caching of frozen activations included
    train_rows_per_second: float | None = None
    predict_rows_per_second: float | None = None  # the test part, tokenising included
    peak_bytes: int | None = None
    artifact_bytes: int | None = None
    processes: int = 1  # that trained together
    threads: int | None = None  # torch's, on the CPU: sums in another order differ in their last bits
    precision: str | None = None  # bfloat16, float16 or float32: what the forward pass computed in
    tokens_cut: int | None = None  # tokens of the test part that did not fit
    invalid: float | None = None  # share of the test part answered with what is no label; None: cannot happen
    # Of a prompted model: the probability of all labels' words together, in the median row of the test part
    label_mass: float | None = None
    certain: bool = False  # whether answers are one label for certain: metrics of probabilities are left out
    trials: int | None = None  # prompts that were tried on validation
    floor: bool = False  # answers that have nothing to do with the text
    tried: dict[str, int] = field(default_factory=dict)  # what validation chose one of: settings, checkpoints
    price: float | None = None  # what a server's answers cost, in the currency of the price given
    notes: list[str] = field(default_factory=list)  # what the user should know of this run
    fingerprint: str = ""  # of the split
    identity: dict[str, Any] = field(default_factory=dict)  # all that the numbers depend on (identity.py)
    settings: dict[str, Any] = field(default_factory=dict)  # every hyperparameter, written out
    versions: dict[str, str] = field(default_factory=dict)
    machine: dict[str, str] = field(default_factory=dict)  # system, processor, cores, GPU
    date: str = ""  # when it ended, UTC: 2026-11-26T20:28:29Z
    files: dict[str, str] = field(default_factory=dict)  # of the run's folder -> sha256
    traceback: str | None = None  # of an error that stratune did not foresee

    @property
    def run_id(self) -> str:
        return run_id(self.strategy, self.backbone, self.seed)

    @property
    def digest(self) -> str:
        """Of its files: tells its model from one that is trained later."""
        return sha256(json.dumps(sorted(self.files.items())))

    def save(self, path: str | Path) -> None:
        write_json(path, asdict(self))

    @classmethod
    def load(cls, path: str | Path) -> RunResult:
        """Raises ArtifactError for what is no result: cut short, of a later version, or with a wrong type."""
        try:
            found = read_json(path)
        except (OSError, ValueError, RecursionError) as error:
            raise ArtifactError(f"{path}: cannot be read ({reason(error)})") from error
        types = get_type_hints(cls)
        if not isinstance(found, dict):
            raise ArtifactError(f"{path}: expected a mapping, found {type(found).__name__}")
        for name, value in found.items():
            if name not in types:
                raise ArtifactError(f"{path}: has the field {name!r}, which this stratune does not know")
            if not _is_a(value, types[name]):
                raise ArtifactError(f"{path}: {name} is {middle_cut(repr(value), 60)}")
        if missing := {"strategy", "backbone", "seed"} - found.keys():
            raise ArtifactError(f"{path}: has no {min(missing)!r}")
        return cls(**found)


def _is_a(value: Any, kind: Any) -> bool:
    """Whether a JSON value is of an annotated type; what is in a list or mapping is not looked at."""
    if get_origin(kind) is Literal:
        return value in get_args(kind)
    if get_origin(kind) in (Union, UnionType):
        return any(_is_a(value, one) for one in get_args(kind))
    if kind is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if kind is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, get_origin(kind) or kind)


def run_id(strategy: str, backbone: str | None, seed: int) -> str:
    """The run's folder name, `lora@minilm#0` (`tfidf@none#0` of a baseline).

    Characters that no file system takes in a name become `--`.
    """
    names = (re.sub(r"[/\\:\x00-\x1f]+", "--", name.strip("/")) for name in (strategy, backbone or "none"))
    return f"{'@'.join(names)}#{seed}"
