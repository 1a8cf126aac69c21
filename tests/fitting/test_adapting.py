"""A backbone that has read the texts: it is one like any other, and no text of validation or test is in it."""

import json
from dataclasses import replace

import pytest
import torch
from datasets import Dataset
from safetensors.torch import load_file
from typer.testing import CliRunner

from stratune.backbone.load import load_backbone
from stratune.cli import app
from stratune.errors import ConfigError, UnsupportedError
from stratune.fitting.adapting import RECIPE, adapt, texts_of
from stratune.fitting.fit import fit
from stratune.testing import toy_split
from stratune.watch import Progress

TRAIN = list(toy_split(rows=64).train["text"]), None
VAL = list(toy_split(rows=48, seed=5).val["text"]), None
QUICK = replace(RECIPE, learning_rate=1e-2, batch_size=8)


def family_of(name, tiny):
    return str(tiny(name, masked=True) if name == "bert" else tiny(name))


@pytest.mark.parametrize("family", ["bert", "llama"])
def test_it_knows_the_texts_better_and_is_a_backbone_like_any(family, tiny, tmp_path):
    source = family_of(family, tiny)
    adapted = adapt(source, TRAIN, VAL, tmp_path / "new", recipe=QUICK, epochs=4)
    assert adapted.after < 0.8 * adapted.before and adapted.steps >= 32 and adapted.texts == 64
    split = toy_split(rows=16)
    assert fit("probe", str(tmp_path / "new"), split.task, split).predict(["the cat"])[0].label
    again = load_backbone(str(tmp_path / "new"), language_model=True)
    assert (
        not again.has_new_head and again.weight_hash != load_backbone(source, language_model=True).weight_hash
    )
    about = json.loads((tmp_path / "new" / "adapted.json").read_text())
    assert about["backbone"] == source and about["perplexity"]["after"] == adapted.after
    assert not list(tmp_path.glob(".*"))  # the checkpoint is gone


def test_a_backbone_without_a_head_for_tokens_gets_one(tiny, tmp_path):
    adapted = adapt(str(tiny("bert")), TRAIN, VAL, tmp_path / "new", recipe=QUICK, epochs=2)
    assert "has no head for tokens: a new one was trained with it" in adapted.notes[-1]
    assert adapted.after < adapted.before


def test_how_vectors_are_made_is_kept(tiny, tmp_path):
    source = tmp_path / "source"
    load_backbone(str(tiny("bert", masked=True)), language_model=True).language_model.save_pretrained(source)
    load_backbone(str(tiny("bert"))).tokenizer.save_pretrained(source)
    (source / "1_Pooling").mkdir()
    (source / "1_Pooling" / "config.json").write_text('{"pooling_mode_cls_token": true}')
    adapt(str(source), TRAIN, VAL, tmp_path / "new", recipe=QUICK, epochs=1)
    assert load_backbone(str(tmp_path / "new")).pool == "first"


class Stopping(Progress):
    def __init__(self, at):
        self.at = at

    def step(self, step):
        if step.step == self.at:
            raise KeyboardInterrupt


def test_one_that_was_stopped_goes_on_where_it_was(tiny, tmp_path):
    from stratune.train.settings import TrainSettings

    how = {"recipe": QUICK, "epochs": 2, "settings": TrainSettings(checkpoint_seconds=0)}
    source = family_of("bert", tiny)
    adapt(source, TRAIN, VAL, tmp_path / "whole", **how)
    with pytest.raises(KeyboardInterrupt):
        adapt(source, TRAIN, VAL, tmp_path / "new", progress=Stopping(11), **how)
    assert not (tmp_path / "new").exists()
    seen = []
    watching = Progress()
    watching.step = lambda step: seen.append(step.step)
    adapt(source, TRAIN, VAL, tmp_path / "new", progress=watching, **how)
    assert seen[0] > 8
    whole, resumed = (load_file(tmp_path / name / "model.safetensors") for name in ("whole", "new"))
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)


def test_a_folder_that_is_there_is_not_touched(tiny, tmp_path):
    (tmp_path / "new").mkdir()
    with pytest.raises(ConfigError, match="new is there already; name a new folder, or remove it"):
        adapt(family_of("bert", tiny), TRAIN, VAL, tmp_path / "new")


def test_without_validation_texts_the_last_step_is_kept(tiny, tmp_path):
    adapted = adapt(family_of("bert", tiny), TRAIN, ([], None), tmp_path / "new", recipe=QUICK, epochs=1)
    assert (adapted.before, adapted.after) == (None, None) and adapted.steps >= 8


def test_all_of_a_long_text_is_read(tiny, tmp_path):
    long = [" ".join(["the cat saw the rain ."] * 60)], None
    adapted = adapt(family_of("bert", tiny), long, ([], None), tmp_path / "new", recipe=QUICK, epochs=1)
    assert adapted.texts == 1 and adapted.steps == 1
    from stratune.fitting.adapting import _feed, _net
    from stratune.train.settings import TrainSettings

    backbone = load_backbone(family_of("bert", tiny), language_model=True)
    fed = _feed(_net(backbone, TrainSettings()), long, TrainSettings())
    assert len(fed) > 1 and fed.lengths.sum() > 300


def test_what_is_read_is_train_and_what_has_no_label():
    split = toy_split(rows=16)
    more = replace(split, unlabelled=Dataset.from_dict({"id": ["a"], "text": ["a new text"]}))
    train, val = texts_of(more)
    assert train == ([*split.train["text"], "a new text"], None) and val == (list(split.val["text"]), None)
    folded = replace(more, val=more.train, folds=(0, 1) * 8)
    assert texts_of(folded)[1] == ([], None)


def test_pairs_are_read_together(tiny, tmp_path):
    split = toy_split(rows=16, pairs=True)
    train, val = texts_of(split)
    assert train[1] == list(split.train["text_pair"])
    adapted = adapt(family_of("bert", tiny), train, val, tmp_path / "new", recipe=QUICK, epochs=1)
    assert adapted.texts == 16


def test_the_command(tiny, tmp_path, monkeypatch):
    monkeypatch.setenv("STRATUNE_CACHE", str(tmp_path / "cache"))
    split = toy_split(rows=96)
    split.train.to_csv(tmp_path / "rows.csv", index=False)
    (tmp_path / "more.csv").write_text("text\nthe cat near the street again\n")
    how = [
        "--data",
        str(tmp_path / "rows.csv"),
        "--backbone",
        str(tiny("bert", masked=True)),
        "--epochs",
        "1",
    ]
    how += [
        "--unlabelled",
        str(tmp_path / "more.csv"),
        "--validation",
        "rows",
        "--out",
        str(tmp_path / "new"),
    ]
    done = CliRunner().invoke(app, ["adapt", *how, "--json"])
    assert done.exit_code == 0, done.exception
    told = json.loads(done.stdout)
    assert told["folder"] == str(tmp_path / "new") and told["texts"] == 68 and told["before"] > 1
    again = CliRunner().invoke(app, ["adapt", *how])
    assert isinstance(again.exception, ConfigError)


def test_python_has_it_too(tiny, tmp_path, monkeypatch):
    import stratune as st

    monkeypatch.setenv("STRATUNE_CACHE", str(tmp_path / "cache"))
    rows = toy_split(rows=96).train.to_list()
    how = {"backbone": str(tiny("bert", masked=True)), "epochs": 1, "validation": "rows", "progress": False}
    adapted = st.adapt(rows, tmp_path / "new", unlabelled=[{"text": "the cat near the street"}], **how)
    assert adapted.texts == 68 and (adapted.folder / "model.safetensors").is_file()
    with pytest.raises(ConfigError, match="one at a time; found minilm, smollm2"):
        st.adapt(rows, tmp_path / "two", backbone="minilm,smollm2", progress=False)


def test_few_texts_are_read_often_and_in_small_steps(tiny, tmp_path):
    few = TRAIN[0][:10], None
    adapted = adapt(family_of("bert", tiny), few, ([], None), tmp_path / "new")
    assert adapted.steps >= 120 and "training rows are read" in adapted.notes[0]


def test_stopped_it_says_how_it_goes_on(tiny, tmp_path, monkeypatch):
    def stop(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("stratune.comparison.adaptation.adapt", stop)
    monkeypatch.setenv("STRATUNE_CACHE", str(tmp_path / "cache"))
    toy_split(rows=96).train.to_csv(tmp_path / "rows.csv", index=False)
    how = [
        "--data",
        str(tmp_path / "rows.csv"),
        "--backbone",
        family_of("bert", tiny),
        "--out",
        str(tmp_path / "new"),
    ]
    done = CliRunner().invoke(app, ["adapt", *how])
    assert done.exit_code == 130 and "the same command goes on where it was" in done.output


def test_an_encoder_without_a_mask_token_is_refused(tiny, tmp_path, monkeypatch):
    from transformers import PreTrainedTokenizerFast

    monkeypatch.setattr(PreTrainedTokenizerFast, "mask_token_id", None, raising=False)
    with pytest.raises(
        UnsupportedError, match="adapt cannot run on .* it is an encoder without a mask token"
    ):
        adapt(family_of("bert", tiny), TRAIN, VAL, tmp_path / "new")


def test_texts_that_it_has_read_are_no_measure_of_it_and_the_board_says_so(tiny, tmp_path, monkeypatch):
    import stratune as st

    monkeypatch.setenv("STRATUNE_CACHE", str(tmp_path / "cache"))
    rows = toy_split(rows=96).train.to_list()
    how = {"validation": "rows", "progress": False}
    new = str(tmp_path / "new")
    st.adapt(rows, new, backbone=str(tiny("bert", masked=True)), epochs=1, **how)

    def warnings(**data):
        how_else = {"strategies": "probe", "backbone": new, "fresh": True}
        st.compare(rows, out=tmp_path / "out", **how_else, **data, **how)
        board = json.loads((tmp_path / "out" / "leaderboard.json").read_text())
        return [one["message"] for one in board["warnings"] if "when it was adapted" in one["message"]]

    assert warnings() == []
    other = warnings(data={"seed": 1})
    assert len(other) == 2 and f"{new} has read " in other[1] and "test texts when it was adapted" in other[1]


def test_the_command_takes_all_that_decides_which_texts_are_train():
    """Else a comparison with the same options would test on texts that were read."""
    import inspect

    from stratune.cli.adapt import adapt_command
    from stratune.config.given import KEYS

    decide = {name for name, key in KEYS.items() if key.startswith(("data.", "task."))} - {
        "metric",
        "annotations",
    }
    assert decide <= {name.removesuffix("_") for name in inspect.signature(adapt_command).parameters}
