"""Model folders of strangers, or damaged: refused in one line, whatever is wrong, and no file outside is opened."""

import json
import os
import random
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file

from stratune.errors import ArtifactError, StratuneError
from stratune.files import file_sha256
from stratune.predictor.manifest import sealed
from stratune.predictor.predictor import Predictor
from tests.folders.served import SERVERS
from tests.predictor.mutations import mutated, mutated_text

WRITTEN = Path(__file__).parents[1] / "folders" / "0.6.0"
OLD = sorted(path.name for path in (WRITTEN / "models").iterdir() if path.name not in SERVERS)
NEW = ("lora", "prefix", "full", "soft_prompt", "ensemble", "few_shot", "tfidf", "chunk_values", "multilabel")
ROWS = ["the cat saw rain", "we heard snow and the choir " * 20]


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """Folders of today's format, of several kinds; their backbones are found from where we are."""
    root = tmp_path_factory.mktemp("saved")
    here = Path.cwd()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STRATUNE_CACHE", str(root / "cache"))
        os.chdir(WRITTEN / "backbones")
        for kind in NEW:
            Predictor.load(WRITTEN / "models" / kind).save(root / kind)
        yield root
    os.chdir(here)


@pytest.fixture
def folder(saved, tmp_path):
    """`folder("lora")`: a copy that a test may damage."""
    return lambda kind: Path(shutil.copytree(saved / kind, tmp_path / kind))


def manifest_of(folder):
    return json.loads((folder / "stratune.json").read_text())


def write(folder, manifest):
    (folder / "stratune.json").write_text(json.dumps(sealed(manifest)))


def listed_again(folder):
    """As somebody would who makes a folder by hand: every digest is right."""
    files = {path.name: file_sha256(path) for path in folder.iterdir() if path.name != "stratune.json"}
    write(folder, {**manifest_of(folder), "files": files})


def changed_tensors(folder, file, change):
    tensors = load_file(folder / file)
    save_file(change(dict(tensors)), folder / file)
    listed_again(folder)


# -- names of files ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "/etc/passwd", "members/0/x.json", "..", "", "a\n.json"]
)
def test_a_name_that_leads_out_of_the_folder_is_never_opened(name, folder, monkeypatch):
    made = folder("lora")
    manifest = manifest_of(made)
    write(made, {**manifest, "files": {**manifest["files"], name: "0" * 64}})
    opened = []
    monkeypatch.setattr("stratune.predictor.manifest.file_sha256", lambda path: opened.append(path.name))
    with pytest.raises(ArtifactError, match="no name of a file in this folder|not the bytes"):
        Predictor.load(made)
    assert set(opened) <= set(manifest["files"])


def test_a_link_that_leads_out_of_the_folder_is_not_followed(folder, tmp_path):
    made = folder("lora")
    shutil.move(made / "head.safetensors", tmp_path / "elsewhere.safetensors")
    (made / "head.safetensors").symlink_to(tmp_path / "elsewhere.safetensors")
    with pytest.raises(ArtifactError, match="head.safetensors: leads out of the model folder"):
        Predictor.load(made)


@pytest.mark.parametrize(
    "name", ["changed.safetensors", "prompt.safetensors", "adapter_model.bin", "head.pt"]
)
def test_a_file_that_the_manifest_does_not_list_is_refused(name, folder):
    made = folder("lora")
    shutil.copy(made / "head.safetensors", made / name)
    with pytest.raises(ArtifactError, match=f"{name}: not a file of this model"):
        Predictor.load(made)


def test_a_readme_of_the_users_own_may_lie_in_it(folder):
    made = folder("lora")
    (made / "README.md").write_text("From Anna.")
    assert Predictor.load(made).predict(ROWS)


def test_a_pickle_in_the_place_of_an_adapter_is_never_opened(folder, monkeypatch):
    """peft reads adapter_model.bin where there are no safetensors."""
    made = folder("lora")
    (made / "adapter_model.safetensors").rename(made / "adapter_model.bin")
    listed_again(made)
    monkeypatch.setattr(torch, "load", None)
    with pytest.raises(ArtifactError, match="adapter_model.safetensors: missing"):
        Predictor.load(made)


def test_pefts_configuration_cannot_name_a_module_to_import(folder, tmp_path, monkeypatch):
    made = folder("lora")
    (tmp_path / "evil.py").write_text("raise SystemExit('ran')")
    monkeypatch.syspath_prepend(tmp_path)
    config = json.loads((made / "adapter_config.json").read_text())
    config |= {"megatron_config": {"a": 1}, "megatron_core": "evil", "base_model_name_or_path": "../evil"}
    (made / "adapter_config.json").write_text(json.dumps(config))
    listed_again(made)
    assert Predictor.load(made).predict(ROWS)


# -- what was saved, and nothing else ------------------------------------------------------------------------


def test_labels_that_were_swapped_are_refused(folder):
    made = folder("lora")
    manifest = manifest_of(made)
    manifest["task"]["labels"].reverse()
    (made / "stratune.json").write_text(json.dumps(manifest))
    with pytest.raises(ArtifactError, match=r"stratune.json: damaged \(not what was saved\)"):
        Predictor.load(made)


def test_labels_that_were_swapped_in_a_member_of_an_ensemble(folder):
    made = folder("ensemble")
    manifest = manifest_of(made / "members" / "0")
    manifest["task"]["labels"].reverse()
    write(made / "members" / "0", manifest)
    with pytest.raises(ArtifactError, match="members/0: it predicts something else than the ensemble"):
        Predictor.load(made)


FILES = [
    ("lora", "adapter_model.safetensors"),
    ("lora", "head.safetensors"),
    ("full", "changed.safetensors"),
    ("prefix", "changed.safetensors"),
    ("soft_prompt", "around.safetensors"),
]


@pytest.mark.parametrize("number", [np.nan, np.inf])
@pytest.mark.parametrize("kind, file", [*FILES, ("tfidf", "baseline.safetensors")])
def test_weights_that_are_no_numbers_are_refused(kind, file, number, folder):
    made = folder(kind)

    def harm(tensors):
        name = sorted(tensors)[-1]
        tensors[name] = tensors[name].copy()
        tensors[name].flat[0] = number
        return tensors

    changed_tensors(made, file, harm)
    with pytest.raises(ArtifactError, match=f"{file}: damaged .* has NaN or infinite numbers"):
        Predictor.load(made)


@pytest.mark.parametrize("kind, file", FILES)
def test_half_of_the_tensors_is_not_enough(kind, file, folder):
    """An adapter without lora_B, a head without its matrix: the rest would be random, or zero."""
    made = folder(kind)
    changed_tensors(made, file, lambda tensors: {k: tensors[k] for k in sorted(tensors)[:-1]})
    with pytest.raises(ArtifactError, match=r"damaged \(its files lack the tensor"):
        Predictor.load(made)


@pytest.mark.parametrize("kind, file", FILES)
def test_a_file_of_tensors_that_is_not_there_and_not_listed(kind, file, folder):
    made = folder(kind)
    (made / file).unlink()
    listed_again(made)
    with pytest.raises(ArtifactError, match="lack the tensor|missing"):
        Predictor.load(made)


@pytest.mark.parametrize("kind, file", FILES)
def test_tensors_of_another_shape_or_name(kind, file, folder):
    made = folder(kind)

    def cut(tensors):
        name = sorted(tensors)[0]
        return {**tensors, name: np.concatenate([tensors[name], tensors[name]])}

    changed_tensors(made, file, cut)
    with pytest.raises(ArtifactError, match="does not fit this backbone, where its strategy has"):
        Predictor.load(made)


def test_a_rank_that_no_tensor_has_is_not_allocated(folder):
    made = folder("lora")
    manifest = manifest_of(made)
    manifest["strategy"]["rank"] = 10**9
    write(made, manifest)
    with pytest.raises(ArtifactError, match=r"strategy.rank: 1000000000, and no tensor is that large"):
        Predictor.load(made)


def test_ensembles_in_ensembles_end(folder, saved):
    made = folder("ensemble")
    inner = made
    for _ in range(5):
        inner = inner / "members" / "0"
        shutil.rmtree(inner)
        shutil.copytree(saved / "ensemble", inner)
    with pytest.raises(ArtifactError, match="ensembles in ensembles, more than 3 deep"):
        Predictor.load(made)


# -- anything at all -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(8))
def test_whatever_happens_to_a_manifest_is_one_line(seed, saved, tmp_path):
    """50 mutations each, of manifests of formats 1 and 3 and of baseline.json: it answers, or says why not."""
    for number in range(50):
        draw = random.Random(1000 * seed + number)
        source = draw.choice([*(WRITTEN / "models" / kind for kind in OLD), *(saved / kind for kind in NEW)])
        folder = Path(shutil.copytree(source, tmp_path / str(number)))
        harm(folder, draw)
        try:
            predictor = Predictor.load(folder)
            pairs = predictor.task.text_pair
            predictor.predict([(row, row) for row in ROWS] if pairs else ROWS)
        except StratuneError as error:
            assert "\n" not in str(error) and len(str(error)) <= 480
        shutil.rmtree(folder)


def harm(folder, draw):
    path = draw.choice(sorted(folder.rglob("*.json")))
    value = json.loads(path.read_text())
    if path.name != "stratune.json":
        path.write_bytes(mutated_text(value, draw))
        listed_again(path.parent)
    elif value["format"] == 3 and draw.random() < 0.8:
        made = mutated(value, draw)
        path.write_bytes(json.dumps(sealed(made)).encode("utf-8", "surrogatepass"))
    else:
        path.write_bytes(mutated_text(value, draw))


def test_no_brackets_are_too_many(folder):
    made = folder("tfidf")
    (made / "stratune.json").write_text("[" * 100_000)
    with pytest.raises(ArtifactError, match=r"stratune.json: damaged \("):
        Predictor.load(made)
