"""Calibration, decision and conformal scores of a model folder, also of those that were written differently.

Up to format 3 the thresholds of label sets were `shifts` of the logits. A label was given from a shifted
probability of one half on, which is a true one of sigmoid(shift): so these are the thresholds now, and the
answers are the same. Members of an ensemble of that time gave it their shifted probabilities, and still do.
"""

from __future__ import annotations

from typing import Any

from scipy.special import expit

from stratune.evaluate.calibration import Scaling
from stratune.evaluate.conformal import Conformal
from stratune.model.postprocess import Postprocess
from stratune.predictor.manifest import Manifest
from stratune.target.decision import PLAIN, Decision, read_decision

WITH_SHIFTS = 3  # the last format that had them


def postprocess_of(manifest: Manifest) -> Postprocess:
    """Raises ArtifactError for numbers that do not fit the task."""
    fields = manifest.fields
    if shifts := shifts_of(manifest):
        return Postprocess(decision=Decision(tuple(float(expit(one)) for one in shifts)))
    decision = read_decision(fields.thresholds, manifest.task.target)
    if decision is None:
        raise manifest.damaged(f"thresholds: {len(fields.thresholds)}, or not from 0 to 1")
    scaling, labels = Scaling(), len(manifest.task.labels)
    if (part := fields.scaling) is not None:
        fits = len(part.scale) in (1, labels) and len(part.bias) in (0, labels) and labels
        if not fits or min(part.scale) <= 0:
            raise manifest.damaged("scaling: not of these labels")
        scaling = Scaling(tuple(part.scale), tuple(part.bias))
    conformal = None
    if (kept := fields.conformal) is not None:
        if kept.scores != sorted(kept.scores) or len(kept.scores) > kept.rows:
            raise manifest.damaged("conformal: its scores do not rise, or are more than its rows")
        conformal = Conformal(kept.rows, tuple(kept.scores))
    return Postprocess(scaling, decision, conformal)


def postprocess_of_member(manifest: Manifest, ensemble: int) -> Postprocess:
    """Of a member of an ensemble of that format."""
    if (shifts := shifts_of(manifest)) and ensemble <= WITH_SHIFTS:
        return Postprocess(Scaling((1.0,), tuple(-one for one in shifts)), PLAIN)
    return postprocess_of(manifest)


def shifts_of(manifest: Manifest) -> tuple[float, ...]:
    """What folders up to format 3 took off the logits of label sets. Raises ArtifactError."""
    found = manifest.fields.objective.get("shifts", ()) if manifest.fields.format <= WITH_SHIFTS else ()
    task = manifest.task
    if not isinstance(found, (list, tuple)) or len(found) not in (0, len(task.labels)):
        raise manifest.damaged(f"objective: shifts is {found!r}")
    if found and not task.target.several_labels:
        raise manifest.damaged(f"objective: shifts of a {task.kind}")
    return tuple(float(one) for one in found)


def objective_of(manifest: Manifest) -> dict[str, Any]:
    """The objective's own numbers."""
    shifts_of(manifest)  # raises
    old = ("shifts",) if manifest.fields.format <= WITH_SHIFTS else ()
    return {key: value for key, value in manifest.fields.objective.items() if key not in old}
