"""A prompt as a trial, and the spread of several."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from stratune.evaluate.selection import Selection
from stratune.train.trial import Trial

if TYPE_CHECKING:
    Floats = NDArray[np.float64]


def prompt_trial(
    template: str, shots: int, pick: str, draw: int, calibrate: str, val: dict[str, float], number: int = 0
) -> Trial:
    """A prompt, its calibration, and their metrics on validation. `draw`: which demonstrations, in which
    order.
    """
    shown = {"shots": shots, "pick": pick, "draw": draw}
    return Trial({"template": template, **shown, "calibrate": calibrate}, val, number)


def spread(trials: Sequence[Trial], selection: Selection) -> str:
    """`12 prompts tried: validation f1_macro 0.512 to 0.781, median 0.690; kept ...`"""
    kept, found_values = trials[0].settings, [selection.value(trial.val) for trial in trials]
    values = [value for value in found_values if value is not None]
    found = (
        f"{min(values):.3f} to {max(values):.3f}, median {np.median(values):.3f}" if values else "undefined"
    )
    own = f"; its instruction: {kept['instruction']!r}" if "instruction" in kept else ""
    shown = f"{kept['shots']} {kept['pick']} demonstrations, draw {kept['draw']}, " if kept["shots"] else ""
    return (
        f"{len(trials)} prompts tried: validation {selection.metric} {found}; "
        f"kept {kept['template']}, {shown}calibration {kept['calibrate']}{own}"
    )
