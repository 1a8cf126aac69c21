"""How a comparison was made: when, on what, with which versions and seeds; and what a strategy was given."""

from __future__ import annotations

from typing import Any

from stratune.report.comparison import Comparison

MOST = 6  # machines or versions that are listed; runs of one comparison rarely have two


def of(comparison: Comparison) -> dict[str, Any]:
    """`date` of the last run, `machine` and `versions` with every value that a run had, `seeds`."""
    results = [run.result for run in comparison.runs]
    return {
        "date": max((result.date for result in results), default=""),
        "machine": _gathered([result.machine for result in results]),
        "versions": _gathered([result.versions for result in results]),
        "seeds": sorted({result.seed for result in results}),
    }


def _gathered(found: list[dict[str, str]]) -> dict[str, list[str]]:
    names = dict.fromkeys(name for one in found for name in one)
    return {name: list(dict.fromkeys(one[name] for one in found if name in one))[:MOST] for name in names}


def given(config: dict[str, Any], strategy: str) -> dict[str, Any]:
    """The settings that config.yaml gives a strategy: those that are not its defaults."""
    for one in config.get("strategies") or ():
        if isinstance(one, dict) and strategy in (one.get("name"), one.get("preset")):
            return {str(key): value for key, value in one.items() if key != "name" and value != strategy}
    return {}
