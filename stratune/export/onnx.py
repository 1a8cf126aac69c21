"""export --to onnx: one graph that onnxruntime runs, same answers, no code of ours."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from stratune.errors import UnsupportedError
from stratune.export import onnx_card, onnx_net
from stratune.export.compared import EDGES, PROBES, compared_rows, largest_gap, same_decisions
from stratune.export.int8 import quantised
from stratune.export.linear_text import Exported, linear_text, named
from stratune.export.net_graph import EXPORT
from stratune.export.onnx_session import GRAPH, Graph
from stratune.export.onnx_tfidf import prepared, tfidf_graph
from stratune.files import replacing_folder

if TYPE_CHECKING:
    from stratune.export.int8 import Int8
    from stratune.predictor.predictor import Predictor


def export_onnx(predictor: Predictor, folder: Path, int8: Int8 | None = None) -> Path:
    """Write the model as an ONNX graph, run it by onnxruntime, compare; only then does `folder` appear.

    With `int8` the products of the net's layers are in int8. Raises UnsupportedError for what one graph does
    not hold, or where int8 loses more than it may; ArtifactError when the graph answers otherwise.
    """
    of_words = predictor.model.linear_text() is not None
    if of_words and int8 is not None:
        raise UnsupportedError(
            "export to int8", named(predictor), "it has no layers to make smaller; export it without"
        )
    with replacing_folder(folder) as temporary:
        if of_words:
            _write_words(predictor, temporary)
        else:
            _write_net(predictor, temporary, int8)
    return folder


def _write_words(predictor: Predictor, folder: Path) -> None:
    import onnx

    found = linear_text(predictor, EXPORT)
    onnx.save(tfidf_graph(found.text, predictor), folder / GRAPH)
    gap = _verified_words(predictor, found, folder)
    notes = onnx_card.notes(predictor, found.max_words, gap)
    if found.text.reads in ("first", "second"):
        notes.append(f"It reads the {found.text.reads} text of a pair alone.")
    code = onnx_card.words_code(predictor, paired=found.text.reads == "pair")
    onnx_card.write_card(predictor, folder, code, notes)


def _verified_words(predictor: Predictor, found: Exported, folder: Path) -> float:
    """The largest difference between the graph's answers and ours. Raises ArtifactError."""
    graph, what = Graph(folder), f"the exported {GRAPH}"
    texts, pairs = compared_rows(predictor, found.max_words, (*PROBES, *EDGES))
    columns = {"text": pairs if found.text.reads == "second" and pairs is not None else texts}
    if found.text.reads == "pair" and pairs is not None:
        columns["text_pair"] = pairs
    ours, raw = predictor.answer(texts, pairs).predictions, predictor.model(texts, pairs).predictions
    gaps = []
    for rows in (slice(None), *(slice(i, i + 1) for i in range(len(texts)))):
        inputs = {
            name: np.array([prepared(one) for one in column[rows]], dtype=object)
            for name, column in columns.items()
        }
        answers = graph(inputs)
        gaps.append(largest_gap(ours[rows], answers[graph.outputs[0]].astype(np.float64), what))
        if "labels" in answers:
            same_decisions(predictor, raw[rows], answers["labels"], what)
    return max(gaps)


def _write_net(predictor: Predictor, folder: Path, int8: Int8 | None) -> None:
    model = onnx_net.net_of(predictor)
    inputs = onnx_net.write_net(predictor, folder)
    gap = onnx_net.verified(predictor, folder, inputs)
    notes = onnx_card.notes(predictor, model.limit.max_words, gap)
    most = model.limit.tokens(model.net.backbone)
    notes.append(f"The tokenizer cuts at {most} tokens, as in training.")
    if int8 is not None:
        notes += quantised(predictor, folder, inputs, int8)
    code = onnx_card.net_code(predictor, inputs, tuple(Graph(folder).inputs))
    onnx_card.write_card(predictor, folder, code, notes)
