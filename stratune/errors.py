"""Everything stratune raises on purpose. The command line prints one line of it and exits with code 2.

    StratuneError
    ├── DataError          a file, a row, a column
    ├── ConfigError        a key of the configuration or an option
    ├── BackboneError      a model that cannot be had or read
    ├── UnsupportedError   a strategy that this backbone cannot do
    ├── ArtifactError      a model folder that is not whole, or does not agree with itself
    ├── TrainingError      a run that could not go on
    │   └── NonFiniteLoss
    ├── MetricError        a registered metric that failed, or gave no number
    └── RemoteError        a server

A message gives the place, the value found, and the choices.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path


class StratuneError(Exception):
    """The root: catch this to catch everything stratune raises on purpose."""


class DataError(StratuneError):
    """A problem in the user's data, with its place: `path`, `row` (1-based line or record) and `column`."""

    def __init__(
        self,
        message: str,
        *,
        path: str | Path | None = None,
        row: int | None = None,
        column: str | None = None,
    ) -> None:
        self.path, self.row, self.column = path, row, column
        place = ":".join(str(part) for part in (path, row) if part is not None)
        where = f"column {column!r}: " if column is not None else ""
        super().__init__(f"{place}: {where}{message}" if place else f"{where}{message}")


class ConfigError(StratuneError):
    """A wrong key or value in the configuration; `key` is its dotted path."""

    def __init__(self, message: str, *, key: str | None = None) -> None:
        self.key = key
        super().__init__(f"{key}: {message}" if key else message)


class BackboneError(StratuneError):
    """A pretrained model that cannot be found, read or recognised."""


class UnsupportedError(StratuneError):
    """A cell of strategy x backbone that cannot exist, and why."""

    def __init__(self, strategy: str, backbone: str, why: str) -> None:
        self.strategy, self.backbone, self.why = strategy, backbone, why
        super().__init__(f"{strategy} cannot run on {backbone}: {why}")


class ArtifactError(StratuneError):
    """A model folder that is incomplete, of another backbone, or that did not reload to the same numbers."""


class TrainingError(StratuneError):
    """A run that cannot go on."""


class NonFiniteLoss(TrainingError):
    """The loss or a gradient became NaN or infinite."""


class MetricError(StratuneError):
    """A registered metric that raised an error or returned what is no number, by its name."""


class RemoteError(StratuneError):
    """A model server that did not answer as it should."""


def choices(found: object, known: Iterable[str]) -> str:
    """`is not one of a, b, c (did you mean 'a'?)`: the tail that every such message shares."""
    names = list(known)
    close = difflib.get_close_matches(str(found), names, n=1)
    hint = f" (did you mean {close[0]!r}?)" if close else ""
    return f"{str(found)!r} is not one of {', '.join(names)}{hint}"
