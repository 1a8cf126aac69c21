"""The rows of a place, as the model that answers them reads it: a table, or transcripts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from stratune.cli.batches import Answering, Rows
from stratune.cli.calls import Calls, is_no_table, is_of_transcripts
from stratune.cli.workers import Added

if TYPE_CHECKING:
    from stratune.predictor.predictor import Predictor
    from stratune.task import Task


def table_types(source: str, encoding: str | None, delimiter: str | None) -> dict[str, Any]:
    """Column -> type; {} of what may be transcripts. Reads a file once; raises as `column_types`."""
    from stratune.data.layout import column_types

    return {} if is_no_table(source) else column_types(source, encoding=encoding, delimiter=delimiter)


@dataclass(frozen=True)
class Reading:
    """`task`: with the names of the columns that hold the texts."""

    predictor: Predictor
    task: Task
    added: Added
    encoding: str | None = None
    delimiter: str | None = None

    def of(
        self, source: str, known: dict[str, Any], format_: str | None = None
    ) -> tuple[Rows | Calls, dict[str, Any], Answering]:
        """The rows, the types of the columns that are written of them ({}: not known), what is asked of them.

        `known`: of `table_types`; `format_`: of standard input.
        """
        from stratune.data.layout import column_types

        rows: Rows | Calls = Rows(source, known, self.encoding, self.delimiter, format_)
        if is_of_transcripts(source, self.predictor, known):
            rows = Calls(source, *self.predictor.read_transcripts(source, self.encoding), self.task.text)
            rows.tell()
            known = {name: kind for name, kind in rows.types.items() if name not in rows.hidden}
        elif not known and source != "-":
            known = column_types(source, encoding=self.encoding, delimiter=self.delimiter)
        names = self.added.names(self.predictor)
        return rows, known, Answering(self.task, rows.source, rows.types, names, rows.hidden)
