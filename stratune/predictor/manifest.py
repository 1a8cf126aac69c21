"""The manifest of a model folder (stratune.json), read once into typed fields.

Whatever is wrong with it is one ArtifactError or ConfigError here, and nothing behind it meets a value of
another type. Format 3 seals it with a digest of itself, so that labels that were swapped are noticed.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from stratune.errors import ArtifactError, boundary, reason
from stratune.files import file_sha256
from stratune.predictor.manifest_parts import (
    AggregatePart,
    BackbonePart,
    CalibrationPart,
    CascadePart,
    ConformalPart,
    Digest,
    LimitPart,
    Number,
    PromptPart,
    ScalingPart,
    ServerPart,
    TaskPart,
    Text,
)
from stratune.strategy import parse_strategy
from stratune.strategy.base import Candidate
from stratune.task import Bins, Task

C = TypeVar("C", bound=Candidate)

MANIFEST = "stratune.json"
# Format 1 (up to 0.6) did not name the kind of model, 2 had no digest, 3 (up to 0.8) took the thresholds of
# label sets off the logits, so that they moved probabilities: see predictor/postprocess.py.
FORMAT = 4
READS = (1, 2, 3, 4)
JSON_BYTES = 500_000_000  # a vocabulary or a pool of demonstrations, never more
SUFFIXES = (".safetensors", ".json", ".bin", ".pt", ".pth", ".ckpt", ".pkl", ".npy", ".npz", ".gguf", ".py")


class Fields(BaseModel):
    """What the readers know of; the rest says where the model comes from."""

    model_config = ConfigDict(strict=True, extra="allow", frozen=True)

    format: int
    model: Text | None = None
    task: TaskPart
    strategy: dict[str, Any]
    backbone: BackbonePart | None
    files: dict[str, Digest]
    limit: LimitPart | None = None
    objective: dict[str, Number | list[Number]] = {}
    precision: Literal["float32", "bfloat16", "float16"] | None = None
    prompt: PromptPart | None = None
    calibration: CalibrationPart | None = None
    server: ServerPart | None = None
    remote: dict[str, Any] | None = None  # format 1: server and calibration in one
    aggregate: AggregatePart | None = None
    thresholds: list[Number] = []
    scaling: ScalingPart | None = None
    conformal: ConformalPart | None = None
    members: Annotated[list[Text], Field(min_length=1, max_length=1000)] | None = None
    weights: list[Annotated[Number, Field(gt=0)]] | None = None  # of the members of a weighted ensemble
    cascade: CascadePart | None = None
    transcripts: dict[str, Any] | None = None  # how they were read (transcript/reading.py)
    seed: int | list[int] | None = None
    versions: dict[str, Any] = {}
    digest: Digest | None = None


# Written anew by every `save`.
OWN = (
    "format", "model", "task", "versions", "files", "remote", "digest", "thresholds", "scaling", "conformal",
)  # fmt: skip


class Manifest:
    """`fields` with what follows from them; raises ArtifactError or ConfigError for what cannot be meant."""

    def __init__(self, folder: Path, raw: Mapping[str, Any]) -> None:
        self.path = folder / MANIFEST
        self.raw = raw
        found = raw.get("format")
        if isinstance(found, bool) or found not in READS:
            known = ", ".join(map(str, READS))
            raise ArtifactError(f"{self.path}: format {found!r}, but this stratune reads {known}")
        for key in ("task", "strategy", "backbone", "files"):
            if key not in raw:
                raise self.damaged(f"no {key!r}")
        if found >= 3 and raw.get("digest") != digest_of(raw):
            raise self.damaged("not what was saved")
        try:
            self.fields = Fields.model_validate(dict(raw))
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(map(str, first["loc"]))
            raise self.damaged(f"{place}: {first['msg'].removeprefix('Input ')}") from error
        _check_spec(self.fields.strategy, self.damaged)

    def damaged(self, why: str) -> ArtifactError:
        return ArtifactError(f"{self.path}: damaged ({why})")

    def need(self, key: str) -> Any:
        """A part that this kind of model has. Raises ArtifactError where there is none."""
        found = getattr(self.fields, key)
        if found is None:
            raise self.damaged(f"no {key!r}")
        return found

    @cached_property
    def task(self) -> Task:
        part = self.fields.task
        bins = (
            Bins(tuple(part.bins.names), tuple(part.bins.edges), part.bins.quantiles) if part.bins else None
        )
        task = Task(**{**dict(part), "labels": tuple(part.labels), "bins": bins})
        if not task.target.is_numeric and not task.labels:
            raise self.damaged("task.labels: there are none")
        return task

    @cached_property
    def candidate(self) -> Candidate:
        return parse_strategy(self.fields.strategy)

    def candidate_of(self, kind: type[C], what: str) -> C:
        """Raises ArtifactError for one of another kind than `what` says."""
        if not isinstance(self.candidate, kind):
            raise self.damaged(f"{self.candidate.name} is no {what}")
        return self.candidate

    @cached_property
    def kind(self) -> str:
        """The kind of model; format 1 did not name it."""
        fields, spec = self.fields, self.fields.strategy
        if fields.model is not None:
            return fields.model
        if fields.members is not None and spec.get("preset") == "ensemble":
            return "ensemble"
        if fields.backbone is None:
            return "baseline"
        readout = spec.get("readout")
        named = readout.get("kind") if isinstance(readout, Mapping) else readout
        return "net" if named == "head" else "prompted"

    @property
    def weights(self) -> tuple[float, ...]:
        """Of the members of a weighted ensemble. Raises ArtifactError."""
        weights, members = self.need("weights"), self.need("members")
        if len(weights) != len(members) or abs(sum(weights) - 1) > 1e-6:
            raise self.damaged(f"weights: {len(weights)} of {len(members)} members, or their sum is not 1")
        return tuple(weights)

    @property
    def cascade(self) -> CascadePart:
        """Raises ArtifactError where it is missing, or not of two members."""
        part: CascadePart = self.need("cascade")
        if len(self.need("members")) != 2:
            raise self.damaged(f"a cascade of {len(self.need('members'))} members, not of two")
        return part

    @property
    def calibration(self) -> CalibrationPart | None:
        """In format 1 a server's stood beside its `way`."""
        if self.fields.calibration is not None or self.fields.remote is None:
            return self.fields.calibration
        found: CalibrationPart = self._part(CalibrationPart)
        return found

    @property
    def way(self) -> str | None:
        """How a server was asked."""
        server = self.fields.server or (self._part(ServerPart) if self.fields.remote is not None else None)
        if server is None:
            raise self.damaged("no 'server'")
        return str(server.way) if server.way is not None else None

    def _part(self, cls: Any) -> Any:
        try:
            return cls.model_validate(self.fields.remote)
        except ValidationError as error:
            raise self.damaged(f"remote: {error.errors()[0]['msg']}") from error

    @property
    def about(self) -> dict[str, Any]:
        """Where the model comes from: strategy, backbone, scores, ..."""
        return {key: value for key, value in self.raw.items() if key not in OWN}


def read_manifest(folder: Path) -> Manifest:
    """Raises ArtifactError for a folder without one, or with one that is damaged."""
    path = folder / MANIFEST
    if not path.is_file():
        raise ArtifactError(f"{folder}: {_what_is_missing(folder)}")
    raw = read_object(path)
    manifest = Manifest(folder, raw)
    _check_files(folder, manifest)
    return manifest


def sealed(raw: Mapping[str, Any]) -> dict[str, Any]:
    """With a digest of all the rest."""
    return {**raw, "digest": digest_of(raw)}


def digest_of(raw: Mapping[str, Any]) -> str:
    """sha256 over the manifest without its digest, keys in order."""
    rest = {key: value for key, value in raw.items() if key != "digest"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()


def read_object(path: Path) -> dict[str, Any]:
    """A JSON object. Raises ArtifactError for a file that is missing or damaged, or holds something else."""

    def damaged(why: str) -> ArtifactError:
        return ArtifactError(f"{path}: damaged ({why})")

    try:
        if path.stat().st_size > JSON_BYTES:
            raise damaged("too large")
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise ArtifactError(f"{path}: missing") from error
    except OSError as error:
        raise ArtifactError(f"{path}: cannot be read ({reason(error)})") from error
    with boundary(damaged):
        found = json.loads(content, parse_constant=_no_number)
    if not isinstance(found, dict):
        raise damaged("no JSON object")
    return found


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no number")


def _what_is_missing(folder: Path) -> str:
    if not folder.is_dir():
        return "no such folder"
    near = sorted(str(found.parent) for found in folder.glob(f"**/{MANIFEST}"))[:3]
    hint = f" (did you mean {' or '.join(near)}?)" if near else ""
    return f"no {MANIFEST} in it, so it is not a model folder{hint}"


def _check_files(folder: Path, manifest: Manifest) -> None:
    """Every listed file is in the folder itself and has the bytes that were saved; no other would be read."""
    listed, here = manifest.fields.files, folder.resolve()
    for name, digest in listed.items():
        if Path(name).name != name or name in ("", ".", "..", MANIFEST) or not name.isprintable():
            raise manifest.damaged(f"files: {name!r} is no name of a file in this folder")
        path = folder / name
        with boundary(lambda why: ArtifactError(f"{path}: leads nowhere ({why})")):  # noqa: B023  called at once
            target = path.resolve()  # of a link to itself pathlib raises what it likes
        if target.parent != here:
            raise ArtifactError(f"{path}: leads out of the model folder")
        if not path.is_file():
            raise ArtifactError(f"{path}: missing")
        if file_sha256(path) != digest:
            raise ArtifactError(f"{path}: damaged (not the bytes that were saved)")
    for path in sorted(folder.iterdir()):
        if path.suffix in SUFFIXES and path.name not in (*listed, MANIFEST):
            raise ArtifactError(f"{path}: not a file of this model ({MANIFEST} does not list it)")


NAMED = ("name", "preset", "tune")


def _check_spec(spec: Mapping[str, Any], damaged: Any) -> None:
    """A strategy as `save` writes it: names are text, and it stands alone (no file, no other template)."""
    for key in NAMED:
        if not isinstance(spec.get(key, ""), str):
            raise damaged(f"strategy.{key}: {spec[key]!r} is no text")
    readout = spec.get("readout", {})
    if not isinstance(readout, (str, Mapping)):
        raise damaged(f"strategy.readout: {readout!r} is no mapping")
    if isinstance(readout, Mapping) and not (
        isinstance(readout.get("kind", ""), str) and isinstance(readout.get("long", ""), (str, Mapping))
    ):
        raise damaged("strategy.readout: its kind is no text, or its `long` no mapping")
    template = readout.get("template", "") if isinstance(readout, Mapping) else ""
    if isinstance(template, str) and re.search(r"\.ya?ml$", template):
        raise damaged(f"strategy.readout.template: {template!r} is a file outside of this folder")
    if isinstance(template, Mapping) and "base" in template:
        raise damaged("strategy.readout.template: it stands on another one")
