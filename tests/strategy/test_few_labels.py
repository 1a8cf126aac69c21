"""Techniques for few labels, on vectors that are drawn: what they answer, what they store, what they refuse."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from stratune.errors import ConfigError, UnsupportedError
from stratune.net.nearest_head import CosineHead, KnnHead
from stratune.net.net import Net
from stratune.objective.classes import CrossEntropy
from stratune.objective.contrast import contrast
from stratune.objective.label_sets import Binary
from stratune.objective.levels import Corn
from stratune.objective.values import Value
from stratune.predictor.predictor import Predictor
from stratune.strategy import parse_strategy
from stratune.strategy.label_names import LabelNames
from stratune.strategy.nearest import Centroid, Knn
from stratune.task import Task
from stratune.tokens.batches import paired_steps
from stratune.train.solved import Labelled, VectorRows
from tests.helpers import toy_split, trained

WIDTH = 6
LABELS = ("a", "b", "c")


class Bare(Net):
    """A head alone, on vectors that the test draws."""

    def __init__(self, head, objective):
        torch.nn.Module.__init__(self)
        self.head, self.objective = head, objective


def around(corners, rows, seed, noise=0.4):
    """Vectors (rows, WIDTH) around corners in turn, moved far from zero; and which corner each is of."""
    generator = np.random.default_rng(seed)
    which = np.arange(rows) % len(corners)
    x = np.asarray(corners)[which] + noise * generator.normal(size=(rows, WIDTH)) + 5
    return Labelled(torch.tensor(x, dtype=torch.float32), torch.tensor(which))


CORNERS = np.eye(3, WIDTH) * 3


def rows_of(train, val, *, folds=None, encode=None):
    numbers = None if folds is None else np.arange(len(train.truth)) % folds
    return VectorRows(train, val, Task(labels=LABELS), encode or (lambda texts: torch.zeros(0)), numbers)


def right(net, part):
    head = net.head.eval()
    with torch.no_grad():
        found = head.classify(head.unit(part.vectors)).argmax(dim=1)
    return float((found == part.truth).double().mean())


@pytest.mark.parametrize("folds", [None, 5], ids=["validation", "folds"])
@pytest.mark.parametrize("technique", [Centroid(), Knn()], ids=["centroid", "knn"])
def test_the_nearest_of_a_few_rows_is_the_right_one(technique, folds):
    objective = CrossEntropy(3)
    made = (
        KnnHead("mean", WIDTH, 3, "softmax") if isinstance(technique, Knn) else CosineHead("mean", WIDTH, 3)
    )
    net = Bare(made, objective)
    technique.solve(net, rows_of(around(CORNERS, 24, 0), around(CORNERS, 30, 1), folds=folds))
    assert right(net, around(CORNERS, 300, 2)) > 0.95


def test_knn_stores_the_rows_and_as_many_neighbours_as_asked_for():
    net = Bare(KnnHead("mean", WIDTH, 3, "softmax"), CrossEntropy(3))
    Knn(k=3).solve(net, rows_of(around(CORNERS, 24, 0), around(CORNERS, 30, 1)))
    assert net.head.keys.shape == (24, WIDTH) and float(net.head.k) == 3
    torch.testing.assert_close(net.head.keys.norm(dim=1), torch.ones(24))


def test_noise_asks_for_more_neighbours_than_one():
    train = around(CORNERS, 90, 0, noise=2.5)
    net = Bare(KnnHead("mean", WIDTH, 3, "softmax"), CrossEntropy(3))
    Knn().solve(net, rows_of(train, around(CORNERS, 300, 1, noise=2.5)))
    assert float(net.head.k) > 1


def test_names_are_read_in_their_sentence_or_by_their_description():
    asked = []

    def encode(texts):
        asked.extend(texts)
        return torch.tensor(CORNERS, dtype=torch.float32)

    net = Bare(CosineHead("mean", WIDTH, 3), CrossEntropy(3))
    technique = LabelNames(template="It is {label}!", descriptions={"b": "a bee"})
    empty = Labelled(torch.zeros(0, WIDTH), torch.zeros(0, dtype=torch.int64))
    technique.solve(net, rows_of(empty, empty, encode=encode))
    assert asked == ["It is a!", "It is a bee!", "It is c!"]
    near = around(CORNERS, 30, 3, noise=0.1)
    assert right(net, Labelled(near.vectors - 5, near.truth)) == 1.0  # no training mean is taken off
    with pytest.raises(ConfigError, match="descriptions: 'bee' is not one of a, b, c"):
        LabelNames(descriptions={"bee": "x"}).solve(net, rows_of(empty, empty, encode=encode))
    with pytest.raises(ConfigError, match="template: 'It is' has no {label}"):
        LabelNames(template="It is")


@pytest.mark.parametrize(
    "objective, truth, alike, unlike",
    [
        (CrossEntropy(3), [0, 0, 2], (0, 1, 1.0), (0, 2, 0.0)),
        (Binary(3), [[1, 1, 0], [1, 0, 0], [0, 0, 0]], (0, 1, 0.5), (0, 2, 0.0)),
        (Corn(4), [0, 1, 3], (0, 1, 2 / 3), (0, 2, 0.0)),
        (Value(0, center=10.0, scale=2.0), [10.0, 12.0, 30.0], (0, 1, 0.75), (0, 2, 0.0)),
    ],
    ids=["classes", "sets", "levels", "values"],
)
def test_how_alike_two_rows_are_follows_the_kind_of_task(objective, truth, alike, unlike):
    found = objective.similarity(torch.tensor(truth))
    assert torch.equal(found, found.T) and torch.equal(found.diagonal(), torch.ones(3))
    for i, j, wanted in (alike, unlike):
        assert float(found[i, j]) == pytest.approx(wanted)


def test_the_contrast_is_zero_where_cosines_are_what_they_shall_be():
    vectors = torch.tensor([[2.0, 0.0], [3.0, 0.0], [0.0, 1.0]])
    alike = torch.tensor([[1.0, 1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    assert contrast(vectors, alike).abs().max() < 1e-12
    # Row 2 turned onto row 0: its two pairs should be 0 and are 1; rows 0 and 1 have one wrong pair each.
    turned = torch.tensor([[2.0, 0.0], [3.0, 0.0], [1.0, 0.0]])
    torch.testing.assert_close(contrast(turned, alike), torch.tensor([0.5, 0.5, 0.5]))


@pytest.mark.parametrize("rows, labels, batch", [(48, 6, 8), (47, 5, 16), (10, 10, 4), (9, 1, 4)])
def test_rows_of_a_label_come_in_twos_and_every_row_once(rows, labels, batch):
    truth = np.arange(rows) % labels
    steps = paired_steps(truth, batch, seed=0, epoch=0)
    assert sorted(np.concatenate(steps)) == list(range(rows)) and max(map(len, steps)) <= batch
    alone = sum(int((truth[step] == truth[row]).sum() == 1) for step in steps for row in step)
    assert alone <= labels + len(steps), "an odd row of each label, and one that a step's edge cuts off"
    again = paired_steps(truth, batch, seed=0, epoch=1)
    assert rows < 12 or not all(map(np.array_equal, steps, again)), "another epoch, another order"


def test_contrastive_moves_rows_of_a_label_together(tiny):
    split = toy_split()
    spec = {"preset": "contrastive", "learning_rate": 3e-3, "epochs": 12}
    before = trained("centroid", tiny("bert"), split=split).predictor
    after = trained(spec, tiny("bert"), split=split).predictor
    truth = torch.from_numpy(split.task.target.truth(split.train["label"]))

    def contrast_of(predictor):
        net = predictor.model.net
        tokens = predictor.model.reader.tokens(list(split.train["text"]), None)
        from stratune.train.feed import Feed
        from stratune.train.infer import vectors

        feed = Feed(tokens, int(net.backbone.tokenizer.pad_token_id))
        found = vectors(net, feed, net.head.pool, predictor.model.runtime)
        return float(contrast(found, CrossEntropy(2).similarity(truth)).mean())

    assert contrast_of(after) < 0.7 * contrast_of(before)


@pytest.mark.parametrize("name", ["centroid", "knn", "label_names", "contrastive"])
def test_documents_in_one_piece_are_refused(name, tiny):
    spec = {"preset": name, "readout": {"long": {"way": "hierarchical", "window": 16}}}
    with pytest.raises(UnsupportedError, match="it needs one vector for each text or chunk"):
        trained(spec, tiny("bert"))


def test_what_is_solved_alone_has_one_run_and_what_is_trained_has_one_for_each_seed():
    for name, runs in {"probe": 1, "centroid": 1, "knn": 1, "label_names": 1, "contrastive": 3}.items():
        assert len(parse_strategy(name).runs(["minilm"], [], 3)) == runs
    assert len(parse_strategy({"preset": "probe", "solved": False}).runs(["minilm"], [], 3)) == 3


def test_an_option_of_a_training_has_the_probe_trained():
    assert parse_strategy("probe").solved and not parse_strategy("probe").trains
    stepped = parse_strategy({"preset": "probe", "learning_rate": 0.01})
    assert stepped.trains and not stepped.solved and stepped.settings()["solved"] is False
    assert "learning_rate" not in parse_strategy("probe").settings()
    with pytest.raises(ConfigError, match="its head is solved, not trained in steps"):
        parse_strategy({"preset": "probe", "solved": True, "epochs": 3})


def test_a_knn_folder_keeps_its_rows(tiny, tmp_path):
    predictor = trained("knn", tiny("bert")).predictor
    again = Predictor.load(predictor.save(tmp_path / "model"))
    texts = ["the cat", "rain and snow"]
    np.testing.assert_allclose(again.predict_proba(texts), predictor.predict_proba(texts), atol=1e-6)
