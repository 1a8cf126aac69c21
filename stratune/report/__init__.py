"""A comparison for people: leaderboard, plots, one HTML page. Reads files, never a model."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import Any


def publish(
    out: str | Path,
    planned: Collection[str] | None = None,
    *,
    texts: int | None = None,
    prefer: str | None = None,
) -> dict[str, Any]:
    """Write OUT/leaderboard.{json,csv,md}, plots, report.html, trials.parquet and a README.md beside each
    model; returns the leaderboard.

    `planned` as in `comparison.load`; `texts`: how many test rows the page shows with their texts, 0 for
    none; `prefer`: the cost that decides; None: what config.yaml says. Raises ArtifactError or ConfigError
    when OUT is not a whole comparison, or not marked as ours; nothing is written then.
    """
    from stratune.ownership import owned_by_us
    from stratune.report import cards, html, leaderboard, plots, trials
    from stratune.report.comparison import load

    comparison = load(out, planned)
    if prefer is not None:
        comparison = replace(comparison, config={**comparison.config, "prefer": prefer})
    board = leaderboard.build(comparison)
    drawn, tables = plots.draw(comparison, board), plots.tables(comparison, board)
    page = html.render(comparison, board, drawn, texts=texts)
    tried = trials.table(comparison)
    names = (*leaderboard.FILES, html.FILE, *trials.files(tried), *plots.written(drawn, tables))
    owned_by_us(comparison.out).own(*names)  # all of them, before the first is written
    leaderboard.save(comparison.out, board)
    plots.save(comparison.out, drawn, tables)
    html.save(comparison.out, page)
    trials.save(comparison.out, tried)
    cards.write(comparison, board)
    return board
