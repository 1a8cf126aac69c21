"""config.yaml: every default written out, old spellings read, mistakes named by place and value."""

from pathlib import Path

import pytest
import yaml

from stratune.cli import main
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
    sections = [
        "data",
        "task",
        "strategies",
        "backbones",
        "llms",
        "seeds",
        "sizes",
        "transfer",
        "budget",
        "train",
        "decide",
        "remote",
    ]
    assert list(written) == [*sections, "prefer", "report"]
    assert written["strategies"][:2] == ["majority", "tfidf"] and written["budget"] == {
        "epochs": None,
        "trials": 1,
        "search": "random",
        "minutes": None,
    }
    assert list(written["train"])[:2] == ["precision", "weights"] and written["train"]["track"] == []


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
    (
        {"budget": {"epoch": 3}},
        r"budget.epoch: 'epoch' is not one of epochs, minutes, search, trials \(did you mean 'epochs'\?\)",
    ),
    ({"budget": {"epochs": "many"}}, "budget.epochs: 'many': input should be a valid number"),
    ({"budget": {"epochs": 0}}, "budget.epochs: 0.0 is not above 0"),
    ({"budget": {"trials": 0}}, "budget.trials: 0 is below 1"),
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
    ({"strategy": "tfidf"}, r"strategy: 'strategy' is not one of .*\(did you mean 'strategies'\?\)"),
    ({"seeds": 1_000_000_000}, "seeds: 1000000000: input should be less than or equal to 1000"),
    ({"seeds": 0}, "seeds: 0: input should be greater than or equal to 1"),
    ({"budget": {"epochs": float("inf")}}, "budget.epochs: inf is not a finite number"),
    ({"budget": {"epochs": "inf"}}, "budget.epochs: inf is above 10,000"),
    ({"budget": {"epochs": 1e9}}, "budget.epochs: 1000000000.0 is above 10,000"),
    (
        {"strategies": [{"preset": "lora", "rank": 2**63}]},
        "strategies.0.rank: a whole number of more than 64 bits",
    ),
    ({"train": {"checkpoint_seconds": float("nan")}}, "train.checkpoint_seconds: nan is not a finite number"),
    ({"train": {"checkpoint_seconds": ".nan"}}, "train.checkpoint_seconds: '.nan': "),
    ({"train": {"checkpoint_seconds": "nan"}}, "train.checkpoint_seconds: nan is not a finite number"),
    ({"train": {"checkpoint_seconds": -1}}, "train.checkpoint_seconds: -1.0 is below 0"),
    ({"train": {"class_weights": {"a": float("inf")}}}, "train.class_weights.a: inf is not a finite number"),
    ({"train": {"max_length": 10**12}}, "train.max_length: 10+ is above 2,147,483,647"),
    ({"remote": {"timeout": "inf"}}, "timeout: inf is not a number up to 86,400"),
    ({"remote": {"workers": 10**9}}, "workers: 1000000000 is not a number up to 256"),
    ({"data": {**DATA, "seed": -1}}, "data.seed: -1: input should be greater than or equal to 0"),
    ({"data": {**DATA, "encoding": "hex"}}, "data.encoding: 'hex' is no text encoding"),
    ({"data": {**DATA, "fractions": [0.5, 0.5, 0.5]}}, r"data.fractions: \[0.5, 0.5, 0.5\]: expected three"),
    ({"data": {**DATA, "agreement": 60}}, "data.agreement: 60: expected a share above 0 up to 1"),
    ({"data": {**DATA, "agreement": 0}}, "data.agreement: 0: expected a share above 0 up to 1"),
    ({"data": {**DATA, "no_gold": [True]}}, "data.no_gold: True is no text: quote the labels"),
    ({"data": {**DATA, "train_rows": 0}}, "data.train_rows: 0: expected a count of rows"),
    ({"data": {**DATA, "test_rows": 1.5}}, "data.test_rows: 1.5: expected a count of rows"),
    ({"data": {"source": "hub:"}}, "data.source: 'hub:' names no data"),
    ({"data": {**DATA, "val": " "}}, "data.val: ' ' names no data"),
    ({"task": {"metric": "f1_maco"}}, r"task.metric: 'f1_maco' is not one of .*did you mean 'f1_macro'\?"),
    ({"task": {"kind": "regression", "metric": "accuracy"}}, "task.metric: 'accuracy' is not one of"),
    ({"task": {"kind": "ordinl"}}, "task.kind: 'ordinl': input should be 'classification'"),
    ({"task": {"kind": "multilabel", "annotations": "r"}}, "task.annotations: ratings are of one label"),
    ({"task": {"labels": ["a", "b", "a"]}}, "task.labels: labels repeat"),
    ({"task": {"labels": [True, False]}}, "task.labels: True is no text: quote the labels"),
    ({"task": {"labels": [None]}}, "task.labels: None is no text: quote the labels"),
    ({"task": {"text": 3}}, "task.text: 3: input should be a valid string; put it in quotes"),
    ({"task": {"text": ""}}, "task.text: '' is the name of no column"),
    ({"task": {"text": "\ud800"}}, "task.text: it holds a character that is not valid Unicode"),
]


@pytest.mark.parametrize(("fields", "message"), WRONG)
def test_what_is_wrong_is_named_by_its_place(fields, message):
    with pytest.raises(ConfigError, match=f"^{message}"):
        parse_config({"data": DATA, **fields})


def test_labels_that_look_like_numbers_are_text():
    config = parse_config(
        {"data": DATA, "task": {"labels": [0, 1]}, "train": {"class_weights": {0: 1, 1: 5}}}
    )
    assert config.task.labels == ("0", "1") and config.train.class_weights == {"0": 1.0, "1": 5.0}


def test_labels_of_rows_without_gold_are_text():
    data = {**DATA, "no_gold": ["-", -1, ""], "agreement": 1}
    assert parse_config({"data": data}).data.no_gold == ("-", "-1", "")
    assert parse_config({"data": {**DATA, "no_gold": "-, -1"}}).data.no_gold == ("-", "-1")


def test_labels_yes_and_no_are_text(tmp_path):
    (tmp_path / "own.yaml").write_text("data: reviews.csv\ntask: {labels: [no, yes]}\n")
    assert read_config(tmp_path / "own.yaml").task.labels == ("no", "yes")


def test_a_value_without_an_end_is_one_line():
    endless = []
    endless.append(endless)
    with pytest.raises(ConfigError, match="nested more than 30 deep"):
        parse_config({"data": DATA, "strategies": endless})


# -- addresses with secrets


SECRETS = [
    "http://me:s3cret@host/v1#m",
    "http://s3cret@host/v1#m",
    "https://host/v1?api_key=s3cret#m",
    "https://host/v1#m?key=s3cret",
    "https://host/v1#token=s3cret",
    " http://me:s3cret@host/v1#m",
    "HTTP://me:s3cret@host/v1#m",
    "ftp://me:s3cret@host/v1#m",
]


@pytest.mark.parametrize("address", SECRETS)
@pytest.mark.parametrize(
    "place",
    [
        lambda address: {"llms": [address]},
        lambda address: {"backbones": f"minilm, {address}"},
        lambda address: {"llms": {"own": address}},
        lambda address: {"strategies": [{"preset": "zero_shot", "llm": address}]},
        lambda address: {"data": {"source": address}},
        lambda address: {address: 1},
    ],
    ids=["llm", "backbones", "mapping", "strategy", "data", "key"],
)
def test_a_secret_in_an_address_is_refused_and_not_repeated(address, place):
    with pytest.raises(ConfigError) as caught:
        parse_config({"data": DATA, **place(address)})
    assert "s3cret" not in str(caught.value) and caught.value.__cause__ is None


def test_nothing_is_written_of_a_secret(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own.yaml").write_text("data: demo:reviews\nstrategies: [zero_shot]\n")
    for arguments in (["own.yaml", f"llms=['{SECRETS[0]}']"], ["own.yaml", "--llm", SECRETS[2]]):
        with pytest.raises(SystemExit) as stopped:
            main(["compare", *arguments, "--out", "out"])
        assert stopped.value.code == 2 and "s3cret" not in "".join(capsys.readouterr())
    assert [path.name for path in tmp_path.iterdir()] == ["own.yaml"]


# -- the same comparison from any folder


def project(folder):
    """A project with data, a template and a model; its configuration as a comparison writes it."""
    for name in ("data/reviews.csv", "data/labels.csv", "own.yaml", "models/tiny/config.json"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("here")
    readout = {"template": "own.yaml", "tries": {"template": ["own.yaml", "short"]}}
    return parse_config(
        {
            "data": {"source": "data/reviews.csv", "test": str(folder / "data/labels.csv")},
            "strategies": ["tfidf", {"preset": "zero_shot", "readout": readout}],
            "backbones": ["minilm", "models/tiny", "org/model"],
            "llms": ["http://host/v1#m"],
        }
    )


def files_of(config):
    spec = config.strategies[1]["readout"]
    named = [config.data.source, config.data.test, config.backbones[1]]
    named += [spec["template"], spec["tries"]["template"][0]]
    return [Path(one) for one in named]


def test_a_saved_configuration_works_from_any_folder_and_when_moved(tmp_path, monkeypatch):
    before, after, other = tmp_path / "before", tmp_path / "after", tmp_path / "other"
    before.mkdir()
    monkeypatch.chdir(before)
    config = project(before)
    config.save("out/reviews/config.yaml")
    assert read_config("out/reviews/config.yaml").backbones == config.backbones  # runs keep their names
    (other / "data").mkdir(parents=True)
    (other / "data" / "reviews.csv").write_text("another")
    monkeypatch.chdir(other)
    again = read_config(before / "out/reviews/config.yaml")
    assert all(path.is_absolute() and path.exists() for path in files_of(again))
    assert Path(again.data.source).read_text() == "here"
    before.rename(after)
    moved = read_config(after / "out/reviews/config.yaml")
    assert all(path.is_relative_to(after) and path.exists() for path in files_of(moved))
    assert (moved.backbones[0], moved.backbones[2], moved.llms) == ("minilm", "org/model", config.llms)


def test_data_far_away_are_named_absolutely(tmp_path, monkeypatch):
    (tmp_path / "a/b/c").mkdir(parents=True)
    (tmp_path / "far.csv").write_text("here")
    monkeypatch.chdir(tmp_path)
    parse_config({"data": {"source": "far.csv"}}).save("a/b/c/config.yaml")
    written = yaml.safe_load((tmp_path / "a/b/c/config.yaml").read_text())
    assert written["data"]["source"] == str(tmp_path / "far.csv")
