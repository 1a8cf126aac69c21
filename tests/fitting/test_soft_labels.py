"""Learning the shares of raters: `soft:` before the name of what learns."""

import json
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from datasets import Dataset

from stratune.data.split import assemble
from stratune.errors import ConfigError
from stratune.strategy import parse_strategy
from stratune.target.decision import Decide
from stratune.task import Task
from stratune.testing import toy_split
from stratune.train.settings import Budget
from tests.helpers import trained

SHARES = {"the cat": 0.7, "the rain": 0.1, "the choir": 0.5}
AFTER = [
    "saw",
    "near",
    "old",
    "house",
    "and",
    "then",
    "it",
    "was",
    "quiet",
    "for",
    "long",
    "time",
    "we",
    "heard",
    "they",
    "talked",
    "about",
    "again",
]


def rated_split(copies=18, certain=False):
    """Three beginnings, each with `copies` ends: of ten raters so many say "yes" (SHARES)."""
    starts = list(SHARES) * copies
    texts = [f"{start} {word}" for word in AFTER[:copies] for start in SHARES]
    ratings = [["yes"] * round(10 * SHARES[one]) + ["no"] * round(10 - 10 * SHARES[one]) for one in starts]
    labels = ["yes" if SHARES[one] >= 0.5 else "no" for one in starts]
    if certain:
        ratings = [[label] * 10 for label in labels]
    columns = {"id": list(map(str, range(len(texts)))), "text": texts, "label": labels}
    table = Dataset(pa.table({**columns, "annotations": pa.array(ratings, pa.list_(pa.string()))}))
    task = Task(labels=("no", "yes"), annotations="raters", metric="accuracy")
    return assemble({"train": table, "val": table, "test": table}, task)


def yes_of(predictor):
    """The mean over all ends."""
    every = {start: predictor.predict_proba([f"{start} {word}" for word in AFTER])[:, 1] for start in SHARES}
    return {start: float(found.mean()) for start, found in every.items()}


LEARNING = [  # and how near its probabilities come
    ("tfidf", {"strengths": [1000.0], "least": [1]}, 0.05),
    ("probe", {}, 0.08),
    ("knn", {"k": 9}, 0.16),  # rows of another beginning are among the neighbours
    ("full", {"learning_rate": 3e-3}, 0.1),
    ("lora", {"learning_rate": 1e-2}, 0.1),
]


@pytest.mark.parametrize("name, options, near", LEARNING, ids=[name for name, *_ in LEARNING])
def test_probabilities_become_the_shares_and_hard_labels_do_not_teach_them(name, options, near, tiny):
    folder = None if name == "tfidf" else tiny("bert")
    split, epochs = rated_split(), 12
    soft = trained({"preset": f"soft:{name}", **options}, folder, split=split, epochs=epochs)
    hard = trained({"preset": name, **options}, folder, split=split, epochs=epochs)
    far = {text: abs(p - SHARES[text]) for text, p in yes_of(soft.predictor).items()}
    assert max(far.values()) < near, far
    assert max(abs(p - SHARES[text]) for text, p in yes_of(hard.predictor).items()) > 0.2


@pytest.mark.parametrize("name", ["majority", "tfidf", "probe", "full"])
def test_raters_who_all_agree_teach_what_the_label_does(name, tiny):
    folder = None if name in ("majority", "tfidf") else tiny("bert")
    split = rated_split(8, certain=True)
    soft, hard = (trained(one, folder, split=split, epochs=2).predictor for one in (f"soft:{name}", name))
    found, expected = (one.predict_proba(list(SHARES)) for one in (soft, hard))
    np.testing.assert_allclose(found, expected, atol=2e-5)


def test_majority_of_soft_labels_answers_their_mean():
    soft = trained("soft:majority", None, split=rated_split()).predictor
    assert list(yes_of(soft).values()) == pytest.approx([np.mean(list(SHARES.values()))] * 3)


def test_folds_of_the_training_rows_choose_by_their_labels(tiny):
    split = rated_split(6)
    folds = tuple(np.arange(len(split.train)) % 3)
    found = trained("soft:tfidf", None, split=replace(split, folds=folds))
    assert found.validation is not None and len(found.validation.predictions) == len(split.train)


def test_calibration_is_to_the_shares():
    from stratune.fitting.fit import train

    split = rated_split()
    spec = {"preset": "soft:tfidf", "strengths": [1000.0], "least": [1]}
    options = {"decide": Decide(calibrate="temperature")}
    soft = train(parse_strategy(spec), None, split.task, split, Budget(), 0, **options).predictor
    (scale,) = soft.post.scaling.scale
    assert scale == pytest.approx(1, abs=0.15)  # the shares are learned as they are: nothing is to be mended


@pytest.mark.parametrize(
    "spec", ["soft:lora+words", "soft:probe", "soft:tfidf", "soft:majority", "soft:second_only"]
)
def test_its_settings_are_read_back(spec):
    made = parse_strategy(spec)
    assert made.name == spec and made.soft_labels
    assert parse_strategy(json.loads(json.dumps(made.settings()))) == made
    assert not parse_strategy(spec.removeprefix("soft:")).soft_labels


def test_a_method_of_peft_may_learn_soft_labels():
    made = parse_strategy({"preset": "soft:peft:boft", "boft_block_size": 4})
    assert made.soft_labels and made.name == "soft:peft:boft" and made.tune.method == "boft"


@pytest.mark.parametrize("name", ["zero_shot", "untuned", "label_names", "ensemble", "mean"])
def test_what_learns_no_labels_is_refused(name):
    with pytest.raises(ConfigError) as refused:
        parse_strategy(f"soft:{name}")
    assert "no soft labels" in str(refused.value)


def test_without_ratings_it_is_refused_in_a_line():
    split = toy_split()
    with pytest.raises(ConfigError, match="name their columns in --annotations"):
        trained("soft:tfidf", None, split=split)
