"""report.html: one file that opens offline and explains itself to readers who did not run the comparison."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from stratune.errors import ArtifactError, boundary
from stratune.evaluate.metrics import METRICS, PER_LABEL
from stratune.files import write_text
from stratune.report import (
    attack,
    caveats,
    distribution,
    evaluations,
    human,
    many_labels,
    people,
    robustness,
    schema,
    sizes,
    slice_tables,
    tables,
    transfer,
)
from stratune.report.comparison import Comparison, Entry
from stratune.report.evidence import shown_evidence
from stratune.report.figure import Section, figures_of
from stratune.report.page import columns, confusions, embed, made
from stratune.report.page.curves import curves
from stratune.report.page.examples import examples
from stratune.report.page.standings import standings
from stratune.report.plots import stem_of
from stratune.report.scene import Scene
from stratune.report.style import FAINT, INK, PAPER
from stratune.report.texts import ROWS
from stratune.version import __version__

Board = dict[str, Any]

_THEMED = {PAPER: "var(--paper)", INK: "var(--ink)", FAINT: "var(--faint)"}


FILE = "report.html"
PROMPT = 20_000  # characters of a prompt that the page shows
# Figures of ours that the page has in a form of its own.
INTERACTIVE = {"cost", "learning", "roc", "confusion", "reliability"}


def save(out: Path, page: str) -> Path:
    write_text(out / FILE, page)
    return out / FILE


def render(comparison: Comparison, board: Board, drawn: dict[str, str], *, texts: int | None = None) -> str:
    """The page as text. `drawn` as `plots.draw` returns it; every value of the user's is escaped.

    `texts`: rows of test that are shown with their texts, 0 for none; None: as config.yaml says.
    """
    environment = Environment(
        loader=PackageLoader("stratune.report", "page"),
        autoescape=True,
        finalize=_printable,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        lines=_lines,
        score=human.score,
        interval=human.interval,
        plain=human.plain,
        count=human.count,
        share=human.share,
        difference=human.difference,
        gap=lambda pair: human.difference(pair, ends=False),
    )
    scene = Scene(comparison, board)
    most = _most(comparison.config) if texts is None else texts
    shown = examples(comparison, scene.entries, most)
    lines = [curves(entry, comparison.task.target) for entry in scene.entries]
    heads = columns.heads(board)
    entries = {(entry.strategy, entry.backbone): entry for entry in comparison.entries()}
    rows = [
        _row(row, entries[row["strategy"], row["backbone"]], scene, drawn, heads, texts=most > 0)
        for row in board["rows"]
    ]
    data = {
        "standings": standings(scene),
        "examples": shown,
        "curves": lines,
        "labels": [human.plain(label) for label in comparison.task.labels],
    }
    scripts = embed.scripts()
    return environment.get_template("page.html").render(
        board=board,
        comparison=comparison,
        verdict=board.get("verdict"),
        caption=tables.caption(board),
        heads=heads,
        rows=rows,
        winner=next((row for key in ("winner", "rank") for row in rows if row[key]), None),
        curves=lines,
        examples=shown,
        opened=next((row["entry"] for row in rows if row["winner"]), 0),
        cut=any(size > (shown["limit"] or 0) for size in shown["characters"] or ()),
        show_texts=most > 0,
        several_seeds=any(len(row["seeds"]) > 1 for row in board["rows"]),
        several_backbones=len({entry.backbone for entry in scene.entries if entry.backbone}) > 1,
        balanced=[comparison.task.labels[position] for position in many_labels.rarest(comparison)],
        overview=_shown("overview", drawn),
        many_labels=many_labels.are_many(comparison),
        people=_people(board, drawn),
        by_size=_by_size(board, drawn),
        transfer=_transfer(board),
        elsewhere=evaluations.section(board),
        robust=robustness.section(comparison, board, texts=most > 0),
        attacked=attack.section(comparison, board, texts=most > 0),
        sliced=slice_tables.section(board, figures=_shown("slices", drawn), texts=most > 0),
        fairness=slice_tables.groups(board),
        schema=schema.section(comparison),
        docs={name: metric.doc for name, metric in METRICS.items()},
        per_label=PER_LABEL,
        notices=caveats.lines(board, at_most=caveats.MANY),
        stars={part: caveats.star(board, part) for part in caveats.PARTS},
        made=made.of(comparison),
        config=_config(comparison.config),
        version=__version__,
        style=Markup("\n".join(map(embed.asset, ("vendor/uPlot.min.css", "base.css", "page.css")))),
        data=embed.as_json(data),
        scripts=scripts,
        sources=[Markup(embed.source_of(script)) for script in scripts],
    )


def _most(config: dict[str, Any]) -> int:
    """`report.texts` of config.yaml; configurations before 0.9 have none."""
    found = (config.get("report") or {}).get("texts")
    return found if isinstance(found, int) else ROWS


def _printable(value: Any) -> Any:
    """A value of the page, without what could not be printed; what is markup already stays."""
    if not isinstance(value, str) or isinstance(value, Markup) or value.isprintable():
        return value
    return human.plain(value)


def _lines(text: str) -> Markup:
    """Printable lines as lines: `_printable` would join them."""
    return Markup("\n").join(escape(line) for line in text.split("\n"))


def _config(config: dict[str, Any]) -> Markup:
    """As YAML. Where a character is not printable, all that are not ASCII are written as escapes."""
    text = yaml.safe_dump(config, sort_keys=False, allow_unicode=True)
    if any(human.plain(f"-{line}-") != f"-{line}-" for line in text.splitlines()):
        text = yaml.safe_dump(config, sort_keys=False, allow_unicode=False)
    return escape(text)


def _shown(section: Section, drawn: dict[str, str], entry: Entry | None = None) -> list[dict[str, Any]]:
    """The figures of a section that have something to show, in order; not those the page draws itself."""
    found = []
    for figure in figures_of(section):
        if figure.name in INTERACTIVE and figure.draw.__module__.startswith("stratune."):
            continue  # one of a user's that takes its place is shown
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
        "shares": distribution.table(board),
        "soft": distribution.sentences(board),
        "rows": (board.get("distribution") or {}).get("rows"),
    }


def _by_size(board: Board, drawn: dict[str, str]) -> dict[str, Any] | None:
    """The section on numbers of training rows; None where no others were trained on."""
    found = board.get("sizes")
    if not found:
        return None
    return {
        "found": found,
        "names": list(sizes.names(found).values()),
        "heads": sizes.heads(found),
        "curves": sizes.has_curves(found),
        "legend": sizes.LEGEND,
        "failures": sizes.failures(found),
        "figures": _shown("sizes", drawn),
    }


def _transfer(board: Board) -> dict[str, Any] | None:
    """The section on sources; None where nothing was trained on one."""
    found = board.get("transfer")
    return {"found": found, "tables": transfer.tables(found)} if found else None


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


def _prompt(entry: Entry) -> str | None:
    """What the first seed's run asked about a row of test, line by line printable."""
    path = entry.ok[0].folder / "prompt.txt" if entry.ok else None
    if path is None or not path.is_file():
        return None
    with boundary(lambda why: ArtifactError(f"{path}: cannot be read ({why})")):
        text = path.read_text(encoding="utf-8")
    return "\n".join(map(human.plain, text[:PROMPT].split("\n"))) + ("\n…" if len(text) > PROMPT else "")


def _row(
    row: dict[str, Any],
    entry: Entry,
    scene: Scene,
    drawn: dict[str, str],
    heads: list[columns.Head],
    *,
    texts: bool,
) -> dict[str, Any]:
    """A leaderboard row, with all that the page shows of its strategy."""
    comparison, board = scene.comparison, scene.board
    task = comparison.task
    results = [run.result for run in entry.runs]
    best = next((run.result for run in entry.ok), results[0])
    cut = [run.predictions["test"].tokens_cut for run in entry.ok]
    position = scene.entries.index(entry) if entry.ok else None
    return {
        **row,
        "winner": bool(row.get("winner")),
        "tied": bool(row.get("tied")),
        "entry": position,
        "name": entry.name,
        "cells": columns.cells(row, heads),
        "costs": [(head, show(row.get(key))) for key, head, show in tables.costs(board)],
        "notes": list(dict.fromkeys(note for result in results for note in result.notes)),
        "overall": [
            (name, row["val"].get(name), row["test"][name]) for name in METRICS if name in row["test"]
        ],
        "errs": _shown("entry", drawn, entry),
        **confusions.of(entry, task),
        "labels": [task.labels[position] for position in many_labels.shown(row, comparison)],
        "file_name": human.file_name(entry.strategy, entry.backbone),
        "evidence": shown_evidence(entry.ok[0].folder, task) if entry.ok else [],
        "runs": [(result, human.seconds(result.train_seconds)) for result in results],
        "settings": best.settings,
        "given": made.given(comparison.config, entry.strategy),
        "prompt": _prompt(entry) if texts else None,
        "versions": best.versions,
        "rows_cut": int((cut[0] > 0).sum()) if cut else 0,
        "tokens_cut": int(cut[0].sum()) if cut else 0,
    }
