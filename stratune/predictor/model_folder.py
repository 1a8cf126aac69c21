"""The model folder: a manifest and only the tensors that changed. It is reloaded and compared when saved.

stratune.json               task, strategy, backbone (id, revision, weight hash), kind of model, scores, ...
head.safetensors, ...       a net's tensors (model/net_files.py)
baseline.safetensors, .json a baseline's arrays and vocabularies
members/0, 1, ...           the model folders of an ensemble
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stratune.errors import ArtifactError, choices
from stratune.files import replacing_folder
from stratune.model.base import Model
from stratune.model.ensemble import EnsembleModel
from stratune.predictor.readers import READERS, Source, kind_of, read_part
from stratune.task import Task
from stratune.version import versions

if TYPE_CHECKING:
    from stratune.backbone.load import Backbone

FORMAT = 2  # format 1 (up to 0.6) did not name the kind of model
READS = (1, 2)
MANIFEST = "stratune.json"
PROBES = (
    "A short sentence to compare two copies of one model.",
    "Nothing works as it should, and the ending was a disappointment from start to finish!",
)


@dataclass
class Saved:
    """A task and its model. `about`: where the model comes from (strategy, backbone, scores, ...)."""

    task: Task
    model: Model
    about: dict[str, Any] = field(default_factory=dict)
    sample: list[dict[str, str]] = field(default_factory=list)  # canonical rows that `save` compares on

    def save(self, folder: str | Path) -> Path:
        """Write, reload on a new backbone, compare; only then does `folder` appear.

        Raises ArtifactError when the reloaded model differs.
        """
        folder = Path(folder)
        with replacing_folder(folder) as temporary:
            parts = self.model.write(temporary)
            manifest = {
                "format": FORMAT,
                "model": self.model.kind,
                "task": self.task.to_dict(),
                **self.about,
                **parts,
                "versions": versions(),
            }
            files = [path for path in sorted(temporary.iterdir()) if path.is_file()]
            manifest["files"] = {path.name: _digest(path) for path in files}
            text = json.dumps(manifest, indent=2, ensure_ascii=False, allow_nan=False)
            (temporary / MANIFEST).write_text(text + "\n", encoding="utf-8")
            self.model.same_as(load(temporary, device=self.model.device).model, *self._probes())
        return folder

    def _probes(self) -> tuple[list[str], list[str] | None]:
        # A server's answers to the sample are stored; other texts would cost money.
        probes = () if self.model.paid else PROBES
        texts = [row["text"] for row in self.sample] + list(probes)
        if not self.task.text_pair:
            return texts, None
        return texts, [row["text_pair"] for row in self.sample] + list(reversed(probes))


def load(folder: str | Path, *, device: str | None = None, backbone: Backbone | None = None) -> Saved:
    """Read a model folder. `backbone`: a loaded one, whose tensors are shared; None: load it.

    Raises ArtifactError (not a model folder, damaged, another backbone), or BackboneError when the backbone
    cannot be loaded.
    """
    folder = Path(folder)
    manifest = read_manifest(folder)
    _check_files(folder, manifest)
    task, kind = Task.from_dict(manifest["task"]), kind_of(manifest)
    if kind == EnsembleModel.kind:
        members = [folder / "members" / str(number) for number in range(len(manifest["members"]))]
        model: Model = EnsembleModel([load(member, device=device, backbone=backbone) for member in members])
    elif kind in READERS:
        model = READERS[kind](Source(folder, manifest, task, device, backbone))
    else:
        known = choices(kind, [*READERS, EnsembleModel.kind])
        raise ArtifactError(f"{folder / MANIFEST}: kind of model {known}")
    own = ("format", "model", "task", "versions", "files", "remote")
    return Saved(task, model, {key: value for key, value in manifest.items() if key not in own})


def read_manifest(folder: Path) -> dict[str, Any]:
    path = folder / MANIFEST
    if not path.is_file():
        raise ArtifactError(f"{folder}: {_what_is_missing(folder)}")
    manifest = read_part(path)
    found = manifest.get("format") if isinstance(manifest, dict) else None
    if found not in READS:
        known = " and ".join(map(str, READS))
        raise ArtifactError(f"{path}: format {found!r}, but this stratune reads {known}")
    for key in ("task", "strategy", "backbone", "files"):
        if key not in manifest:
            raise ArtifactError(f"{path}: damaged (no {key!r})")
    return dict(manifest)


def _what_is_missing(folder: Path) -> str:
    if not folder.is_dir():
        return "no such folder"
    near = sorted(str(found.parent) for found in folder.glob(f"**/{MANIFEST}"))[:3]
    hint = f" (did you mean {' or '.join(near)}?)" if near else ""
    return f"no {MANIFEST} in it, so it is not a model folder{hint}"


def _check_files(folder: Path, manifest: dict[str, Any]) -> None:
    """Check that every file has the bytes that were saved. A missing file of tensors would go unnoticed."""
    for name, digest in manifest["files"].items():
        path = folder / name
        if not path.is_file():
            raise ArtifactError(f"{path}: missing")
        if _digest(path) != digest:
            raise ArtifactError(f"{path}: damaged (not the bytes that were saved)")


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
