"""Job: what a run needs to know, as plain values, so that it travels to another process as JSON."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stratune.result import RunResult, run_id
from stratune.version import versions


@dataclass(frozen=True)
class Job:
    """One strategy on one backbone with one seed, and where its split and its results are."""

    out: str  # the comparison folder
    split: str  # folder of the stored split
    fingerprint: str  # of the split
    strategy: dict[str, Any]  # settings, as `parse_strategy` takes them
    backbone: str | None
    seed: int
    budget: dict[str, Any]
    train: dict[str, Any]
    remote: dict[str, Any] = field(default_factory=dict)  # how a server is asked; changes no number
    members: dict[str, str] = field(default_factory=dict)  # of a combination: run id -> digest of that run

    @property
    def run_id(self) -> str:
        return run_id(self.strategy["name"], self.backbone, self.seed)

    @property
    def folder(self) -> Path:
        return Path(self.out) / "runs" / self.run_id

    def settings(self) -> dict[str, Any]:
        """What makes two runs the same run."""
        how = {"strategy": self.strategy, "budget": self.budget, "train": self.train}
        return how | ({"members": self.members} if self.members else {})

    def failed(self, error: str, fingerprint: str, trace: str | None = None) -> RunResult:
        return RunResult(
            self.strategy["name"], self.backbone, self.seed, "failed", error,
            fingerprint=fingerprint, settings=self.settings(), versions=versions(), traceback=trace,
        )  # fmt: skip
