"""Readout `two_tower`: texts of a pair that are encoded apart, and what it refuses."""

import random

import numpy as np
import pytest
import torch
from datasets import Dataset

from stratune.data.split import assemble
from stratune.errors import ConfigError, UnsupportedError
from stratune.export.hf import export_hf
from stratune.net.two_tower_head import TwoTowerHead
from stratune.predictor.predictor import Predictor
from stratune.strategy import parse_strategy
from stratune.task import Task
from stratune.testing import toy_split
from stratune.testing.toy import FAMILIES, FILLERS
from tests.helpers import trained

NAMES = ("other", "same")


def topics(rows, prefix, generator):
    """Pairs; "same": words of both texts are of one family. Each text alone says nothing of the label."""

    def sentence(family):
        words = [generator.choice(FILLERS) for _ in range(generator.randint(1, 3))]
        return " ".join(words + [generator.choice(FAMILIES[family]) for _ in range(4)])

    found = []
    for i in range(rows):
        one = generator.choice(list(FAMILIES))
        other = one if i % 2 else generator.choice([name for name in FAMILIES if name != one])
        row = {"text": sentence(one), "text_pair": sentence(other), "label": NAMES[i % 2]}
        found.append({"id": f"{prefix}-{i}", **row})
    return Dataset.from_list(found)


@pytest.fixture(scope="module")
def split():
    generator = random.Random(0)
    sizes = {"train": 600, "val": 100, "test": 300}
    parts = {part: topics(rows, part, generator) for part, rows in sizes.items()}
    return assemble(parts, Task(text_pair="text_pair", labels=NAMES))


def accuracy(done, split):
    chosen = done.predictor.predict_proba(split.test).argmax(axis=1)
    return float((chosen == np.array([NAMES.index(label) for label in split.test["label"]])).mean())


def test_whether_two_texts_have_one_topic_is_seen_by_frozen_towers_alone(tiny, split):
    joint, apart = (
        trained(spec, tiny("bert"), split=split, epochs=12) for spec in ("probe", "probe+two_tower")
    )
    assert accuracy(apart, split) > accuracy(joint, split) + 0.1


def test_rows_in_any_order_or_alone_and_from_the_folder_have_the_same_answers(tiny, tmp_path):
    split = toy_split(pairs=True)
    done = trained("partial+two_tower", tiny("bert"), split=split)
    rows = list(split.test)
    together = done.predictor.predict_proba(rows)
    np.testing.assert_allclose(done.predictor.predict_proba(rows[::-1])[::-1], together, atol=1e-5)
    alone = np.concatenate([done.predictor.predict_proba([row]) for row in rows])
    np.testing.assert_allclose(alone, together, atol=1e-5)
    folder = done.predictor.save(tmp_path / "model")
    np.testing.assert_allclose(Predictor.load(folder).predict_proba(rows), together, atol=1e-5)
    with pytest.raises(UnsupportedError, match="encodes the two texts of a pair apart"):
        export_hf(done.predictor, tmp_path / "hf")


def test_folding_the_standardisation_changes_no_logit():
    head = TwoTowerHead("mean", 8, 3, True, 0.1, 0, False).eval()
    vectors = torch.randn(20, 8, generator=torch.Generator().manual_seed(0))
    features = head.features(vectors)
    head.center.copy_(features.mean(dim=0))
    head.scale.copy_(1 / features.std(dim=0))
    before = head.classify(vectors)
    assert not torch.equal(head.center, torch.zeros_like(head.center))
    head.after_training()
    assert torch.equal(head.center, torch.zeros_like(head.center))
    torch.testing.assert_close(head.classify(vectors), before, atol=1e-5, rtol=1e-5)


def test_single_texts_are_refused(tiny):
    with pytest.raises(UnsupportedError, match=r"task of single texts: .* \(--pair\), or use `head`"):
        trained("probe+two_tower", tiny("bert"))


@pytest.mark.parametrize("way", ["chunk", "hierarchical"])
def test_chunks_are_refused(way):
    with pytest.raises(ConfigError, match=rf"readout.long.way: {way}: each of the two texts is one vector"):
        parse_strategy({"preset": "probe", "readout": {"kind": "two_tower", "long": way}})
