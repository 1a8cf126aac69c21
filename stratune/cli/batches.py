"""Batches of a file, and the columns that a model adds to them."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from stratune.errors import ConfigError

if TYPE_CHECKING:
    from stratune.cli.calls import Calls
    from stratune.predictor.predictor import Predictor

Batch = dict[str, list[Any]]  # column -> cells, all of one length

# Rows read, predicted and written at a time; sorting by length within them saves most of the padding.
BATCH_ROWS = 4096


@dataclass(frozen=True)
class Rows:
    """Where the rows come from, and the types of its columns, where they are known beforehand."""

    source: str
    types: dict[str, Any]
    encoding: str | None = None
    delimiter: str | None = None
    format: str | None = None
    hidden: tuple[str, ...] = ()  # columns that are not written

    def batches(self, count: int) -> Iterator[dict[str, list[Any]]]:
        from stratune.data.read import iter_batches

        yield from iter_batches(
            self.source, count, encoding=self.encoding, delimiter=self.delimiter, format=self.format
        )


@dataclass(frozen=True)
class Columns:
    """Which columns are read, and what is put before the names of those that are added."""

    text: str
    pair: str | None
    prefix: str
    coverage: float | None = None  # of the sets that are added; None: none are

    def added(self, predictor: Predictor) -> dict[str, Any]:
        """Column -> type of what every prediction has."""
        import pyarrow as pa

        numeric = predictor.task.target.is_numeric
        types = {f"{self.prefix}prediction": pa.float64() if numeric else pa.string()}
        types |= {f"{self.prefix}set": pa.string()} if self.coverage is not None else {}
        return types | {f"{self.prefix}score_{label}": pa.float64() for label in predictor.labels}

    def check(self, names: Iterable[str], predictor: Predictor) -> None:
        """ConfigError where the input has a column of such a name."""
        added = [*self.added(predictor), f"{self.prefix}tokens_cut"]
        if there := [name for name in names if name in added]:
            why = f"the input has a column {there[0]!r} already; choose another with --prefix"
            raise ConfigError(why, key="prefix")


@dataclass(frozen=True)
class Answering:
    """What is done with a batch: whoever has the model can do it, in another process too.

    `types` and `hidden` are those of the rows; `source` is for messages.
    """

    columns: Columns
    source: str
    types: dict[str, Any]
    hidden: tuple[str, ...] = ()
    explain: bool = False

    @classmethod
    def of(cls, columns: Columns, rows: Rows | Calls, *, explain: bool = False) -> Answering:
        return cls(columns, rows.source, rows.types, rows.hidden, explain)

    def each(self, predictor: Predictor, batches: Iterable[Batch], first: int = 0) -> Iterator[Batch]:
        """All of them, one after the other."""
        for batch in batches:
            yield self(predictor, batch, first)
            first += size_of(batch)

    def __call__(self, predictor: Predictor, batch: Batch, first: int) -> Batch:
        """The columns of the input, then the answers; `first` rows of the source come before it."""
        from stratune.cli.answer import evidence_of
        from stratune.data.columns import canonical
        from stratune.data.read import read
        from stratune.predictor.written import answer_columns

        self.columns.check(batch, predictor)
        text, pair = self.columns.text, self.columns.pair
        task = replace(predictor.task, text=text, text_pair=pair, group=None, id=None)
        wanted = _wanted(batch, self.columns, self.types)
        texts = canonical(read(wanted), task, self.source, labelled=False, first=first)
        answers = predictor.answer(list(texts["text"]), list(texts["text_pair"]) if task.text_pair else None)
        sets = None
        if self.columns.coverage is not None:
            sets = [_set_cell(one) for one in predictor.sets_of(answers, self.columns.coverage)]
        added = answer_columns(predictor, answers, self.columns.prefix, sets)
        if self.explain:
            added[f"{self.columns.prefix}evidence"] = evidence_of(answers, list(texts["text"]))
        return _joined({name: cells for name, cells in batch.items() if name not in self.hidden}, added)


def size_of(batch: Batch) -> int:
    """Rows."""
    return len(next(iter(batch.values())))


def _wanted(batch: Batch, columns: Columns, types: Mapping[str, Any]) -> Batch:
    """The columns of texts alone, as text where some row of the file has text; all where one is missing."""
    import pyarrow as pa

    from stratune.data.arrow import as_text

    names = [columns.text, *([columns.pair] if columns.pair else [])]
    absent = {name: [None] * size_of(batch) for name in names if name in types}
    batch = {**absent, **batch}  # a record may lack what others have
    if not all(name in batch for name in names):
        return batch  # whose columns the message names
    texts = {name: types.get(name) == pa.string() for name in names}
    return {name: [as_text(v) for v in batch[name]] if texts[name] else batch[name] for name in names}


def _set_cell(found: tuple[Any, ...]) -> str:
    """JSON: labels, or lowest and highest value; null where there is no end."""
    ends = [None if isinstance(one, float) and not math.isfinite(one) else one for one in found]
    return json.dumps(ends, ensure_ascii=False)


def _joined(batch: dict[str, list[Any]], added: dict[str, list[Any]]) -> dict[str, list[Any]]:
    for name in added:
        if name in batch:
            raise ConfigError(
                f"the input has a column {name!r} already; choose another with --prefix", key="prefix"
            )
    return {**batch, **added}
