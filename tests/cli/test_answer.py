"""stratune predict OUT "a text": the winner of a comparison answers; what looks like a file is one."""

import json
import shlex
import shutil

import pandas as pd
import pytest
from typer.testing import CliRunner

import stratune as st
from stratune.cli import app
from stratune.cli.answer import is_text
from stratune.errors import ConfigError, DataError
from stratune.files import read_json, write_json
from stratune.testing import toy_split


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    """A comparison of two baselines, of which tfidf wins."""
    rows = [{"text": r["text"], "label": r["label"]} for table in toy_split().parts.values() for r in table]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STRATUNE_CACHE", str(tmp_path_factory.mktemp("cache")))
        place = tmp_path_factory.mktemp("answer") / "out"
        return st.compare(rows, strategies="majority,tfidf", out=place, progress=False).out


def ask(*arguments):
    return CliRunner().invoke(app, ["predict", *map(str, arguments)])


def test_a_text_is_answered_by_the_winner_with_the_probabilities_of_labels(out):
    (expected,) = st.Board.load(out).model("tfidf").predict(["the cat saw rain"])
    done = ask(out, "the cat saw rain")
    assert done.exit_code == 0, done.exception
    first, *lines = done.output.splitlines()
    assert first == expected.label and lines[0].split()[0] == expected.label
    assert [float(line.split()[1]) for line in lines] == sorted(
        (round(score, 3) for score in expected.scores.values()), reverse=True
    )
    assert lines[0].count("█") == round(30 * max(expected.scores.values()))


def test_the_answer_as_json(out):
    (expected,) = st.Board.load(out).best.predict(["the cat saw rain"])
    found = json.loads(ask(out, "the cat saw rain", "--json").output)
    assert found["prediction"] == expected.label and found["tokens_cut"] == 0
    assert found["scores"] == pytest.approx(expected.scores, abs=1e-6)


@pytest.mark.parametrize("pairs", [False, True])
def test_the_command_that_ends_a_comparison_answers(pairs, tmp_path):
    tables = toy_split(pairs=pairs).parts.values()
    names = ["text", *(["text_pair"] if pairs else []), "label"]
    rows = [{name: row[name] for name in names} for table in tables for row in table]
    pair = {"pair": "text_pair"} if pairs else {}
    board = st.compare(rows, strategies="tfidf", out=tmp_path / "my out", progress=False, **pair)
    program, *arguments = shlex.split(board.verdict.command)
    done = CliRunner().invoke(app, arguments)
    assert program == "stratune" and done.exit_code == 0, done.exception
    assert done.output.split()[0] in toy_split().task.labels


def test_the_winner_answers_and_another_row_when_it_is_named(out, tmp_path):
    place = shutil.copytree(out, tmp_path / "out")
    board = read_json(place / "leaderboard.json")
    for row in board["rows"]:
        row["winner"] = row["strategy"] == "majority"
    write_json(place / "leaderboard.json", board)

    def scores(*more):
        return json.loads(ask(place, "the cat saw rain", "--json", *more).output)["scores"]

    assert scores() == scores("--strategy", "majority") != scores("--strategy", "tfidf")
    assert (
        scores()
        == json.loads(ask(st.Board.load(place).model_folder(), "the cat saw rain", "--json").output)["scores"]
    )


def test_a_file_is_answered_by_the_winner_too(out, tmp_path):
    pd.DataFrame({"text": ["the cat saw rain", "snow"]}).to_csv(tmp_path / "new.csv", index=False)
    done = ask(out, tmp_path / "new.csv", "-o", tmp_path / "answers.csv", "--quiet")
    assert done.exit_code == 0, done.exception
    expected = [p.label for p in st.Board.load(out).best.predict(["the cat saw rain", "snow"])]
    assert list(pd.read_csv(tmp_path / "answers.csv")["prediction"]) == expected


@pytest.mark.parametrize(
    "words", ["reviews.csv", "my reviews.csv", "data/new.jsonl", "notes.txt", "./here", "~/x", "a.csv.gz"]
)
def test_what_looks_like_a_file_and_is_none_is_no_text(words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match="no such file"):
        is_text(words)


@pytest.mark.parametrize(
    "words", ["dull", "I liked it.", "good/bad and more", "x" * 10_000, "ok...", "Was it good? Yes"]
)
def test_words_are_a_text(words):
    assert is_text(words)


@pytest.mark.parametrize("words", ["-", "demo:reviews", "hub:imdb", "."])
def test_names_of_data_are_no_text(words):
    assert not is_text(words)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["one text", "another"], r"INPUT: this model takes one text \(put quotes around it\); 2 are there"),
        (["one text", "."], "INPUT: one file at a time, or texts alone"),
        (["one text", "-o", "x.csv"], "--output: it goes with a file of texts"),
        ([".", "--json"], "--json: it goes with a text"),
        (["one text", "--strategy", "tfdf"], "did you mean 'tfidf'"),
        (["one text", "--explain"], "explain: this model reads texts whole"),
    ],
)
def test_what_does_not_go_together_is_one_line(out, arguments, message):
    done = ask(out, *arguments)
    assert isinstance(done.exception, ConfigError)
    with pytest.raises(ConfigError, match=message):
        raise done.exception


def test_a_row_is_named_only_of_a_comparison(out):
    done = ask(st.Board.load(out).model_folder(), "a text", "--strategy", "tfidf")
    assert "is not the folder of a comparison" in str(done.exception)


def test_show_ends_with_the_line_that_asks_the_winner(out):
    shown = CliRunner().invoke(app, ["show", str(out)]).output.splitlines()
    assert shown[-1] == st.Board.load(out).verdict.command
