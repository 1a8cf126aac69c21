"""What becomes of a model's probabilities: they are calibrated, decided, and made sets of.

All of it is chosen on validation. The decision looks at the probabilities as the model gives them: so
calibration moves no label, and a threshold moves no probability.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from stratune.evaluate.arrays import Floats
from stratune.evaluate.calibration import Scaling
from stratune.evaluate.conformal import Conformal
from stratune.evaluate.kinds import Truth
from stratune.model.answers import Scored
from stratune.target import Target
from stratune.target.decision import DECIDE, PLAIN, Decide, Decision


@dataclass(frozen=True)
class Postprocess:
    """`never`: labels that no training row has, and that are never answered."""

    scaling: Scaling = Scaling()
    decision: Decision = PLAIN
    conformal: Conformal | None = None

    def __call__(self, scored: Scored, target: Target, never: Sequence[str] = ()) -> Scored:
        raw = _raw(scored, target, never)
        decided = target.decided(raw, scored.invalid, self.decision)
        return replace(scored, predictions=target.calibrated(raw, self.scaling), decided=decided)

    def state(self) -> dict[str, Any]:
        """Entries of the manifest."""
        found: dict[str, Any] = {}
        if self.decision.thresholds:
            found["thresholds"] = list(self.decision.thresholds)
        if self.scaling:
            found["scaling"] = {"scale": list(self.scaling.scale), "bias": list(self.scaling.bias)}
        if self.conformal is not None:
            found["conformal"] = {"rows": self.conformal.rows, "scores": list(self.conformal.scores)}
        return found

    @classmethod
    def chosen(
        cls,
        scored: Scored,
        truth: Truth,
        target: Target,
        how: Decide = DECIDE,
        never: Sequence[str] = (),
        shares: Floats | None = None,
    ) -> Postprocess:
        """What suits the validation rows. `shares` (N, K): what probabilities are calibrated to in the place
        of the truth. Raises ConfigError for what the kind of task cannot have.
        """
        raw = _raw(scored, target, never)
        decision = target.chosen(truth, raw, scored.invalid, how)
        valid = ~np.isnan(raw).any(axis=1)
        likely = truth if shares is None else shares
        scaling = target.calibration(likely[valid], raw[valid], how.calibrate)
        return cls(
            scaling, decision, Conformal.of(target.strangeness(truth, target.calibrated(raw, scaling)))
        )


def _raw(scored: Scored, target: Target, never: Sequence[str]) -> Floats:
    """(N, C) as the model has them."""
    found = target.without(scored.predictions, never) if never else scored.predictions
    return np.asarray(found, dtype=np.float64)
