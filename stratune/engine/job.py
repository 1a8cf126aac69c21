"""Job: what a run needs to know, as plain values, so that it travels to another process as JSON.

It names no path: where its split is stored and where its results go is the Place of the machine it runs on.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stratune.remote.address import is_remote
from stratune.result import RunResult, run_id
from stratune.version import now, versions


@dataclass(frozen=True)
class Place:
    """Where a machine keeps stored splits (data/store.py) and the runs of a comparison."""

    splits: str
    runs: str

    @classmethod
    def here(cls, out: Path) -> Place:
        """Splits in this machine's cache folder, runs in the comparison's."""
        from stratune.data.store import splits_folder

        return cls(str(splits_folder()), str(out.absolute() / "runs"))

    def split(self, job: Job) -> Path:
        return Path(self.splits) / job.split

    def run(self, name: str) -> Path:
        """The folder of a run, by its id."""
        return Path(self.runs) / name

    def result_file(self, job: Job) -> Path:
        return self.run(job.run_id) / "result.json"


@dataclass(frozen=True)
class Job:
    """One strategy on one backbone with one seed."""

    split: str  # name of the stored split
    fingerprint: str  # of the split
    strategy: dict[str, Any]  # settings, as `parse_strategy` takes them
    backbone: str | None
    seed: int
    budget: dict[str, Any]
    train: dict[str, Any]
    remote: dict[str, Any] = field(default_factory=dict)  # how a server is asked
    servers: dict[str, str] = field(default_factory=dict)  # that the user named -> variable with the key
    members: dict[str, str] = field(default_factory=dict)  # of a combination: run id -> digest of that run
    decide: dict[str, Any] = field(default_factory=dict)  # how answers are made of probabilities
    identity: dict[str, Any] = field(default_factory=dict)  # all that its numbers depend on (identity.py)

    @property
    def run_id(self) -> str:
        return run_id(self.strategy["name"], self.backbone, self.seed)

    @property
    def has_model(self) -> bool:
        """Whether a language model runs where the run does: a baseline has none, a server runs its own."""
        return self.backbone is not None and not is_remote(self.backbone)

    def settings(self) -> dict[str, Any]:
        """Every hyperparameter, written out."""
        how = {"strategy": self.strategy, "budget": self.budget, "train": self.train}
        how |= {"decide": self.decide} if self.decide else {}
        return how | ({"members": self.members} if self.members else {})

    def failed(self, error: str, fingerprint: str, trace: str | None = None) -> RunResult:
        return RunResult(
            self.strategy["name"], self.backbone, self.seed, "failed", error,
            fingerprint=fingerprint, identity=self.identity, settings=self.settings(), versions=versions(),
            date=now(), traceback=trace,
        )  # fmt: skip
