"""export --to mlflow: MLflow alone loads and serves our predictor's answers."""

import json

import pandas as pd
import pytest
import yaml
from fastapi.testclient import TestClient

from stratune.errors import ArtifactError, ConfigError
from stratune.export.extra import need_libraries
from stratune.export.mlflow_loader import Answers
from stratune.export.mlflow_model import export_mlflow
from stratune.predictor.written import answer_columns
from stratune.testing.trained import fitted, split_of

# Of MLflow alone: it uses what others will drop, and does not like the hints of its own agents.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore:.*Any type hint:UserWarning")

TEXTS = ["the cat saw a dog near the old house", "", "rain and snow"]


def loaded(folder):
    from mlflow.pyfunc import load_model

    return load_model(str(folder))


@pytest.mark.parametrize("kind", ["classification", "multilabel", "regression"])
def test_each_kind_of_task(kind, tmp_path):
    predictor = fitted("tfidf", None, split_of(kind)).predictor
    found = loaded(export_mlflow(predictor, tmp_path / "out")).predict(pd.DataFrame({"text": TEXTS}))
    pd.testing.assert_frame_equal(
        found, pd.DataFrame(answer_columns(predictor, predictor.answer(TEXTS, None)))
    )


def test_it_is_served_with_the_signature_that_it_has(tmp_path):
    from mlflow.pyfunc.scoring_server import init

    predictor = fitted("tfidf", None, split_of(pairs=True)).predictor
    folder = export_mlflow(predictor, tmp_path / "out")
    about = yaml.safe_load((folder / "MLmodel").read_text())
    assert about["flavors"]["python_function"]["loader_module"] == "stratune.export.mlflow_loader"
    names = [one["name"] for one in json.loads(about["signature"]["inputs"])]
    assert names == [predictor.task.text, predictor.task.text_pair]
    assert not [path for path in folder.rglob("*") if path.suffix in (".pkl", ".pickle")]
    client = TestClient(init(loaded(folder)))
    rows = [dict(zip(names, (text, TEXTS[0]), strict=True)) for text in TEXTS]
    answer = client.post("/invocations", json={"inputs": rows})
    assert answer.status_code == 200, answer.text
    wanted = pd.DataFrame(answer_columns(predictor, predictor.answer(TEXTS, [TEXTS[0]] * 3)))
    assert answer.json()["predictions"] == wanted.to_dict("records")
    refused = client.post("/invocations", json={"inputs": [{"other": "a"}]})
    assert refused.status_code == 400
    example = (folder / "README.md").read_text().partition("-d '")[2].partition("'")[0]
    assert client.post("/invocations", json=json.loads(example)).status_code == 200


def test_other_answers_are_caught(tmp_path, monkeypatch):
    predictor = fitted("tfidf", None, split_of()).predictor
    answers = Answers.predict

    def other(self, model_input, params=None):
        found = answers(self, model_input, params)
        return found.assign(**{found.columns[1]: found[found.columns[1]] + 1e-3})

    monkeypatch.setattr(Answers, "predict", other)
    with pytest.raises(ArtifactError, match="loaded by MLflow it answers otherwise: score_"):
        export_mlflow(predictor, tmp_path / "out")
    assert not list(tmp_path.iterdir())


def test_without_mlflow_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(
        ConfigError, match=r"'mlflow' needs mlflow, not installed here: pip install 'stratune\[track\]'"
    ):
        need_libraries("mlflow")
