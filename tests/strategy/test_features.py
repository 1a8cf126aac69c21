"""`features`: TF-IDF features beside the vectors of a frozen backbone, saved without pickle, read back equal."""

import json
import random

import numpy as np
import pytest
import torch
from datasets import Dataset
from safetensors.numpy import load_file, save_file

from stratune.data.split import assemble
from stratune.errors import ArtifactError, ConfigError, UnsupportedError
from stratune.export.hf import export_hf
from stratune.files import file_sha256
from stratune.model.latent import LatentFeatures
from stratune.net.features_head import FeaturesHead
from stratune.net.net import Net
from stratune.objective.classes import CrossEntropy
from stratune.predictor.manifest import sealed
from stratune.predictor.predictor import Predictor
from stratune.strategy import parse_strategy
from stratune.task import Task
from stratune.testing import toy_split
from stratune.testing.nets import net_of, reader_of
from stratune.testing.toy import toy_split_of
from stratune.train.linear import solve_linear
from stratune.train.solved import Labelled, VectorRows
from tests.helpers import trained

FILES = ["features.json", "features.safetensors", "head.safetensors", "stratune.json"]
WORDS = [
    "amble",
    "bevel",
    "cobalt",
    "damask",
    "ember",
    "fathom",
    "gable",
    "hemlock",
    "ingot",
    "jasper",
    "kestrel",
    "lintel",
    "mortar",
    "nettle",
]
OPTIONS = {"max_features": 1000, "least": 1, "characters": True}


def accuracy(done, split):
    truth = np.array([split.task.labels.index(label) for label in split.test["label"]])
    return float((done.predictor.predict_proba(split.test).argmax(axis=1) == truth).mean())


def sentences(rows, prefix, seed, *, after=0):
    """Texts of words drawn from a few; the label is a word of its own, in a random place, or behind `after`."""
    generator = random.Random(seed)
    found = []
    for i in range(rows):
        words = generator.choices(WORDS, k=after or 12)
        place = after or generator.randrange(len(words))
        words.insert(place, ("plinth", "quorum")[i % 2])
        found.append({"id": f"{prefix}-{i}", "text": " ".join(words), "label": ("p", "q")[i % 2]})
    return Dataset.from_list(found)


def planted(*, after=0):
    sizes = {"train": (120, 0), "val": (60, 1), "test": (120, 2)}
    parts = {part: sentences(rows, part, seed, after=after) for part, (rows, seed) in sizes.items()}
    return assemble(parts, Task(labels=("p", "q")))


# -- what they are for


def test_a_word_behind_the_last_token_that_the_backbone_reads_is_seen(tiny):
    split = planted(after=60)
    plain, both = (trained(spec, tiny("bert"), split=split, max_length=32) for spec in ("probe", "features"))
    assert accuracy(plain, split) < 0.7, "the word has no token: there is nothing to see"
    assert accuracy(both, split) > 0.9
    cut = trained("features", tiny("bert"), split=split, max_length=32, max_words=30)
    assert accuracy(cut, split) < 0.7, "words that nothing in a comparison reads are not read here"


def test_what_vectors_alone_say_is_not_lost(tiny):
    """Filler words, and labels by family of words that a tiny backbone's vectors tell apart."""
    split = toy_split()
    done = [trained(spec, tiny("bert"), split=split) for spec in ("probe", "features")]
    plain, both = (accuracy(one, split) for one in done)
    assert both >= plain - 0.05


# -- how they are read


def test_features_of_a_text_depend_on_no_other_and_have_the_variance_of_the_vectors():
    texts = [row["text"] for row in sentences(80, "x", 3)]
    latent = LatentFeatures.fit(texts, None, 16, **OPTIONS)
    found = latent(texts, None)
    assert found.shape == (80, 16) and found.dtype == np.float32
    assert float(found.var(axis=0).mean()) == pytest.approx(1.0, rel=1e-4)
    assert np.array_equal(latent(texts[5:6], None)[0], found[5])
    assert np.array_equal(latent(["123 !", ""], None), np.zeros((2, 16), np.float32))
    again = LatentFeatures.fit(texts, None, 16, **OPTIONS)
    assert np.array_equal(again.components, latent.components)


def test_few_texts_leave_columns_of_zeros():
    latent = LatentFeatures.fit(["the cat", "the dog", "a dog"], None, 8, **OPTIONS)
    found = latent(["the cat", "a dog"], None)
    assert found.shape == (2, 8) and not found[:, 3:].any() and found[:, :3].any()


def test_all_directions_of_the_texts_keep_their_cosines():
    """As many components as texts: nothing is lost but the scale."""
    texts = [row["text"] for row in sentences(20, "x", 4)]
    latent = LatentFeatures.fit(texts, None, 20, **OPTIONS)
    x, found = latent.terms.transform(texts, None).toarray(), latent(texts, None)
    gram, seen = x @ x.T, found @ found.T
    np.testing.assert_allclose(seen / seen[0, 0], gram / gram[0, 0], atol=2e-3)


def test_pairs_have_features_that_tell_whether_the_texts_agree():
    texts, others = ["red cat", "blue dog"], ["red cat", "red cat"]
    latent = LatentFeatures.fit(texts, others, 4, **OPTIONS)
    assert latent.components.shape == (latent.terms.width(pairs=True), 4)
    assert latent.terms.width(pairs=True) == 4 * latent.terms.width(pairs=False)
    same, other = latent.terms.transform(texts, others).toarray()
    quarter = latent.terms.width(pairs=False)
    assert not same[2 * quarter : 3 * quarter].any() and other[2 * quarter : 3 * quarter].any()


def test_the_head_normalises_the_vector_alone_and_weighs_both_kinds_alike():
    head = FeaturesHead("mean", 8, 2, 3, True, 0.0, 0, False)
    vectors = torch.randn(5, 10, generator=torch.Generator().manual_seed(0)) * 7 + 3
    found = head.features(vectors)
    torch.testing.assert_close(found[:, :8].mean(dim=1), torch.zeros(5), atol=1e-5, rtol=0)
    assert torch.equal(found[:, 8:], vectors[:, 8:])
    (width, size), (count, other) = head.kinds
    assert (width, count) == (8, 2) and width * size**2 == pytest.approx(count * other**2)


class Bare(Net):
    """A head alone, on vectors that the test draws."""

    def __init__(self, head):
        torch.nn.Module.__init__(self)
        self.head, self.objective = head, CrossEntropy(2)


def drawn(rows, seed):
    """60 numbers of a backbone that say nothing, and 20 features of which one says the label, now and then."""
    generator = np.random.default_rng(seed)
    truth = np.arange(rows) % 2
    x = generator.normal(size=(rows, 80))
    x[:, 60] += 1.5 * (2 * truth - 1)
    return Labelled(torch.tensor(x, dtype=torch.float32), torch.tensor(truth))


@pytest.mark.parametrize("folds", [False, True], ids=["validation", "folds"])
def test_the_solver_gives_the_kind_that_says_more_the_larger_share(folds):
    train, val, test = drawn(80, 0), drawn(200, 1), drawn(2000, 2)
    rows = VectorRows(
        train,
        val,
        Task(labels=("a", "b"), metric="log_loss"),
        lambda texts: torch.zeros(0),
        np.arange(80) // 2 % 5 if folds else None,
    )

    def solved(sizes):
        net = Bare(FeaturesHead("mean", 60, 20, 2, False, 0.0, 0, False))
        net.head.other_kinds = tuple(((60, 1.0), (20, size)) for size in sizes)
        count = solve_linear(net, rows)
        net.head.eval()
        with torch.no_grad():
            found = net.head.classify(test.vectors)
        return float(torch.nn.functional.cross_entropy(found, test.truth)), count

    (even, few), (chosen, many) = solved(()), solved((0.4, 4.0, 8.0))
    assert chosen < even - 0.02
    assert (few, many) == (1, 1) if folds else 4 <= few < many


# -- kinds of task, pairs, long texts, other techniques


@pytest.mark.parametrize("kind", ["classification", "multilabel", "ordinal", "regression"])
@pytest.mark.parametrize("pairs", [False, True], ids=["single", "pairs"])
def test_every_kind_of_task_is_answered_and_saved(kind, pairs, tiny, tmp_path):
    split = toy_split_of(kind, pairs=pairs)
    done = trained("features", tiny("bert"), split=split)
    before = done.predictor.score(list(split.test)).predictions
    folder = done.predictor.save(tmp_path / "model")
    assert sorted(path.name for path in folder.iterdir()) == FILES
    after = Predictor.load(folder).score(list(split.test)).predictions
    np.testing.assert_allclose(after, before, rtol=1e-5, atol=1e-6)


def test_chunks_have_features_of_their_own(tiny, tmp_path):
    split = planted(after=60)
    spec = {"preset": "features", "readout": {"long": {"way": "chunk", "window": 32}}}
    done = trained(spec, tiny("bert"), split=split)
    tokens = reader_of(done.predictor.model).tokens(["plinth abcd", "quorum"], None)
    assert tokens.features.shape == (2, 128)
    before = done.predictor.predict_proba(split.test)
    folder = done.predictor.save(tmp_path / "model")
    np.testing.assert_allclose(Predictor.load(folder).predict_proba(split.test), before, atol=1e-5)


@pytest.mark.parametrize("tune", ["lora", "full"])
def test_what_is_trained_in_steps_reads_them_too(tune, tiny, tmp_path):
    split = planted()
    done = trained(
        {"preset": tune, "readout": "features", "learning_rate": 3e-3}, tiny("bert"), split=split, epochs=6
    )
    assert isinstance(net_of(done.predictor.model).head, FeaturesHead)
    assert accuracy(done, split) > 0.9
    before = done.predictor.predict_proba(split.test)
    folder = done.predictor.save(tmp_path / "model")
    np.testing.assert_allclose(Predictor.load(folder).predict_proba(split.test), before, atol=1e-5)


def test_the_probe_trained_in_steps_learns_the_same_head(tiny):
    split = planted()
    spec = {"preset": "features", "solved": False, "learning_rate": 3e-2}
    assert accuracy(trained(spec, tiny("bert"), split=split, epochs=20), split) > 0.9


def test_one_run_whatever_the_seeds():
    assert len(parse_strategy("features").runs(["minilm"], [], 3)) == 1


# -- what is refused


@pytest.mark.parametrize("name", ["centroid", "knn", "contrastive"])
def test_techniques_that_compare_vectors_refuse_them(name, tiny):
    with pytest.raises(
        UnsupportedError, match="compares the backbone's vectors alone; use the readout `head`"
    ):
        trained({"preset": name, "readout": "features"}, tiny("bert"))


def test_documents_in_one_piece_are_refused():
    with pytest.raises(ConfigError, match="readout.long.way: hierarchical: the head reads one vector"):
        parse_strategy({"preset": "features", "readout": {"long": "hierarchical"}})


@pytest.mark.parametrize(
    "option, value, why",
    [
        ("components", 0, "0 is not from 1 to 4096"),
        ("components", 5000, "5000 is not from 1 to 4096"),
        ("least", 0, "0 is not 1 or more"),
        ("max_features", -1, "-1 is not 1 or more"),
    ],
)
def test_options_that_cannot_be(option, value, why):
    with pytest.raises(ConfigError, match=f"readout.{option}: {why}"):
        parse_strategy({"preset": "features", "readout": {option: value}})


def test_no_class_of_transformers_reads_features(tiny, tmp_path):
    done = trained("features", tiny("bert"), split=toy_split())
    with pytest.raises(UnsupportedError, match="reads TF-IDF features beside the backbone"):
        export_hf(done.predictor, tmp_path / "hf")


@pytest.fixture(scope="module")
def saved(tiny, tmp_path_factory):
    done = trained("features", tiny("bert"), split=toy_split())
    return done.predictor.save(tmp_path_factory.mktemp("features") / "model")


def harmed(saved, folder, change):
    """A copy of the folder after `change(arrays, state)`, with hashes that fit."""
    for path in saved.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    arrays = load_file(folder / "features.safetensors")
    state = json.loads((folder / "features.json").read_text())
    change(arrays, state)
    save_file(arrays, folder / "features.safetensors")
    (folder / "features.json").write_text(json.dumps(state))
    manifest = json.loads((folder / "stratune.json").read_text())
    manifest["files"] = {name: file_sha256(folder / name) for name in manifest["files"]}
    (folder / "stratune.json").write_text(json.dumps(sealed(manifest)))
    return folder


def test_an_unharmed_copy_is_read(saved, tmp_path):
    Predictor.load(harmed(saved, tmp_path, lambda arrays, state: None))


@pytest.mark.parametrize(
    "change, why",
    [
        (lambda arrays, state: arrays.pop("components"), "components .* damaged .there is none"),
        (lambda arrays, state: state["words"].append(state["words"][0]), "words': damaged .terms repeat"),
        (lambda arrays, state: state["words"].append("zzz"), "word_idf should have shape"),
        (lambda arrays, state: state.pop("characters"), "characters': damaged .no list of terms"),
        (
            lambda arrays, state: arrays.update(components=arrays["components"][:, :7].copy()),
            "components should have shape",
        ),
    ],
    ids=["gone", "twice", "more", "no-list", "narrow"],
)
def test_a_damaged_folder_is_refused(change, why, saved, tmp_path):
    with pytest.raises(ArtifactError, match=why):
        Predictor.load(harmed(saved, tmp_path, change))
