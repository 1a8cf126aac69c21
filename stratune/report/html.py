"""report.html: one file with everything, readable offline and by whoever was not there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from stratune.evaluate.metrics import METRICS, PER_LABEL
from stratune.files import write_text
from stratune.report import human, people, tables
from stratune.report.comparison import Comparison, Entry
from stratune.report.evidence import shown_evidence
from stratune.report.figures import BY_ENTRY, stem_of
from stratune.report.style import FAINT, INK, PAPER
from stratune.version import __version__

Board = dict[str, Any]

_THEMED = {PAPER: "var(--paper)", INK: "var(--ink)", FAINT: "var(--faint)"}
_OVERVIEW = ("leaderboard", "cost", "learning", "roc", "labels", "prompts", "parts", "balance")


def write(out: str | Path) -> Path:
    """Write OUT/report.html from OUT's runs alone. Raises ArtifactError or ConfigError as `load`."""
    from stratune.report import figures, leaderboard
    from stratune.report.comparison import load

    comparison = load(out)
    board = leaderboard.build(comparison)
    return save(comparison.out, render(comparison, board, figures.draw(comparison, board)))


def save(out: Path, page: str) -> Path:
    write_text(out / "report.html", page)
    return out / "report.html"


def render(comparison: Comparison, board: Board, figures: dict[str, str]) -> str:
    """The page as text. `figures` as `figures.draw` returns them; every value of the user's is escaped."""
    environment = Environment(
        loader=PackageLoader("stratune.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        score=human.score, interval=human.interval, plain=human.plain, count=human.count
    )
    entries = {(entry.strategy, entry.backbone): entry for entry in comparison.entries()}
    rows = [_row(row, entries[row["strategy"], row["backbone"]], board, figures) for row in board["rows"]]
    return environment.get_template("report.html").render(
        board=board,
        comparison=comparison,
        caption=tables.caption(board),
        metrics=tables.shown_metrics(board),
        cost_heads=[head for _, head, _ in tables.costs(board)],
        rows=rows,
        overview=[(stem, inline(figures[stem])) for stem in _OVERVIEW if stem in figures],
        people=_people(board, figures),
        docs={name: metric.doc for name, metric in METRICS.items()},
        per_label=PER_LABEL,
        config=yaml.safe_dump(comparison.config, sort_keys=False, allow_unicode=True),
        version=__version__,
    )


def _people(board: Board, figures: dict[str, str]) -> dict[str, Any] | None:
    """What the section on agreement with people shows; None where nobody rated."""
    if not board.get("people"):
        return None
    heads, lines = people.table(board)
    figure = inline(figures["people"]) if "people" in figures else None
    return {
        "facts": people.facts(board),
        "line": people.line(board),
        "heads": heads,
        "lines": lines,
        "figure": figure,
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


def _row(row: dict[str, Any], entry: Entry, board: Board, figures: dict[str, str]) -> dict[str, Any]:
    """A leaderboard row with what the page shows beside it."""
    results = [run.result for run in entry.runs]
    best = next((run.result for run in entry.ok), results[0])
    stems = [stem_of(figure, entry) for figure in BY_ENTRY[board["task"]["kind"]]]
    cut = [run.predictions["test"].tokens_cut for run in entry.ok]
    return {
        **row,
        "name": entry.name,
        "costs": [(row.get(key), show(row.get(key))) for key, _, show in tables.costs(board)],
        "notes": list(dict.fromkeys(note for result in results for note in result.notes)),
        "overall": [
            (name, row["val"].get(name), row["test"][name]) for name in METRICS if name in row["test"]
        ],
        "errs": [inline(figures[stem]) for stem in stems if stem in figures],
        "evidence": shown_evidence(entry.ok[0].folder, board["task"]["kind"]) if entry.ok else [],
        "runs": [(result, human.seconds(result.train_seconds)) for result in results],
        "settings": best.settings,
        "versions": best.versions,
        "rows_cut": int((cut[0] > 0).sum()) if cut else 0,
        "tokens_cut": int(cut[0].sum()) if cut else 0,
        "metric": board["metric"],
    }
