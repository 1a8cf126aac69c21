"""What `import stratune as st` offers: compare and the Board it gives back."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stratune.comparison.board import Board
from stratune.comparison.comparison import run_comparison
from stratune.comparison.place import default_out
from stratune.comparison.progress import Display
from stratune.comparison.source import KEPT_ROWS, split_of
from stratune.config import Config, parse_config, read_config

if TYPE_CHECKING:
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
    jobs: int = 1,
    progress: bool = True,
    **sections: Any,
) -> Board:
    """Compare strategies on a file, a pandas frame, a list of dicts, `hub:name/config` or `demo:name`.

    `sections` are the configuration's: data={...}, task={...}, budget={...}, train={...}. A `source` that
    ends in .yaml is a whole configuration. `jobs` runs are under way at once and share cores and GPU.
    Failed strategies are rows; wrong input raises a StratuneError.
    """
    place = Path(out or default_out(source))
    if isinstance(source, (str, Path)) and str(source).endswith((".yaml", ".yml")):
        config = read_config(source)
    else:
        own = {"source": source, "val": val, "test": test}
        fields = _fields(
            own, text, label, pair, group, strategies, backbones, seeds, epochs, metric, sections, place
        )
        config = parse_config(fields)
    with Display(shown=progress) as display:
        for _ in run_comparison(config, place, fresh=fresh, jobs=jobs, watch=display.on):
            pass
    return Board.load(place)


def split(config: Config | str | Path) -> Split:
    """The Split that a configuration (or its file) names: what `fit` takes."""
    return split_of(read_config(config) if isinstance(config, (str, Path)) else config)


def _fields(
    own: dict[str, Any],
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
    out: Path,
) -> dict[str, Any]:
    named = {"text": text, "label": label, "text_pair": pair, "group": group, "metric": metric}
    fields: dict[str, Any] = {"seeds": seeds, **sections}
    fields["data"] = {**_files(own, out), **sections.get("data", {})}
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


def _files(own: dict[str, Any], out: Path) -> dict[str, str]:
    """Paths as they are; objects in memory written beside the results, so that config.yaml can name them."""
    from stratune.data.read import read

    named: dict[str, str] = {}
    for part, source in own.items():
        if source is None:
            continue
        if isinstance(source, (str, Path)):
            named[part] = str(source)
            continue
        import pyarrow.parquet as pq

        from stratune.data.arrow import to_arrow
        from stratune.files import replacing

        path = out / KEPT_ROWS[part]
        with replacing(path) as temporary:
            pq.write_table(to_arrow(read(source)), temporary)
        named[part] = str(path)
    return named
