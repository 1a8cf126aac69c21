"""Which files in a comparison's folder are ours: a marker names them, and only they are replaced or removed.

    stratune-comparison.json    {"id": ..., "compares": {...}, "files": ["config.yaml", "runs/lora@minilm#0"]}

`compares` is what all rows of its leaderboard have in common (identity.py). A folder without the marker is
the user's, and so is a file that the marker does not name.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stratune.errors import ArtifactError, ConfigError
from stratune.files import is_temporary, read_json, remove, sha256, write_json
from stratune.version import __version__

MARKER = "stratune-comparison.json"
LOCK = ".stratune.lock"
_FILES = {".json", ".jsonl", ".parquet", ".yaml", ".csv", ".md", ".html", ".svg"}  # never a folder of ours


@dataclass
class Owned:
    """A folder of ours. `files` are relative; a folder among them is ours with what we write in it."""

    folder: Path
    id: str
    compares: dict[str, Any]
    files: set[str] = field(default_factory=set)

    @classmethod
    def read(cls, folder: Path) -> Owned | None:
        """None without a marker. Raises ArtifactError for one that is damaged."""
        path = folder / MARKER
        if not path.is_file():
            return None
        try:
            found = read_json(path)
            files = set(map(str, found["files"]))
            owned = cls(folder, str(found["id"]), dict(found["compares"]), files)
            if found.get("digest", owned._digest()) != owned._digest():  # 0.9 or before wrote none
                raise ValueError("not what was written")
        except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
            advice = "nothing in it is touched; move what you need out of it, or choose another --out"
            raise ArtifactError(
                f"{path}: damaged, so that it is unknown what is stratune's; {advice}"
            ) from error
        if wrong := next((name for name in files if not _is_inside(name)), None):
            raise ArtifactError(f"{path}: names {wrong!r}, which is not in this folder")
        return owned

    @classmethod
    def claim(cls, folder: Path, compares: Mapping[str, Any]) -> Owned:
        """Mark an empty folder, or a new one."""
        folder.mkdir(parents=True, exist_ok=True)
        owned = cls(folder, uuid.uuid4().hex, dict(compares))
        owned.save()
        return owned

    def save(self) -> None:
        about = {
            "id": self.id,
            "stratune": __version__,
            "compares": self.compares,
            "files": sorted(self.files),
            "digest": self._digest(),
        }
        write_json(self.folder / MARKER, about)

    def _digest(self) -> str:
        """All of the marker is as it was written: a name less in it would make a file the user's."""
        return sha256(json.dumps([self.id, self.compares, sorted(self.files)], sort_keys=True))

    def check_files(self) -> None:
        """Before anything is written. Raises ArtifactError where a folder is in the way of a file of ours."""
        runs = [self.folder / name for name in self.files if name.startswith("runs/")]
        inside = [path for run in runs if run.is_dir() for path in run.iterdir()]
        for path in sorted([*inside, *(self.folder / name for name in self.files)]):
            if path.suffix in _FILES and path.is_dir() and path not in runs:
                raise ArtifactError(f"{path}: a folder, where stratune keeps a file; move it away")

    def own(self, *names: str) -> None:
        """Before `names` are written for the first time. Raises ConfigError for one that is the user's."""
        new = [name for name in names if name not in self.files]
        for name in new:
            if (self.folder / name).exists():
                message = f"{self.folder / name} is not stratune's; move it, or choose another folder"
                raise ConfigError(message, key="out")
        if new:
            self.files |= set(new)
            self.save()

    def disown(self, names: Iterable[str]) -> None:
        """Remove files of ours, and forget them; a folder of others' files stays."""
        gone = self.files & set(names)
        for name in sorted(gone, reverse=True):
            remove(self.folder / name)
        if gone:
            self.files -= gone
            self.save()

    def sweep(self) -> None:
        """Remove what killed processes left half-written, in the folder and in folders of ours: there at any
        depth, as folds and trials have folders of their own.
        """
        of_ours = [self.folder / name for name in self.files]
        beside = {self.folder, *(path.parent for path in of_ours)}
        found = {path for folder in beside if folder.is_dir() for path in folder.iterdir()}
        found.update(path for folder in of_ours if folder.is_dir() for path in folder.rglob(".*"))
        for path in found:
            if is_temporary(path):
                remove(path)


def owned_by_us(folder: Path) -> Owned:
    """Raises ArtifactError for a folder without a marker, or with a folder in the way of a file of ours."""
    owned = Owned.read(folder)
    if owned is not None:
        owned.check_files()
    if owned is None:
        why = f"{folder}: has no {MARKER}, so that it is unknown what in it is stratune's; nothing is written"
        raise ArtifactError(f"{why} (a comparison of 0.7 or before has none: `stratune show` reads it)")
    return owned


def is_free(folder: Path) -> bool:
    """Whether something of ours may begin in it: it is not there, or holds nothing but our lock and a file
    that was being written.
    """
    if not folder.is_dir():
        return not folder.exists()
    return all(path.name == LOCK or is_temporary(path) for path in folder.iterdir())


def _is_inside(name: str) -> bool:
    path = Path(name)
    return not path.is_absolute() and ".." not in path.parts and bool(path.parts)
