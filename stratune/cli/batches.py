"""Batches of a file become questions, and their answers columns beside those of the file."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from stratune.errors import ConfigError

if TYPE_CHECKING:
    from stratune.task import Task

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
class Question:
    """The texts of some rows; of pairs both. Nothing else of a row is needed to answer it."""

    texts: list[str]
    pairs: list[str] | None = None


class Pool(Protocol):
    """Answers questions, here or elsewhere."""

    @property
    def ahead(self) -> int:
        """Questions that are asked before the answer to the first is waited for."""

    def ask(self, question: Question) -> Callable[[], Batch]:
        """What waits for the answers and gives them: the columns that are added to the rows."""


@dataclass(frozen=True)
class Answering:
    """How batches of a source become questions, and what is answered joins their columns.

    `task`: with the names that this source has. `types` and `hidden` are those of the rows. `added`: names of
    columns that will come.
    """

    task: Task
    source: str
    types: dict[str, Any]
    added: tuple[str, ...]
    hidden: tuple[str, ...] = ()

    def check(self, names: Iterable[str]) -> None:
        """ConfigError where the input has a column of a name that is added."""
        if there := [name for name in names if name in self.added]:
            why = f"the input has a column {there[0]!r} already; choose another with --prefix"
            raise ConfigError(why, key="prefix")

    def answered(self, pool: Pool, batches: Iterable[Batch], first: int = 0) -> Iterator[Batch]:
        """Each batch with its answers, in the order of the input; `first` rows of the source come before."""
        under_way: deque[tuple[Batch, Callable[[], Batch]]] = deque()
        for batch in batches:
            under_way.append((batch, pool.ask(self.question(batch, first))))
            first += size_of(batch)
            if len(under_way) > pool.ahead:
                yield self._joined(*under_way.popleft())
        while under_way:
            yield self._joined(*under_way.popleft())

    def question(self, batch: Batch, first: int) -> Question:
        from stratune.data.columns import canonical
        from stratune.data.read import read
        from stratune.data.rows import text_columns

        self.check(batch)
        task = self.task
        table = canonical(read(self._wanted(batch)), task, self.source, labelled=False, first=first)
        texts, pairs = text_columns(table)
        return Question(texts, pairs if task.text_pair else None)

    def _wanted(self, batch: Batch) -> Batch:
        """The columns of texts alone, as text where some row of the file has text; all
        where one is missing.
        """
        import pyarrow as pa

        from stratune.data.arrow import as_text

        names = [self.task.text, *([self.task.text_pair] if self.task.text_pair else [])]
        absent = {name: [None] * size_of(batch) for name in names if name in self.types}
        batch = {**absent, **batch}  # a record may lack what others have
        if not all(name in batch for name in names):
            return batch  # whose columns the message names
        texts = {name: self.types.get(name) == pa.string() for name in names}
        return {name: [as_text(v) for v in batch[name]] if texts[name] else batch[name] for name in names}

    def _joined(self, batch: Batch, answers: Callable[[], Batch]) -> Batch:
        """The columns of the input, then the answers."""
        added = answers()
        for name in added:
            if name in batch:  # what a prompted model wrote: known only now
                raise ConfigError(
                    f"the input has a column {name!r} already; choose another with --prefix", key="prefix"
                )
        return {**{name: cells for name, cells in batch.items() if name not in self.hidden}, **added}


def size_of(batch: Batch) -> int:
    """Rows."""
    return len(next(iter(batch.values())))
