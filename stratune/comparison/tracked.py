"""A comparison and its runs in trackers: what they tell while they work, and what the board says in the end.

The comparison is a run named like its folder, its runs are below it. They are written by the process that
watches, so baselines, resumed runs and those of other machines are there too, and keys stay here. Which run
is which is kept in OUT/trackers.json: a comparison that goes on goes on in the same runs. A tracker that
fails is left out from there on, with a note: the results are in OUT.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stratune.errors import ArtifactError, boundary, reason
from stratune.files import read_json, write_json
from stratune.ownership import owned_by_us
from stratune.report import leaderboard
from stratune.result import RunResult, run_id
from stratune.tracking.base import About, Run, Tracker, flat
from stratune.tracking.tensorboard import FOLDER
from stratune.tracking.trackers import tracker
from stratune.version import __version__

if TYPE_CHECKING:
    from stratune.comparison.schedule import RunEvent

FILE = "trackers.json"
FILES = (*leaderboard.FILES, "report.html", "config.yaml", "data.json", "plots")  # of the comparison
RUN_FILES = ("result.json", "prompt.txt", "trials.jsonl")
COSTS = (
    "train_seconds", "train_rows_per_second", "predict_rows_per_second", "peak_bytes", "artifact_bytes",
    "trainable_params", "total_params", "examples_seen", "price",
)  # fmt: skip
CURVES = ("loss", "val", "val_loss", "learning_rate")  # of a line of history.jsonl


@dataclass
class Tracked:
    """`on` hears what happens in runs; `end` writes what the board says."""

    out: Path
    trackers: dict[str, Tracker]
    metric: str
    tags: Mapping[str, str]
    say: Callable[[str], None]
    # tracker -> run, "" for the comparison -> its id
    known: dict[str, dict[str, str]] = field(default_factory=dict)
    ended: dict[str, list[str]] = field(default_factory=dict)  # tracker -> runs that are written to their end
    whole: dict[str, Run] = field(default_factory=dict)  # by tracker
    under_way: dict[tuple[str, str], Run] = field(default_factory=dict)  # by tracker and run

    @classmethod
    def begin(
        cls, names: Sequence[str], out: Path, metric: str, tags: Mapping[str, str], say: Callable[[str], None]
    ) -> Tracked:
        """After `check_ready`. `say`: told what goes wrong with a tracker later."""
        tags = {**tags, "stratune": __version__}
        found = cls(out, {name: tracker(name, out) for name in names}, metric, tags, say)
        owned_by_us(out).own(FILE, *([FOLDER] if "tensorboard" in names else []))
        if (out / FILE).is_file():
            advice = "damaged; remove it, and trackers get new runs"
            with boundary(lambda why: ArtifactError(f"{out / FILE}: {advice} ({why})")):
                kept = read_json(out / FILE)
                found.known, found.ended = dict(kept["runs"]), dict(kept["ended"])
        for name in list(found.trackers):
            with found._watched(name):
                found.whole[name] = found._open(name, "")
        return found

    def on(self, told: RunEvent) -> None:
        run, event = told.planned.run_id, told.event
        for name in list(self.trackers):
            with self._watched(name):
                if event["event"] == "started":
                    if run in self.ended.get(name, ()):  # it is done again, and is another run there
                        self.ended[name].remove(run)
                        del self.known[name][run]
                    self.under_way[name, run] = self._open(name, run)
                elif event["event"] == "val" and (name, run) in self.under_way:
                    of = event.get("of", "")
                    self._curve(self.under_way[name, run], event["line"], f"{of}/" if of else "")
                elif told.result is not None:
                    self._ended(name, run, told.result)

    def end(self, board: Mapping[str, Any]) -> None:
        """After the report is written: scores on test with intervals, the verdict, and the files."""
        metric, files = board["metric"], [path for one in FILES if (path := self.out / one).exists()]
        for name in list(self.trackers):
            with self._watched(name):
                for row in board["rows"]:
                    self._scores(name, row, metric)
                verdict = board.get("verdict") or {}
                self.whole[name].says(verdict.get("sentence", "no strategy finished"))
                self.whole[name].files(files)
                self.whole[name].close()

    def _scores(self, name: str, row: Mapping[str, Any], metric: str) -> None:
        found = row["test"].get(metric)
        if found is None:
            return
        values = {f"test/{metric}": found["value"], **_ends(f"test/{metric}", found)}
        of_seeds = [run_id(row["strategy"], row["backbone"], seed) for seed in row["seeds"]]
        both = of_seeds[0].rpartition("#")[0]
        self.whole[name].numbers({f"{both}/{key}": one for key, one in values.items()})
        if len(of_seeds) == 1:  # else the interval is of several runs
            run = self._open(name, of_seeds[0])
            run.numbers(_ends(f"test/{metric}", found))
            run.close()

    def _ended(self, name: str, run: str, result: RunResult) -> None:
        """Of a run that had ended before this process began, too, unless its tracker knows it."""
        opened = self.under_way.pop((name, run), None)
        if opened is None and run in self.known.get(name, {}):
            return
        folder = self.out / "runs" / run
        if opened is None:
            opened = self._open(name, run)
            for line in _lines(folder / "history.jsonl"):
                self._curve(opened, line)
        opened.settings({**flat(result.settings), "fingerprint": result.fingerprint})
        opened.numbers(_numbers(result))
        opened.files([path for one in RUN_FILES if (path := folder / one).is_file()])
        opened.close(failed=result.status == "failed")
        self.ended.setdefault(name, []).append(run)
        self._keep()

    def _curve(self, run: Run, line: Mapping[str, Any], prefix: str = "") -> None:
        names = {"val": f"val/{self.metric}", "val_loss": "val/loss"}
        values = {prefix + names.get(key, key): line[key] for key in CURVES if line.get(key) is not None}
        run.numbers(values, line["step"])

    def _open(self, name: str, run: str) -> Run:
        ids = self.known.setdefault(name, {})
        about = About(self.out.resolve().name, run, self.tags)
        parent = self.whole[name].id if run else None
        opened = self.trackers[name].open(about, parent=parent, known=ids.get(run))
        if ids.get(run) != opened.id:
            ids[run] = opened.id
            self._keep()
        return opened

    def _keep(self) -> None:
        write_json(self.out / FILE, {"runs": self.known, "ended": self.ended})

    @contextmanager
    def _watched(self, name: str) -> Iterator[None]:
        try:
            yield
        except Exception as error:  # noqa: BLE001  a server that is away must not cost a comparison
            del self.trackers[name]
            self.say(f"{name}: {reason(error)}; nothing more is written to it, the results are in {self.out}")


def _ends(name: str, interval: Mapping[str, float]) -> dict[str, float]:
    return {f"{name}/low": interval["low"], f"{name}/high": interval["high"]}


def _numbers(result: RunResult) -> dict[str, float]:
    """Scores, those of single labels apart, and costs."""
    parts = {"val": result.val, "test": result.test}
    scores = {f"{part}/{k}": v for part, found in parts.items() for k, v in found.items() if "[" not in k}
    costs = {f"cost/{name}": value for name in COSTS if (value := getattr(result, name)) is not None}
    return {name: float(value) for name, value in {**scores, **costs}.items()}


def _lines(path: Path) -> list[dict[str, Any]]:
    if not path.is_file():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
