"""The net in a predictor that has a form outside of stratune."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from stratune.errors import UnsupportedError
from stratune.export.native import EXPORT
from stratune.model.base import INSTEAD

if TYPE_CHECKING:
    from stratune.model.net import NetModel
    from stratune.predictor.predictor import Predictor


def exportable(predictor: Predictor) -> NetModel:
    """Raises UnsupportedError with the reason why there is none."""
    model = predictor.model
    if model.cannot_export:
        what = predictor.about.get("strategy", {}).get("name", "this model")
        raise UnsupportedError(EXPORT, what, model.cannot_export)
    if prompt := _prompt(predictor):
        why = f"it puts {prompt!r} before each text, which no class of transformers does; {INSTEAD}"
        raise UnsupportedError(EXPORT, predictor.about["strategy"]["name"], why)
    return cast("NetModel", model.whole)


def _prompt(predictor: Predictor) -> str | None:
    readout = predictor.about.get("strategy", {}).get("readout")
    found = readout.get("prompt") if isinstance(readout, dict) else None
    return found if isinstance(found, str) else None
