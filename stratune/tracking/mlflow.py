"""MLflow: runs nested in the comparison's, where MLFLOW_TRACKING_URI says (else ./mlflow.db)."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from stratune.tracking.base import PROJECT, About, Plain

AT_ONCE = 100  # settings, or numbers, in one request; MLflow takes no more settings
MOST_CHARACTERS = 6000  # of a setting
_REFUSED = re.compile(r"[^\w\-. :/]")  # in names


def without_telemetry() -> None:
    """Before it is imported."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")


class MLflow:
    def __init__(self, out: Path) -> None:
        without_telemetry()
        from mlflow.tracking import MlflowClient

        # The client alone: mlflow's own functions keep an active run, and ours are several at once.
        self.client: Any = MlflowClient()
        name = os.environ.get("MLFLOW_EXPERIMENT_NAME", PROJECT)
        found = self.client.get_experiment_by_name(name)
        self.experiment = self.client.create_experiment(name) if found is None else found.experiment_id

    def open(self, about: About, *, parent: str | None, known: str | None) -> _Run:
        if known is not None:
            self.client.update_run(known, status="RUNNING")
            return _Run(self.client, known)
        tags = {**about.tags, **({} if parent is None else {"mlflow.parentRunId": parent})}
        made = self.client.create_run(self.experiment, run_name=about.name, tags=tags)
        return _Run(self.client, made.info.run_id)


class _Run:
    def __init__(self, client: Any, run_id: str) -> None:
        self.client, self.id = client, run_id

    def numbers(self, values: Mapping[str, float], step: int | None = None) -> None:
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        found = [Metric(_REFUSED.sub("_", name), value, now, step or 0) for name, value in values.items()]
        for first in range(0, len(found), AT_ONCE):
            self.client.log_batch(self.id, metrics=found[first : first + AT_ONCE])

    def settings(self, values: Mapping[str, Plain]) -> None:
        from mlflow.entities import Param

        found = [
            Param(_REFUSED.sub("_", name), str(value)[:MOST_CHARACTERS]) for name, value in values.items()
        ]
        for first in range(0, len(found), AT_ONCE):
            self.client.log_batch(self.id, params=found[first : first + AT_ONCE])

    def says(self, text: str) -> None:
        self.client.set_tag(self.id, "mlflow.note.content", text)  # its description

    def files(self, paths: Sequence[Path]) -> None:
        for path in paths:
            if path.is_dir():
                self.client.log_artifacts(self.id, str(path), path.name)
            else:
                self.client.log_artifact(self.id, str(path))

    def close(self, *, failed: bool = False) -> None:
        self.client.set_terminated(self.id, "FAILED" if failed else "FINISHED")
