"""What `import stratune as st` offers: compare and the Board it gives back."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stratune.comparison.board import Board
from stratune.comparison.comparison import run_comparison
from stratune.comparison.progress import Display
from stratune.comparison.source import KEPT_ROWS, split_of
from stratune.config import Config, parse_config, read_config

if TYPE_CHECKING:
    from datasets import Dataset

    from stratune.data.split import Split


def compare(
    source: Any,
    *,
    text: str | None = None,
    label: str | None = None,
    pair: str | None = None,
    group: str | None = None,
    strategies: Sequence[Any] | None = None,
    backbones: Sequence[str] | str | None = None,
    seeds: int = 1,
    epochs: float | None = None,
    metric: str | None = None,
    val: Any = None,
    test: Any = None,
    out: str | Path | None = None,
    fresh: bool = False,
    anyway: bool = False,
    jobs: int = 1,
    progress: bool = True,
    **sections: Any,
) -> Board:
    """Compare strategies on a file, a pandas frame, a list of dicts, `hub:name/config` or `demo:name`.

    `sections` are the configuration's: data={...}, task={...}, budget={...}, train={...}. A `source` that
    ends in .yaml is a whole configuration. `jobs` runs are under way at once and share cores and GPU.
    `out` None: stratune-out/NAME, or a folder beside it where other data or another task is compared there.
    Errors that `stratune data check` finds stop the comparison; `anyway` goes on and marks the board.
    Failed strategies are rows; wrong input raises a StratuneError.
    """
    rows: dict[str, Dataset] = {}
    if isinstance(source, (str, Path)) and str(source).endswith((".yaml", ".yml")):
        config = read_config(source)
    else:
        own = {"source": source, "val": val, "test": test}
        files, rows = _sources(own)
        config = parse_config(
            _fields(files, text, label, pair, group, strategies, backbones, seeds, epochs, metric, sections)
        )
    places = [Path(out)] if out is not None else []
    options: dict[str, Any] = {"rows": rows, "fresh": fresh, "anyway": anyway, "jobs": jobs}
    with Display(shown=progress) as display:
        for _ in run_comparison(config, *places, watch=display.on, placed=places.append, **options):
            pass
    return Board.load(places[-1], allow_server=config.servers)


def split(config: Config | str | Path) -> Split:
    """The Split that a configuration (or its file) names: what `fit` takes."""
    return split_of(read_config(config) if isinstance(config, (str, Path)) else config)


def _fields(
    files: dict[str, str],
    text: str | None,
    label: str | None,
    pair: str | None,
    group: str | None,
    strategies: Sequence[Any] | None,
    backbones: Sequence[str] | str | None,
    seeds: int,
    epochs: float | None,
    metric: str | None,
    sections: dict[str, Any],
) -> dict[str, Any]:
    named = {"text": text, "label": label, "text_pair": pair, "group": group, "metric": metric}
    fields: dict[str, Any] = {"seeds": seeds, **sections}
    fields["data"] = {**files, **sections.get("data", {})}
    fields["task"] = {**{k: v for k, v in named.items() if v is not None}, **sections.get("task", {})}
    if strategies is not None:
        fields["strategies"] = [_spec(strategy) for strategy in strategies]
    if backbones is not None:
        fields["backbones"] = [backbones] if isinstance(backbones, str) else list(backbones)
    if epochs is not None:
        fields["budget"] = {"epochs": epochs, **sections.get("budget", {})}
    return fields


def _spec(strategy: Any) -> Any:
    """A name, a mapping, or a Strategy object: what config.yaml can hold."""
    return strategy.settings() if hasattr(strategy, "settings") else strategy


def _sources(own: dict[str, Any]) -> tuple[dict[str, str], dict[str, Dataset]]:
    """(names of sources, rows of those in memory), which become files of these names beside the results."""
    from stratune.data.read import read_tables

    named: dict[str, str] = {}
    rows: dict[str, Dataset] = {}
    for part, source in own.items():
        if isinstance(source, (str, Path)):
            named[part] = str(source)
        elif source is not None:
            tables = read_tables(source)
            rows[part] = tables.train
            if part == "source":  # a DatasetDict has parts of its own
                given = {"val": tables.val, "test": tables.test}
                rows |= {key: table for key, table in given.items() if table is not None and own[key] is None}
    return named | {part: KEPT_ROWS[part] for part in rows}, rows
