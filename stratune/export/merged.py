"""A copy of a net's model whose adapters are part of its own weights, in float32 on the CPU."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from stratune.backbone.family import PACKED
from stratune.backbone.held import released
from stratune.errors import UnsupportedError, boundary
from stratune.model.base import INSTEAD

if TYPE_CHECKING:
    from stratune.net.net import Net


def merged(net: Net, export: str) -> Any | None:
    """The bare model with its adapters added into its weights; the net's own where there are none.

    None where adapters do not change weights: prefixes, virtual tokens, some methods of peft's. Raises
    UnsupportedError for weights that are packed.
    """
    refuse_packed(net, export)
    if net.model is net.backbone.model:
        return net.backbone.model
    from peft import PeftModel
    from peft.tuners.tuners_utils import BaseTuner

    if not (isinstance(net.model, PeftModel) and isinstance(net.model.base_model, BaseTuner)):
        return None
    # Merging and unmerging in place would leave rounding errors in the predictor's own weights.
    try:
        with boundary(lambda why: UnsupportedError(export, net.backbone.id, why)):
            return released(copy.deepcopy(net.model)).merge_and_unload()
    except UnsupportedError:  # a method of peft's that does not change weights
        return None


def refuse_packed(net: Net, export: str) -> None:
    if net.backbone.held in PACKED:
        why = f"its weights are held in {net.backbone.held}, on which it was trained; {INSTEAD}"
        raise UnsupportedError(export, net.backbone.id, why)


def standalone(net: Net, export: str) -> Any:
    """A copy of the module that is called, which shares no tensor with the net; merged where it can be."""
    found = merged(net, export)
    if found is None or found is net.backbone.model:
        found = released(copy.deepcopy(net.model))
    return found.cpu().eval()
