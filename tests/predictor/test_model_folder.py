"""The model folder: what is in it, what comes out of it, and what is said when it is not whole."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from stratune.errors import ArtifactError, BackboneError
from stratune.model import net_files
from stratune.predictor import model_folder as artifact
from stratune.predictor.predictor import Predictor
from stratune.testing import save_tiny, toy_split
from stratune.testing.nets import net_of
from tests.helpers import TEXTS, learned, trained

PARTIAL = {"preset": "partial", "k": 1}


def names(folder):
    return sorted(path.name for path in folder.rglob("*"))


FILES = {
    "untuned": ["head.safetensors", "stratune.json"],
    "probe": ["head.safetensors", "stratune.json"],
    "partial": ["changed.safetensors", "head.safetensors", "stratune.json"],
    "full": ["changed.safetensors", "head.safetensors", "stratune.json"],
    "bitfit": ["changed.safetensors", "head.safetensors", "stratune.json"],
    "lora": ["adapter_config.json", "adapter_model.safetensors", "head.safetensors", "stratune.json"],
    "majority": ["baseline.json", "baseline.safetensors", "stratune.json"],
    "tfidf": ["baseline.json", "baseline.safetensors", "stratune.json"],
}


@pytest.mark.parametrize("preset", FILES)
def test_a_folder_holds_what_is_documented_and_nothing_else(preset, tiny, tmp_path):
    run = trained(preset, None if preset in ("majority", "tfidf") else tiny("bert"))
    folder = run.predictor.save(tmp_path / "model")
    assert names(folder) == FILES[preset]
    assert {path.name for path in tmp_path.iterdir()} <= {"model", "cache"}
    documented = artifact.__doc__ + net_files.__doc__
    assert all(name.partition(".")[0] in documented for name in names(folder))


@pytest.mark.parametrize("spec", [PARTIAL, "full", "bitfit"], ids=["partial", "full", "bitfit"])
def test_only_tensors_that_learned_are_kept_and_as_they_are(spec, tiny, tmp_path):
    run = trained(spec, tiny("bert"))
    folder = run.predictor.save(tmp_path / "model")
    kept = {f"model.{name}": array for name, array in load_file(folder / "changed.safetensors").items()}
    kept |= {f"head.{name}": array for name, array in load_file(folder / "head.safetensors").items()}
    wanted = learned(run)
    assert kept.keys() == wanted.keys()
    assert all(np.array_equal(kept[name], tensor.numpy()) for name, tensor in wanted.items())
    if spec is PARTIAL:
        assert {n.split(".")[3] for n in kept if n.startswith("model.")} == {"2"}  # model.encoder.layer.2


@pytest.mark.parametrize(
    "spec", ["probe", PARTIAL, "lora", "tfidf"], ids=["probe", "partial", "lora", "tfidf"]
)
def test_no_path_of_this_machine_is_in_it(spec, tiny, tmp_path, monkeypatch):
    """The backbone is called what the user called it; whoever gets the folder has it under the same name."""
    shutil.copytree(tiny("bert"), tmp_path / "a-bert")
    monkeypatch.chdir(tmp_path)
    folder = trained(spec, None if spec == "tfidf" else "a-bert").predictor.save(tmp_path / "model")
    for path in folder.iterdir():
        content = path.read_bytes()
        for here in (tmp_path, tiny("bert"), sys.prefix, Path.cwd()):
            assert str(here).encode() not in content, f"{here} in {path.name}"


def test_the_manifest_tells_what_it_is(tiny, tmp_path):
    split = toy_split(3)
    run = trained(PARTIAL, tiny("bert"), split=split)
    run.predictor.about["scores"] = {"val": {"accuracy": 0.5}}
    manifest = json.loads((run.predictor.save(tmp_path / "model") / "stratune.json").read_text())
    assert manifest["task"]["labels"] == ["animal", "weather", "music"]
    assert manifest["strategy"]["name"] == "partial" and manifest["strategy"]["k"] == 1
    assert manifest["backbone"]["weight_hash"] == net_of(run.predictor.model).backbone.weight_hash
    assert manifest["fingerprint"] == split.fingerprint
    assert manifest["scores"] == {"val": {"accuracy": 0.5}}
    assert {"torch", "transformers", "stratune"} <= manifest["versions"].keys()


FRESH = """
import json, sys
import torch
torch.set_num_threads(1)
from stratune.predictor.predictor import Predictor
print(json.dumps(Predictor.load(sys.argv[1]).predict_proba(json.loads(sys.argv[2])).tolist()))
"""


def test_a_fresh_process_gives_the_same_probabilities(tiny, tmp_path):
    """One process reads the folders of all kinds, which differ in how they are put back together."""
    loads = FRESH.replace("sys.argv[1]", "folder").replace(
        "print(", "for folder in sys.argv[1].split(','): print("
    )
    specs = {
        "probe": "bert",
        "partial": "gpt2",
        "full": "llama",
        "bitfit": "distilbert",
        "lora": "modernbert",
        "tfidf": None,
    }
    wanted, folders = [], []
    for spec, family in specs.items():
        predictor = trained(spec, tiny(family) if family else None).predictor
        folders.append(str(predictor.save(tmp_path / spec)))
        wanted.append(predictor.predict_proba(TEXTS))
    ran = subprocess.run(
        [sys.executable, "-c", loads, ",".join(folders), json.dumps(TEXTS)],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ran.returncode == 0, ran.stderr
    for spec, line, probabilities in zip(specs, ran.stdout.splitlines(), wanted, strict=True):
        np.testing.assert_allclose(json.loads(line), probabilities, atol=1e-5, err_msg=spec)


@pytest.mark.parametrize("family, spec", [("llama", "lora"), ("bert", PARTIAL), ("albert", "full")])
def test_pairs_limits_and_labels_come_back(family, spec, tiny, tmp_path):
    run = trained(
        spec,
        tiny(family),
        split=toy_split(pairs=True, labels=("weather", "animal")),
        max_length=12,
        max_words=8,
    )
    again = Predictor.load(run.predictor.save(tmp_path / "model"))
    rows = [(TEXTS[0], TEXTS[3]), ("cat", "")]
    wanted = run.predictor.predict(rows)
    assert again.labels == ("weather", "animal")
    for found, answer in zip(again.predict(rows), wanted, strict=True):
        assert found.label == answer.label and found.tokens_cut == answer.tokens_cut
        assert found.scores == pytest.approx(answer.scores, abs=1e-5)
    assert wanted[0].tokens_cut > 0


def test_a_model_in_bfloat16_comes_back_in_bfloat16(tiny, tmp_path, monkeypatch):
    monkeypatch.setattr("stratune.train.precision.has_bfloat16", lambda device: True)
    run = trained("probe", tiny("bert"), precision="bfloat16")
    again = Predictor.load(run.predictor.save(tmp_path / "model"))
    assert again.model.precision == "bfloat16"
    np.testing.assert_allclose(again.predict_proba(TEXTS), run.predictor.predict_proba(TEXTS), atol=1e-5)


@pytest.mark.parametrize(
    "spec", ["probe", PARTIAL, "lora", "tfidf"], ids=["probe", "partial", "lora", "tfidf"]
)
def test_what_was_loaded_may_be_saved_again(spec, tiny, tmp_path):
    first = trained(spec, None if spec == "tfidf" else tiny("bert")).predictor.save(tmp_path / "first")
    second = Predictor.load(first).save(tmp_path / "second")
    assert names(first) == names(second)
    for path in first.iterdir():
        assert (second / path.name).read_bytes() == path.read_bytes(), path.name


@pytest.mark.parametrize("spec", ["probe", "lora", "p_tuning"])
def test_reading_a_folder_draws_no_random_numbers_of_the_callers(spec, tiny, tmp_path):
    folder = trained(spec, tiny("bert"), epochs=1).predictor.save(tmp_path / "model")
    torch.manual_seed(4)
    before = torch.get_rng_state()
    Predictor.load(folder)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("umask, mode", [(0o022, 0o644), (0o002, 0o664), (0o077, 0o600)])
def test_saved_weights_are_as_readable_as_other_files(umask, mode, tiny, tmp_path):
    predictor = trained("lora", tiny("bert"), epochs=1).predictor
    before = os.umask(umask)
    try:
        folder = predictor.save(tmp_path / "model")
    finally:
        os.umask(before)
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {mode}
    assert folder.stat().st_mode & 0o777 == 0o777 & ~umask


def test_saving_replaces_an_older_folder_whole(tiny, tmp_path):
    trained("lora", tiny("bert")).predictor.save(tmp_path / "model")
    trained("probe", tiny("bert")).predictor.save(tmp_path / "model")
    assert names(tmp_path / "model") == FILES["probe"]


# -- folders that are not whole ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def folders(tiny, tmp_path_factory):
    """One saved model of each kind."""
    root = tmp_path_factory.mktemp("models")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STRATUNE_CACHE", str(root / "cache"))
        for name, spec in {"partial": PARTIAL, "lora": "lora", "tfidf": "tfidf"}.items():
            trained(spec, None if name == "tfidf" else tiny("bert")).predictor.save(root / name)
    return root


PARTS = [
    (kind, file) for kind in ("partial", "lora", "tfidf") for file in FILES[kind] if file != "stratune.json"
]


@pytest.mark.parametrize("kind, file", PARTS)
def test_a_file_that_is_missing_is_named(kind, file, folders, tmp_path):
    folder = shutil.copytree(folders / kind, tmp_path / "model")
    (folder / file).unlink()
    with pytest.raises(ArtifactError, match=f"model/{file}: missing"):
        Predictor.load(folder)


@pytest.mark.parametrize("harm", ["cut", "one bit"])
@pytest.mark.parametrize("kind, file", PARTS)
def test_a_file_that_is_damaged_is_named(kind, file, harm, folders, tmp_path):
    folder = shutil.copytree(folders / kind, tmp_path / "model")
    content = bytearray((folder / file).read_bytes())
    if harm == "cut":
        content = content[: len(content) // 2]
    else:
        content[-9] ^= 1
    (folder / file).write_bytes(content)
    with pytest.raises(ArtifactError, match=f"model/{file}: damaged"):
        Predictor.load(folder)


@pytest.mark.parametrize(
    "content, message",
    [
        ("{", "model/stratune.json: damaged"),
        ("[]", r"model/stratune.json: damaged \(no JSON object\)"),
        ('{"format": 99}', "model/stratune.json: format 99, but this stratune reads 1"),
        ('{"format": 1}', r"model/stratune.json: damaged \(no 'task'\)"),
        ("\xff", "model/stratune.json: damaged"),
    ],
)
def test_a_manifest_that_cannot_be_read(content, message, folders, tmp_path):
    folder = shutil.copytree(folders / "partial", tmp_path / "model")
    (folder / "stratune.json").write_bytes(content.encode("latin-1"))
    with pytest.raises(ArtifactError, match=message):
        Predictor.load(folder)


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(ArtifactError, match="nowhere: no such folder"):
        Predictor.load(tmp_path / "nowhere")


def test_a_folder_that_is_no_model_folder_points_to_those_in_it(folders):
    with pytest.raises(
        ArtifactError, match=r"no stratune.json in it, so it is not a model folder \(did you mean .*/lora or "
    ):
        Predictor.load(folders)


def test_another_backbone_under_the_same_name_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save_tiny("bert", tmp_path / "a-bert")
    folder = trained("probe", "a-bert").predictor.save(tmp_path / "model")
    shutil.rmtree(tmp_path / "a-bert")
    save_tiny("bert", tmp_path / "a-bert", seed=1)
    with pytest.raises(
        ArtifactError, match=r"model: it was trained on other weights of a-bert \(\w{12}, found \w{12}\)"
    ):
        Predictor.load(folder)
    shutil.rmtree(tmp_path / "a-bert")
    with pytest.raises(BackboneError, match="a-bert: "):
        Predictor.load(folder)


def test_a_model_that_does_not_reload_to_the_same_numbers_is_not_saved(tiny, tmp_path, monkeypatch):
    predictor = trained("probe", tiny("bert")).predictor
    plain = artifact.load

    def wrong(folder, **options):
        loaded = plain(folder, **options)
        net_of(loaded.model).head.linear.weight.data *= 1.1
        return loaded

    monkeypatch.setattr(artifact, "load", wrong)
    message = "the saved model, reloaded, has other outputs: they differ by up to"
    with pytest.raises(ArtifactError, match=message):
        predictor.save(tmp_path / "model")
    assert [path.name for path in tmp_path.iterdir()] == ["cache"]


def test_nor_does_it_take_the_place_of_one_that_does(tiny, folders, tmp_path, monkeypatch):
    folder = shutil.copytree(folders / "partial", tmp_path / "model")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    predictor = trained("probe", tiny("bert")).predictor
    monkeypatch.setattr("stratune.model.base.TOLERANCE", -1.0)
    with pytest.raises(ArtifactError, match="the saved model, reloaded"):
        predictor.save(folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
