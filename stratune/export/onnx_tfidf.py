"""`tfidf` as an ONNX graph, from prepared texts to probabilities and labels.

skl2onnx (1.20) is not used. It has no `char_wb`; of n equal words its `sublinear_tf` is log(1 + n), where
scikit-learn has 1 + log(n); and its lower case is that of the locale en_US.UTF-8, without which onnxruntime
does not open the file. So texts are prepared in Python (`PREPARED`: lower case, one space between words and
around them), and onnxruntime's own tokenizer does the rest exactly:

- words are what Python's `\\w+` matches: letters, numbers and the underscore;
- parts of words are all runs of 2 to 5 characters of the prepared text. scikit-learn's have a space at their
  ends alone, where the word begins or ends; others are in no vocabulary, so counting all changes nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from stratune.export.onnx_nodes import MICROSOFT, Nodes
from stratune.model.tfidf import names

if TYPE_CHECKING:
    from stratune.model.tfidf import LinearText
    from stratune.predictor.predictor import Predictor

PREPARED = '" " + " ".join(text.lower().split()) + " "'
WORD, CHARACTER = r"[\p{L}\p{N}_]+", "(?s)."
PAD = "\n"  # a token that no prepared text has
LEAST = 1e-12  # as target/base.py clips probabilities before the logarithm


def prepared(text: str) -> str:
    """What the graph reads."""
    return " " + " ".join(text.lower().split()) + " "


def tfidf_graph(text: LinearText, predictor: Predictor) -> Any:
    """A ModelProto: `text` (N,), of pairs `text_pair` (N,) -> `probabilities` and `labels`, or `values`."""
    from onnx import TensorProto, helper

    nodes = Nodes()
    inputs = ["text", "text_pair"] if text.reads == "pair" else ["text"]
    sides = [_features(nodes, name, text.features.vectorisers) for name in inputs]
    x = sides[0]
    if len(sides) == 2:
        difference = nodes.add("Abs", nodes.add("Sub", *sides))
        x = nodes.add("Concat", *sides, difference, nodes.add("Mul", *sides), axis=1)
    product = nodes.add("MatMul", x, nodes.numbers(text.weight.T))
    scores = nodes.add("Add", product, nodes.numbers(text.bias))
    outputs = _answers(nodes, scores, predictor)
    given = [helper.make_tensor_value_info(name, TensorProto.STRING, ["batch"]) for name in inputs]
    return nodes.model(given, outputs)


def _features(nodes: Nodes, name: str, vectorisers: tuple[Any, ...]) -> str:
    """(N,) texts -> (N, F)."""
    kinds = [_kind(nodes, name, one) for one in vectorisers]
    return nodes.add("Concat", *kinds, axis=1) if len(kinds) > 1 else kinds[0]


def _kind(nodes: Nodes, name: str, vectoriser: Any) -> str:
    """Counts n -> 1 + log(n), times the inverse document frequency, each row of length one."""
    of_words = vectoriser.analyzer == "word"
    how: dict[str, Any] = {"mark": 0, "mincharnum": 1, "pad_value": PAD}
    tokens = nodes.add("Tokenizer", name, domain=MICROSOFT, tokenexp=WORD if of_words else CHARACTER, **how)
    counts = nodes.add("TfIdfVectorizer", tokens, **_pool(vectoriser, of_words))
    one = nodes.numbers(1.0)
    logarithm = nodes.add("Add", nodes.add("Log", nodes.add("Max", counts, one)), one)
    seen = nodes.add("Greater", counts, nodes.numbers(0.0))
    weighted = nodes.add("Mul", logarithm, nodes.numbers(vectoriser.idf_))
    raw = nodes.add("Where", seen, weighted, nodes.numbers(0.0))
    length = nodes.add("ReduceL2", raw, nodes.constant(np.array([1])), keepdims=1)
    return nodes.add("Div", raw, nodes.add("Max", length, nodes.numbers(LEAST)))


def _pool(vectoriser: Any, of_words: bool) -> dict[str, Any]:
    """Attributes of TfIdfVectorizer: terms by their number of tokens, and the column of each."""
    terms = [tuple(term.split(" ") if of_words else term) for term in names(vectoriser)]
    low, high = vectoriser.ngram_range
    strings: list[str] = []
    columns: list[int] = []
    starts = []
    for length in range(1, high + 1):
        starts.append(len(strings))
        for column, term in enumerate(terms):
            if len(term) == length:
                strings += term
                columns.append(column)
    return {
        "mode": "TF", "min_gram_length": low, "max_gram_length": high, "max_skip_count": 0,
        "pool_strings": strings, "ngram_counts": starts, "ngram_indexes": columns,
    }  # fmt: skip


def _answers(nodes: Nodes, scores: str, predictor: Predictor) -> list[Any]:
    """(N, C) scores -> the graph's outputs."""
    from onnx import TensorProto, helper

    target, post = predictor.task.target, predictor.post
    count = len(target.columns)
    if target.is_numeric:
        nodes.add("Identity", scores, name="values")
        return [helper.make_tensor_value_info("values", TensorProto.FLOAT, ["batch", count])]
    raw = _decoded(nodes, scores, target.one_label)
    shown = raw
    if post.scaling:
        likely = scores  # logits; of one label of several log-probabilities, clipped as ours
        if target.one_label:
            likely = nodes.add("Log", nodes.add("Max", raw, nodes.numbers(LEAST)))
        scaled = nodes.add("Mul", likely, nodes.numbers(post.scaling.scale or 1.0))
        shifted = nodes.add("Add", scaled, nodes.numbers(post.scaling.bias or 0.0))
        shown = _decoded(nodes, shifted, target.one_label)
    nodes.add("Identity", shown, name="probabilities")
    labels = _decided(nodes, raw, predictor)
    nodes.add("Cast", labels, name="labels", to=TensorProto.INT64)
    shape: list[str | int] = ["batch", count] if target.several_labels else ["batch"]
    return [
        helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["batch", count]),
        helper.make_tensor_value_info("labels", TensorProto.INT64, shape),
    ]


def _decoded(nodes: Nodes, scores: str, one_label: bool) -> str:
    return nodes.add("Softmax", scores, axis=1) if one_label else nodes.add("Sigmoid", scores)


def _decided(nodes: Nodes, raw: str, predictor: Predictor) -> str:
    """Probabilities before calibration (N, K) -> which label (N,), or of sets which ones (N, K)."""
    target, thresholds = predictor.task.target, predictor.post.decision.thresholds
    if target.several_labels:
        return nodes.add("GreaterOrEqual", raw, nodes.numbers(thresholds or [0.5] * len(target.labels)))
    if not thresholds:
        return nodes.add("ArgMax", raw, axis=1, keepdims=0)
    second = nodes.add("Gather", raw, nodes.constant(np.array(1)), axis=1)
    return nodes.add("GreaterOrEqual", second, nodes.numbers(thresholds[0]))
