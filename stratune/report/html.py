"""report.html: one file that opens offline and explains itself to readers who did not run the comparison."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from stratune.evaluate.metrics import METRICS, PER_LABEL
from stratune.files import write_text
from stratune.report import caveats, human, many_labels, people, tables
from stratune.report.comparison import Comparison, Entry
from stratune.report.evidence import shown_evidence
from stratune.report.figure import Section, figures_of
from stratune.report.plots import stem_of
from stratune.report.style import FAINT, INK, PAPER
from stratune.version import __version__

Board = dict[str, Any]

_THEMED = {PAPER: "var(--paper)", INK: "var(--ink)", FAINT: "var(--faint)"}


FILE = "report.html"


def save(out: Path, page: str) -> Path:
    write_text(out / FILE, page)
    return out / FILE


def render(comparison: Comparison, board: Board, drawn: dict[str, str]) -> str:
    """The page as text. `drawn` as `plots.draw` returns it; every value of the user's is escaped."""
    environment = Environment(
        loader=PackageLoader("stratune.report", "."),
        autoescape=True,
        finalize=_printable,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        score=human.score, interval=human.interval, plain=human.plain, count=human.count
    )
    entries = {(entry.strategy, entry.backbone): entry for entry in comparison.entries()}
    rows = [
        _row(row, entries[row["strategy"], row["backbone"]], comparison, board, drawn)
        for row in board["rows"]
    ]
    return environment.get_template("report.html").render(
        board=board,
        comparison=comparison,
        caption=tables.caption(board),
        metrics=tables.shown_metrics(board),
        cost_heads=[head for _, head, _ in tables.costs(board)],
        rows=rows,
        overview=_shown("overview", drawn),
        many_labels=many_labels.are_many(comparison),
        people=_people(board, drawn),
        docs={name: metric.doc for name, metric in METRICS.items()},
        per_label=PER_LABEL,
        notices=caveats.lines(board, at_most=caveats.MANY),
        stars={part: caveats.star(board, part) for part in caveats.PARTS},
        config=_config(comparison.config),
        version=__version__,
    )


def _printable(value: Any) -> Any:
    """A value of the page, without what could not be printed; what is markup already stays."""
    if not isinstance(value, str) or isinstance(value, Markup) or value.isprintable():
        return value
    return human.plain(value)


def _config(config: dict[str, Any]) -> Markup:
    """As YAML. Where a character is not printable, all that are not ASCII are written as escapes."""
    text = yaml.safe_dump(config, sort_keys=False, allow_unicode=True)
    if any(human.plain(f"-{line}-") != f"-{line}-" for line in text.splitlines()):
        text = yaml.safe_dump(config, sort_keys=False, allow_unicode=False)
    return escape(text)


def _shown(section: Section, drawn: dict[str, str], entry: Entry | None = None) -> list[dict[str, Any]]:
    """The figures of a section that have something to show, in order."""
    found = []
    for figure in figures_of(section):
        stem = figure.name if entry is None else stem_of(figure.name, entry)
        if stem in drawn:
            found.append({"title": figure.title, "tall": figure.tall, "svg": inline(drawn[stem])})
    return found


def _people(board: Board, drawn: dict[str, str]) -> dict[str, Any] | None:
    """The section on agreement with people; None where there are no ratings."""
    if not board.get("people"):
        return None
    heads, lines = people.table(board)
    return {
        "facts": people.facts(board),
        "line": people.line(board),
        "heads": heads,
        "lines": lines,
        "figures": _shown("people", drawn),
        "target": people.target(board),
    }


def inline(svg: str) -> Markup:
    """An SVG file's text as an element of the page: no XML head, colours that follow the page's theme.

    Matplotlib wrote it and escaped the text in it, so it is safe as it is.
    """
    body = svg[svg.index("<svg") :]
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    body = re.sub(r' width="[\d.]+pt" height="[\d.]+pt"', "", body, count=1)  # the page decides the size
    return Markup(re.sub(r'style="[^"]*"', lambda style: _themed(style.group()), body))


def _themed(style: str) -> str:
    for color, variable in _THEMED.items():
        style = style.replace(color, variable)
    return style


def _row(
    row: dict[str, Any], entry: Entry, comparison: Comparison, board: Board, drawn: dict[str, str]
) -> dict[str, Any]:
    """A leaderboard row, with all that the page shows of its strategy."""
    task = comparison.task
    results = [run.result for run in entry.runs]
    best = next((run.result for run in entry.ok), results[0])
    cut = [run.predictions["test"].tokens_cut for run in entry.ok]
    return {
        **row,
        "name": entry.name,
        "costs": [(row.get(key), show(row.get(key))) for key, _, show in tables.costs(board)],
        "notes": list(dict.fromkeys(note for result in results for note in result.notes)),
        "overall": [
            (name, row["val"].get(name), row["test"][name]) for name in METRICS if name in row["test"]
        ],
        "errs": _shown("entry", drawn, entry),
        "labels": [task.labels[position] for position in many_labels.shown(row, comparison)],
        "file_name": human.file_name(entry.strategy, entry.backbone),
        "evidence": shown_evidence(entry.ok[0].folder, task) if entry.ok else [],
        "runs": [(result, human.seconds(result.train_seconds)) for result in results],
        "settings": best.settings,
        "versions": best.versions,
        "rows_cut": int((cut[0] > 0).sum()) if cut else 0,
        "tokens_cut": int(cut[0].sum()) if cut else 0,
    }
