"""Our head as each family's own `...ForSequenceClassification` class can compute it.

Those classes have one more dense layer and an activation between the pooled text and the linear layer. Their
weights are chosen so that both together are the identity, in the way that the activation allows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from stratune.backbone.family import Pool
from stratune.errors import UnsupportedError
from stratune.model.base import INSTEAD

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from stratune.backbone.load import Backbone
    from stratune.net.pooled_head import PooledHead

EXPORT = "export to hf"  # the `strategy` of an UnsupportedError: what could not be done

Form = tuple[Pool, bool]  # how the head pools, and whether it normalises

# tanh(TINY x) is TINY x, to 1e-6 even where |x| is 30; a power of two costs no rounding itself.
TINY = 2.0**-14


def _straight(dense: nn.Linear, weight: Tensor) -> Tensor:
    """No activation, by configuration: the identity."""
    nn.init.eye_(dense.weight)
    return weight


def _tanh(dense: nn.Linear, weight: Tensor) -> Tensor:
    """tanh is the identity near zero."""
    nn.init.eye_(dense.weight)
    dense.weight.mul_(TINY)
    return weight / TINY


def _paired(dense: nn.Linear, weight: Tensor) -> Tensor:
    """relu and gelu alike have a(z) - a(-z) = z: give W x and -W x, and let the next layer subtract."""
    outputs = len(weight)
    nn.init.zeros_(dense.weight)
    dense.weight[:outputs].copy_(weight)
    dense.weight[outputs : 2 * outputs].copy_(-weight)
    difference = torch.zeros(outputs, dense.out_features, device=weight.device)
    nn.init.eye_(difference[:, :outputs])
    difference[:, outputs : 2 * outputs] = -difference[:, :outputs]
    return difference


@dataclass(frozen=True)
class NativeHead:
    """Paths are relative to the classification class."""

    forms: tuple[Form, ...]
    out: str  # the linear layer that gives the logits
    dense: str | None = None  # the layer before it
    through: Callable[[nn.Linear, Tensor], Tensor] = _straight  # fills `dense`; returns what `out` must hold
    norm: str | None = None  # a LayerNorm after `dense`, which then does our normalising
    settings: Mapping[str, Any] = field(default_factory=dict)  # configuration that makes it so
    pooling: str | None = None  # the configuration's name for how to pool
    block_norms: Mapping[str, str] = field(default_factory=dict)  # of post-norm blocks: attention, output


# One more block, all zeros but for a mean and its norms, pools and normalises for these (norm_block.py).
_POST_NORM: tuple[Form, ...] = (("mean", True), ("first", True), ("first", False))

_BERT_NORMS = {"attention": "attention.output.LayerNorm", "output": "output.LayerNorm"}
_DISTIL_NORMS = {"attention": "sa_layer_norm", "output": "output_layer_norm"}
_OUT = ("classifier.out_proj", "classifier.dense")

_ROBERTA = NativeHead(_POST_NORM, *_OUT, _tanh, block_norms=_BERT_NORMS)
_LLAMA = NativeHead((("last", False),), "score")
NATIVE: dict[str, NativeHead] = {  # by model type
    "bert": NativeHead(_POST_NORM, "classifier", "bert.pooler.dense", _tanh, block_norms=_BERT_NORMS),
    **dict.fromkeys(("roberta", "xlm-roberta", "camembert"), _ROBERTA),
    "electra": NativeHead(_POST_NORM, *_OUT, _paired, block_norms=_BERT_NORMS),  # gelu
    "distilbert": NativeHead(
        _POST_NORM, "classifier", "pre_classifier", _paired, block_norms=_DISTIL_NORMS
    ),  # relu
    "deberta-v2": NativeHead(
        _POST_NORM,
        "classifier",
        "pooler.dense",
        settings={"pooler_hidden_act": "linear"},
        block_norms=_BERT_NORMS,
    ),
    "modernbert": NativeHead(
        (("mean", True), ("first", True)),
        "classifier",
        "head.dense",
        norm="head.norm",
        settings={"classifier_activation": "linear"},
        pooling="classifier_pooling",
    ),
    "albert": NativeHead((("first", False),), "classifier", "albert.pooler", _tanh),
    **dict.fromkeys(("llama", "mistral", "qwen2", "qwen3", "gpt2"), _LLAMA),
}


def block_norms(backbone: Backbone) -> Mapping[str, str]:
    """Role -> path in a block of its two norms; none where its class needs no block more."""
    native = NATIVE.get(backbone.family.name)
    return native.block_norms if native else {}


def native_head(backbone: Backbone, form: Form, outputs: int, *, biased: bool) -> NativeHead:
    """The map of a family. Raises UnsupportedError, saying what to train, when its class cannot do `form`.

    `biased`: the logits have a bias, which decoders' classes do not.
    """
    family = backbone.family.name
    native = NATIVE.get(family)
    if native is None:
        why = f"{family} has no known classification class; {INSTEAD}"
        raise UnsupportedError(EXPORT, backbone.id, why)
    if form not in native.forms:
        can = " or ".join(_spoken(possible) for possible in native.forms)
        why = f"{family}'s own class cannot do {_spoken(form)}; train with {can}, or {INSTEAD}"
        raise UnsupportedError(EXPORT, backbone.id, why)
    if biased and native.out == "score":
        why = f"{family}'s own class adds no bias to its logits, and these need one; {INSTEAD}"
        raise UnsupportedError(EXPORT, backbone.id, why)
    if native.through is _paired and 2 * outputs > backbone.width:
        room = backbone.width // 2
        why = f"{family}'s own class has room for {room} labels, and these are {outputs}; {INSTEAD}"
        raise UnsupportedError(EXPORT, backbone.id, why)
    return native


def _spoken(form: Form) -> str:
    pool, norm = form
    return f"readout {{pool: {pool}, norm: {str(norm).lower()}}}"


@torch.no_grad()
def write_head(
    model: nn.Module, native: NativeHead, head: PooledHead, scale: float, offset: NDArray[Any]
) -> None:
    """Fill the class's own layers: they give `scale` times the logits of `head`, plus `offset` (C,)."""
    linear = head.linear
    weight = linear.weight.detach().cpu() * scale  # (K, C)
    bias = torch.from_numpy(offset).float()
    if linear.bias is not None:
        bias += linear.bias.detach().cpu() * scale
    if native.dense is not None:
        dense: Any = model.get_submodule(native.dense)
        weight = native.through(dense, weight)
        _zero(dense.bias)
        if native.norm is not None and head.norm is not None:
            norm: Any = model.get_submodule(native.norm)
            # LayerNorm(a x) with its eps is LayerNorm(x) with eps / a**2: ours, whatever theirs.
            dense.weight.mul_((norm.eps / head.norm.eps) ** 0.5)
            norm.weight.fill_(1.0)
            _zero(norm.bias)
    out: Any = model.get_submodule(native.out)
    out.weight.copy_(weight)
    if out.bias is not None:
        out.bias.copy_(bias)


def _zero(bias: Tensor | None) -> None:
    if bias is not None:
        bias.zero_()
