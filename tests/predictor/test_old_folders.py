"""Model folders of version 0.6.0, of every kind: they load, answer as they did, and may be saved again.

What differs: thresholds of label sets were taken off the logits then, so that they moved probabilities.
"""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit, logit

from stratune.predictor.predictor import Predictor
from tests.folders.served import SERVERS
from tests.remote.scripted import Scripted

WRITTEN = Path(__file__).parents[1] / "folders" / "0.6.0"
KINDS = sorted(path.stem for path in (WRITTEN / "answers").glob("*.json"))


@pytest.fixture
def folder(request, tmp_path, monkeypatch):
    """A folder as it was written; its backbone is found, or its server stands where the manifest says."""
    kind = request.param
    monkeypatch.chdir(WRITTEN / "backbones")
    if kind not in SERVERS:
        yield WRITTEN / "models" / kind
        return
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    server = Scripted(SERVERS[kind])
    yield moved(kind, tmp_path / "moved", f"{server.url}#tiny")
    server.close()


def moved(kind, folder, backbone):
    """A copy that names another backbone."""
    shutil.copytree(WRITTEN / "models" / kind, folder)
    manifest = json.loads((folder / "stratune.json").read_text())
    manifest["backbone"]["id"] = backbone
    (folder / "stratune.json").write_text(json.dumps(manifest))
    return folder


def rows_of(expected):
    return [row if isinstance(row, str) else tuple(row) for row in expected["rows"]]


def answers_of(predictor, expected):
    """Probabilities or values as floats (None, of an invalid row, becomes NaN), and what is predicted."""
    rows = rows_of(expected)
    predicted = [[one.label, one.value, one.invalid, one.tokens_cut] for one in predictor.predict(rows)]
    return np.array(predictor.predict_proba(rows), dtype=float), predicted


def tolerance_of(folder):
    """Processors round sums of bfloat16 in other orders: with AVX2 and with AVX-512 they differ by 5e-5."""
    manifests = [json.loads(path.read_text()) for path in folder.rglob("stratune.json")]
    return 1e-3 if any(manifest.get("precision") == "bfloat16" for manifest in manifests) else 1e-5


def check(predictor, expected, shifts=(0.0,), atol=1e-5):
    probabilities, predicted = answers_of(predictor, expected)
    wanted = np.array(expected["probabilities"], dtype=float)
    if any(shifts):
        wanted = expit(logit(wanted) + shifts)
    np.testing.assert_allclose(probabilities, wanted, atol=atol)
    for (label, value, *rest), (wanted_label, wanted_value, *wanted_rest) in zip(
        predicted, expected["predictions"], strict=True
    ):
        assert (label, rest) == (wanted_label, wanted_rest)
        if wanted_value is not None:
            assert value == pytest.approx(wanted_value, abs=atol)
    assert list(predictor.labels) == expected["labels"]
    assert {key: predictor.about.get(key) for key in expected["about"]} == expected["about"]


@pytest.mark.parametrize("folder, kind", [(kind, kind) for kind in KINDS], ids=KINDS, indirect=["folder"])
def test_a_folder_of_0_6_0_answers_as_it_did_and_is_saved_again(folder, kind, tmp_path):
    expected = json.loads((WRITTEN / "answers" / f"{kind}.json").read_text())
    manifest = json.loads((folder / "stratune.json").read_text())
    backbone = manifest["backbone"] or {"id": ""}
    named = [backbone["id"].partition("#")[0]] if kind in SERVERS else []
    predictor = Predictor.load(folder, allow_server=named)
    shifts = manifest["objective"].get("shifts", (0.0,)) if "objective" in manifest else (0.0,)
    atol = tolerance_of(folder)
    check(predictor, expected, shifts, atol)
    check(Predictor.load(predictor.save(tmp_path / "again"), allow_server=named), expected, shifts, atol)


def test_every_kind_is_there():
    assert {path.name for path in (WRITTEN / "models").iterdir()} == set(KINDS) and len(KINDS) > 50
    assert set(SERVERS) <= set(KINDS)
    assert {json.loads(path.read_text())["format"] for path in WRITTEN.glob("models/*/stratune.json")} == {1}
