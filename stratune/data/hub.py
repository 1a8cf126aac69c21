"""`hub:name`, `hub:name/config`, `hub:owner/name/config`: a dataset from the hub or its local cache."""

from __future__ import annotations

from typing import Any

import datasets
from datasets.exceptions import DatasetNotFoundError, DatasetsError

from stratune.errors import DataError


def load_hub(source: str) -> Any:
    """A DatasetDict of all splits (a Dataset where there are none). DataError when it cannot be had."""
    candidates = _candidates(source.removeprefix("hub:").strip("/"))
    for name, config in candidates:
        try:
            return datasets.load_dataset(name, config)
        except DatasetNotFoundError:
            continue
        except (
            DatasetsError,
            ValueError,
            OSError,
            RuntimeError,
        ) as error:  # no network, unknown config, a script
            reason = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise DataError(f"could not be loaded: {reason}", path=source) from None
    tried = ", ".join(name for name, _ in candidates)
    message = f"could not be reached on the hub (tried {tried}); local files and demo:reviews need no network"
    raise DataError(message, path=source)


def _candidates(name: str) -> list[tuple[str, str | None]]:
    """(repository, config), likeliest first. a/b is owner/name or name/config: only the hub can tell."""
    parts = name.split("/")
    if len(parts) >= 3:
        return [("/".join(parts[:2]), "/".join(parts[2:]))]
    if len(parts) == 2:
        return [(name, None), (parts[0], parts[1])]
    return [(name, None)]
