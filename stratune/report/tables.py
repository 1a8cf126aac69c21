"""The leaderboard as text: CSV with every value, Markdown with the columns that people compare."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from typing import Any

from stratune.report import caveats, human, people
from stratune.task import Task

Board = dict[str, Any]
Row = dict[str, Any]

# key, heading, format; one list for the terminal, Markdown and HTML
COSTS = (
    ("trainable_params", "trainable", human.count),
    ("train_seconds", "train time", human.seconds),
    ("train_rows_per_second", "train rows/s", human.rate),
    ("predict_rows_per_second", "predict rows/s", human.rate),
    ("peak_bytes", "memory", human.size),
    ("artifact_bytes", "on disk", human.size),
)
# shown only where a row has a value: of prompted language models
ASKED = (("trials", "prompts tried", human.count), ("invalid", "invalid", human.share))
_FACTS = ("rank", "strategy", "backbone", "seeds", "status", "error")
_MEASURED = (
    "trainable_params",
    "total_params",
    "examples_seen",
    "train_seconds",
    "train_rows_per_second",
    "predict_rows_per_second",
    "peak_bytes",
    "artifact_bytes",
    "trials",
    "invalid",
    "precision",
)


def costs(board: Board) -> list[tuple[str, str, Callable[[Any], str]]]:
    """The columns beside the scores: (key, heading, format)."""
    asked = [one for one in ASKED if any(row.get(one[0]) is not None for row in board["rows"])]
    return [*COSTS, *asked]


def caption(board: Board) -> str:
    """ranked by validation f1_macro; test opened once; ..."""
    seeds = max((len(row["seeds"]) for row in board["rows"]), default=0)
    over = f"means over {seeds} seeds" if seeds > 1 else "one seed"
    cover = "rows and seeds" if seeds > 1 else "rows"
    return (
        f"ranked by validation {human.plain(board['metric'])}{direction(board)}; test opened once; "
        f"{over}; 95 % intervals over {cover}"
    )


def direction(board: Board) -> str:
    """What stands behind the name of the metric that ranks: " (lower is better)", or nothing."""
    selection = Task.from_dict(board["task"]).target.selection(board["metric"])
    return "" if selection.higher_is_better else " (lower is better)"


def shown_metrics(board: Board) -> list[str]:
    """See `compared_metrics`."""
    return compared_metrics(Task.from_dict(board["task"]))


def compared_metrics(task: Task) -> list[str]:
    """The metric that ranks, and those that need no explanation, where they are others."""
    ranks = task.selection.metric
    return [ranks, *(name for name in task.target.plain_metrics if name != ranks)]


def to_csv(board: Board) -> str:
    """Every value; test metrics in three columns each. Words are one printable line, and no formulas."""
    val = list(dict.fromkeys(name for row in board["rows"] for name in row["val"]))
    test = list(dict.fromkeys(name for row in board["rows"] for name in row["test"]))
    ends = (("", "value"), ("_low", "low"), ("_high", "high"))
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    heads = [human.plain(f"test_{name}{suffix}") for name in test for suffix, _ in ends]
    table.writerow([*_FACTS, *(human.plain(f"val_{name}") for name in val), *heads, *_MEASURED])
    for row in board["rows"]:
        facts = [
            " ".join(map(str, row[name])) if name == "seeds" else human.spreadsheet(row[name])
            for name in _FACTS
        ]
        numbers = [row["test"].get(name, {}).get(end) for name in test for _, end in ends]
        costs = [row.get(name) for name in _MEASURED]
        table.writerow([*facts, *(row["val"].get(name) for name in val), *numbers, *costs])
    return text.getvalue()


def to_markdown(board: Board) -> str:
    metrics = shown_metrics(board)
    val, test = (f"{part}{caveats.star(board, part)}" for part in ("val", "test"))
    heads = [
        "rank",
        "strategy",
        "backbone",
        f"{val} {board['metric']}",
        *(f"{test} {name}" for name in metrics),
    ]
    heads += [head for _, head, _ in costs(board)]
    lines = [heads, ["---:", "---", "---", *["---:"] * (len(heads) - 3)]]
    lines += [_markdown_cells(row, board, metrics) for row in board["rows"]]
    sizes = ", ".join(f"{board['split'][part]} {part}" for part in ("train", "val", "test"))
    note = f"{caption(board)[0].upper()}{caption(board)[1:]}. Rows: {sizes}. "
    errors = [f"- **{_cell(name(row))}**: {_cell(row['error'])}" for row in board["rows"] if row["error"]]
    raters = people.line(board)
    ceiling = ["", f"{raters[0].upper()}{raters[1:]}."] if raters else []
    failed = ["", "Failed:", "", *errors] if errors else []
    no_rank = [line for why in unranked(board) for line in ("", _cell(f"{why[0].upper()}{why[1:]}."))]
    table = ["| " + " | ".join(map(_cell, line)) + " |" for line in lines]
    below = f"{_cell(note)} Split `{board['split']['fingerprint'][:12]}`."
    above = [f"- {_cell(line)}" for _, line in caveats.lines(board, at_most=caveats.MANY)]
    above += [""] if above else []
    return "\n".join([*above, *table, "", below, *ceiling, *no_rank, *failed]) + "\n"


def _markdown_cells(row: Row, board: Board, metrics: list[str]) -> list[str]:
    rank = str(row["rank"]) if row["rank"] else row["status"] if row["status"] != "ok" else human.NOTHING
    facts = [
        rank,
        row["strategy"],
        row["backbone"] or human.NOTHING,
        human.score(row["val"].get(board["metric"])),
    ]
    tested = [human.interval(row["test"].get(name)) for name in metrics]
    return [*facts, *tested, *(show(row.get(key)) for key, _, show in costs(board))]


def unranked(board: Board) -> list[str]:
    """Who has no rank, and why, a line each; one line where nobody has one, and for one reason."""
    found = {name(row): row["unranked"] for row in board["rows"] if row.get("unranked")}
    if len(found) == len(board["rows"]) and len(set(found.values())) == 1:
        return [f"no row has a rank: {next(iter(found.values()))}"]
    return [f"{who} has no rank: {why}" for who, why in found.items()]


def name(row: Row) -> str:
    return human.entry(row["strategy"], row["backbone"])


def _cell(text: object) -> str:
    """Text that cannot break out of a Markdown table, nor turn into HTML, a link, a picture or emphasis."""
    line = re.sub(r"[\\|`*~]|(?<!\w)_|_(?!\w)|!(?=\[)|(?<=\])[(:\[]", r"\\\g<0>", human.plain(text))
    return line.replace("&", "&amp;").replace("<", "&lt;")
