"""How every figure looks, and how it becomes an SVG that is the same bytes every time.

Figures are built without pyplot: no global state, no display. Colours are Okabe and Ito's (2008), which
colour-blind readers can distinguish; dashes and markers carry the same distinction. Text stays text, so it
can be searched. The HTML page replaces PAPER, INK and FAINT by its own colours, which have a dark mode.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

PAPER = "#fffffe"  # background
INK = "#1f2430"  # text and axes
FAINT = "#d5d9e0"  # grid lines
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7A5195", "#6B7280")
DASHES = ("-", "--", "-.", ":")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")

_RC: dict[str, Any] = {
    "svg.fonttype": "none",
    "text.parse_math": False,  # a label like "$5" is text
    "axes.unicode_minus": False,
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans", "Verdana", "Noto Sans", "sans-serif"],
    "font.size": 9.5,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 10,
    "axes.facecolor": PAPER,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "figure.facecolor": PAPER,
    "grid.color": FAINT,
    "grid.linewidth": 0.7,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
}


@dataclass(frozen=True)
class Look:
    """The looks of one strategy, the same in every figure."""

    color: str
    dash: str
    marker: str


def look(index: int) -> Look:
    """Colours first; where they are used up, the next dash."""
    round_, color = divmod(index, len(PALETTE))
    return Look(PALETTE[color], DASHES[round_ % len(DASHES)], MARKERS[index % len(MARKERS)])


@contextmanager
def styled(name: str) -> Iterator[None]:
    """Matplotlib's settings for one figure. `name` makes the ids in its SVG unique on a page of many."""
    settings: Any = {**_RC, "svg.hashsalt": name}
    with rc_context(settings), warnings.catch_warnings():
        # the reader's browser has fonts for glyphs that matplotlib's lacks
        warnings.filterwarnings("ignore", message=".*Glyph .* missing from font")
        warnings.filterwarnings("ignore", message="Matplotlib currently does not support .* natively")
        yield


def panel(width: float, height: float) -> tuple[Figure, Axes]:
    """A figure of one panel, sizes in inches."""
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.add_subplot()


def by_row(axes: Axes, names: Sequence[str]) -> None:
    """One row of the figure for each name, the first on top."""
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.grid(axis="x")
    axes.spines["left"].set_visible(False)
    axes.tick_params(left=False)


def to_svg(figure: Figure) -> str:
    text = io.StringIO()
    figure.savefig(text, format="svg", metadata={"Date": None, "Creator": "stratune"})
    return text.getvalue()


def shades(lightest: str = "#f4f7fb") -> Any:
    """A colour map from `lightest`, nearly paper, to the darkest blue."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("stratune", [lightest, "#7fb2d8", PALETTE[0], "#003a63"])
