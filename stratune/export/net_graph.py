"""A net, its objective, calibration and decision as one module of tensors: what an ONNX graph is made of."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from stratune.backbone.inputs import model_inputs
from stratune.export.merged import standalone
from stratune.net.pooling import pooled
from stratune.tokens.batches import Batch
from stratune.tokens.tokens import has_segments

if TYPE_CHECKING:
    from stratune.net.net import Net
    from stratune.predictor.predictor import Predictor

EXPORT = "export to onnx"
INPUTS = ("input_ids", "attention_mask", "token_type_ids")
SECOND = "second_"  # before the inputs of a pair's second text, where texts are read apart
LEAST = 1e-12  # as target/base.py clips probabilities before the logarithm


class NetGraph(nn.Module):
    """(B, T) int64 tensors of `inputs` -> probabilities (B, K) and labels (B,) or (B, K), or values (B, 1).

    Tokens stand before the padding. Attention is that of torch or transformers in float32: neither our
    kernels for CPUs (net/cpu_kernels.py, which Net.forward puts around) nor autocast is in use.
    """

    def __init__(self, net: Net, predictor: Predictor) -> None:
        super().__init__()
        self.model = standalone(net, EXPORT)
        self.head = copy.deepcopy(net.head).cpu().float().eval()
        self.family, self.objective = net.backbone.family, net.objective
        self.target, self.post = predictor.task.target, predictor.post
        own = INPUTS if has_segments(net.backbone) else INPUTS[:2]
        self.inputs = (*own, *(SECOND + name for name in own)) if self.head.reads_apart else own
        outputs = ("values",) if self.target.is_numeric else ("probabilities", "labels")
        self.outputs = outputs
        with torch.no_grad():
            for module in [*self.modules()]:
                if (fold := getattr(module, "fold", None)) is not None:
                    fold()
        self.requires_grad_(False).eval()

    def encode(self, batch: Batch) -> Tensor:
        """As Net.encode, of tokens that stand before the padding."""
        inputs = model_inputs(self.family, batch.mask, batch.types)
        hidden: Tensor = self.model(input_ids=batch.ids, **inputs).last_hidden_state
        return hidden

    def continued(self, ids: Tensor, seen: Tensor, positions: Tensor) -> Tensor:
        raise NotImplementedError  # of heads that read prompts, which are not exported

    def with_shared_prefix(self, batch: Batch) -> tuple[Tensor, Tensor]:
        raise NotImplementedError

    def forward(self, *given: Tensor) -> tuple[Tensor, ...]:
        logits = self._logits(given)
        raw = self.objective.decoded(logits)
        if self.target.is_numeric:
            return (raw,)
        return self._calibrated(raw, logits), self._decided(raw)

    def _logits(self, given: tuple[Tensor, ...]) -> Tensor:
        if not self.head.reads_apart:
            return self.head(self, _batch(*given))  # type: ignore[no-any-return]
        half = len(given) // 2
        batches = [_batch(*given[:half]), _batch(*given[half:])]
        sides = [pooled(self.encode(one), one.mask, self.head.pool or "mean") for one in batches]
        both = torch.stack(sides, dim=1).flatten(0, 1)  # (B, 2, C) -> (2 B, C)
        found: Tensor = self.head(self, replace(batches[0], pooled=both))
        return found

    def _calibrated(self, raw: Tensor, logits: Tensor) -> Tensor:
        """(B, K), as Target.calibrated."""
        scaling = self.post.scaling
        if not scaling:
            return raw
        scale, bias = torch.tensor(scaling.scale or (1.0,)), torch.tensor(scaling.bias or (0.0,))
        if self.target.one_label:
            return (raw.clamp(min=LEAST).log() * scale + bias).softmax(dim=1)
        return (logits * scale + bias).sigmoid()

    def _decided(self, raw: Tensor) -> Tensor:
        """As Target.decided, of probabilities before calibration."""
        thresholds = self.post.decision.thresholds
        if self.target.several_labels:
            return (raw >= torch.tensor(thresholds or (0.5,))).long()
        if thresholds:
            return (raw[:, 1] >= thresholds[0]).long()
        return raw.argmax(dim=1)


def _batch(ids: Tensor, mask: Tensor, types: Tensor | None = None) -> Batch:
    return Batch(ids, mask, types)
