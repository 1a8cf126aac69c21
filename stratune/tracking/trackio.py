"""trackio: runs grouped by the comparison, in TRACKIO_DIR (else the cache of Hugging Face)."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from stratune.tracking.base import PROJECT, About, Plain


class Trackio:
    def __init__(self, out: Path) -> None:
        os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # before it is imported
        import trackio

        self.trackio: Any = trackio

    def open(self, about: About, *, parent: str | None, known: str | None) -> _Run:
        # It finds runs again by their names, so these hold the comparison's.
        name = known or (f"{about.comparison}/{about.run}" if about.run else about.comparison)
        with _on_stderr():
            made = self.trackio.init(
                project=os.environ.get("TRACKIO_PROJECT", PROJECT),
                name=name,
                group=about.comparison,
                config=dict(about.tags),
                resume="allow",
                embed=False,
                auto_log_gpu=False,
                auto_log_cpu=False,
            )
        return _Run(name, made)


class _Run:
    def __init__(self, name: str, run: Any) -> None:
        self.id, self.run = name, run

    def numbers(self, values: Mapping[str, float], step: int | None = None) -> None:
        self.run.log(dict(values), step)

    def settings(self, values: Mapping[str, Plain]) -> None:
        self.run.config.update(dict(values))

    def says(self, text: str) -> None:
        self.run.config["says"] = text

    def files(self, paths: Sequence[Path]) -> None:
        """It keeps tables and media of its own kinds, no files."""

    def close(self, *, failed: bool = False) -> None:
        with _on_stderr():
            self.run.finish()


def _on_stderr() -> contextlib.redirect_stdout[Any]:
    """It prints, and standard output is for what was asked for."""
    return contextlib.redirect_stdout(sys.stderr)
