"""LabelTable: labels or ratings of transcripts, by document, or by document and speaker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import compress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stratune.data.arrow import as_text, to_arrow
from stratune.errors import ConfigError, DataError, choices
from stratune.transcript.records import NAMES, Columns, held_fields, word

if TYPE_CHECKING:
    import pyarrow as pa
    from datasets import Dataset

OWN = ("id", "document", "speaker", "text", "pieces")  # columns that every row of texts has
SHOWN = 20  # values that a message lists

Key = tuple[str, str]  # document, and speaker where that matters, else ""


class LabelTable:
    """Columns to join to texts, by key. In a table of turns the first row of a key counts.

    `document`: that of a table without a column of documents. Raises DataError for a table that cannot
    be joined, ConfigError for a column or value of `keep` that it does not have.
    """

    def __init__(
        self,
        table: Dataset,
        name: str | Path,
        unit: str,
        keep: Mapping[str, Sequence[str]],
        columns: Columns | None = None,
        document: str | None = None,
    ) -> None:
        self.name = name
        arrow = to_arrow(table)
        held = held_fields(arrow.column_names, columns)
        self.document = held.get("document")
        if self.document is None and document is None:
            known, found = ", ".join(NAMES["document"]), ", ".join(arrow.column_names)
            raise DataError(f"has no column of documents ({known}) among {found}", path=name)
        self.by_speaker = unit == "speaker" and "speaker" in held
        self.of_turns = of_turns = "text" in held
        along = [column for column in arrow.column_names if column not in OWN and column != held.get("text")]
        if unit == "document" and held.get("speaker") == "speaker" and not of_turns:
            along.append("speaker")  # whose document it is, of all who speak in it
        kept = self._kept(arrow, keep)
        keys = self._keys(arrow, held, document or "")
        if not of_turns:
            self._check_once(keys, kept)
        self.columns = tuple(along)
        self.rows: dict[Key, dict[str, Any]] = {}
        self.others = {key for key, is_kept in zip(keys, kept, strict=True) if not is_kept}
        cells = [list(compress(arrow.column(column).to_pylist(), kept)) for column in along]
        for number, key in enumerate(compress(keys, kept)):
            if key not in self.rows:
                self.rows[key] = {column: cells[c][number] for c, column in enumerate(along)}

    def key(self, row: Mapping[str, Any]) -> Key:
        return row["document"], row["speaker"] if self.by_speaker else ""

    def no_match(self, row: Mapping[str, Any]) -> DataError:
        """The error where no text has a row: the names do not match."""
        documents = list(dict.fromkeys(document for document, _ in [*self.rows, *self.others]))
        speakers = f" and its speaker {row['speaker']!r}" if self.by_speaker else ""
        more = ", ..." if len(documents) > 3 else ""
        message = (
            f"has no row of the document {row['document']!r}{speakers}, nor of any other that was read; "
            f"here are {', '.join(repr(name) for name in documents[:3])}{more}"
        )
        return DataError(message, path=self.name, column=self.document)

    def _keys(self, arrow: pa.Table, held: Mapping[str, str], otherwise: str) -> list[Key]:
        documents = [otherwise] * arrow.num_rows
        if self.document is not None:
            documents = [word(value) or otherwise for value in arrow.column(self.document).to_pylist()]
        if not self.by_speaker:
            return [(document, "") for document in documents]
        speakers = [word(value) for value in arrow.column(held["speaker"]).to_pylist()]
        return list(zip(documents, speakers, strict=True))

    def _kept(self, arrow: pa.Table, keep: Mapping[str, Sequence[str]]) -> list[bool]:
        """Which rows have a wanted value in every column of `keep`."""
        kept = [True] * arrow.num_rows
        for column, wanted in keep.items():
            if column not in arrow.column_names:
                raise ConfigError(f"{self.name}: {choices(column, arrow.column_names)}", key="keep")
            values = [as_text(value) for value in arrow.column(column).to_pylist()]
            found = sorted({value for value in values if value is not None})
            for value in wanted:
                if value not in found:
                    known = found[:SHOWN] + (["..."] if len(found) > SHOWN else [])
                    raise ConfigError(f"{self.name}: {choices(value, known)}", key=f"keep.{column}")
            kept = [was and value in wanted for was, value in zip(kept, values, strict=True)]
        return kept

    def _check_once(self, keys: Sequence[Key], kept: Sequence[bool]) -> None:
        """Raises DataError where two rows have one key: their labels would contradict each other."""
        from stratune.data.read import row_of

        seen: dict[Key, int] = {}
        for number, key in compress(enumerate(keys), kept):
            if key in seen:
                what = " of ".join(repr(part) for part in reversed(key) if part)
                unit = "document and speaker" if self.by_speaker else "document"
                before, here = (row_of(self.name, one) for one in (seen[key], number))
                message = f"{what} is in row {before} already: one row a {unit} is wanted"
                raise DataError(message, path=self.name, row=here, column=self.document)
            seen[key] = number
