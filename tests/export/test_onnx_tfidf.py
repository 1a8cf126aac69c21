"""`tfidf` as an ONNX graph: onnxruntime alone gives our predictor's answers."""

import random
import re

import numpy as np
import pytest
from scipy.special import softmax

from stratune.errors import ArtifactError, UnsupportedError
from stratune.evaluate.calibration import Scaling
from stratune.export import onnx_tfidf
from stratune.export.compared import EDGES, PROBES
from stratune.export.int8 import Int8
from stratune.export.onnx import export_onnx
from stratune.export.onnx_session import GRAPH, Graph
from stratune.export.onnx_tfidf import prepared, tfidf_graph
from stratune.model.postprocess import Postprocess
from stratune.model.tfidf import LinearText, TextFeatures
from stratune.predictor.predictor import Predictor
from stratune.target.decision import Decision
from stratune.task import Task
from stratune.testing.trained import fitted, split_of

TEXTS = [*EDGES, *PROBES, "the cat saw a dog near the old house", "rain and snow", "rain rain rain snow"]
ODD = ["\x1f", "x\x1fy", "\x85", "a\u200bb", "#", "_", "\ufeffbom", "ǅ", "ß", "ﬃ", "\n", "[PAD]", "a" * 40]


def answers(folder, texts, pairs=None):
    inputs = {"text": texts, "text_pair": pairs} if pairs is not None else {"text": texts}
    return Graph(folder)(
        {name: np.array([*map(prepared, column)], dtype=object) for name, column in inputs.items()}
    )


@pytest.mark.parametrize("characters", [True, False])
def test_every_text_that_tokenisers_read_differently(characters, tmp_path):
    """A vocabulary of accents, emoji, other scripts, repeated and empty words, on random mixtures of them."""
    import onnx

    parts = [*ODD, *(word for text in (*EDGES, *PROBES) for word in text.split(" "))]
    rows = [" ".join(random.Random(i).choices(parts, k=1 + i % 9)) for i in range(300)]
    features = TextFeatures.read(*TextFeatures.fit(rows[:150], 5000, characters=characters).state())
    x = features.transform(rows, None)
    weight = np.random.default_rng(0).normal(size=(3, x.shape[1]))
    predictor = Predictor(Task(labels=("a", "b", "c")), None)
    onnx.save(tfidf_graph(LinearText(features, weight, np.zeros(3), "text"), predictor), tmp_path / GRAPH)
    found = answers(tmp_path, rows)
    wanted = softmax(x @ weight.T, axis=1)
    assert np.ptp(wanted) > 0.5
    np.testing.assert_allclose(found["probabilities"], wanted, atol=2e-6)
    single = np.concatenate([answers(tmp_path, [row])["probabilities"] for row in rows[:20]])
    np.testing.assert_allclose(single, wanted[:20], atol=2e-6)


@pytest.mark.parametrize("kind", ["classification", "ordinal", "multilabel", "regression"])
def test_each_kind_of_task(kind, tmp_path):
    predictor = fitted("tfidf", None, split_of(kind)).predictor
    found = answers(export_onnx(predictor, tmp_path / "out"), TEXTS)
    shown = found["values" if kind == "regression" else "probabilities"]
    np.testing.assert_allclose(shown, predictor.predict_proba(TEXTS), atol=1e-5)
    if kind == "multilabel":
        target = predictor.task.target
        assert target.named(found["labels"] == 1) == [one.label for one in predictor.predict(TEXTS)]
    elif kind != "regression":
        named = [predictor.labels[k] for k in found["labels"]]
        assert named == [one.label for one in predictor.predict(TEXTS)]


def test_pairs(tmp_path):
    predictor = fitted("tfidf", None, split_of(pairs=True)).predictor
    pairs = TEXTS[::-1]
    found = answers(export_onnx(predictor, tmp_path / "out"), TEXTS, pairs)["probabilities"]
    wanted = predictor.predict_proba(list(zip(TEXTS, pairs, strict=True)))
    np.testing.assert_allclose(found, wanted, atol=1e-5)


@pytest.mark.parametrize("scaling", [Scaling(), Scaling((0.5,)), Scaling((2.0, 0.7), (0.3, -0.4))], ids=str)
@pytest.mark.parametrize("decision", [Decision(), Decision((0.35,))], ids=str)
def test_calibration_and_thresholds_are_in_the_graph(scaling, decision, tmp_path):
    predictor = fitted("tfidf", None, split_of()).predictor
    predictor.post = Postprocess(scaling, decision)
    found = answers(export_onnx(predictor, tmp_path / "out"), TEXTS)
    np.testing.assert_allclose(found["probabilities"], predictor.predict_proba(TEXTS), atol=1e-5)
    assert [predictor.labels[k] for k in found["labels"]] == [one.label for one in predictor.predict(TEXTS)]


@pytest.mark.parametrize("pairs", [False, True])
def test_the_code_on_the_card_runs(pairs, tmp_path, monkeypatch):
    predictor = fitted("tfidf", None, split_of(pairs=pairs)).predictor
    folder = export_onnx(predictor, tmp_path / "out")
    monkeypatch.chdir(folder)
    names = {}
    exec(re.search(r"```python\n(.*?)```", (folder / "README.md").read_text(), re.S)[1], names)  # noqa: S102
    rows = (TEXTS, TEXTS[::-1]) if pairs else (TEXTS,)
    wanted = predictor.predict_proba(list(zip(*rows, strict=True)) if pairs else TEXTS)
    np.testing.assert_allclose(names["answer"](*rows)["probabilities"], wanted, atol=1e-5)


def test_other_words_are_caught(tmp_path, monkeypatch):
    monkeypatch.setattr(onnx_tfidf, "WORD", r"\w+")  # onnxruntime's is ASCII
    with pytest.raises(ArtifactError, match="answers are not ours"):
        predictor = fitted("tfidf", None, split_of()).predictor
        predictor.sample = [{"text": f"{word}é"} for word in ("cat", "rain", "dog", "snow", "storm", "bird")]
        export_onnx(predictor, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_int8_is_of_nets(tmp_path):
    predictor = fitted("tfidf", None, split_of()).predictor
    with pytest.raises(UnsupportedError, match="no layers to make smaller"):
        export_onnx(predictor, tmp_path / "out", Int8("rows.csv"))
