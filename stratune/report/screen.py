"""The terminal, and the only place that knows rich: what is shown is text, never markup.

A label `[red]`, a section `[/b]`, a file name with an escape code: rich would take the first two as its own
language and hand the third to the terminal. A `Screen` shows all of them as they are, on one line, in a
console, a table or a bar of progress alike. rich is loaded with this module: import it where something is
shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from rich import box
from rich.cells import cell_len
from rich.console import Console, Group
from rich.live import Live
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TaskID,
    TimeElapsedColumn,
)
from rich.table import Table
from rich.text import Text

from stratune.printable import printable

__all__ = [
    "Group",
    "Live",
    "Screen",
    "Table",
    "TaskID",
    "Text",
    "bars",
    "box",
    "cell_len",
    "counting_bar",
    "screen",
    "stacked",
    "text",
    "view",
]


class Screen(Console):
    """A console without markup, emoji names and colouring by guess. Strings become printable lines."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options, markup=False, highlight=False, emoji=False)

    def render_str(self, text: str, **options: Any) -> Text:
        """Every string that rich shows passes here: printed ones, cells, headings, titles."""
        return super().render_str(printable(text), **{**options, "markup": False, "emoji": False})

    def say(self, line: str, style: str = "") -> None:
        """One line, which only the terminal breaks."""
        self.print(line, style=style, soft_wrap=True)


def screen(*, stderr: bool = False, **options: Any) -> Screen:
    return Screen(stderr=stderr, **options)


def text(*parts: str | tuple[str, str], style: str = "") -> Text:
    """Parts, or (part, style), one after the other on one line."""
    made = Text(style=style)
    for part in parts:
        words, look = part if isinstance(part, tuple) else (part, "")
        # a blank at an end joins a part to the next one
        made.append(f"{' ' * words.startswith(' ')}{printable(words)}{' ' * words.endswith(' ')}", style=look)
    return made


def stacked(lines: Iterable[Text]) -> Text:
    """One below the other."""
    return Text("\n").join(lines)


class _Words(ProgressColumn):
    """What a task is called, or one of its fields."""

    def __init__(self, field: str = "") -> None:
        self.field = field
        super().__init__()

    def render(self, task: Task) -> Text:
        return text(str(task.fields.get(self.field, "") if self.field else task.description))


class _Count(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text(f"{task.completed:,.0f}")


def counting_bar(console: Screen, *, shown: bool) -> Progress:
    """How many things are done; it goes when it ends."""
    columns = (_Words(), BarColumn(bar_width=30), _Count(), TimeElapsedColumn())
    return Progress(*columns, console=console, transient=True, disable=not shown)


def bars(console: Screen, *, shown: bool) -> Progress:
    """A line a task: how many of how many, the time it took, and its field `note`."""
    return Progress(
        SpinnerColumn(),
        _Words(),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        _Words("note"),
        console=console,
        disable=not shown,
    )


def view(console: Screen, picture: Callable[[], Group]) -> Live:
    """What `picture` gives, drawn again several times a second until it is stopped; then it goes."""
    return Live(get_renderable=picture, console=console, transient=True, refresh_per_second=4)
