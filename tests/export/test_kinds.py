"""export --to hf of every kind of task: transformers' pipeline gives the predictor's answers, or it is refused."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import pipeline

from stratune.errors import UnsupportedError
from stratune.evaluate.calibration import Scaling
from stratune.export import export_hf
from stratune.export.card import notes_in
from stratune.model.postprocess import Postprocess
from stratune.predictor.predictor import Predictor
from stratune.target.decision import Decision
from stratune.testing.nets import net_of

MODELS = Path(__file__).parents[1] / "folders" / "0.6.0" / "models"
TEXTS = ["the cat saw a dog near the old house", "rain", "we heard a quiet song again and then the piano"]


@pytest.fixture
def saved():
    """`saved("regression")`: a model of that kind, of a tiny backbone."""
    here = Path.cwd()
    os.chdir(MODELS.parent / "backbones")
    yield lambda kind: Predictor.load(MODELS / kind, device="cpu")
    os.chdir(here)


def answers(folder, texts, **options):
    classify = pipeline("text-classification", model=str(folder), device="cpu")
    return classify(texts, truncation=True, batch_size=2, **options)


def moved(predictor):
    """Weights away from where training left them, so that answers depend on the text."""
    with torch.no_grad():
        linear = net_of(predictor.model).head.linear
        linear.weight.normal_(std=0.5, generator=torch.Generator().manual_seed(3))
    return predictor


def test_several_labels_each_by_itself(saved, tmp_path):
    predictor = moved(saved("multilabel"))
    folder = export_hf(predictor, tmp_path / "hf")
    assert json.loads((folder / "config.json").read_text())["problem_type"] == "multi_label_classification"
    wanted = predictor.predict_proba(TEXTS)
    assert np.abs(wanted.sum(axis=1) - 1).max() > 0.01, "a softmax would not be noticed"
    rows = [{one["label"]: one["score"] for one in row} for row in answers(folder, TEXTS, top_k=None)]
    found = np.array([[row[label] for label in predictor.labels] for row in rows])
    np.testing.assert_allclose(found, wanted, atol=1e-4)


def test_thresholds_of_label_sets_are_in_the_folder(saved, tmp_path):
    predictor = moved(saved("multilabel"))
    raw, labels = predictor.model(TEXTS, None).predictions, predictor.labels
    thresholds = tuple(float(raw[:, k].mean()) for k in range(len(labels)))
    predictor.post = Postprocess(Scaling((0.5,)), Decision(thresholds))
    folder = export_hf(predictor, tmp_path / "hf")
    rows = [{one["label"]: one["score"] for one in row} for row in answers(folder, TEXTS, top_k=None)]
    found = np.array([[row[name] for name in labels] for row in rows])
    np.testing.assert_allclose(found, raw, atol=1e-4)  # before calibration
    config = json.loads((folder / "config.json").read_text())
    assert config["thresholds"] == dict(zip(labels, thresholds, strict=True))
    given = [",".join(name for name in labels if row[name] >= config["thresholds"][name]) for row in rows]
    assert given == [one.label for one in predictor.predict(TEXTS)]
    card = " ".join(notes_in(folder))
    assert f"`{labels[0]}` is given from {thresholds[0]:.6g} on" in card
    assert "divided by a temperature of 2" in card


def test_a_value_in_the_users_unit(saved, tmp_path):
    predictor = moved(saved("regression"))
    folder = export_hf(predictor, tmp_path / "hf")
    assert json.loads((folder / "config.json").read_text())["problem_type"] == "regression"
    wanted = predictor.predict_proba(TEXTS)[:, 0]
    assert np.ptp(wanted) > 0.01
    found = [row["score"] for row in answers(folder, TEXTS)]
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    "kind, why",
    [
        ("ordinal_corn", "no head for the levels of corn"),
        ("ordinal_cumulative", "no head for the levels of cumulative"),
        ("ordinal_mse", "no head for the levels"),
        ("chunk", "joins the predictions of a text's chunks"),
        ("chunk_values", "joins the predictions of a text's chunks"),
        ("hierarchical", "its head reads all chunks of a text"),
        ("zero_shot", "it answers in words"),
        ("ensemble", "it is several models"),
        ("tfidf", "no Hugging Face form"),
    ],
)
def test_what_transformers_cannot_answer_is_refused(kind, why, saved, tmp_path):
    with pytest.raises(UnsupportedError, match=why):
        export_hf(saved(kind), tmp_path / "hf")
    assert not (tmp_path / "hf").exists()


def test_a_decoder_whose_tokenizer_has_a_pad_token_of_its_own(saved, tmp_path):
    """A text may spell it out at its end, where the class would read past it."""
    predictor = moved(saved("lora"))
    backbone = net_of(predictor.model).backbone
    backbone.tokenizer.pad_token = "<unk>"  # noqa: S105
    assert backbone.tokenizer.pad_token_id != backbone.tokenizer.eos_token_id
    texts = ["the cat saw rain<unk>", "rain", "snow and the dog <unk><unk>"]
    rows = answers(export_hf(predictor, tmp_path / "hf"), texts, top_k=None)
    found = [[{one["label"]: one["score"] for one in row}[name] for name in predictor.labels] for row in rows]
    np.testing.assert_allclose(found, predictor.predict_proba(texts), atol=1e-4)
