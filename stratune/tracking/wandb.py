"""Weights & Biases: runs grouped by the comparison, in the project that WANDB_PROJECT names."""

from __future__ import annotations

import contextlib
import netrc
import os
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from stratune.errors import ConfigError
from stratune.tracking.base import PROJECT, About, Plain

AT = "step"  # the axis of what has a step


def check_key() -> None:
    """Raises ConfigError where it would ask for a key on the terminal. Imports nothing of it."""
    offline = os.environ.get("WANDB_MODE", "online") in ("offline", "disabled", "dryrun")
    if not (offline or _has_key()):
        why = "wandb has no key: `wandb login`, or WANDB_API_KEY, or WANDB_MODE=offline"
        raise ConfigError(why, key="train.track")


class WandB:
    def __init__(self, out: Path) -> None:
        os.environ.setdefault("WANDB_ERROR_REPORTING", "false")  # before it is imported
        import wandb

        self.wandb: Any = wandb

    def open(self, about: About, *, parent: str | None, known: str | None) -> _Run:
        made = self.wandb.init(
            project=os.environ.get("WANDB_PROJECT", PROJECT),
            name=about.name,
            group=about.comparison,
            job_type="run" if about.run else "comparison",
            id=known or uuid.uuid4().hex[:12],
            resume="allow",
            reinit="create_new",
            config={"tags": dict(about.tags)},
            settings=self.wandb.Settings(silent=True, console="off"),
        )
        if known is None:
            made.define_metric("*", step_metric=AT)
        return _Run(self.wandb, made)


class _Run:
    def __init__(self, wandb: Any, run: Any) -> None:
        self.wandb, self.run = wandb, run

    @property
    def id(self) -> str:
        return str(self.run.id)

    def numbers(self, values: Mapping[str, float], step: int | None = None) -> None:
        if step is None:
            self.run.summary.update(dict(values))
        else:
            self.run.log({**values, AT: step})

    def settings(self, values: Mapping[str, Plain]) -> None:
        self.run.config.update(dict(values), allow_val_change=True)

    def says(self, text: str) -> None:
        self.run.notes = text

    def files(self, paths: Sequence[Path]) -> None:
        found = self.wandb.Artifact(f"{self.run.id}-report", type="report")
        for path in paths:
            if path.is_dir():
                found.add_dir(str(path), name=path.name)
            else:
                found.add_file(str(path))
        self.run.log_artifact(found)

    def close(self, *, failed: bool = False) -> None:
        self.run.finish(exit_code=int(failed))


def _has_key() -> bool:
    """In the environment, or where `wandb login` has put it."""
    if os.environ.get("WANDB_API_KEY"):
        return True
    host = urlsplit(os.environ.get("WANDB_BASE_URL", "https://api.wandb.ai")).hostname or ""
    with contextlib.suppress(OSError, netrc.NetrcParseError):
        return netrc.netrc().authenticators(host) is not None
    return False
