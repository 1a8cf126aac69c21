"""The ways to read what is longer than the window: each reads to the end, and comes back from its folder."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.special import softmax

from stratune.data.segments import SEPARATOR
from stratune.errors import ConfigError, UnsupportedError
from stratune.longtext.options import MODELS
from stratune.predictor.predictor import Predictor
from stratune.strategy import parse_strategy
from stratune.testing import toy_split
from stratune.testing.nets import net_of
from stratune.testing.toy import FAMILIES
from tests.helpers import trained
from tests.longtext.needles import needle_split
from tests.scores import score, truth_of

ONE = {"name": "one", "row": "{text}", "answer": "= {label}", "chat": False}
CHUNK = {"way": "chunk", "window": 24, "aggregate": "mean"}


def spec(preset="full", **long):
    rate = {"learning_rate": 3e-3} if preset == "full" else {}
    return {"preset": preset, "name": "one", "batch_size": 8, **rate, "readout": {"long": long}}


def proba(done, texts):
    return done.predictor.predict_proba(texts)


@pytest.mark.parametrize(
    "long",
    [
        {"way": "truncate", "keep": "tail"},
        {"way": "truncate", "keep": "both"},
        {"way": "long"},
        {**CHUNK},
        {**CHUNK, "aggregate": "auto"},
        {**CHUNK, "aggregate": "learned", "overlap": 6},
        {**CHUNK, "aggregate": "vote", "by": "token"},
        {**CHUNK, "aggregate": "max", "by": "piece", "most": 3},
        *({"way": "hierarchical", "window": 24, "model": model} for model in MODELS),
    ],
    ids=lambda long: "-".join(str(value) for value in long.values()),
)
@pytest.mark.parametrize("preset", ["full", "probe"])
def test_every_way_trains_and_comes_back_from_its_folder(preset, long, tiny, tmp_path):
    split = needle_split(rows=16)
    done = trained(spec(preset, **long), tiny("bert"), split=split, epochs=1)
    loaded = Predictor.load(done.predictor.save(tmp_path / "model"))
    texts = [*split.test["text"], "cat", ""]
    together = proba(done, texts)
    assert np.isfinite(together).all() and together.shape == (len(texts), 2)
    np.testing.assert_allclose(loaded.predict_proba(texts), together, atol=1e-5)
    alone = np.concatenate([proba(done, [text]) for text in texts])
    np.testing.assert_allclose(alone, together, atol=1e-5)


def changed_by(done, texts, other):
    return np.abs(proba(done, texts) - proba(done, other)).max()


@pytest.mark.parametrize(
    ("long", "reads_the_end"),
    [
        ({"way": "truncate"}, False),
        ({"way": "truncate", "keep": "tail"}, True),
        ({"way": "truncate", "keep": "both"}, True),
        (CHUNK, True),
        ({"way": "hierarchical", "window": 24}, True),
    ],
    ids=str,
)
def test_who_reads_to_the_end(long, reads_the_end, tiny):
    split = needle_split(sentences=60, rows=8)
    done = trained(spec(**long), tiny("bert"), split=split, epochs=1)
    texts = list(split.test["text"])
    halves = [text[: len(text) // 2] for text in texts]
    assert (changed_by(done, texts, halves) > 1e-4) == reads_the_end
    cut = done.predictor.model(texts, None).tokens_cut
    assert (cut > 100).all() if long["way"] == "truncate" else (cut == 0).all()


def test_the_mean_of_chunks_is_the_mean_of_what_chunks_say(tiny):
    split = needle_split(rows=8)
    done = trained(spec(**CHUNK), tiny("bert"), split=split, epochs=1)
    scorer = done.predictor.model
    text = split.test["text"][0]
    places = scorer.chunker([text], None)[0].spans
    assert len(places) > 2 and "".join(text[a:b] for a, b in places) == text
    said = np.concatenate([scorer([text[a:b]], None).predictions for a, b in places])
    np.testing.assert_allclose(proba(done, [text])[0], said.mean(axis=0), atol=1e-6)


def test_a_hierarchy_learned_end_to_end_has_the_gradients_of_one_big_pass(tiny, monkeypatch):
    """Chunks run again in the backward pass, a few at a time; what is learned is what all at once give."""
    from stratune.net import document_head as module
    from stratune.net.net import Net

    still = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    hierarchy = spec("full", way="hierarchical", window=24)
    hierarchy["readout"]["dropout"] = 0.0
    found, shapes = [], []
    encode = Net.encode

    def watched(net, batch):
        if not torch.is_inference_mode_enabled():  # what predicts keeps nothing, and has a limit of its own
            shapes.append(batch.ids.shape)
        return encode(net, batch)

    monkeypatch.setattr(Net, "encode", watched)
    for at_once in (48, 1_000_000):
        shapes.clear()
        monkeypatch.setattr(module, "TOKENS_AT_ONCE", at_once)
        done = trained(hierarchy, tiny("bert", **still), split=needle_split(rows=8), epochs=1)
        assert max(rows * length for rows, length in shapes) <= at_once
        found.append(
            {name: p.detach().clone() for name, p in net_of(done.predictor.model).trainable().items()}
        )
    assert max(rows for rows, _ in shapes) > 2
    for name, tensor in found[0].items():
        assert torch.allclose(tensor, found[1][name], atol=1e-4), name


@pytest.mark.parametrize(
    "long",
    [
        {"way": "chunk", "window": 16, "aggregate": "auto"},
        {"way": "hierarchical", "window": 16, "model": "attention"},
    ],
    ids=["chunk", "hierarchical"],
)
def test_the_needle_is_found_and_named_by_those_who_read_all_of_it(long, tiny):
    split = needle_split(sentences=6, rows=240)
    trains = {**spec(**long), "batch_size": 16, "learning_rate": 1e-3}
    done = trained(trains, tiny("bert"), split=split, epochs=12)
    texts, labels = list(split.test["text"]), list(split.test["label"])
    scored = done.predictor.model(texts, None)
    right = np.array(scored.predicted(split.task)) == np.array(labels)
    assert right.mean() >= 0.9
    named = [
        any(word in text[first.start : first.end].split() for word in _words(label))
        for text, label, (first, *_) in zip(texts, labels, scored.evidence, strict=True)
    ]
    # A small model over all chunks may learn to see one family and take everything else for the other: what
    # is said of that one then hangs on no chunk.
    least = {"chunk": 0.9, "hierarchical": 0.6}[long["way"]]
    assert np.mean(np.array(named)[right]) >= least


def _words(label):
    return [word + end for word in FAMILIES[label] for end in ("", ".")]


@pytest.mark.parametrize(
    "long",
    [
        {**CHUNK, "by": "piece"},
        *({"way": "hierarchical", "window": 24, "by": "piece", "model": model} for model in MODELS),
    ],
    ids=lambda long: long.get("model", "chunk"),
)
def test_a_chunks_score_is_what_the_answer_loses_without_it(long, tiny):
    done = trained(spec(**long), tiny("bert"), split=needle_split(rows=8), epochs=1)
    pieces = needle_split(rows=8).test["text"][0].rstrip().split(". ")
    text = SEPARATOR.join(pieces)
    scored = done.predictor.model([text], None)
    answer = int(scored.predictions[0].argmax())
    scores = [one.score for one in scored.evidence[0]]
    assert len(scores) == 3 < len(pieces) and scores == sorted(scores, reverse=True)
    for one in scored.evidence[0]:
        named = text[one.start : one.end].strip(SEPARATOR)
        assert named in pieces
        rest = SEPARATOR.join(piece for piece in pieces if piece != named)
        without = done.predictor.model([rest], None).predictions[0, answer]
        assert one.score == pytest.approx(scored.predictions[0, answer] - without, abs=1e-5)
    (course,) = scored.courses
    assert course.so_far[-1] == scored.predictions[0, answer]
    for count, so_far in enumerate(course.so_far, start=1):  # as if the text ended there
        begun = done.predictor.model([SEPARATOR.join(pieces[:count])], None).predictions[0, answer]
        assert so_far == pytest.approx(begun, abs=1e-5)


def test_chunk_vectors_are_computed_once_for_all_small_models(tiny, tmp_path, monkeypatch):
    from stratune.train import activations

    made = []
    compute = activations._Store._compute
    monkeypatch.setattr(
        activations._Store, "_compute", lambda self, *place: made.append(place) or compute(self, *place)
    )
    monkeypatch.setenv("STRATUNE_CACHE", str(tmp_path / "cache"))
    split = needle_split(rows=16)
    for model in MODELS:
        trained(
            spec("probe", way="hierarchical", window=24, model=model), tiny("bert"), split=split, cache=True
        )
    assert len(made) == 2  # the training and the validation documents
    trained(spec("probe", **CHUNK), tiny("bert"), split=split, cache=True)
    assert len(made) == 2


def test_words_asks_about_each_chunk(tiny):
    asked = {"preset": "zero_shot", "readout": {"template": ONE, "long": CHUNK}}
    done = trained(asked, tiny("llama"), split=needle_split(rows=8))
    scorer, text = done.predictor.model, needle_split(rows=8).test["text"][0]
    places = scorer.chunker([text], None)[0].spans
    said = np.concatenate([scorer([text[a:b]], None).predictions for a, b in places])
    assert len(said) > 1
    np.testing.assert_allclose(proba(done, [text])[0], said.mean(axis=0), atol=1e-5)


def by_chunk(done, texts):
    """(M, K) what is said of their chunks."""
    return done.predictor.model(texts, None).chunks.predictions


def test_prompts_over_chunks_are_calibrated_chunk_by_chunk(tiny, tmp_path):
    """Batch calibration takes away what is said of the chunks of validation in the mean."""
    split = needle_split(rows=8)
    asked = {"preset": "zero_shot", "readout": {"template": ONE, "long": CHUNK}}
    plain = trained(asked, tiny("llama"), split=split)
    asked["readout"] = {**asked["readout"], "calibrate": "batch"}
    done = trained(asked, tiny("llama"), split=split)
    logs = np.log(by_chunk(plain, list(split.val["text"])))
    text = split.test["text"][0]
    wanted = softmax(np.log(by_chunk(plain, [text])) - logs.mean(axis=0), axis=1).mean(axis=0)
    np.testing.assert_allclose(proba(done, [text])[0], wanted, atol=1e-5)
    assert abs(proba(plain, [text])[0] - wanted).max() > 1e-3
    loaded = Predictor.load(done.predictor.save(tmp_path / "model"))
    np.testing.assert_allclose(loaded.predict_proba([text])[0], wanted, atol=1e-5)


def test_how_the_answers_to_a_prompt_are_joined_is_chosen_on_validation(tiny):
    split = needle_split(rows=16)
    readout = {"tries": {"calibrate": ["none", "batch"]}, "temperature": True}
    done = trained(
        {
            "preset": "zero_shot",
            "readout": {**readout, "template": ONE, "long": {**CHUNK, "aggregate": "auto"}},
        },
        tiny("llama"),
        split=split,
    )
    assert {trial.settings["calibrate"] for trial in done.prompts} == {"none", "batch"}
    chosen = done.predictor.model.aggregate
    answers = done.predictor.model(list(split.val["text"]), None)
    truth = truth_of(split.val, split.task)
    worth = {
        how: score(truth, replace(chosen, how=how, sharpness=0.0)(
            answers.chunks.predictions, answers.chunks.owner, answers.chunks.count), split.task.labels)["f1_macro"]
        for how in ("mean", "vote", "max")
    }  # fmt: skip
    found = score(truth, answers.predictions, split.task.labels)["f1_macro"]
    assert chosen.how != "auto" and found >= max(worth.values()) - 1e-12


@pytest.mark.parametrize(
    ("long", "message"),
    [
        ("chonk", r"readout.long: way is 'chonk'|'chonk' is not one of truncate, chunk"),
        ({"way": "chunk", "windw": 3}, r"'windw' is not one of .*\(did you mean 'window'\?\)"),
        ({"way": "chunk", "window": 4}, "readout.long.window: 4 tokens are too few for a chunk"),
        ({"way": "chunk", "window": 16, "overlap": 8}, "readout.long.overlap: 8 is not from 0 up to half"),
        ({"way": "chunk", "most": 0}, "readout.long.most: 0 is below 1"),
    ],
)
def test_options_that_make_no_sense_are_refused(long, message):
    with pytest.raises(ConfigError, match=message):
        parse_strategy({"preset": "lora", "readout": {"long": long}})


def test_pairs_of_texts_have_no_chunks(tiny):
    with pytest.raises(UnsupportedError, match="only one text can be cut into chunks"):
        trained(spec(**CHUNK), tiny("bert"), split=toy_split(pairs=True))


def test_marks_between_pieces_are_not_read(tiny):
    done = trained("probe", tiny("bert"))
    np.testing.assert_allclose(
        proba(done, [f"the cat{SEPARATOR}saw snow"]), proba(done, ["the cat\nsaw snow"]), atol=1e-6
    )
