"""The leaderboard as text: CSV with every value, Markdown with the columns that people compare."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from typing import Any

from stratune.report import caveats, human, people, standing
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
ASKED = (
    ("trials", "prompts tried", human.count),
    ("invalid", "invalid", human.share),
    ("label_mass", "label mass", human.share),
)
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
    "label_mass",
    "precision",
)
PARTS = ("val", "test")
_ENDS = {"": "value", "_low": "low", "_high": "high"}
_DECIDED = ("standing", "first_on_val", "tried")
# of the metric that ranks, on test, to the winner's
_DIFFERENCE = {
    "difference": "difference",
    "difference_low": "low",
    "difference_high": "high",
    "difference_p": "p",
}


def costs(board: Board) -> list[tuple[str, str, Callable[[Any], str]]]:
    """The columns beside the scores: (key, heading, format). Prompts that were tried are in `tried`, too."""
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
    """Every value; metrics in three columns each, of validation where its intervals are known. Words are one
    printable line, and no formulas.
    """
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    val, test = (list(dict.fromkeys(name for row in board["rows"] for name in row[part])) for part in PARTS)
    # Runs of an older version lack values of later metrics; intervals, of their predictions, have them.
    known = [name for row in board["rows"] for name in row.get("val_intervals") or ()]
    val = list(dict.fromkeys([*val, *known]))
    both = any(row.get("val_intervals") for row in board["rows"])
    heads = [f"val_{name}{end}" for name in val for end in (_ENDS if both else ("",))]
    heads += [f"test_{name}{end}" for name in test for end in _ENDS]
    differences = standing.to_winner(board)
    decided = [*_DECIDED, *(_DIFFERENCE if differences else ())] if "verdict" in board else []
    table.writerow([*_FACTS, *map(human.plain, heads), *_MEASURED, *decided])
    for row in board["rows"]:
        facts = [
            " ".join(map(str, row[name])) if name == "seeds" else human.spreadsheet(row[name])
            for name in _FACTS
        ]
        estimates = {name: {"value": row["val"].get(name)} for name in val}
        estimates |= {
            name: {**estimates[name], **one} for name, one in (row.get("val_intervals") or {}).items()
        }
        numbers = [
            estimates[name].get(end) for name in val for end in (_ENDS.values() if both else ("value",))
        ]
        numbers += [row["test"].get(name, {}).get(end) for name in test for end in _ENDS.values()]
        costs = [row.get(name) for name in _MEASURED]
        table.writerow([*facts, *numbers, *costs, *_decided(row, differences)[: len(decided)]])
    return text.getvalue()


def _decided(row: Row, differences: dict[int, Any]) -> list[Any]:
    """The cells of _DECIDED and _DIFFERENCE."""
    pair = differences.get(row["rank"], {})
    tried = human.spreadsheet(standing.tried(row))
    return [standing.standing(row), row.get("first"), tried, *(pair.get(end) for end in _DIFFERENCE.values())]


def to_markdown(board: Board) -> str:
    columns = _markdown_columns(board)
    lines = [[head for head, _ in columns], ["---:", "---", "---", *["---:"] * (len(columns) - 3)]]
    lines += [[cell(row) for _, cell in columns] for row in board["rows"]]
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
    sentence = (board.get("verdict") or {}).get("sentence")
    above += [human.plain(sentence).replace("&", "&amp;").replace("<", "&lt;"), ""] if sentence else []
    marks = ["", _cell(standing.legend(board)) + "."] if standing.legend(board) else []
    return "\n".join([*above, *table, *marks, "", below, *ceiling, *no_rank, *failed]) + "\n"


def _markdown_columns(board: Board) -> list[tuple[str, Callable[[Row], str]]]:
    """(heading, text of a row's cell)"""
    metric, differences = board["metric"], standing.to_winner(board)
    val, test = (f"{part}{caveats.star(board, part)}" for part in PARTS)

    def tested(name: str) -> Callable[[Row], str]:
        return lambda row: human.interval(row["test"].get(name))

    def cost(key: str, show: Callable[[Any], str]) -> Callable[[Row], str]:
        return lambda row: show(row.get(key))

    columns: list[tuple[str, Callable[[Row], str]]] = [
        ("rank", _rank),
        ("strategy", lambda row: row["strategy"]),
        ("backbone", lambda row: row["backbone"] or human.NOTHING),
        (f"{val} {metric}", lambda row: human.score(row["val"].get(metric))),
    ]
    if any(row.get("first") is not None for row in board["rows"]):
        columns.append(("val first", lambda row: human.share(row.get("first"))))
    columns += [(f"{test} {name}", tested(name)) for name in shown_metrics(board)]
    if differences:
        columns.append((f"{test} to winner", lambda row: human.difference(differences.get(row["rank"]))))
    columns += [(head, cost(key, show)) for key, head, show in costs(board)]
    if any(row.get("tried") for row in board["rows"]):
        columns.append(("tried", lambda row: standing.tried(row) or human.NOTHING))
    return columns


def _rank(row: Row) -> str:
    rank = str(row["rank"]) if row["rank"] else row["status"] if row["status"] != "ok" else human.NOTHING
    return f"{rank} {standing.MARKS[standing.standing(row)]}".strip()


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
