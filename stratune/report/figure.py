"""Registering a figure: what is drawn, for which comparisons, and where it stands on the page.

A figure is one function in one file. Files in `stratune/report/figures/` are found automatically, and so
are those of users (plugins.py).

    @figure("roc", title="ROC curves", order=40)
    def roc(scene: Scene) -> str | None: ...            # one for the comparison

    @figure("confusion", title="Confusion matrix", order=10, section="entry")
    def confusion(scene: Scene, entry: Entry) -> str | None: ...    # one for each row of the leaderboard

It returns the text of an SVG, or None where it has nothing to show.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeVar

Section = Literal["overview", "people", "sizes", "slices", "entry"]
Draw = Callable[..., str | None]  # (Scene) or, in the section "entry", (Scene, Entry)

_D = TypeVar("_D", bound=Draw)


@dataclass(frozen=True)
class Figure:
    """`name` is the file's: OUT/plots/<name>.svg, or <name>-<strategy>@<backbone>.svg in section "entry".

    Sections of the page: "overview" (In pictures), "people" (Agreement with people), "sizes" (How many
    labels), "slices" (Slices), "entry" (Where it errs).
    Within one, figures stand by `order`; ours leave room between them: 10, 20, 30 and on.
    """

    name: str
    draw: Draw
    title: str  # what it shows, for readers who cannot see it
    order: float
    section: Section
    tall: bool  # grows with the labels: the page must not shrink it to the height of the others


_FIGURES: dict[str, Figure] = {}


def figure(
    name: str, *, title: str, order: float, section: Section = "overview", tall: bool = False
) -> Callable[[_D], _D]:
    """Make a figure known. One that has the name of another replaces it."""
    if re.fullmatch(r"[\w-]+", name) is None:
        raise ValueError(f"{name!r} names a file: letters, digits, _ and - only")

    def keep(draw: _D) -> _D:
        _FIGURES[name] = Figure(name, draw, title, order, section, tall)
        return draw

    return keep


def figures_of(section: Section) -> list[Figure]:
    """In the order of the page. Empty until `stratune.report.figures` is imported."""
    found = [one for one in _FIGURES.values() if one.section == section]
    return sorted(found, key=lambda one: (one.order, one.name))
