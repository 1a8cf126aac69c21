"""LabelTable: labels or ratings of transcripts, by document, or by document and speaker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import compress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stratune.data.arrow import as_text, to_arrow
from stratune.errors import ConfigError, DataError, choices
from stratune.transcript.document_keys import Documents
from stratune.transcript.key_column import key_column
from stratune.transcript.records import Columns, held_fields, word
from stratune.transcript.sheet_cells import commas_divide, with_points, without_score
from stratune.transcript.sheet_ratings import Key, of_columns, of_rows, rater_column

if TYPE_CHECKING:
    import pyarrow as pa
    from datasets import Dataset

OWN = ("id", "document", "speaker", "text", "pieces")  # columns that every row of texts has
SHOWN = 20  # values that a message lists
MOST_NEAR = 200  # names for which near ones are looked for


class LabelTable:
    """Columns to join to texts, by key. In a table of turns the first row of a key counts.

    `document`: that of a table without a column of documents. `score`: the column that must not be empty;
    where there is none of that name, the only one, if there is only one. `ratings`: how several raters'
    become one (sheet_ratings.py).
    `meet` finds the rows of the documents that were read. Raises ConfigError for a column or value of `keep`
    that the table does not have.
    """

    def __init__(
        self,
        table: Dataset,
        name: str | Path,
        unit: str,
        keep: Mapping[str, Sequence[str]],
        columns: Columns | None = None,
        document: str | None = None,
        *,
        score: str | None = None,
        ratings: str | None = None,
        encoding: str | None = None,
        notes: Sequence[str] = (),
    ) -> None:
        self.name, self.unit, self.encoding = name, unit, encoding
        arrow = to_arrow(table)
        self.held = held_fields(arrow.column_names, columns)
        self.alone = document  # the one document of a table of turns that names none
        self.document = self.held.get("document")
        self.named = self.document if columns and columns.get("document") == self.document else None
        self.by_speaker = unit == "speaker" and "speaker" in self.held
        self.of_turns = "text" in self.held and (self.document is not None or document is not None)
        self.score, self.ratings = score, ratings
        self.kept = self._kept(arrow, keep)
        self.cells: dict[str, list[Any]] = {
            column: arrow.column(column).to_pylist() for column in arrow.column_names
        }
        self.columns: tuple[str, ...] = ()
        self.rows: dict[Key, dict[str, Any]] = {}
        self.others: set[Key] = set()
        self.unscored: set[Key] = set()
        self.annotations: str | None = None  # columns of the ratings behind the score
        self.notes = [*notes]  # how it was read
        self.near: dict[
            str, list[str]
        ] = {}  # row without a document, or document without a row -> likely ones

    def meet(self, documents: Sequence[str]) -> None:
        """Finds the rows of these documents. Raises DataError for a table that cannot be joined to them."""
        read = Documents(documents)
        keys = self._keys(read)
        if not self.of_turns:
            self._points()
        self.near = _near(keys, read)
        self.others = {key for key, is_kept in zip(keys, self.kept, strict=True) if not is_kept}
        here = [row for row, key in enumerate(keys) if self.kept[row] and key[0]]
        if blank := sum(not document for document, _ in keys):
            self.notes.append(f"{blank:,} rows of {self.name} name no document")
        keys = [keys[row] for row in here]
        cells = {name: [column[row] for row in here] for name, column in self._along().items()}
        if not self.of_turns:
            keys, cells = self._one_a_key(keys, cells, here)
            keys, cells = self._scored(keys, cells)
        self.score = self.score if self.score in cells else None
        self.columns = tuple(cells)
        for row, key in enumerate(keys):
            if key not in self.rows:
                self.rows[key] = {name: column[row] for name, column in cells.items()}

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

    def _keys(self, read: Documents) -> list[Key]:
        """(N,) of all rows; what means no document stays as it is written."""
        if self.of_turns:
            documents = self._of_turns(read)
        else:
            texts = {name: [word(cell) for cell in column] for name, column in self.cells.items()}
            found = key_column(texts, read, self.name, self.named)
            self.document = found.name
            documents = [
                cell.strip() if meant is None else meant
                for cell, meant in zip(found.cells, found.documents, strict=True)
            ]
            self.notes += [found.note] if found.note else []
        if not self.by_speaker:
            return [(document, "") for document in documents]
        speakers = [word(value) for value in self.cells[self.held["speaker"]]]
        return list(zip(documents, speakers, strict=True))

    def _of_turns(self, read: Documents) -> list[str]:
        otherwise = self.alone or ""
        if self.document is None:
            return [otherwise] * len(self.kept)
        cells = [word(value) or otherwise for value in self.cells[self.document]]
        return cells if self.alone is not None else [read.find(cell) or cell for cell in cells]

    def _along(self) -> dict[str, list[Any]]:
        """Columns that go to the texts."""
        text, speaker = self.held.get("text"), self.held.get("speaker")
        along = {name: cells for name, cells in self.cells.items() if name not in OWN and name != text}
        if self.unit == "document" and speaker == "speaker" and not self.of_turns:
            along["speaker"] = self.cells["speaker"]  # whose document it is, of all who speak in it
        return along

    def _points(self) -> None:
        """Decimal commas become points, where commas do not stand between columns."""
        if commas_divide(self.name, self.encoding):
            return
        for name, column in self.cells.items():
            self.cells[name], count = with_points(column)
            if count:
                self.notes.append(f"{name!r}: {count:,} numbers with decimal commas")

    def _one_a_key(
        self, keys: list[Key], cells: dict[str, list[Any]], rows: Sequence[int]
    ) -> tuple[list[Key], dict[str, list[Any]]]:
        """Ratings of several raters as one row a key. DataError where two rows of a key are nobody's."""
        from stratune.data.read import row_of

        def place_of(row: int) -> int:
            return row_of(self.name, rows[row])

        rater, repeats = (
            rater_column([name for name in cells if name != self.document]),
            len(set(keys)) < len(keys),
        )
        rated = {name: column for name, column in cells.items() if name not in (self.document, "speaker")}
        how: dict[str, Any] = {"way": self.ratings}
        if rater is not None and repeats:
            found = of_rows(rated, keys, rater, place_of, self.name, score=self.score, **how)
        else:
            self._check_once(keys, place_of)
            either = of_columns(rated, self.name, score=self.score, **how) if rated else None
            if either is None:
                return keys, cells
            found = either
        self.notes += found.notes
        if self.score not in found.cells:
            self.score = next(iter(found.annotations)) if len(found.annotations) == 1 else None
        self.annotations = found.annotations.get(self.score or "")
        if self.annotations is not None:
            self.notes.append(f"the ratings of {self.score!r} are task.annotations: {self.annotations}")
        kept = {
            name: [column[row] for row in found.rows] for name, column in cells.items() if name not in rated
        }
        return [keys[row] for row in found.rows], {**kept, **found.cells}

    def _scored(self, keys: list[Key], cells: dict[str, list[Any]]) -> tuple[list[Key], dict[str, list[Any]]]:
        """Without rows that have no score, which are counted."""
        if self.score not in cells:
            others = [name for name in cells if name not in (self.document, "speaker")]
            self.score = others[0] if len(others) == 1 else None
        if self.score is None:
            return keys, cells
        none = without_score(cells[self.score])
        self.unscored = set(compress(keys, none))
        there = [not empty for empty in none]
        return list(compress(keys, there)), {name: list(compress(one, there)) for name, one in cells.items()}

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

    def _check_once(self, keys: Sequence[Key], place_of: Any) -> None:
        """Raises DataError where two rows have one key: their labels would contradict each other."""
        seen: dict[Key, int] = {}
        for number, key in enumerate(keys):
            if key in seen:
                what = " of ".join(repr(part) for part in reversed(key) if part)
                unit = "document and speaker" if self.by_speaker else "document"
                before = place_of(seen[key])
                message = (
                    f"{what} is in row {before} already: one row a {unit} is wanted, or a column 'rater' "
                    "that says whose rating each row is"
                )
                raise DataError(message, path=self.name, row=place_of(number), column=self.document)
            seen[key] = number


def _near(keys: Sequence[Key], read: Documents) -> dict[str, list[str]]:
    """What rows without a document may mean, of the documents without a row; then what others of these may
    be copies of.
    """
    rows = {document for document, _ in keys} - {""}
    alone = rows.difference(read.names)
    without = [name for name in read.names if name not in rows]
    near = {row: read.near(row, without) for row in sorted(alone)[:MOST_NEAR]}
    meant = {name for names in near.values() for name in names}
    met = rows.intersection(read.names)
    near |= {name: read.near(name, met) for name in without[:MOST_NEAR] if name not in meant}
    return {name: likely for name, likely in near.items() if likely}
