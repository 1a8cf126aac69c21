"""A part of the contract, short enough for every model type of transformers: docs/support_table.py."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import torch

from stratune.backbone.load import load_backbone
from stratune.errors import BackboneError, StratuneError, UnsupportedError, boundary
from stratune.testing.check import Check, Spec, check, trains
from stratune.testing.contract import (
    check_batch_equals_single,
    check_frozen_stays_frozen,
    check_learning_tensors_get_gradients,
    check_loss_falls,
    check_padding_side_changes_nothing,
    check_saved_is_the_same,
    run,
)
from stratune.testing.models import save_tiny

TECHNIQUES: Mapping[str, Spec] = {
    "probe": "probe",
    "partial": {"preset": "partial", "k": 1},
    "full": "full",
    "lora": "lora",
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


@check(trains)
def check_frozen_bottom_is_the_same(spec: Spec, backbone_folder: Path | None, tmp_path: Path) -> None:
    """Hidden states behind a bottom that was computed before are those of the whole model."""
    done = run(spec, backbone_folder)
    assert done.net is not None
    batch, depth = done.batch()[0], done.net.frozen_blocks()
    if depth:
        done.net.eval()
        with torch.no_grad():
            cut = replace(batch, hidden=done.net.bottom(batch, depth), depth=depth)
            gap = float((done.net(cut) - done.net(batch)).abs().max())
        assert gap <= 1e-5, f"logits behind block {depth} differ by {gap:.3g}"


CHECKS: tuple[Check, ...] = (
    check_frozen_bottom_is_the_same,
    check_frozen_stays_frozen,
    check_learning_tensors_get_gradients,
    check_loss_falls,
    check_batch_equals_single,
    check_padding_side_changes_nothing,
    check_saved_is_the_same,
)
YES, BROKEN = "yes", "breaks "


class _Broken(StratuneError):
    """A check has failed, or a library."""


def tried(model_type: str, folder: Path) -> dict[str, str]:
    """What a tiny model of the type, made in `folder`, can do: `yes` or why not, of each technique.

    With its `kind` and `pooling`; or with `refused` alone.
    """
    try:
        with boundary(_Broken):
            place = save_tiny(model_type, folder / "plain")
    except _Broken as error:
        return {"refused": f"no tiny model of it can be made: {error}"}
    try:
        family = load_backbone(str(place)).family
    except BackboneError as error:
        return {"refused": str(error).removeprefix(f"{place}: ").removeprefix(f"model type {model_type!r}: ")}
    kind = "decoder" if family.decoder else "encoder"
    row = {"kind": kind, "pooling": family.pool, "linears": " ".join(family.linears)}
    for name, spec in TECHNIQUES.items():
        asked = name == "zero_shot" and not family.decoder
        row[name] = _with_head(model_type, spec, folder) if asked else outcome(spec, place, folder / name)
    return row


def _with_head(model_type: str, spec: Spec, folder: Path) -> str:
    """Of an encoder that is asked: it fills in masks, or its decoder answers."""
    try:
        with boundary(_Broken):
            place = save_tiny(model_type, folder / "masked", masked=True)
    except _Broken:
        return "transformers has no masked language model of it"
    return outcome(spec, place, folder / "zero_shot")


def outcome(spec: Spec, place: Path, tmp_path: Path, checks: tuple[Check, ...] = CHECKS) -> str:
    """`yes` where a technique keeps the contract, why it is refused, or the first check that it breaks."""
    for one in checks:
        try:
            with boundary(_Broken):
                one(spec, place, tmp_path / one.__name__)
        except UnsupportedError as error:
            return error.why
        except BackboneError as error:
            return str(error).removeprefix(f"{place}: ")
        except StratuneError as error:
            return f"{BROKEN}{one.__name__.removeprefix('check_')}: {error}"
    return YES


def works(row: Mapping[str, str]) -> bool:
    cells = {name: row.get(name, "") for name in TECHNIQUES}
    return all(cells[name] == YES for name in NEEDED) and not any(
        cell.startswith(BROKEN) for cell in cells.values()
    )
