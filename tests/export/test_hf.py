"""export --to hf: transformers alone gives our predictor's answers, for every family, form and strategy."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from typer.testing import CliRunner

from stratune.backbone.load import load_backbone
from stratune.cli import app
from stratune.errors import ArtifactError, ConfigError, UnsupportedError
from stratune.export import export_hf, verify
from stratune.export.card import notes
from stratune.export.native import block_norms
from stratune.model.baseline import BaselineModel
from stratune.model.net import NetModel
from stratune.objective.classes import CrossEntropy
from stratune.predictor.predictor import Predictor
from stratune.strategy import parse_strategy
from stratune.strategy.baselines import PriorModel
from stratune.task import Task
from stratune.testing import DECODERS, MODEL_TYPES
from stratune.testing.nets import fresh_net, net_of
from stratune.tokens.reader import TextReader
from stratune.tokens.tokens import TextLimit
from stratune.train.runtime import Runtime

LABELS = ("no: it's bad", "3", 'été "LABEL_0"', "yes, very/much")
TEXTS = (
    "the cat saw a dog near the old house",
    "rain",
    "we heard a quiet song again and then the piano was there for some people in the small street",
    "never talked about snow and storm, some fog! " * 30,  # much longer than the limit
    "a mouse",
)
EXPORTED = [family for family in MODEL_TYPES if family not in ("longformer", "big_bird")]
POST_NORM = ("bert", "roberta", "electra", "distilbert", "deberta-v2")


def predictor_on(folder, spec="full", labels=LABELS, *, pairs=False, limit=None, precision="float32"):
    """A predictor whose learning tensors have all been moved away from where they started."""
    strategy = parse_strategy(spec)
    backbone = load_backbone(str(folder))
    torch.manual_seed(1)
    net = fresh_net(backbone, strategy.readout, CrossEntropy(len(labels)))
    strategy.tune.adapt(net)
    generator = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for parameter in net.trainable().values():
            parameter.add_(0.05 * torch.randn(parameter.shape, generator=generator))
        net.head.linear.weight.normal_(std=0.5, generator=generator)
        if net.head.linear.bias is not None:
            net.head.linear.bias.normal_(std=0.3, generator=generator)
    net.eval()
    limit = limit or TextLimit(max_length=40)
    scorer = NetModel(net, Runtime(torch.device("cpu"), precision), TextReader(net.backbone, limit))
    sample = [{"text": text, "text_pair": other} for text, other in zip(TEXTS, reversed(TEXTS), strict=True)]
    about = {
        "strategy": strategy.settings(),
        "backbone": {"id": str(folder), "revision": None, "weight_hash": backbone.weight_hash},
        "limit": {"max_length": limit.max_length, "max_words": limit.max_words},
        "precision": precision,
    }
    task = Task(text_pair="text_pair" if pairs else None, labels=labels)
    return Predictor(task, scorer, about, sample)


def rows_of(predictor):
    """The same rows for us and for transformers' pipeline."""
    if not predictor.task.text_pair:
        return list(TEXTS), list(TEXTS)
    ours = list(zip(TEXTS, reversed(TEXTS), strict=True))
    newline = "\n" if net_of(predictor.model).backbone.family.decoder else ""
    return ours, [{"text": first, "text_pair": newline + second} for first, second in ours]


def pipeline_probabilities(folder, rows, labels, **options):
    """(N, K) probabilities, columns found by label name."""
    from transformers import pipeline

    classify = pipeline("text-classification", model=str(folder), device="cpu", **options)
    answers = classify(rows, truncation=True, batch_size=4, top_k=None)
    by_name = [{answer["label"]: answer["score"] for answer in row} for row in answers]
    assert all(set(row) == set(labels) for row in by_name)
    return np.array([[row[label] for label in labels] for row in by_name])


def assert_same_answers(predictor, folder, tolerance=1e-4):
    ours, theirs = rows_of(predictor)
    expected = predictor.predict_proba(ours)
    spread = np.ptp(np.log(expected), axis=0).max()
    assert spread > 0.1, "answers that do not depend on the text would prove nothing"
    found = pipeline_probabilities(folder, theirs, predictor.labels)
    assert np.abs(found - expected).max() < tolerance


FORMS = [
    *((family, {}) for family in EXPORTED),
    *((family, {"pool": "first"}) for family in (*POST_NORM, "modernbert")),
    *((family, {"pool": "first", "norm": False}) for family in POST_NORM),
]


@pytest.mark.parametrize("family, readout", FORMS, ids=str)
def test_every_family_and_form(family, readout, tiny, tmp_path):
    predictor = predictor_on(tiny(family), {"preset": "full", "readout": readout})
    folder = export_hf(predictor, tmp_path / "hf")
    assert_same_answers(predictor, folder)


@pytest.mark.parametrize("family", sorted(set(MODEL_TYPES) - set(EXPORTED)))
def test_what_reads_long_texts_stays_a_model_folder(family, tiny, tmp_path):
    with pytest.raises(UnsupportedError, match="has no known classification class; keep the model folder"):
        export_hf(predictor_on(tiny(family)), tmp_path / "hf")


@pytest.mark.parametrize("family", EXPORTED)
def test_pairs_and_two_labels(family, tiny, tmp_path):
    predictor = predictor_on(tiny(family), labels=("1", "0"), pairs=True)
    assert_same_answers(predictor, export_hf(predictor, tmp_path / "hf"))


@pytest.mark.parametrize("family", EXPORTED)
def test_lora_is_merged_and_the_predictor_stays_as_it_was(family, tiny, tmp_path):
    predictor = predictor_on(tiny(family), "lora")
    before = {name: tensor.clone() for name, tensor in net_of(predictor.model).state_dict().items()}
    trainable = list(net_of(predictor.model).trainable())
    probabilities = predictor.predict_proba(TEXTS)
    folder = export_hf(predictor, tmp_path / "hf")
    assert not any("lora" in name for name in load_file(folder / "model.safetensors"))
    assert_same_answers(predictor, folder)
    after = net_of(predictor.model).state_dict()
    assert before.keys() == after.keys() and all(torch.equal(before[name], after[name]) for name in before)
    assert list(net_of(predictor.model).trainable()) == trainable
    assert np.array_equal(predictor.predict_proba(TEXTS), probabilities)


@pytest.mark.parametrize(
    "spec", ["probe", "partial", "bitfit", {"preset": "lora", "dora": True}, "untuned"], ids=str
)
@pytest.mark.parametrize("family", ["bert", "gpt2"])
def test_other_strategies(spec, family, tiny, tmp_path):
    predictor = predictor_on(tiny(family), spec)
    assert_same_answers(predictor, export_hf(predictor, tmp_path / "hf"))


def test_loss_of_precision_is_not_the_exports(tiny, tmp_path):
    """A predictor that runs in bfloat16 is compared, and exported, in float32."""
    predictor = predictor_on(tiny("bert"), precision="bfloat16")
    folder = export_hf(predictor, tmp_path / "hf")
    assert predictor.model.precision == "bfloat16"
    predictor.model.runtime = replace(predictor.model.runtime, precision="float32")
    assert_same_answers(predictor, folder)


@pytest.mark.parametrize("family", POST_NORM)
@pytest.mark.parametrize("pool", ["first", "mean"])
def test_pooled_text_that_hardly_varies(family, pool, tiny, tmp_path):
    """Where the variance is of the size of the norm's eps, whose eps it is shows."""
    predictor = predictor_on(tiny(family), {"preset": "full", "readout": {"pool": pool}})
    backbone = net_of(predictor.model).backbone
    last = backbone.blocks[-1].get_submodule(block_norms(backbone)["output"])
    with torch.no_grad():
        last.weight.mul_(2e-3)
        last.bias.mul_(2e-3)
    assert_same_answers(predictor, export_hf(predictor, tmp_path / "hf"))


@pytest.mark.parametrize("family", ["bert", "distilbert", "modernbert", "electra"])
def test_answers_hold_in_bfloat16(family, tiny, tmp_path):
    """No trick of the export lives from digits that bfloat16 does not have."""
    predictor = predictor_on(tiny(family))
    folder = export_hf(predictor, tmp_path / "hf")
    found = pipeline_probabilities(folder, list(TEXTS), predictor.labels, dtype=torch.bfloat16)
    assert np.abs(found - predictor.predict_proba(TEXTS)).max() < 0.05


def test_modernbert_with_another_eps(tiny, tmp_path):
    predictor = predictor_on(tiny("modernbert", norm_eps=1e-3, norm_bias=True, classifier_bias=True))
    assert_same_answers(predictor, export_hf(predictor, tmp_path / "hf"))


@pytest.mark.parametrize("model_type", ["xlm-roberta", "camembert"])
def test_robertas_kin(model_type, tiny, tmp_path):
    kin = tmp_path / "kin"
    shutil.copytree(tiny("roberta"), kin)
    config = json.loads((kin / "config.json").read_text())
    (kin / "config.json").write_text(json.dumps({**config, "model_type": model_type, "architectures": []}))
    predictor = predictor_on(kin)
    assert net_of(predictor.model).backbone.model.config.model_type == model_type
    assert_same_answers(predictor, export_hf(predictor, tmp_path / "hf"))


@pytest.mark.parametrize(
    "config",
    [
        {"conv_kernel_size": 3, "conv_act": "gelu"},
        {"share_att_key": False, "pooler_hidden_act": "tanh", "type_vocab_size": 2},
        {"relative_attention": False, "pos_att_type": None, "position_biased_input": True},
    ],
    ids=str,
)
def test_debertas_options(config, tiny, tmp_path):
    predictor = predictor_on(tiny("deberta-v2", **config))
    assert_same_answers(predictor, export_hf(predictor, tmp_path / "hf"))


# -- what the folder says of itself --------------------------------------------------------------------------


def test_config_tokenizer_and_card(tiny, tmp_path):
    predictor = predictor_on(tiny("bert"), limit=TextLimit(max_length=24, max_words=20))
    folder = export_hf(predictor, tmp_path / "hf")
    config = json.loads((folder / "config.json").read_text())
    assert config["id2label"] == {str(i): label for i, label in enumerate(LABELS)}
    assert config["label2id"] == {label: i for i, label in enumerate(LABELS)}
    assert config["architectures"] == ["BertForSequenceClassification"]
    assert json.loads((folder / "tokenizer_config.json").read_text())["model_max_length"] == 24
    card = (folder / "README.md").read_text()
    assert "20 words" in card and "truncation=True" in card and "24 tokens" in card
    everything = "".join(
        file.read_text(errors="replace") for file in folder.glob("*.*") if file.suffix != ".safetensors"
    )
    assert str(tiny("bert").parent) not in everything  # no path of the machine it was trained on


def test_notes_tell_what_a_folder_cannot(tiny):
    def notes_on(*args, **options):
        return notes(predictor_on(tiny("llama"), *args, **options))

    plain = notes_on()
    pairs = notes_on(pairs=True, limit=TextLimit(max_words=7))
    assert len(plain) == 1 and "cut at 128 tokens" in notes_on(limit=TextLimit())[0]
    assert any("line break" in note for note in pairs) and any("cut at 7 words" in note for note in pairs)


@pytest.mark.parametrize("family", DECODERS)
def test_decoder_gets_a_pad_token_that_no_text_ends_with(family, tiny, tmp_path):
    from transformers import AutoTokenizer

    predictor = predictor_on(tiny(family))
    folder = export_hf(predictor, tmp_path / "hf")
    tokenizer = AutoTokenizer.from_pretrained(folder)
    assert tokenizer.pad_token_id not in (
        tokenizer.eos_token_id,
        tokenizer.bos_token_id,
        tokenizer.unk_token_id,
    )
    rows = [f"the cat saw rain{net_of(predictor.model).backbone.tokenizer.eos_token}", "the cat"]
    found = pipeline_probabilities(folder, rows, predictor.labels)
    assert np.abs(found - predictor.predict_proba(rows)).max() < 1e-4


# -- what cannot be exported, and what is caught -------------------------------------------------------------


@pytest.mark.parametrize(
    "family, readout, words",
    [
        (
            "llama",
            {"pool": "mean"},
            "llama's own class cannot do .*pool: mean.*train with .*pool: last, norm: false",
        ),
        ("gpt2", {"norm": True}, "pool: last, norm: true"),
        (
            "bert",
            {"pool": "mean", "norm": False},
            "train with .*pool: mean, norm: true.* or keep the model folder",
        ),
        ("albert", {"pool": "mean"}, "albert's own class cannot do"),
        ("modernbert", {"norm": False}, "pool: mean, norm: true"),
    ],
)
def test_forms_without_a_native_class_are_refused(family, readout, words, tiny, tmp_path):
    predictor = predictor_on(tiny(family), {"preset": "probe", "readout": readout})
    with pytest.raises(UnsupportedError, match=words):
        export_hf(predictor, tmp_path / "hf")
    assert not (tmp_path / "hf").exists()


def test_more_labels_than_room(tiny, tmp_path):
    predictor = predictor_on(tiny("distilbert"), labels=tuple(f"class {i}" for i in range(17)))
    with pytest.raises(UnsupportedError, match="room for 16 labels, and these are 17"):
        export_hf(predictor, tmp_path / "hf")


def test_floors_have_no_hugging_face_form(tmp_path):
    floor = Predictor(
        Task(labels=("a", "b")),
        BaselineModel(PriorModel(np.array([0.5, 0.5]))),
        {"strategy": {"name": "majority"}},
    )
    with pytest.raises(
        UnsupportedError,
        match="majority.*no Hugging Face form; keep the model folder and use `stratune predict`",
    ):
        export_hf(floor, tmp_path / "hf")


@pytest.mark.parametrize("family", ["bert", "llama"])
@pytest.mark.parametrize("spec", ["houlsby", "prefix", "soft_prompt", "p_tuning"])
def test_what_cannot_be_merged_is_refused_with_what_to_use(spec, family, tiny, tmp_path):
    predictor = predictor_on(tiny(family), spec)
    with pytest.raises(
        UnsupportedError,
        match="no parameters for what it trained.*lora.*keep the model folder and use `stratune predict`",
    ):
        export_hf(predictor, tmp_path / "hf")
    assert not (tmp_path / "hf").exists()


@pytest.mark.parametrize("family", ["bert", "modernbert", "llama", "gpt2"])
@pytest.mark.parametrize(
    "spec", ["ia3", {"preset": "lora", "last": 1}, {"preset": "peft:vera", "r": 4}], ids=str
)
def test_other_changes_of_weights_are_merged_too(spec, family, tiny, tmp_path):
    predictor = predictor_on(tiny(family), spec)
    export_hf(predictor, tmp_path / "hf")
    assert_same_answers(predictor, tmp_path / "hf")


def test_a_weight_with_no_place_is_refused(tiny, tmp_path):
    predictor = predictor_on(tiny("bert"))
    net_of(predictor.model).backbone.blocks[0].extra = torch.nn.Linear(2, 2)
    with pytest.raises(
        UnsupportedError, match="the family's own class has no parameters for what it trained"
    ):
        export_hf(predictor, tmp_path / "hf")


def test_other_logits_are_caught(tiny, tmp_path):
    predictor = predictor_on(tiny("bert"))
    folder = export_hf(predictor, tmp_path / "hf")
    tensors = load_file(folder / "model.safetensors")
    tensors["classifier.bias"] += 1e-2  # the same for every label: no probability changes, but the logits do
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(ArtifactError, match="logits are not ours: they differ by up to"):
        verify.verify(predictor, predictor.model, folder)


def test_another_limit_is_caught(tiny, tmp_path, monkeypatch):
    """Even when no row is long enough to show it."""
    monkeypatch.setattr(verify, "PROBES", ("rain and snow", "a mouse"))
    predictor = predictor_on(tiny("bert"), limit=TextLimit())
    predictor.sample = predictor.sample[:2]
    folder = export_hf(predictor, tmp_path / "hf")
    settings = json.loads((folder / "tokenizer_config.json").read_text())
    (folder / "tokenizer_config.json").write_text(json.dumps({**settings, "model_max_length": 127}))
    with pytest.raises(ArtifactError, match="tokenizer does not read 'rain and snow a mouse.* as ours does"):
        verify.verify(predictor, predictor.model, folder)


def test_other_label_names_are_caught(tiny, tmp_path):
    predictor = predictor_on(tiny("bert"), labels=("a", "b"))
    folder = export_hf(predictor, tmp_path / "hf")
    predictor.task = Task(labels=("b", "a"))
    with pytest.raises(ArtifactError, match="labels are a, b, not b, a"):
        verify.verify(predictor, predictor.model, folder)


def test_a_failed_export_leaves_what_was_there(tiny, tmp_path, monkeypatch):
    predictor = predictor_on(tiny("bert"))
    folder = export_hf(predictor, tmp_path / "hf")
    before = (folder / "model.safetensors").read_bytes()
    monkeypatch.setattr(verify, "TOLERANCE", -1.0)
    with pytest.raises(ArtifactError):
        export_hf(predictor, folder)
    assert (folder / "model.safetensors").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir() if path.name != "cache"] == ["hf"]


# -- the command ---------------------------------------------------------------------------------------------


@pytest.fixture
def model_dir(tiny, tmp_path):
    return predictor_on(tiny("bert"), limit=TextLimit(40, 30)).save(tmp_path / "model")


def test_command_exports_a_model_folder(model_dir, tmp_path):
    result = CliRunner().invoke(app, ["export", str(model_dir), str(tmp_path / "hf")])
    assert result.exit_code == 0, result.output
    assert result.stdout.strip() == str(tmp_path / "hf")
    assert "first cut at 30 words" in result.stderr
    found = pipeline_probabilities(tmp_path / "hf", list(TEXTS[:3]), LABELS)
    assert np.abs(found - Predictor.load(model_dir, device="cpu").predict_proba(TEXTS[:3])).max() < 1e-4


@pytest.mark.parametrize(
    "options, words",
    [
        (["--to", "onxx"], "--to: 'onxx' is not one of hf"),
        ([], "is not empty; name another folder, or use --force"),
    ],
)
def test_command_refuses(options, words, model_dir, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "precious.txt").write_text("mine")
    result = CliRunner().invoke(app, ["export", str(model_dir), str(tmp_path / "out"), *options])
    assert isinstance(result.exception, ConfigError) and words in str(result.exception)
    assert (tmp_path / "out" / "precious.txt").read_text() == "mine"


def test_command_replaces_when_forced_but_never_the_model_itself(model_dir, tmp_path):
    out, run = tmp_path / "out", CliRunner().invoke
    assert run(app, ["export", str(model_dir), str(out)]).exit_code == 0
    (out / "config.json").write_text("{}")
    assert run(app, ["export", str(model_dir), str(out), "--force"]).exit_code == 0
    assert (out / "config.json").read_text() != "{}"
    (out / "thesis.txt").write_text("years of work")
    result = run(app, ["export", str(model_dir), str(out), "--force"])
    assert isinstance(result.exception, ConfigError) and "'thesis.txt', which is of no export" in str(
        result.exception
    )
    assert (out / "thesis.txt").read_text() == "years of work"
    for target in (model_dir, model_dir.parent):
        result = run(app, ["export", str(model_dir), str(target), "--force"])
        assert isinstance(result.exception, ConfigError) and "holds the model itself" in str(result.exception)
    assert (model_dir / "stratune.json").exists()


@pytest.mark.slow
@pytest.mark.parametrize("spec", ["probe", "lora", {"preset": "full", "readout": {"pool": "first"}}], ids=str)
def test_minilm(spec, tmp_path):
    predictor = predictor_on("minilm", spec, pairs=True, limit=TextLimit(64))
    assert_same_answers(predictor, export_hf(predictor, tmp_path / "hf"))
