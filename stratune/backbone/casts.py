"""Casts that autocast would make again and again: of frozen weights, and of an input that layers share.

On a processor, casting all weights of a small encoder takes a quarter of the time of one text. Autocast
keeps the cast of a weight that is trained for one forward pass, and casts a frozen one at each use. Values
are those of autocast; a gradient of a shared input is summed in its narrow format.
"""

from __future__ import annotations

import threading
import weakref
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

MOST = 2**28  # numbers of weights that are kept twice: half a gigabyte


class KeptCasts:
    """Of the weights of a backbone, for all nets on its tensors (`Backbone.sharing`)."""

    def __init__(self) -> None:
        # address -> (whose it is, the state that was cast, the cast)
        self._by_address: dict[int, tuple[Any, Any, Tensor]] = {}

    @property
    def count(self) -> int:
        """Numbers that are kept."""
        return sum(cast.numel() for _, _, cast in list(self._by_address.values()))

    def of(self, weight: Tensor, dtype: torch.dtype) -> Tensor:
        """Its cast; the weight itself where there is no room for one more."""
        address, state = weight.data_ptr(), (weight._version, weight.shape, dtype)
        known = self._by_address.get(address)
        if known and _lies_at(known[0](), address) and known[1] == state:
            return known[2]
        if known is None and self.count + weight.numel() > MOST:
            return weight
        with torch.inference_mode(False), torch.no_grad():  # training uses it, too
            cast = weight.detach().to(dtype)
        owner = weakref.ref(weight, lambda gone: self._forget(address, gone))
        self._by_address[address] = (owner, state, cast)
        return cast

    def _forget(self, address: int, owner: Any) -> None:
        """Its weight is no more: nets come and go on a backbone that stays."""
        known = self._by_address.get(address)
        if known is not None and known[0] is owner:
            del self._by_address[address]


def _lies_at(owner: Tensor | None, address: int) -> bool:
    return owner is not None and owner.data_ptr() == address


class Casts:
    """For the threads that use one net. Weights that can change are cast by autocast, as ever."""

    def __init__(self, kept: KeptCasts | None = None) -> None:
        self.all_weights = False  # also of those that ask for a gradient: nothing will change them
        self._kept = kept or KeptCasts()
        self._input: tuple[Any, int, Tensor] | None = None  # the last one

    def of_input(self, input: Tensor) -> Tensor:
        """In the format that is computed in; of the same input, once."""
        if not _is_wide(input) or input.is_inference():
            return input
        last = self._input
        if last is None or last[0]() is not input or last[1] != input._version:
            cast = input.to(torch.get_autocast_dtype("cpu"))
            last = self._input = (weakref.ref(input), input._version, cast)
        return last[2]

    def forget_input(self) -> None:
        """It holds memory, and a graph."""
        self._input = None

    def of_weight(self, weight: Tensor) -> Tensor:
        """In the format that is computed in; one that may change as it is."""
        if not _is_wide(weight) or weight.is_inference():
            return weight
        if weight.requires_grad and not (self.all_weights and not torch.is_grad_enabled()):
            return weight
        return self._kept.of(weight, torch.get_autocast_dtype("cpu"))


class _Now(threading.local):
    casts: Casts | None = None


_now = _Now()


def use(casts: Casts | None) -> Casts | None:
    """From here on, in this thread; returns what was used before."""
    before, _now.casts = _now.casts, casts
    return before


def casts_in_use() -> Casts | None:
    """By this thread."""
    return _now.casts


def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """As torch.nn.functional.linear."""
    casts = _now.casts
    if casts is not None and (_is_wide(input) or _is_wide(weight)):
        input, weight = casts.of_input(input), casts.of_weight(weight)
        bias = None if bias is None else casts.of_weight(bias)
    return functional.linear(input, weight, bias)


def narrowed(input: Tensor, dtype: torch.dtype) -> Tensor:
    """`input` in `dtype`, by the cast that was made last, if it was this one."""
    casts = _now.casts
    if casts is not None and _is_wide(input) and dtype == torch.get_autocast_dtype("cpu"):
        return casts.of_input(input)
    return input.to(dtype)


def _is_wide(tensor: Tensor) -> bool:
    """Whether autocast on a processor would cast it."""
    return tensor.dtype == torch.float32 and tensor.device.type == "cpu" and torch.is_autocast_enabled("cpu")
