"""A net as an ONNX graph: traced by torch.export, run by onnxruntime."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch

from stratune.errors import UnsupportedError, boundary
from stratune.export.compared import EDGES, PROBES, compared_rows, largest_gap, same_decisions
from stratune.export.linear_text import named
from stratune.export.net_graph import EXPORT, NetGraph
from stratune.export.onnx_session import GRAPH, Graph
from stratune.export.onnx_tokenizer import TextInputs, check_tokens, fast_tokenizer, text_inputs
from stratune.model.base import INSTEAD

if TYPE_CHECKING:
    from stratune.export.onnx_session import Outputs
    from stratune.model.net import NetModel
    from stratune.predictor.predictor import Predictor

TOKENIZER = "tokenizer.json"
LARGE = (
    1_800_000_000  # bytes of weights from which on they are in a file of their own; protobuf ends at 2 GiB
)
NOISY = "torch.onnx._internal.exporter._registration"  # warns that torchvision is not there


def net_of(predictor: Predictor) -> NetModel:
    """The net in a predictor that one graph holds. Raises UnsupportedError with the reason for none."""
    model = predictor.model
    if model.cannot_graph:
        raise UnsupportedError(EXPORT, named(predictor), model.cannot_graph)
    found = cast("NetModel", model.whole)
    if found.net.backbone.embed is not None:
        raise UnsupportedError(EXPORT, found.net.backbone.id, f"its vectors come from a server; {INSTEAD}")
    return found


def write_net(predictor: Predictor, folder: Path) -> TextInputs:
    """model.onnx and tokenizer.json. Raises UnsupportedError for what torch.export cannot trace."""
    model = net_of(predictor)
    net = model.net
    tokenizer = fast_tokenizer(net.backbone, model.limit)
    graph = NetGraph(net, predictor)
    inner = getattr(model.reader, "inner", model.reader)  # of a pair's two texts read apart
    inputs = text_inputs(tokenizer, net.backbone, getattr(inner, "prompt", ""), apart=net.head.reads_apart)
    tokenizer.save(str(folder / TOKENIZER))
    pairs = list(reversed(PROBES)) if predictor.task.text_pair else None
    example = inputs(PROBES, pairs)
    size = sum(p.numel() * p.element_size() for p in graph.parameters())
    program = _traced(graph, [torch.from_numpy(example[name]) for name in graph.inputs], net.backbone.id)
    program.save(folder / GRAPH, external_data=size > LARGE)
    return inputs


def _traced(graph: NetGraph, example: list[torch.Tensor], backbone_id: str) -> Any:
    """An ONNXProgram of any number of rows of any length."""
    shapes = tuple(
        {0: "batch", 1: "second_length" if "second" in name else "length"} for name in graph.inputs
    )
    failed = f"torch.export cannot trace it; {INSTEAD}"
    with boundary(lambda why: UnsupportedError(EXPORT, backbone_id, f"{failed} ({why})")), _quiet():
        return torch.onnx.export(
            graph, tuple(example), dynamo=True, dynamic_shapes=(shapes,),
            input_names=list(graph.inputs), output_names=list(graph.outputs), verbose=False,
        )  # fmt: skip


@contextmanager
def _quiet() -> Iterator[None]:
    """Around one call of torch.onnx, which prints and warns each time: of libraries that are not there, names
    of axes, its own deprecated calls.
    """
    logger = logging.getLogger(NOISY)
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()), torch.no_grad():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(before)


def verified(predictor: Predictor, folder: Path, inputs: TextInputs) -> float:
    """The largest difference between the graph's answers and ours, all rows in one batch and one by one.

    Raises ArtifactError where answers, labels or token ids are others.
    """
    from tokenizers import Tokenizer

    model = net_of(predictor)
    graph, inputs = Graph(folder), replace(inputs, tokenizer=Tokenizer.from_file(str(folder / TOKENIZER)))
    long = " ".join(PROBES * model.limit.tokens(model.net.backbone))
    texts, pairs = compared_rows(predictor, model.limit.max_words, (*PROBES, *EDGES, long))
    tokens = model.reader.tokens(texts, pairs)
    check_tokens(inputs(texts, pairs), tokens, apart=inputs.apart)
    exact = replace(model, runtime=replace(model.runtime, precision="float32"), cached=False)
    raw = exact(texts, pairs).predictions
    ours = predictor.task.target.calibrated(raw, predictor.post.scaling)
    what = f"the exported {GRAPH}"
    together = graph(inputs(texts, pairs))
    single = _joined([graph(inputs([a], None if pairs is None else [pairs[i]])) for i, a in enumerate(texts)])
    gaps = []
    for found in (together, single):
        gaps.append(largest_gap(ours, found[graph.outputs[0]].astype(np.float64), what))
        if "labels" in found:
            same_decisions(predictor, raw, found["labels"], what)
    return max(gaps)


def _joined(parts: list[Outputs]) -> Outputs:
    return {name: np.concatenate([one[name] for one in parts]) for name in parts[0]}
