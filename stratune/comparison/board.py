"""A finished comparison on disk, and the models in it."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stratune.comparison import frames
from stratune.comparison.frames import row_named
from stratune.comparison.verdict import Verdict, verdict_of
from stratune.errors import ConfigError, choices
from stratune.remote.named import Servers, allowed_servers
from stratune.report import human
from stratune.report.evaluations import FOLDER
from stratune.result import run_id
from stratune.task import Task

if TYPE_CHECKING:
    from pandas import DataFrame

    from stratune.predictor.predictor import Predictor


@dataclass(frozen=True)
class Picture:
    """An SVG that a notebook shows; `path` is the file it is in."""

    svg: str
    path: Path

    def __repr__(self) -> str:
        return f"Picture({human.plain(str(self.path))!r})"

    def _repr_svg_(self) -> str:
        return self.svg


@dataclass(frozen=True, repr=False)
class Board:
    """A finished comparison on disk. `rows` are leaderboard.json's, best first, failed ones last.

    A strategy is named as on the leaderboard, `lora`, or with its backbone, `lora@minilm`; None is the
    winner. Of several seeds the one with the best validation score is taken, unless `seed` names another.
    """

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
    def task(self) -> Task:
        return Task.from_dict(self.leaderboard["task"])

    @property
    def verdict(self) -> Verdict:
        """Which one to use, and why; `str` of it is one sentence. ArtifactError: no strategy finished."""
        return verdict_of(self.leaderboard, self.out)

    @property
    def best(self) -> Predictor:
        """The verdict's winner, ready to use. ArtifactError: no strategy finished."""
        return self.model()

    def model(
        self, strategy: str | None = None, backbone: str | None = None, seed: int | None = None
    ) -> Predictor:
        """The predictor of a row. Raises ConfigError when there is no such row."""
        from stratune.predictor.predictor import Predictor

        return Predictor.load(self.model_folder(strategy, backbone, seed), allow_server=self.servers)

    def model_folder(
        self, strategy: str | None = None, backbone: str | None = None, seed: int | None = None
    ) -> Path:
        return self._run(strategy, backbone, seed) / "model"

    def evaluate(self, data: Any, name: str | None = None, **options: Any) -> Board:
        """The same models on other labelled rows, a file or rows in memory: a board of its own, which is kept
        in OUT/evaluations/NAME. Options as of `stratune evaluate`: `label="gold"`, `strategies=["lora"]`, ...
        """
        from stratune.comparison.evaluation import evaluate

        found = evaluate(self.out, data, name=name, allow_server=self.servers, **options)
        return Board.load(self.out / FOLDER / found["name"], allow_server=self.servers)

    def to_frame(self) -> DataFrame:
        """A line a row, with every metric, interval and cost."""
        return frames.rows(self.leaderboard)

    def differences(
        self, metric: str | None = None, part: str = "test", reference: str | None = None
    ) -> DataFrame:
        """How rows differ on the same rows of a part: a minus b, with its 95 % interval, p, and p adjusted
        (Holm) for the lines of the frame: every two rows, or each against the `reference`.

        `metric` None: the one that ranks. One that leaderboard.json does not compare is computed from the
        predictions, which takes a while.
        """
        metric = self.leaderboard["metric"] if metric is None else metric
        against = None if reference is None else row_named(self.leaderboard, reference)
        return frames.differences(self.leaderboard, self.out, metric, part, against)

    def predictions(
        self, strategy: str | None = None, part: str = "test", *, seed: int | None = None
    ) -> DataFrame:
        """What a strategy answered to each row of "test" or "val": id, truth, prediction, scores."""
        return frames.predictions(self._run(strategy, None, seed), part)

    def trials(self) -> DataFrame:
        """A line a trial of every run, as in OUT/trials.parquet: strategy, backbone, seed, number, `chosen`,
        `setting_<name>`, `val_<metric>`, seconds. Without lines where no run chose among several.
        """
        return frames.trials(self.out)

    def confusion(
        self, strategy: str | None = None, part: str = "test", *, seed: int | None = None
    ) -> DataFrame:
        """Rows counted by true label (lines) and predicted label (columns)."""
        return frames.confusion(self.predictions(strategy, part, seed=seed), self.task)

    def plot(self, name: str = "leaderboard", strategy: str | None = None) -> Picture:
        """A figure of OUT/plots, which a notebook shows: `leaderboard`, or of a strategy, as `confusion`."""
        there = {path.stem: path for path in sorted((self.out / "plots").glob("*.svg"))}
        stem = name
        if name not in there:
            row = row_named(self.leaderboard, strategy)
            stem = f"{name}-{human.file_name(row['strategy'], row['backbone'])}"
        if stem not in there:
            raise ConfigError(choices(name, self._figures(there)), key="plot")
        return Picture(there[stem].read_text(encoding="utf-8"), there[stem])

    def _figures(self, stems: Iterable[str]) -> Iterable[str]:
        """What `plot` takes: `confusion` for confusion-lora@minilm."""
        tails = [f"-{human.file_name(row['strategy'], row['backbone'])}" for row in self.rows]
        ends = {stem: next((tail for tail in tails if stem.endswith(tail)), "") for stem in stems}
        return dict.fromkeys(stem.removesuffix(end) for stem, end in ends.items())

    def _run(self, strategy: str | None, backbone: str | None, seed: int | None) -> Path:
        """The folder of a row's run."""
        row = row_named(self.leaderboard, strategy, backbone)
        if seed is None:
            seed = self._best_seed(row)
        elif seed not in row["seeds"]:
            raise ConfigError(choices(seed, map(str, row["seeds"])), key="seed")
        return self.out / "runs" / run_id(row["strategy"], row["backbone"], seed)

    def _best_seed(self, row: dict[str, Any]) -> int:
        from stratune.result import RunResult

        def val(seed: int) -> dict[str, float]:
            folder = self.out / "runs" / run_id(row["strategy"], row["backbone"], seed)
            return RunResult.load(folder / "result.json").val

        return int(self.task.selection.best(row["seeds"], val))

    def __repr__(self) -> str:
        return frames.short(self.leaderboard, self.out)

    def __str__(self) -> str:
        from stratune.report.screen import screen
        from stratune.report.terminal import table

        page = io.StringIO()
        screen(width=120, file=page).print(table(self.leaderboard))
        return page.getvalue()

    def _repr_html_(self) -> str:
        from stratune.report.notebook import html

        return html(self.leaderboard)
