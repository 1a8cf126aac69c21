"""What a comparison of transcripts leaves out is taken from the scores, and said."""

from __future__ import annotations

import pytest

from stratune.cli.compare import configure
from stratune.comparison.calls import completed, kind_of
from stratune.comparison.source import read_split
from stratune.config import parse_config
from stratune.errors import ConfigError
from stratune.strategy import parse_strategy
from stratune.strategy.defaults import long_strategies
from stratune.transcript.read import is_of_calls
from tests.cli.test_texts import THINGS


@pytest.fixture
def calls(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "calls").mkdir()
    for number in range(12):
        words = " ".join(f"{thing}{number}" for thing in THINGS)
        said = f"Ann: How was it?\nBob {number % 3}: {words}.\n"
        (tmp_path / "calls" / f"call{number}.txt").write_text(said)
    sheet(tmp_path, "score", [f"{number}.5" for number in range(12)])
    return tmp_path


def sheet(folder, head, cells):
    lines = [f'call{number},"{cell}"' for number, cell in enumerate(cells)]
    (folder / "scores.csv").write_text("\n".join([f"document,{head}", *lines]) + "\n")


def configured(*arguments, **options):
    return configure(list(arguments), None, {"scores": "scores.csv", **options})


@pytest.mark.parametrize(
    ("values", "kind", "why"),
    [
        (["yes", "no", "yes"], "classification", "2 different names"),
        ([0, 1, 1, 0], "classification", "2 different numbers"),
        (["1", "2", "3", "3", "2.0"], "ordinal", "3 different numbers"),
        ([1.0, 1.5, 2.0] * 2, "ordinal", "3 different numbers"),
        ([1.0, 1.5, 2.0], "regression", "3 different numbers"),
        (["7,5", "8,25", "3,1", "9"], "regression", "4 different numbers"),
        (list(range(11)), "regression", "11 different numbers"),
        (["3", "good"], "classification", "2 different names"),
        ([None, ""], "classification", "0 different names"),
    ],
)
def test_the_kind_follows_from_the_scores(values, kind, why):
    assert kind_of(values) == (kind, why)


def test_a_folder_and_its_scores_are_enough(calls):
    config = configured("calls")
    assert (config.task.label, config.task.kind) == ("score", "regression")
    assert config.data.transcripts.unit == "document" and config.data.transcripts.labels == "scores.csv"
    assert config.strategies[0] == "mean"
    split, _ = read_split(config)
    assert len(split.train) + len(split.test) == 12 and split.task.kind == "regression"


def test_what_is_said_stays(calls):
    config = configured("calls", kind="classification", unit="speaker", by="exchange", clean="noise,fillers")
    assert (config.task.kind, config.data.transcripts.by) == ("classification", "exchange")
    assert list(config.data.transcripts.clean) == ["noise", "fillers"]


def test_every_thing_that_was_taken_is_told(calls):
    fields = {"data": {"source": "calls", "transcripts": {"labels": "scores.csv", "unit": "speaker"}}}
    config, notes = completed(parse_config(fields))
    assert config.task.group == "speaker"
    assert notes == [
        "the label is 'score' (`--label`)",
        "'score' has 12 different numbers: a regression (`--kind`)",
        "4 speakers are in several documents: each is on one side of the split (`--group`)",
    ]
    again, notes = completed(config)
    assert again == config and not [note for note in notes if "label" in note]


def test_long_calls_are_read_in_chunks(calls):
    for number in range(12):
        (calls / "calls" / f"call{number}.txt").write_text(f"Ann: {'word ' * 400}{number}\n")
    config = configured("calls")
    assert list(config.strategies) == [
        parse_config({"data": {"source": "x"}, "strategies": [one]}).strategies[0]
        for one in long_strategies("regression")
    ]
    assert configured("calls", strategies="mean").strategies == ("mean",)
    names = [parse_strategy(one).name for one in long_strategies("ordinal")]
    assert len(set(names)) == len(names) == 7


def test_several_columns_are_a_question(calls):
    sheet(calls, "score,mood", ['3","good'] * 12)
    with pytest.raises(
        ConfigError, match=r"task.label: which column of scores.csv is the label\? score, mood"
    ):
        configured("calls")
    assert configured("calls", label="mood").task.kind == "classification"


def test_calls_without_scores_ask_for_them(calls):
    with pytest.raises(ConfigError, match="no score is there: name a table of them"):
        configure(["calls"], None, {})


def test_data_is_named_once(calls):
    with pytest.raises(ConfigError, match="calls is data, too"):
        configure(["calls"], "calls", {})


def test_a_table_as_the_first_argument_is_data(calls):
    config = configure(["scores.csv"], None, {"text": "document", "label": "score"})
    assert config.data.source == "scores.csv" and config.data.transcripts is None
    assert config.task.kind == "classification"  # of tables nothing is inferred


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("calls", True),
        ("call.vtt", True),
        ("call.txt", True),
        ("a.csv", False),
        ("a.xlsx", False),
        ("a.docx", True),
        ("a.json", False),
        ("a.yaml", False),
    ],
)
def test_what_only_transcripts_are(calls, name, found):
    assert is_of_calls(name) is found


def test_a_written_configuration_is_taken_at_its_word(calls):
    (calls / "c.yaml").write_text(
        "data: {source: calls, transcripts: {labels: scores.csv}}\ntask: {label: score}\nstrategies: [majority]\n"
    )
    assert configure(["c.yaml"], None, {}).task.kind == "classification"
