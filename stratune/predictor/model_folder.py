"""The model folder: a manifest and only the tensors that changed. It is reloaded and compared when saved.

stratune.json               task, strategy, backbone (id, revision, weight hash), kind of model, scores,
                            what postprocess.py chose
head.safetensors, ...       a net's tensors (model/net_files.py)
baseline.safetensors, .json a baseline's arrays and vocabularies
features.safetensors, .json those of TF-IDF features beside a net (readout `features`)
members/0, 1, ...           the model folders of an ensemble or a cascade
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stratune.errors import ArtifactError, choices
from stratune.files import file_sha256, replacing_folder
from stratune.model.answers import Scored
from stratune.model.base import Model
from stratune.model.cascade import CascadeModel
from stratune.model.ensemble import EnsembleModel, WeightedModel
from stratune.model.postprocess import Postprocess
from stratune.predictor.manifest import FORMAT, MANIFEST, Manifest, read_manifest, sealed
from stratune.predictor.postprocess import postprocess_of, postprocess_of_member
from stratune.predictor.readers import READERS, Source
from stratune.remote.named import Servers, named_servers
from stratune.task import Task
from stratune.version import versions
from stratune.watch import SILENT, Progress

if TYPE_CHECKING:
    from stratune.backbone.load import Backbone

DEPTH = 3
ENSEMBLES = (EnsembleModel.kind, WeightedModel.kind, CascadeModel.kind)
PROBES = (
    "A short sentence to compare two copies of one model.",
    "Nothing works as it should, and the ending was a disappointment from start to finish!",
)


@dataclass(frozen=True)
class Untouched:
    """A backbone as it was loaded, on the tensors that a net uses without training them."""

    backbone: Backbone
    digest: str  # of its numbers, before the net ran

    def checked(self) -> Backbone:
        """Raises ArtifactError when its numbers are others now."""
        if self.backbone.digest() != self.digest:
            raise ArtifactError("the weights of the backbone, which were to stay as they are, have changed")
        return self.backbone


@dataclass
class Saved:
    """A task and its model. `about`: where the model comes from (strategy, backbone, scores, ...)."""

    task: Task
    model: Model
    about: dict[str, Any] = field(default_factory=dict)
    sample: list[dict[str, str]] = field(default_factory=list)  # canonical rows that `save` compares on
    servers: Servers = field(default_factory=Servers)  # that the user named; what is saved names none
    post: Postprocess = Postprocess()  # how its probabilities are calibrated and decided
    untouched: Untouched | None = None  # the backbone; None: it was trained, or is not here

    def answer(
        self, texts: Sequence[str], pairs: Sequence[str] | None, progress: Progress = SILENT
    ) -> Scored:
        """Probabilities or values of N texts, or pairs of texts, and what is decided of them."""
        return self.post(self.model(texts, pairs, progress), self.task.target)

    def save(self, folder: str | Path) -> Path:
        """Write, reload, compare; only then does `folder` appear.

        It is reloaded on a new backbone, or on the tensors of this one where they are still what was loaded:
        a second copy would be as large. Raises ArtifactError when the reloaded model differs.
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
                **self.post.state(),
                "versions": versions(),
            }
            files = [path for path in sorted(temporary.iterdir()) if path.is_file()]
            manifest["files"] = {path.name: file_sha256(path) for path in files}
            text = json.dumps(sealed(manifest), indent=2, ensure_ascii=False, allow_nan=False)
            (temporary / MANIFEST).write_text(text + "\n", encoding="utf-8")
            backbone = self.untouched.checked() if self.untouched else None
            again = load(temporary, device=self.model.device, backbone=backbone, servers=self.servers)
            self.model.same_as(again.model, *self._probes())
            if again.post != self.post:
                raise ArtifactError("the saved model, reloaded, decides in another way")
        return folder

    def _probes(self) -> tuple[list[str], list[str] | None]:
        # A server's answers to the sample are stored; other texts would cost money.
        probes = () if self.model.paid else PROBES
        texts = [row["text"] for row in self.sample] + list(probes)
        if not self.task.text_pair:
            return texts, None
        return texts, [row["text_pair"] for row in self.sample] + list(reversed(probes))


def load(
    folder: str | Path,
    *,
    device: str | None = None,
    backbone: Backbone | None = None,
    servers: Servers | None = None,
    depth: int = DEPTH,
    member_of: int | None = None,
) -> Saved:
    """Read a model folder. `backbone`: a loaded one, whose tensors are shared; None: load it. `servers`: that
    the user named; a folder's own address is no permission to send texts and a key there.

    `depth`: how deep ensembles may be in ensembles. `member_of`: the format of the ensemble that it is in.
    Raises ConfigError for a server that is not named, ArtifactError (not a model folder, damaged, another
    backbone), or BackboneError when the backbone cannot be loaded.
    """
    folder = Path(folder)
    servers = named_servers() if servers is None else servers
    manifest = read_manifest(folder)
    task, kind = manifest.task, manifest.kind
    if kind in ENSEMBLES:
        if not depth:
            raise manifest.damaged(f"ensembles in ensembles, more than {DEPTH} deep")
        members = [folder / "members" / str(number) for number in range(len(manifest.need("members")))]
        how: dict[str, Any] = {"device": device, "backbone": backbone, "servers": servers}
        how["member_of"] = manifest.fields.format
        loaded = [load(member, depth=depth - 1, **how) for member in members]
        for member, one in zip(members, loaded, strict=True):
            if one.task.columns != task.columns or bool(one.task.text_pair) != bool(task.text_pair):
                raise ArtifactError(f"{member}: it predicts something else than the ensemble")
        model: Model = _of_members(manifest, loaded)
    elif kind in READERS:
        model = READERS[kind](Source(folder, manifest, device, backbone, servers))
    else:
        known = choices(kind, [*READERS, *ENSEMBLES])
        raise ArtifactError(f"{folder / MANIFEST}: kind of model {known}")
    post = postprocess_of(manifest) if member_of is None else postprocess_of_member(manifest, member_of)
    return Saved(task, model, manifest.about, servers=servers, post=post)


def _of_members(manifest: Manifest, members: Sequence[Saved]) -> Model:
    if manifest.kind == CascadeModel.kind:
        part = manifest.cascade
        return CascadeModel(members, part.threshold, part.share, manifest.task.target.one_label)
    if manifest.kind == WeightedModel.kind:
        return WeightedModel(members, manifest.weights)
    return EnsembleModel(members)
