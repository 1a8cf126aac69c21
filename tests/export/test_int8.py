"""export --to onnx --int8: shipped where labelled rows show that it loses little, and says what it costs."""

import csv
import re

import numpy as np
import pytest
import torch

from stratune.errors import ConfigError, DataError, UnsupportedError
from stratune.export import int8
from stratune.export.int8 import Int8
from stratune.export.onnx import export_onnx
from stratune.export.onnx_session import Graph
from stratune.testing.trained import fitted, split_of


@pytest.fixture(scope="module")
def float32(tmp_path_factory):
    """A graph of a trained net, exported once; each test copies it."""
    from stratune.export.onnx_net import verified, write_net
    from stratune.testing import save_tiny

    torch.set_num_threads(1)
    root = tmp_path_factory.mktemp("int8")
    predictor = fitted(
        "full", save_tiny("bert", root / "bert", num_hidden_layers=1), split_of(), epochs=8
    ).predictor
    folder = root / "float32"
    folder.mkdir()
    inputs = write_net(predictor, folder)
    verified(predictor, folder, inputs)
    return predictor, inputs, folder


@pytest.fixture
def graph(float32, tmp_path):
    predictor, inputs, folder = float32
    place = tmp_path / "out"
    place.mkdir()
    for path in folder.iterdir():
        (place / path.name).write_bytes(path.read_bytes())
    return predictor, inputs, place


@pytest.fixture
def rows(tmp_path):
    """48 labelled rows of the toy task."""
    table = [(row["text"], row["label"]) for row in split_of("classification").train]
    path = tmp_path / "rows.csv"
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["text", "label"])
        writer.writerows((table * 9)[:48])
    return str(path)


def test_it_says_scores_sizes_and_rates(graph, rows):
    predictor, inputs, place = graph
    size = (place / "model.onnx").stat().st_size
    before = Graph(place)
    notes = " ".join(int8.quantised(predictor, place, inputs, Int8(rows, margin=100)))
    assert sorted(path.name for path in place.iterdir()) == ["model.onnx", "tokenizer.json"]
    after = Graph(place)
    texts = [row["text"] for row in split_of().train]
    first, second = (one(inputs(texts, None))["probabilities"] for one in (before, after))
    assert 0 < np.abs(first - second).max() < 0.2
    assert "On 48 labelled rows" in notes and f"in float32 {size / 1e6:.1f} MB" in notes
    assert re.search(r"log_loss is [\d.]+, in float32 [\d.]+; -?[\d.]+ points are lost", notes)
    assert re.search(r"paired 95 % interval -?[\d.]+ to -?[\d.]+", notes)
    assert len(re.findall(r"(?:here:|float32|predict`) [1-9]\d*[;.]", notes)) == 3


def test_it_is_refused_where_it_loses_more(graph, rows, monkeypatch):
    predictor, inputs, place = graph
    real = int8._raced
    labels = {row["text"]: row["label"] for row in split_of("classification").train}

    def worse(sides, texts, pairs):
        plain, whole, own = real(sides, texts, pairs)
        truth = predictor.task.target.truth([labels[text] for text in texts])
        whole.answers["probabilities"] = np.where(np.eye(2)[truth] == 1, 0.05, 0.95)
        return plain, whole, own

    monkeypatch.setattr(int8, "_raced", worse)
    with pytest.raises(UnsupportedError, match="points are lost .*more than 0.5; leave --int8 out"):
        int8.quantised(predictor, place, inputs, Int8(rows))


def test_one_answer_for_every_text_is_refused_whatever_the_margin(graph, rows, monkeypatch):
    predictor, inputs, place = graph
    real = int8._raced

    def dead(sides, texts, pairs):
        plain, whole, own = real(sides, texts, pairs)
        whole.answers["probabilities"][:] = whole.answers["probabilities"][:1]
        return plain, whole, own

    monkeypatch.setattr(int8, "_raced", dead)
    with pytest.raises(UnsupportedError, match="hardly depend on the text"):
        int8.quantised(predictor, place, inputs, Int8(rows, margin=100))


def test_sides_take_turns_and_rows_come_back_in_order():
    texts = [f"{'word ' * (i % 7)}{i}" for i in range(50)]
    calls = []

    def side(name):
        def answers(some, pairs):
            calls.append((name, len(some)))
            return {"values": np.array([[float(text.split()[-1])] for text in some])}

        return answers

    found = int8._raced([(side("a"), 4), (side("b"), 50)], texts, None)
    for one in found:
        assert one.answers["values"][:, 0].tolist() == list(range(50)) and one.rate > 0
    names = [name for name, _ in calls[2:]]
    assert names.index("b") < len(names) - 1 - names[::-1].index("a")
    assert max(count for name, count in calls if name == "a") == 4


def test_rows_that_cannot_show_it(graph, tmp_path):
    predictor, inputs, place = graph
    few = tmp_path / "few.csv"
    few.write_text("text,label\nthe cat,animal\n")
    with pytest.raises(DataError, match="1 rows do not show what int8 loses; give at least 20"):
        int8.quantised(predictor, place, inputs, Int8(str(few)))
    with pytest.raises(ConfigError, match="--margin"):
        Int8(str(few), margin=-1)


def test_an_export_that_is_refused_leaves_nothing(float32, tmp_path):
    few = tmp_path / "few.csv"
    few.write_text("text,label\nthe cat,animal\n")
    with pytest.raises(DataError):
        export_onnx(float32[0], tmp_path / "out", Int8(str(few)))
    assert not (tmp_path / "out").exists()
