"""What commands print: JSON for programs, tables for people."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import typer

from stratune.printable import escaped

if TYPE_CHECKING:  # rich is loaded when something is shown
    from stratune.report.screen import Screen


def print_json(value: Any) -> None:
    """What no terminal should get as it is (escape codes, marks that turn the direction) as \\uXXXX."""
    lines = json.dumps(value, indent=2, ensure_ascii=False).split("\n")
    typer.echo("\n".join(map(escaped, lines)))


def console() -> Screen:
    from stratune.report.screen import screen

    return screen()
