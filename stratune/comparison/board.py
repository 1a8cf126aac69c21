"""A finished comparison on disk, and the models in it."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stratune.errors import ArtifactError, ConfigError
from stratune.remote.named import Servers, allowed_servers
from stratune.result import run_id

if TYPE_CHECKING:
    from stratune.predictor.predictor import Predictor


@dataclass(frozen=True)
class Board:
    """A finished comparison on disk. `rows` are leaderboard.json's, best first, failed ones last."""

    out: Path
    leaderboard: dict[str, Any]
    servers: Servers = Servers()  # that the user named, and its models may ask

    @classmethod
    def load(cls, out: str | Path, *, allow_server: str | Sequence[str] | Servers = ()) -> Board:
        """`allow_server` as of Predictor.load. ArtifactError: leaderboard.json is missing or damaged."""
        from stratune.report.shapes import read_board

        servers = allowed_servers(allow_server)
        return cls(Path(out), read_board(Path(out)), servers)

    @property
    def rows(self) -> list[dict[str, Any]]:
        return list(self.leaderboard["rows"])

    @property
    def best(self) -> Predictor:
        """The winner, ready to use: first by validation; of its seeds the one with the best validation
        score.
        """
        if not self.rows or self.rows[0]["status"] != "ok":
            raise ArtifactError(f"{self.out}: no strategy finished")
        return self.model(self.rows[0]["strategy"], self.rows[0]["backbone"])

    def model(self, strategy: str, backbone: str | None = None, seed: int | None = None) -> Predictor:
        """The predictor of a row. Raises ConfigError when there is no such row."""
        from stratune.predictor.predictor import Predictor

        rows = [row for row in self.rows if row["strategy"] == strategy and row["status"] == "ok"]
        row = next((row for row in rows if backbone is None or row["backbone"] == backbone), None)
        if row is None:
            raise ConfigError(
                f"no finished row {strategy!r}; there are {', '.join(r['strategy'] for r in self.rows)}"
            )
        if seed is None:
            seed = self._best_seed(row)
        folder = self.out / "runs" / run_id(strategy, row["backbone"], seed) / "model"
        return Predictor.load(folder, allow_server=self.servers)

    def _best_seed(self, row: dict[str, Any]) -> int:
        from stratune.result import RunResult
        from stratune.task import Task

        def val(seed: int) -> dict[str, float]:
            folder = self.out / "runs" / run_id(row["strategy"], row["backbone"], seed)
            return RunResult.load(folder / "result.json").val

        return int(Task.from_dict(self.leaderboard["task"]).selection.best(row["seeds"], val))

    def __str__(self) -> str:
        from stratune.report.screen import screen
        from stratune.report.terminal import table

        page = io.StringIO()
        screen(width=120, file=page).print(table(self.leaderboard))
        return page.getvalue()

    def _repr_html_(self) -> str:
        import pandas as pd

        rows = [
            {k: row[k] for k in ("rank", "strategy", "backbone", "status")} | row["val"] for row in self.rows
        ]
        return pd.DataFrame(rows).to_html(index=False)
