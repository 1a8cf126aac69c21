"""export --to onnx --int8: dynamic quantisation by onnxruntime, shipped where it loses little.

Weights of matrix products are int8 with one scale for each column; activations are quantised as they come.
What that loses is measured on labelled rows, as a paired difference in the task's metric.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from stratune.data.columns import canonical
from stratune.data.read import read
from stratune.data.rows import text_columns
from stratune.errors import ConfigError, DataError, UnsupportedError
from stratune.evaluate.paired import Difference, differences, measured
from stratune.evaluate.replicates import replicates
from stratune.export.linear_text import named
from stratune.export.onnx_session import GRAPH, Graph
from stratune.tokens.tokens import first_words

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from stratune.export.onnx_tokenizer import TextInputs
    from stratune.predictor.predictor import Predictor

    Answers = Callable[[list[str], list[str] | None], dict[str, NDArray[Any]]]

MARGIN = 0.5  # points
FEWEST = 20  # rows
AT_ONCE = 16  # rows in a batch, sorted by length: with minilm faster than 32 and 64
ROUNDS = 8  # in which the sides take turns
RESAMPLES = 1000
ALIVE = 0.1  # of the spread of answers that int8 has to keep: broken ones give every text one answer


@dataclass(frozen=True)
class Int8:
    """Labelled rows to measure on, and how many points of the task's metric may be lost."""

    data: str
    margin: float = MARGIN

    def __post_init__(self) -> None:
        if not 0 <= self.margin < float("inf"):
            raise ConfigError(f"{self.margin} is no number of points from 0 up", key="--margin")


@dataclass(frozen=True)
class _Side:
    """One model on the rows: its answers, and how fast it was."""

    answers: dict[str, NDArray[Any]]
    rate: float  # rows a second


def quantised(predictor: Predictor, folder: Path, inputs: TextInputs, how: Int8) -> list[str]:
    """Replace the graph in `folder` by one in int8; notes with what that costs and gives.

    Raises DataError for rows that cannot be scored, UnsupportedError where int8 loses more than it may.
    """
    from onnxruntime.quantization import QuantType, quantize_dynamic

    texts, pairs, truth = _rows(predictor, how.data)
    before, small = folder / GRAPH, folder / "int8.onnx"
    with _quiet():
        options = {"per_channel": True, "op_types_to_quantize": ["MatMul"], "weight_type": QuantType.QInt8}
        quantize_dynamic(before, small, **options)
    sizes = [_bytes(folder, before), _bytes(folder, small)]
    plain_graph = Graph(folder, torch.get_num_threads())
    for old in folder.glob(f"{GRAPH}*"):
        old.unlink()
    small.rename(before)
    graphs = [plain_graph, Graph(folder, torch.get_num_threads())]
    sides = [(_of_graph(one, inputs), AT_ONCE) for one in graphs]
    own_way = _of_predictor(predictor), len(texts)  # it makes batches itself
    plain, whole, own = _raced([*sides, own_way], texts, pairs)
    _check_alive(predictor, plain, whole)
    score, loss = _lost(predictor, truth, plain, whole, how.margin)
    return [
        f"Matrix products are in int8. On {len(texts)} labelled rows {score}; {loss}.",
        "Activations are quantised batch by batch: an answer depends a little on the texts beside it.",
        f"Size {sizes[1] / 1e6:.1f} MB, in float32 {sizes[0] / 1e6:.1f} MB.",
        f"Rows a second, here: {whole.rate:.0f}; in float32 {plain.rate:.0f}; "
        f"of `stratune predict` {own.rate:.0f}.",
    ]


def _rows(predictor: Predictor, data: str) -> tuple[list[str], list[str] | None, NDArray[Any]]:
    task = predictor.task
    table = canonical(read(data), task, data)
    if len(table) < FEWEST:
        why = f"{len(table)} rows do not show what int8 loses; give at least {FEWEST}"
        raise DataError(why, path=data)
    texts, pairs = text_columns(table)
    words = getattr(predictor.model.whole, "limit", None)
    most = None if words is None else words.max_words
    cut = [[first_words(text, most) for text in column] for column in (texts, pairs or [])]
    return cut[0], cut[1] if pairs is not None else None, task.target.truth(table["label"][:])


def _of_graph(graph: Graph, inputs: TextInputs) -> Answers:
    def answers(texts: list[str], pairs: list[str] | None) -> dict[str, NDArray[Any]]:
        return graph(inputs(texts, pairs))

    return answers


def _of_predictor(predictor: Predictor) -> Answers:
    def answers(texts: list[str], pairs: list[str] | None) -> dict[str, NDArray[Any]]:
        return {"probabilities": predictor.answer(texts, pairs).predictions}

    return answers


def _raced(sides: Sequence[tuple[Answers, int]], texts: list[str], pairs: list[str] | None) -> list[_Side]:
    """Of each side (how it answers, how many rows at once): all rows, sorted by length, longest first.

    The sides take turns at parts of the rows, so that other work on the machine slows each as much.
    """
    lengths = [len(text) + len(pairs[i] if pairs else "") for i, text in enumerate(texts)]
    order = np.argsort(-np.array(lengths), kind="stable")
    seconds = [0.0] * len(sides)
    found: list[list[dict[str, NDArray[Any]]]] = [[] for _ in sides]
    for answers, _ in sides:
        answers(texts[:2], pairs[:2] if pairs else None)  # what is made at the first call is not counted
    for part in np.array_split(order, min(ROUNDS, len(order))):
        for number, (answers, most) in enumerate(sides):
            start = time.perf_counter()
            for first in range(0, len(part), most):
                some = part[first : first + most]
                given = [texts[i] for i in some], [pairs[i] for i in some] if pairs else None
                found[number].append(answers(*given))
            seconds[number] += time.perf_counter() - start
    back = np.argsort(order, kind="stable")
    joined = [{name: np.concatenate([one[name] for one in of])[back] for name in of[0]} for of in found]
    return [_Side(one, len(texts) / taken) for one, taken in zip(joined, seconds, strict=True)]


def _check_alive(predictor: Predictor, plain: _Side, whole: _Side) -> None:
    """Raises UnsupportedError where int8 gives every text nearly one answer."""
    name = "values" if predictor.task.target.is_numeric else "probabilities"
    before, after = (float(np.std(side.answers[name], axis=0).max()) for side in (plain, whole))
    if after < ALIVE * before:
        spread = f"their spread falls from {before:.2g} to {after:.2g}"
        why = f"its answers hardly depend on the text any more: {spread}"
        raise UnsupportedError("export to int8", named(predictor), why)


def _lost(
    predictor: Predictor, truth: NDArray[Any], plain: _Side, whole: _Side, margin: float
) -> tuple[str, str]:
    """How both score, and what is lost, in words. Raises UnsupportedError where that is above `margin`."""
    task = predictor.task
    selection = task.target.selection(task.metric)
    metric, sides = selection.metric, []
    for side in (plain, whole):
        if task.target.is_numeric:
            predictions, decided = side.answers["values"].astype(np.float64), None
        else:
            predictions, decided = side.answers["probabilities"].astype(np.float64), side.answers["labels"]
        if task.target.several_labels and decided is not None:
            decided = decided.astype(bool)
        scorers = [task.target.scorer(truth, predictions, None, decided)]
        drawn = replicates(scorers, len(truth), resamples=RESAMPLES)
        sides.append(measured(scorers, [0], drawn, [metric], len(truth)))
    (found,) = differences([(sides[0], sides[1])], metric)
    if found is None:
        raise DataError(f"{metric} is undefined on these rows; give others")
    before, after = (float(side.replicates.points[metric][0]) for side in sides)
    # A metric that is better when higher is a share or a correlation; an error has percents of itself.
    unit = 1.0 if selection.higher_is_better else abs(before) or 1.0
    worse = selection.sign
    lost = 100 * worse * found.difference / unit
    score = f"{metric} is {after:.4f}, in float32 {before:.4f}"
    said = f"{lost:.2f} points are lost ({_interval(found, worse, unit)})"
    if lost > margin:
        why = f"on these rows {score}: {said}, more than {margin:g}; leave --int8 out, or raise --margin"
        raise UnsupportedError("export to int8", named(predictor), why)
    return score, said


def _interval(found: Difference, worse: float, unit: float) -> str:
    ends = sorted(100 * worse * end / unit for end in (found.low, found.high))
    return f"paired 95 % interval {ends[0]:.2f} to {ends[1]:.2f}"


def _bytes(folder: Path, graph: Path) -> int:
    return sum(path.stat().st_size for path in folder.glob(f"{graph.name}*"))


@contextmanager
def _quiet() -> Iterator[None]:
    """Around quantize_dynamic, which logs advice for what is not done here to the root logger."""
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)
