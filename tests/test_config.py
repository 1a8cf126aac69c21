"""config.yaml: every default written out, old spellings read, mistakes named by place and value."""

import pytest
import yaml

from stratune.config import DataConfig, parse_config, read_config
from stratune.data.split import FRACTIONS
from stratune.errors import ConfigError
from stratune.task import Bins
from stratune.train.settings import Budget, TrainSettings

DATA = {"source": "reviews.csv"}


def test_what_is_saved_reads_back_the_same(tmp_path):
    transcripts = {"clean": "fillers, repeats", "keep": {"year": 2012}, "sections": [1, "closing"]}
    config = parse_config(
        {
            "data": {**DATA, "transcripts": transcripts, "train_rows": 0.5, "val_rows": 100},
            "task": {"kind": "ordinal", "labels": [1, 2], "bins": {"names": ["low", "high"]}},
            "strategies": ["tfidf", {"preset": "lora", "rank": 4}],
            "train": {"class_weights": {"1": 2.0}, "track": ["mlflow"]},
            "remote": {"price": [0.1, 0.2]},
        }
    )
    config.save(tmp_path / "config.yaml")
    again = read_config(tmp_path / "config.yaml")
    assert again.model_dump(mode="json") == config.model_dump(mode="json")
    assert again.task.labels == ("1", "2") and again.task.bins == Bins(names=("low", "high"))
    assert list(again.data.transcripts.clean) == ["fillers", "repeats"]
    assert list(again.data.transcripts.sections) == ["1", "closing"]


def test_every_default_is_written_out(tmp_path):
    parse_config({"data": DATA}).save(tmp_path / "config.yaml")
    written = yaml.safe_load((tmp_path / "config.yaml").read_text())
    sections = ["data", "task", "strategies", "backbones", "llms", "seeds", "budget", "train", "remote"]
    assert list(written) == sections
    assert written["strategies"][:2] == ["majority", "tfidf"] and written["budget"] == {"epochs": 4.0}
    assert list(written["train"])[:2] == ["precision", "class_weights"] and written["train"]["track"] == []


def test_the_defaults_are_those_of_what_they_are_handed_to():
    config = parse_config({"data": DATA})
    assert (config.budget, config.train) == (Budget(), TrainSettings())
    assert DataConfig(source="x").fractions == FRACTIONS


def test_values_have_a_mean_where_labels_have_a_majority():
    of_values = parse_config({"data": DATA, "task": {"kind": "regression"}}).strategies
    assert of_values == ("mean", *parse_config({"data": DATA}).strategies[1:])
    asked = {"data": DATA, "task": {"kind": "regression"}, "strategies": ["tfidf"]}
    assert parse_config(asked).strategies == ("tfidf",)


def test_spellings_of_older_versions_are_read():
    old = {"budget": {"epochs": 2, "trials": 1}, "train": {"pass_tokens": 512}}
    config = parse_config({"data": DATA, **old})
    assert config.budget == Budget(epochs=2.0) and config.train.micro_batch_tokens == 512


WRONG = [
    ({"budget": {"epoch": 3}}, r"budget.epoch: 'epoch' is not one of epochs \(did you mean 'epochs'\?\)"),
    ({"budget": {"epochs": "many"}}, "budget.epochs: 'many': input should be a valid number"),
    ({"budget": {"epochs": 0}}, "budget.epochs: 0.0 is not above 0"),
    ({"budget": {"trials": 2}}, "budget.trials: 2: only one trial per strategy is supported yet"),
    ({"train": {"pass_tokens": 0}}, "train.micro_batch_tokens: 0 is below 1"),
    ({"train": {"class_weights": 3}}, "train.class_weights: 3: input should be"),
    ({"remote": {"wrkers": 1}}, r"remote.wrkers: 'wrkers' is not one of .*\(did you mean 'workers'\?\)"),
    ({"task": {"bins": {"quantiles": -1}}}, "task.bins.quantiles: -1 is below 0"),
    ({"task": {"bins": {"edges": ["a"]}}}, "task.bins.edges.0: 'a': input should be a valid number"),
    ({"strategies": [3]}, "strategies.0: 3: input should be a valid string"),
    ({"data": {**DATA, "train_rows": "many"}}, "data.train_rows: 'many': input should be a valid"),
    ({"data": {**DATA, "fractions": [0.5, 0.5]}}, "data.fractions.2: missing"),
    ({"data": {}}, "data.source: missing"),
    ({"data": {**DATA, "transcripts": {"unit": "documents"}}}, "unit: 'documents' is not one of"),
]


@pytest.mark.parametrize(("fields", "message"), WRONG)
def test_what_is_wrong_is_named_by_its_place(fields, message):
    with pytest.raises(ConfigError, match=f"^{message}"):
        parse_config({"data": DATA, **fields})
