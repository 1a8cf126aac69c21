"""Fill the tables and pictures of docs/results from the leaderboards that are kept there: `make docs`.

docs/results/compared.yaml says which rows stand side by side with which numbers of the documents. Every
number of ours is read from a kept file; an interval that a kept file lacks is Wilson's over the test rows.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from drawing.svg import WIDTH, document, line, number, text

HERE = Path(__file__).parent
FOLDER = HERE / "results"
PICTURES = HERE / "img" / "results"
BEGIN, END = "<!-- compared:begin -->", "<!-- compared:end -->"
MRPC_TEST_ROWS = 1725
CELL = re.compile(r"([\d.]+) \[(-?[\d.]+), ([\d.]+)\]")


@dataclass(frozen=True)
class Line:
    """One number of the table. `interval` None: the document gives none."""

    what: str
    model: str
    value: float
    interval: tuple[float, float] | None
    time: str
    source: str  # what the number is read from

    @property
    def ours(self) -> bool:
        return self.interval is not None


def read_line(entry: dict[str, Any], metric: str) -> Line:
    what, model = entry["what"], entry["model"].replace("none", "-")
    if "document" in entry:
        return Line(what, model, entry["document"], None, "not told", "the document")
    if "runs" in entry:
        return _of_runs(what, model, entry["runs"], metric)
    row = _row(FOLDER / entry["table"], entry["row"])
    found = CELL.fullmatch(row[f"test {metric}"])
    if found is None:
        raise ValueError(
            f"{entry['table']}: {entry['row']}: {row[f'test {metric}']!r} is no value with an interval"
        )
    value, low, high = map(float, found.groups())
    return Line(what, model, value, (low, high), row["train time"], f"[table]({entry['table']})")


def _row(path: Path, strategy: str) -> dict[str, str]:
    """Head -> cell of a strategy's row."""
    rows = [
        one.strip("| ").split(" | ")
        for one in path.read_text(encoding="utf-8").splitlines()
        if one[:1] == "|"
    ]
    head = rows[0]
    (row,) = [row for row in rows[2:] if row[1] == strategy]
    return dict(zip(head, row, strict=True))


def _of_runs(what: str, model: str, spec: dict[str, Any], metric: str) -> Line:
    lines = (FOLDER / "mrpc" / "runs.jsonl").read_text(encoding="utf-8").splitlines()
    runs = {
        run["seed"]: run for run in map(json.loads, lines) if run["spec"] == spec
    }  # the last one of a seed
    value = sum(run["test"][metric] for run in runs.values()) / len(runs)
    minutes = sum(run["seconds"] for run in runs.values()) / len(runs) / 60
    time = f"{minutes:.0f} min" if minutes >= 1 else f"{60 * minutes:.0f} s"
    seeds = f"{len(runs)} seed{'s' * (len(runs) > 1)}"
    return Line(what, model, value, wilson(value, MRPC_TEST_ROWS), time, f"[runs](mrpc/runs.jsonl), {seeds}")


def wilson(share: float, rows: int, z: float = 1.959964) -> tuple[float, float]:
    """The 95 % interval of a share of independent rows (Wilson 1927)."""
    middle = (share + z * z / (2 * rows)) / (1 + z * z / rows)
    half = z * math.sqrt(share * (1 - share) / rows + z * z / (4 * rows * rows)) / (1 + z * z / rows)
    return middle - half, middle + half


def table(lines: list[Line], metric: str) -> str:
    rows = [
        f"| | way | model | test {metric} | 95 % interval | time to train | from |",
        "|---|---|---|---:|---|---:|---|",
    ]
    for one in lines:
        interval = f"{one.interval[0]:.3f} to {one.interval[1]:.3f}" if one.interval else "not told"
        who = "ours" if one.ours else "document"
        value = f"{one.value:.3f}" if one.ours else f"{one.value:.4f}".rstrip("0")
        rows.append(
            f"| {who} | {one.what} | {one.model} | {value} | {interval} | {one.time} | {one.source} |"
        )
    return "\n".join(rows)


def picture(title: str, lines: list[Line], metric: str) -> str:
    """A dot for each number on a line from 0 to 1, with its interval where it has one."""
    left, right, top, step = 330, WIDTH - 20, 46, 20
    bottom = top + step * len(lines)

    def x(value: float) -> float:
        return left + value * (right - left)

    parts = [text(16, 20, title, "loose title left")]
    for tick in (0, 0.25, 0.5, 0.75, 1):
        parts += [
            line((x(tick), top - 10), (x(tick), bottom), kind="frame"),
            text(x(tick), bottom + 10, f"{tick:g}"),
        ]
    for place, one in enumerate(lines):
        y = top + step * place
        model = "" if one.model == "-" else f" ({one.model})"
        parts.append(text(left - 12, y, f"{one.what}{model}".replace("`", ""), "loose right"))
        if one.interval:
            parts.append(line((x(one.interval[0]), y), (x(one.interval[1]), y)))
        kind = "trainable" if one.ours else "frozen"
        parts.append(f'<circle class="{kind}" cx="{number(x(one.value))}" cy="{number(y)}" r="4.5"/>')
    return document(f"{title}: test {metric}", bottom + 24, parts)


def pages() -> dict[Path, str]:
    """Path -> text of every page and picture."""
    found: dict[Path, str] = {}
    compared = yaml.safe_load((FOLDER / "compared.yaml").read_text(encoding="utf-8"))
    for name, about in compared.items():
        page = FOLDER / f"{name}.md"
        lines = [read_line(entry, about["metric"]) for entry in about["lines"]]
        before, rest = page.read_text(encoding="utf-8").split(BEGIN)
        title = before.splitlines()[0].lstrip("# ")
        after = rest.split(END)[1]
        found[page] = f"{before}{BEGIN}\n{table(lines, about['metric'])}\n{END}{after}"
        found[PICTURES / f"{name}.svg"] = picture(title, lines, about["metric"])
    return found


def write() -> None:
    for path, content in pages().items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(content, encoding="utf-8")
