"""TensorBoard: a folder for each run in OUT/tensorboard; curves, settings and the leaderboard as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from stratune.tracking.base import About, Plain

FOLDER = "tensorboard"


class TensorBoard:
    def __init__(self, out: Path) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self.writer: Any = SummaryWriter
        self.folder = out / FOLDER

    def open(self, about: About, *, parent: str | None, known: str | None) -> _Run:
        name = known or about.run or "comparison"
        run = _Run(name, self.writer(self.folder / name))
        if known is None:
            run.settings(about.tags, "tags")
        return run


class _Run:
    def __init__(self, name: str, writer: Any) -> None:
        self.id, self.writer = name, writer

    def numbers(self, values: Mapping[str, float], step: int | None = None) -> None:
        for name, value in values.items():
            self.writer.add_scalar(name, value, step)

    def settings(self, values: Mapping[str, Plain], title: str = "settings") -> None:
        lines = ["| name | value |", "|---|---|", *(f"| {k} | {v} |" for k, v in values.items())]
        self.writer.add_text(title, "\n".join(lines))

    def says(self, text: str) -> None:
        self.writer.add_text("verdict", text)

    def files(self, paths: Sequence[Path]) -> None:
        """Tables: our pictures are SVG, which it does not show."""
        for path in paths:
            if path.suffix == ".md":
                self.writer.add_text(path.stem, path.read_text(encoding="utf-8"))

    def close(self, *, failed: bool = False) -> None:
        self.writer.close()
