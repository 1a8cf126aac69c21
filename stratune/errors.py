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
        └── MissingEndpoint

A message gives the place, the value found, and the choices.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

from stratune.printable import middle_cut

LINE = 480  # characters of a message; "stratune: " comes before it
LISTED = 12  # choices that a message names


class StratuneError(Exception):
    """The root: catch this to catch everything stratune raises on purpose.

    Its message is one printable line of at most LINE characters, whatever it quotes.
    """

    def __init__(self, message: str = "") -> None:
        super().__init__(middle_cut(message, LINE))


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


class MissingEndpoint(RemoteError):
    """A model server that does not have at all what it is asked for."""


def choices(found: object, known: Iterable[str]) -> str:
    """`is not one of a, b, c (did you mean 'a'?)`: the tail that every such message shares.

    Of many choices the nearest are named.
    """
    names = list(islice(known, 10_000))
    close = difflib.get_close_matches(str(found)[:200], names, n=1) if len(names) <= 2000 else []
    hint = f" (did you mean {close[0]!r}?)" if close else ""
    shown = names if len(names) <= LISTED else [*names[:LISTED], f"... ({len(names)} in all)"]
    return f"{middle_cut(repr(str(found)), 80)} is not one of {', '.join(shown)}{hint}"


def reason(error: BaseException) -> str:
    """What a library's error says, in one line: its first line, or its name."""
    lines = str(error).strip().splitlines()
    return middle_cut(lines[0], 200) if lines else type(error).__name__


@contextmanager
def boundary(failed: Callable[[str], StratuneError]) -> Iterator[None]:
    """Where a library reads what somebody else wrote: whatever it raises becomes one error of ours.

    `failed` makes it of the reason. Only around calls of libraries: our own mistakes must stay visible.
    """
    try:
        yield
    except StratuneError:
        raise
    except Exception as error:  # noqa: BLE001  a damaged file makes a parser raise anything
        raise failed(reason(error)) from error
