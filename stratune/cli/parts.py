"""Answers to a file of any size, in a folder of parts: what is killed goes on behind the last whole one.

    ANSWERS/
      _answers.json       of which model and file these are, and the rows of each part
      part-00000.parquet  65,536 rows or a few more, in the order of the file
      part-00001.parquet

Programs that read a folder of parquet files pass over names that begin with an underscore.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stratune.cli.batches import Batch, size_of
from stratune.errors import ArtifactError, ConfigError
from stratune.files import file_sha256, read_json, write_json
from stratune.ownership import is_free

NOTE = "_answers.json"
PART_ROWS = 65_536


@dataclass
class Parts:
    """`about`: what the answers depend on; `rows` of each whole part."""

    folder: Path
    kind: str
    about: dict[str, Any]
    rows: list[int] = field(default_factory=list)
    ended: bool = False

    @classmethod
    def open(cls, folder: Path, kind: str, about: Mapping[str, Any]) -> Parts:
        """New ones, or those that are there; nothing is written. ConfigError for a folder with something else
        in it, or with answers of another model, file or options; ArtifactError for a note that is damaged.
        """
        made = cls(folder, kind, dict(about))
        note = folder / NOTE
        if not note.is_file():
            if not is_free(folder):
                why = "holds other files; answers in parts get a folder of their own"
                raise ConfigError(f"{folder} {why}", key="--output")
            return made
        try:
            found = read_json(note)
            before, rows, ended = dict(found["about"]), list(map(int, found["rows"])), bool(found["ended"])
        except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
            raise ArtifactError(f"{note}: damaged; remove the folder to begin again") from error
        other = [name for name in {**before, **made.about} if before.get(name) != made.about.get(name)]
        if not rows and not ended:
            return made  # a command that ended before its first part was whole
        if other or found.get("kind") != kind:
            what = ", ".join(other) or "format"
            why = f"holds answers of another run ({what}); choose another folder, or remove it"
            raise ConfigError(f"{folder} {why}", key="--output")
        made.rows, made.ended = rows, ended
        for number in range(len(rows)):
            if not made.path(number).is_file():
                raise ArtifactError(f"{made.path(number)}: gone; remove the folder to begin again")
        return made

    @property
    def done(self) -> int:
        """Rows that are answered."""
        return sum(self.rows)

    def path(self, number: int) -> Path:
        return self.folder / f"part-{number:05d}.{self.kind}"

    def left(self, batches: Iterable[Batch]) -> Iterator[Batch]:
        """Those behind the rows that are answered."""
        before = self.done
        for batch in batches:
            size = size_of(batch)
            if before >= size:
                before -= size
                continue
            yield {name: cells[before:] for name, cells in batch.items()} if before else batch
            before = 0

    def begin(self) -> None:
        """The folder is ours before the first part is in it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.save()

    def add(self, rows: int) -> None:
        """A part has been written."""
        self.rows.append(rows)
        self.save()

    def end(self) -> None:
        self.ended = True
        self.save()

    def save(self) -> None:
        found = {"about": self.about, "kind": self.kind, "rows": self.rows, "ended": self.ended}
        write_json(self.folder / NOTE, found)


def about_answers(model: Path, source: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """What the answers depend on. The file is known by its size and the time of its last change."""
    from stratune.predictor.manifest import MANIFEST

    state = Path(source).stat()
    return {
        "model": file_sha256(model / MANIFEST),
        "file": str(Path(source).resolve()),
        "bytes": state.st_size,
        "changed": state.st_mtime_ns,
        **options,
    }


def in_parts(answered: Iterable[Batch]) -> Iterator[Iterator[Batch]]:
    """Runs of batches with PART_ROWS rows or a few more; each is to be read to its end before the next."""
    batches = iter(answered)
    for first in batches:
        yield _part(first, batches)


def _part(first: Batch, batches: Iterator[Batch]) -> Iterator[Batch]:
    rows = size_of(first)
    yield first
    while rows < PART_ROWS and (batch := next(batches, None)) is not None:
        rows += size_of(batch)
        yield batch
