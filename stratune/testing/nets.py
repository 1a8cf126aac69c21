"""Nets as a run makes them, and those inside models: for tests, and for looking into a predictor."""

from __future__ import annotations

from typing import Any

from stratune.backbone.load import Backbone
from stratune.net.net import Net
from stratune.objective import Objective
from stratune.readout.base import Readout


def fresh_net(backbone: Backbone, readout: Readout, objective: Objective, seed: int = 0) -> Net:
    """A net as it is before a technique changes it."""
    return Net(backbone, readout.head(backbone, objective, seed), objective)


def net_of(model: Any) -> Any:
    """The net inside a model; None where there is none (a baseline, a server, several)."""
    whole = model.whole
    return getattr(getattr(whole, "language_model", whole), "net", None)


def reader_of(model: Any) -> Any:
    """What makes tokens of rows, or of their chunks."""
    return model.whole.reader
