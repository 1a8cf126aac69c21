"""A comparison for people: leaderboard, plots, one HTML page. Reads files, never a model."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any


def publish(out: str | Path, planned: Collection[str] | None = None) -> dict[str, Any]:
    """Write OUT/leaderboard.{json,csv,md}, OUT/plots and OUT/report.html; returns the leaderboard.

    `planned` as in `comparison.load`.

    Raises ArtifactError or ConfigError when OUT is not a whole comparison, or not marked as ours; nothing is
    written then.
    """
    from stratune.ownership import owned_by_us
    from stratune.report import html, leaderboard, plots
    from stratune.report.comparison import load

    comparison = load(out, planned)
    owned_by_us(comparison.out).own(*leaderboard.FILES, html.FILE)
    board = leaderboard.build(comparison)
    drawn = plots.draw(comparison, board)
    page = html.render(comparison, board, drawn)
    leaderboard.save(comparison.out, board)
    plots.save(comparison.out, drawn, plots.tables(comparison, board))
    html.save(comparison.out, page)
    return board
