"""`hub:name`, `hub:name/config`, `hub:owner/name/config`: a dataset from the hub or its local cache."""

from __future__ import annotations

from typing import Any

import datasets
from datasets.exceptions import DatasetNotFoundError

from stratune.errors import DataError, StratuneError, boundary


def load_hub(source: str) -> Any:
    """A DatasetDict of all splits (a Dataset where there are none). DataError when it cannot be had."""
    named = source.removeprefix("hub:").strip("/ ")
    if not named:
        raise DataError("names no dataset: hub:name, hub:owner/name or hub:owner/name/config", path=source)
    candidates = _candidates(named)
    for name, config in candidates:
        try:
            with boundary(lambda why: DataError(f"could not be loaded: {why}", path=source)):
                return _loaded(name, config)
        except _NotFound:
            continue
    tried = ", ".join(name for name, _ in candidates)
    message = f"could not be reached on the hub (tried {tried}); local files and demo:reviews need no network"
    raise DataError(message, path=source)


class _NotFound(StratuneError):
    """No dataset of this name."""


def _loaded(name: str, config: str | None) -> Any:
    try:
        return datasets.load_dataset(name, config)
    except DatasetNotFoundError as error:
        raise _NotFound(name) from error


def _candidates(name: str) -> list[tuple[str, str | None]]:
    """(repository, config), likeliest first. a/b is owner/name or name/config: only the hub can tell."""
    parts = name.split("/")
    if len(parts) >= 3:
        return [("/".join(parts[:2]), "/".join(parts[2:]))]
    if len(parts) == 2:
        return [(name, None), (parts[0], parts[1])]
    return [(name, None)]
