"""A finished comparison as pandas frames: its rows, how they differ, what each answered."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from stratune.errors import ArtifactError, ConfigError, boundary, choices
from stratune.evaluate.replicates import RESAMPLES
from stratune.report import human, standing
from stratune.report.measured import measure
from stratune.report.pairs import Pair, against, pairs_of
from stratune.report.tables import name
from stratune.task import Task

if TYPE_CHECKING:
    from pandas import DataFrame

Board = dict[str, Any]
Row = dict[str, Any]
PARTS = ("val", "test")
NO_LABEL = "(no label)"  # an answer that was none
_FACTS = ("rank", "strategy", "backbone", "status", "first")
_COSTS = (
    "trainable_params", "train_seconds", "train_rows_per_second", "predict_rows_per_second", "peak_bytes",
    "artifact_bytes",
)  # fmt: skip
_ENDS = ("value", "low", "high")


def row_named(board: Board, wanted: str | None, backbone: str | None = None) -> Row:
    """The row of a strategy, by `lora` or `lora@minilm`; the best of several. None: the winner.

    Raises ConfigError where no row that finished is called so.
    """
    done: list[Row] = [row for row in board["rows"] if row["status"] == "ok"]
    if wanted is None:
        winner = standing.winner(board) or next(iter(done), None)  # where no row has a rank, the first one
        if winner is None:
            raise ArtifactError("no strategy finished")
        return winner
    for row in done:
        if wanted in (row["strategy"], name(row)) and backbone in (None, row["backbone"]):
            return row
    named = dict.fromkeys(row["strategy"] for row in done)
    if wanted in named:
        raise ConfigError(choices(backbone, [row["backbone"] for row in done if row["strategy"] == wanted]))
    raise ConfigError(f"no finished row: {choices(wanted, named)}")


def rows(board: Board) -> DataFrame:
    """A line a row of the leaderboard: the metric that ranks and the others on validation and test."""
    import pandas as pd

    return pd.DataFrame([_line(row) for row in board["rows"]])


def _line(row: Row) -> dict[str, Any]:
    line = {fact: row.get(fact) for fact in _FACTS} | {"standing": standing.standing(row)}
    intervals = row.get("val_intervals") or {}
    for metric, value in row["val"].items():
        line[f"val_{metric}"] = value
        line |= {f"val_{metric}_{end}": intervals[metric][end] for end in _ENDS[1:] if metric in intervals}
    for metric, estimate in row["test"].items():
        line |= {f"test_{metric}{'' if end == 'value' else f'_{end}'}": estimate[end] for end in _ENDS}
    return line | {cost: row.get(cost) for cost in _COSTS} | {"tried": standing.tried(row)}


def check_part(part: str) -> None:
    if part not in PARTS:
        raise ConfigError(choices(part, PARTS), key="part")


def differences(board: Board, out: Path, metric: str, part: str, reference: Row | None) -> DataFrame:
    """A line a pair: a minus b, its 95 % interval, p, and p adjusted for all the lines there are (Holm)."""
    import pandas as pd

    check_part(part)
    kept = [one for one in (board.get("pairs") or {}).get(part, ()) if one["metric"] == metric]
    pairs = kept or _computed(board, out, metric, part)
    if reference is not None:
        pairs = list(against(pairs, metric, reference["rank"]).values())
    called = {row["rank"]: name(row) for row in board["rows"] if row["rank"]}
    named = [{**pair, "a": called[pair["a"]], "b": called[pair["b"]]} for pair in pairs]
    return pd.DataFrame(named, columns=["a", "b", "metric", "difference", "low", "high", "p", "p_adjusted"])


def _computed(board: Board, out: Path, metric: str, part: str) -> list[Pair]:
    """Of a metric that leaderboard.json does not compare: from the runs' predictions."""
    from stratune.report.comparison import load

    comparison = load(out)
    comparison.task.target.find(metric)
    entries = {(entry.strategy, entry.backbone): entry for entry in comparison.entries()}
    ranked = [entries[row["strategy"], row["backbone"]] for row in board["rows"] if row["rank"]]
    found = [measure(entry, part, comparison, RESAMPLES, [metric]).measured for entry in ranked]
    return pairs_of(found, [metric])


def predictions(run: Path, part: str) -> DataFrame:
    """A line a row: id, truth, prediction, a score a label, tokens_cut, and what else there is."""
    import pyarrow.parquet as pq

    check_part(part)
    path = run / "predictions.parquet"
    if not path.is_file():
        raise ArtifactError(f"{path}: not there; the same `stratune compare` command makes the run again")
    with boundary(lambda why: ArtifactError(f"{path}: not a Parquet file, or cut short ({why})")):
        frame: DataFrame = pq.read_table(path).to_pandas()
        return frame[frame["part"] == part].drop(columns="part").reset_index(drop=True)


def trials(out: Path) -> DataFrame:
    """A line a trial; none where no run chose among several."""
    from stratune.report.comparison import load
    from stratune.report.trials import table

    frame: DataFrame = table(load(out)).to_pandas()
    return frame


def confusion(found: DataFrame, task: Task) -> DataFrame:
    """(K, K) rows counted by true label and predicted label, in the task's order of labels; a column more
    where some answer was no label.
    """
    import pandas as pd

    if task.target.is_numeric or task.target.several_labels:
        raise ConfigError(f"a {task.kind} task has no confusion matrix: its rows have not one label each")
    answers = found["prediction"].where(found["prediction"].isin(task.labels), NO_LABEL)
    counts = pd.crosstab(found["truth"], answers)
    extra = [NO_LABEL] if (answers == NO_LABEL).any() else []
    labels = list(task.labels)
    counts = counts.reindex(index=labels, columns=[*labels, *extra], fill_value=0)
    return counts.rename_axis(index="truth", columns="prediction")


def short(board: Board, out: Path) -> str:
    """Board('stratune-out/reviews': 14 rows, winner partial@minilm)"""
    winner = standing.winner(board)
    of = f", winner {human.plain(name(winner))}" if winner else ""
    return f"Board({human.plain(str(out))!r}: {len(board['rows'])} rows{of})"
