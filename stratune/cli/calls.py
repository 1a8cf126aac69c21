"""stratune predict MODEL CALLS: transcripts, read as the model's training read them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stratune.predictor.predictor import Predictor
    from stratune.transcript.texts import TextsReport

NAMED = ("id", "document", "speaker")  # columns that are written


@dataclass(frozen=True)
class Calls:
    """Rows of texts, as `Rows` of a table has them."""

    source: str
    rows: list[dict[str, Any]]
    report: TextsReport
    text: str  # what the model calls the column

    @property
    def hidden(self) -> tuple[str, ...]:
        """A call's text is not written again beside its answer."""
        return (self.text,)

    @property
    def types(self) -> dict[str, Any]:
        import pyarrow as pa

        return dict.fromkeys([*self._names, self.text], pa.string())

    @property
    def _names(self) -> list[str]:
        return [name for name in NAMED if any(row.get(name) for row in self.rows)]

    def batches(self, count: int) -> Iterator[dict[str, list[Any]]]:
        for start in range(0, len(self.rows), count):
            rows = self.rows[start : start + count]
            named = {name: [row.get(name) for row in rows] for name in self._names}
            yield {**named, self.text: [row["text"] for row in rows]}

    def tell(self) -> None:
        """What was left out, and what was wrong with the files, on standard error."""
        from stratune.report.screen import screen

        for line in self.report.problems():
            screen(stderr=True).say(f"{self.source}: {line}")


def is_no_table(source: str) -> bool:
    """Whether it is a folder, or a file that holds one transcript or may hold one."""
    from stratune.transcript.read import is_of_calls

    return is_of_calls(source) or Path(source).suffix.lower() == ".json"


def is_of_transcripts(source: str, predictor: Predictor, columns: Iterable[str]) -> bool:
    """Whether a place of rows holds transcripts for this model. `columns`: those of a table.

    A table of turns does for a model of transcripts; one that `stratune data texts` made has a text a row.
    """
    from stratune.transcript.records import held_fields

    if is_no_table(source):
        return predictor.reads_transcripts or Path(source).suffix.lower() != ".json"
    names = list(columns)
    if not predictor.reads_transcripts or "pieces" in names:
        return False
    how = predictor.about["transcripts"].get("columns")
    return bool({"speaker", "turn", "start"} & set(held_fields(names, how)))
