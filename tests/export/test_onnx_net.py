"""Nets as ONNX graphs: onnxruntime, tokenizers and numpy alone give our predictor's answers."""

import re

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from stratune.cli import app
from stratune.errors import ArtifactError, UnsupportedError
from stratune.evaluate.calibration import Scaling
from stratune.export import onnx_net
from stratune.export.compared import EDGES, PROBES
from stratune.export.net_graph import NetGraph
from stratune.export.onnx import export_onnx
from stratune.export.onnx_tokenizer import fast_tokenizer, text_inputs
from stratune.model.postprocess import Postprocess
from stratune.objective.classes import CrossEntropy
from stratune.objective.label_sets import Binary
from stratune.objective.levels import Corn, Cumulative, LevelValue
from stratune.objective.values import Value
from stratune.target.decision import Decision
from stratune.testing.nets import net_of
from stratune.testing.trained import fitted, split_of
from stratune.tokens.tokens import TextLimit

TEXTS = [*PROBES, *EDGES, "the cat saw a dog near the old house", "rain and snow"]


@pytest.fixture
def small(tiny):
    """Of one block: what torch.export takes grows with every operation."""
    torch.set_num_threads(1)
    return lambda family="bert": tiny(family, **{"n_layer" if family == "gpt2" else "num_hidden_layers": 1})


def in_torch(predictor, texts, pairs=None):
    """The module that becomes a graph, on the inputs that the card tells to give it; nothing is traced."""
    model = predictor.model
    net = model.net
    tokenizer = fast_tokenizer(net.backbone, model.limit)
    inner = getattr(model.reader, "inner", model.reader)
    inputs = text_inputs(tokenizer, net.backbone, inner.prompt, apart=net.head.reads_apart)(texts, pairs)
    graph = NetGraph(net, predictor)
    with torch.no_grad():
        found = graph(*(torch.from_numpy(inputs[name]) for name in graph.inputs))
    return dict(zip(graph.outputs, (one.numpy() for one in found), strict=True))


OBJECTIVES = [
    CrossEntropy(3),
    Binary(4),
    Corn(5),
    Cumulative(5),
    LevelValue(5),
    Value(0, center=3.0, scale=2.5),
]


@pytest.mark.parametrize("objective", OBJECTIVES, ids=lambda one: type(one).__name__)
def test_an_objective_decodes_in_torch_as_in_numpy(objective):
    logits = 4 * np.random.default_rng(0).normal(size=(50, objective.outputs))
    if isinstance(objective, Cumulative):
        logits = -np.sort(-logits, axis=1)
    wanted = objective.probabilities(logits)
    found = objective.decoded(torch.from_numpy(logits).float()).numpy()
    np.testing.assert_allclose(found, wanted, atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize("family", ["bert", "llama", "gpt2"])
@pytest.mark.parametrize("pairs", [False, True])
def test_the_module_that_is_traced_answers_as_the_predictor(family, pairs, small):
    """Also texts without a token, of decoders that put nothing before a text."""
    predictor = fitted("full", small(family), split_of(pairs=pairs)).predictor
    seconds = TEXTS[::-1] if pairs else None
    found = in_torch(predictor, TEXTS, seconds)
    wanted = predictor.predict_proba(list(zip(TEXTS, seconds, strict=True)) if pairs else TEXTS)
    assert np.ptp(wanted, axis=0).max() > 1e-3
    np.testing.assert_allclose(found["probabilities"], wanted, atol=1e-5)


@pytest.mark.parametrize("scaling", [Scaling(), Scaling((0.5,)), Scaling((2.0, 0.7), (0.3, -0.4))], ids=str)
@pytest.mark.parametrize("kind, thresholds", [(None, ()), (None, (0.45,)), ("multilabel", (0.4, 0.55))])
def test_calibration_and_decisions_are_in_it(scaling, kind, thresholds, small):
    predictor = fitted("probe", small(), split_of(kind)).predictor
    predictor.post = Postprocess(scaling, Decision(thresholds))
    found = in_torch(predictor, TEXTS)
    np.testing.assert_allclose(found["probabilities"], predictor.predict_proba(TEXTS), atol=1e-5)
    target = predictor.task.target
    decided = target.decided(predictor.model(TEXTS, None).predictions, None, predictor.post.decision)
    assert np.array_equal(found["labels"], decided.astype(np.int64))


@pytest.mark.parametrize("spec", ["prefix", "soft_prompt", "p_tuning", "knn"])
def test_what_depends_on_no_input_is_folded_and_the_predictor_stays(spec, small):
    options = {} if spec == "knn" else {"length": 4}
    if spec == "prefix":
        options |= {"reparametrise": True, "hidden": 8}  # an encoder makes its keys and values
    predictor = fitted({"preset": spec, **options}, small(), split_of()).predictor
    before = predictor.predict_proba(TEXTS)
    found = in_torch(predictor, TEXTS)
    np.testing.assert_allclose(found["probabilities"], before, atol=1e-5)
    assert np.array_equal(predictor.predict_proba(TEXTS), before)
    graph = NetGraph(net_of(predictor.model), predictor)
    assert not [name for name, _ in graph.named_parameters() if "encoder.lstm" in name or "table" in name]


def test_a_graph_has_the_net_in_float32_without_adapters(small):
    predictor = fitted("lora", small(), split_of()).predictor
    names = [name for name, _ in NetGraph(net_of(predictor.model), predictor).named_parameters()]
    assert names and not any("lora" in name for name in names)
    assert any("lora" in name for name, _ in net_of(predictor.model).named_parameters())


def test_any_number_of_texts_of_any_length_and_the_code_on_the_card(small, tmp_path, monkeypatch):
    predictor = fitted("probe", small(), split_of()).predictor
    predictor.post = Postprocess(Scaling((0.5,)), Decision((0.48,)))
    folder = export_onnx(predictor, tmp_path / "out")
    assert {path.name for path in folder.iterdir()} == {"README.md", "model.onnx", "tokenizer.json"}
    assert str(small().parent) not in (folder / "README.md").read_text()
    monkeypatch.chdir(folder)
    names = {}
    exec(re.search(r"```python\n(.*?)```", (folder / "README.md").read_text(), re.S)[1], names)  # noqa: S102
    for texts in (TEXTS, TEXTS[:1], TEXTS[3:5] * 20):
        found, wanted = names["answer"](texts), predictor.predict_proba(texts)
        np.testing.assert_allclose(found["probabilities"], wanted, atol=1e-5)
        assert [predictor.labels[k] for k in found["labels"]] == [o.label for o in predictor.predict(texts)]


def test_what_no_tokenizer_json_does_is_refused(small, tmp_path):
    spec = {"preset": "probe", "readout": {"norm": True}}
    predictor = fitted(spec, small(), split_of()).predictor
    object.__setattr__(predictor.model.reader, "limit", TextLimit(max_length=20, keep="tail"))
    with pytest.raises(UnsupportedError, match="keeps the tail of a long text"):
        export_onnx(predictor, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_other_answers_are_caught(small, tmp_path, monkeypatch):
    def broken(self, raw, logits):
        return raw * 0.99

    monkeypatch.setattr(NetGraph, "_calibrated", broken)
    predictor = fitted("probe", small(), split_of()).predictor
    with pytest.raises(ArtifactError, match="answers are not ours"):
        export_onnx(predictor, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_other_tokens_are_caught(small, tmp_path, monkeypatch):
    made = onnx_net.fast_tokenizer
    monkeypatch.setattr(
        onnx_net, "fast_tokenizer", lambda backbone, limit: made(backbone, TextLimit(max_length=9))
    )
    monkeypatch.setattr(onnx_net, "_traced", lambda *given: Nothing())
    monkeypatch.setattr(onnx_net, "Graph", lambda folder: None)
    predictor = fitted("probe", small(), split_of()).predictor
    with pytest.raises(ArtifactError, match="tokenizer.json does not read row"):
        export_onnx(predictor, tmp_path / "out")


class Nothing:
    def save(self, path, external_data):
        path.write_bytes(b"")


# -- the command line


def run(*arguments):
    return CliRunner().invoke(app, ["export", *map(str, arguments)])


def test_a_missing_library_is_one_line_that_names_the_extra(tmp_path, monkeypatch):
    found = "stratune.export.extra.importlib.util.find_spec"
    monkeypatch.setattr(found, lambda name: None if name == "onnxruntime" else name)
    result = run(tmp_path / "none", tmp_path / "out", "--to", "onnx")
    assert "pip install 'stratune[export]'" in str(result.exception) and result.exit_code
    assert "'onnx' needs onnxruntime" in str(result.exception)


@pytest.mark.parametrize(
    "options, why",
    [
        (["--to", "onx"], "'onx' is not one of hf, onnx, sklearn"),
        (["--to", "hf", "--int8"], "--int8: it goes with --to onnx"),
        (["--to", "onnx", "--int8"], "name them by --data"),
        (["--to", "onnx", "--data", "rows.csv"], "--data: it goes with --int8"),
        (["--to", "onnx", "--margin", "1"], "--margin: it goes with --int8"),
    ],
)
def test_options_that_do_not_go_together(options, why, tmp_path):
    result = run(tmp_path / "none", tmp_path / "out", *options)
    assert why in str(result.exception) and result.exit_code
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("to", ["onnx", "sklearn"])
def test_the_command_writes_and_replaces_its_own(to, tmp_path):
    fitted("tfidf", None, split_of()).predictor.save(tmp_path / "model")
    assert run(tmp_path / "model", tmp_path / "out", "--to", to).exit_code == 0
    again = run(tmp_path / "model", tmp_path / "out", "--to", to, "--force")
    assert again.exit_code == 0, again.exception
    assert "Compared with the predictor" in again.output
