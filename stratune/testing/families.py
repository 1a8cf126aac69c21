"""A part of the contract, short enough for every model type of transformers.

    python docs/support_table.py

runs it over all of them and writes docs/support.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from stratune.errors import BackboneError, UnsupportedError, reason
from stratune.testing.check import Check, Spec
from stratune.testing.contract import (
    check_batch_equals_single,
    check_frozen_stays_frozen,
    check_learning_tensors_get_gradients,
    check_loss_falls,
    check_padding_side_changes_nothing,
    check_saved_is_the_same,
)

TECHNIQUES: Mapping[str, Spec] = {
    "probe": "probe",
    "partial": {"preset": "partial", "k": 1},
    "full": "full",
    "bitfit": "bitfit",
    "lora": "lora",
    "ia3": "ia3",
    "houlsby": "houlsby",
    "prefix": {"preset": "prefix", "length": 4},
    "soft_prompt": {"preset": "soft_prompt", "length": 4},
    "zero_shot": {
        "preset": "zero_shot",
        "readout": {"template": {"row": "{text}", "answer": ": {label}", "chat": False}},
    },
}
# A model type works when these keep the contract, and every other technique keeps it or is refused.
NEEDED = ("probe", "full", "lora")
CHECKS: tuple[Check, ...] = (
    check_frozen_stays_frozen,
    check_learning_tensors_get_gradients,
    check_loss_falls,
    check_batch_equals_single,
    check_padding_side_changes_nothing,
    check_saved_is_the_same,
)


def failures(spec: Spec, folder: Path, tmp_path: Path, checks: tuple[Check, ...] = CHECKS) -> Iterator[str]:
    """What a technique breaks on a backbone; nothing where it keeps the contract.

    Raises UnsupportedError or BackboneError where it is refused.
    """
    for check in checks:
        try:
            check(spec, folder, tmp_path / check.__name__)
        except (UnsupportedError, BackboneError):
            raise
        except Exception as error:  # noqa: BLE001
            yield f"{check.__name__.removeprefix('check_')}: {reason(error)}"
