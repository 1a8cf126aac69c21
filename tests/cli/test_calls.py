"""stratune predict MODEL CALLS: the answers that the same calls had in the comparison."""

from __future__ import annotations

import json
from dataclasses import replace

import pandas as pd
import pytest
from typer.testing import CliRunner

from stratune.cli import app
from stratune.comparison.board import Board
from stratune.comparison.comparison import run_comparison
from stratune.comparison.evaluation import evaluate
from stratune.config import parse_config
from stratune.engine.inline import InlineEngine
from stratune.errors import ArtifactError, DataError
from stratune.predictor.predictor import Predictor
from stratune.testing import toy_split
from stratune.transcript import Transcript, Turn, clean
from tests.cli.test_texts import THINGS
from tests.helpers import trained

FOOTER = "This call may be recorded for training."


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Twelve .vtt files, a sheet of labels, and a comparison of them."""
    home = tmp_path_factory.mktemp("calls")
    (home / "calls").mkdir()
    for number, thing in enumerate(THINGS):
        word = "good" if number % 2 else "bad"
        said = [("Ann", "Um, how was it?"), ("Bob", f"A {word} {thing}, um, {word} indeed."), ("Ann", FOOTER)]
        cues = [
            f"00:00:0{i}.000 --> 00:00:0{i + 1}.000\n<v {who}>{text}\n" for i, (who, text) in enumerate(said)
        ]
        (home / "calls" / f"call{number}.vtt").write_text("\n".join(["WEBVTT\n", *cues]))
    labels = [f"call{number},{'yes' if number % 2 else 'no'}" for number in range(12)]
    (home / "labels.csv").write_text("\n".join(["document,happy", *labels]) + "\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STRATUNE_CACHE", str(home / "cache"))
        for unit in ("document", "speaker"):
            compare(home, unit)
    return home


def compare(home, unit):
    own = {
        "labels": str(home / "labels.csv"),
        "clean": ["fillers", "boilerplate"],
        "unit": unit,
        "min_words": 3,
        "keep": {"happy": ["yes", "no"]},
    }
    data = {"source": str(home / "calls"), "transcripts": own, "fractions": [0.5, 0.25, 0.25]}
    fields = {"data": data, "task": {"label": "happy"}, "strategies": ["tfidf"]}
    with InlineEngine() as engine:
        assert [r.status for r in run_comparison(parse_config(fields), home / unit, engine=engine)] == ["ok"]


def predict(*arguments):
    return CliRunner().invoke(app, ["predict", *map(str, arguments)])


def rows_of(done):
    assert done.exit_code == 0, done.exception
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("unit", ["document", "speaker"])
def test_a_call_alone_has_the_answer_that_it_had_in_the_test_part(place, unit):
    wanted = Board.load(place / unit).predictions("tfidf", "test").set_index("id")
    assert len(wanted)
    for name, row in wanted.iterrows():
        found = rows_of(predict(place / unit, place / "calls" / f"{name.partition('/')[0]}.vtt"))
        (one,) = [one for one in found if one["id"] == name]
        assert one["prediction"] == row["prediction"]
        assert one["score_yes"] == pytest.approx(row["score_yes"], abs=1e-6)
        assert ("speaker" in one) is (unit == "speaker") and "text" not in one


def test_a_folder_of_calls(place, tmp_path):
    out = tmp_path / "answers.csv"
    done = predict(place / "document", place / "calls", "-o", out)
    assert done.exit_code == 0 and not done.stderr.strip("\n").count("left out")
    found = pd.read_csv(out)
    assert sorted(found["id"]) == sorted(f"call{number}" for number in range(12))
    assert list(found.columns)[:2] == ["id", "document"]
    right = found["id"].str.removeprefix("call").astype(int) % 2 == (found["prediction"] == "yes")
    assert right.mean() > 0.7


def test_how_they_were_read_stands_in_the_model_folder(place):
    kept = json.loads(next((place / "document").glob("runs/*/model/stratune.json")).read_text())[
        "transcripts"
    ]
    assert kept["clean"] == [{"step": "fillers"}, {"step": "boilerplate", "texts": [FOOTER.lower()]}]
    assert kept["unit"] == "document" and not {"labels", "keep", "min_words"} & set(kept)


def test_turns_in_a_table_are_transcripts_and_texts_in_one_are_texts(place, tmp_path):
    turns = tmp_path / "turns.csv"
    turns.write_text(
        "document,speaker,text\nfirst,Ann,How was it?\nfirst,Bob,A good talk\nsecond,Bob,A bad talk\n"
    )
    assert [row["id"] for row in rows_of(predict(place / "document", turns, "--format", "jsonl"))] == [
        "first",
        "second",
    ]
    texts = tmp_path / "texts.csv"
    texts.write_text("text,k\nBob: A good talk,1\nBob: A bad talk,2\nBob: A bad trip,3\n")
    assert [row["k"] for row in rows_of(predict(place / "document", texts, "--format", "jsonl"))] == [
        "1",
        "2",
        "3",
    ]


def test_a_predictor_reads_in_python(place):
    predictor = Board.load(place / "document").best
    rows = predictor.read(place / "calls" / "call1.vtt")
    assert [row["document"] for row in rows] == ["call1"] and "Um" not in rows[0]["text"]
    assert predictor.predict(rows)[0].label == "yes"


def test_a_call_of_which_nothing_is_left_is_told(place, tmp_path):
    (tmp_path / "calls").mkdir()
    cue = "WEBVTT\n\n00:00:01.000 --> 00:00:02.000\n<v Ann>{}\n"
    (tmp_path / "calls" / "one.vtt").write_text(cue.format("Um"))
    (tmp_path / "calls" / "two.vtt").write_text(cue.format("A bad trip, bad indeed."))
    done = predict(place / "document", tmp_path / "calls")
    assert [row["id"] for row in rows_of(done)] == ["two"]
    assert "1 left out: nothing left to read (such as one)" in done.stderr


def test_a_model_of_texts_says_how_to_make_a_table(place, tmp_path, monkeypatch):
    monkeypatch.setenv("STRATUNE_CACHE", str(tmp_path / "cache"))
    model = trained("majority", None, split=toy_split()).predictor.save(tmp_path / "model")
    found = predict(model, place / "calls" / "call1.vtt").exception
    assert isinstance(found, ArtifactError) and "trained on a table of texts; `stratune data texts`" in str(
        found
    )
    with pytest.raises(ArtifactError, match="trained on a table of texts"):
        Predictor.load(model).read(place / "calls")


def test_a_file_that_cannot_be_read_is_one_line(place, tmp_path):
    (tmp_path / "call.vtt").write_text("")
    found = predict(place / "document", tmp_path / "call.vtt").exception
    assert isinstance(found, DataError) and "is empty" in str(found)


def test_what_no_version_has_written_is_an_error(place):
    predictor = Board.load(place / "document").best
    wrong = replace(predictor, about={**predictor.about, "transcripts": {"units": "document"}})
    with pytest.raises(Exception, match="transcripts: 'units' is not one of"):
        wrong.read(place / "calls")


def test_a_sheet_of_speakers_is_kept_with_the_model(tmp_path):
    (tmp_path / "who.csv").write_text("speaker,name,role\nBob,Robert,customer\n")
    transcripts = [
        Transcript("call", (Turn("call", 0, "Bob", "", None, None, "", "Hello."),)),
    ]
    spec = {"step": "speakers", "file": str(tmp_path / "who.csv")}
    _, cleaned = clean(transcripts, [spec])
    (kept,) = cleaned.written_out
    (tmp_path / "who.csv").unlink()
    (again,), _ = clean(transcripts, [kept])
    assert (again.turns[0].speaker, again.turns[0].role) == ("Robert", "customer")
    assert json.loads(json.dumps(kept)) == kept


def test_new_calls_with_scores_are_a_test_part(place, tmp_path):
    """Read, cleaned and cut as those of training, with what cleaning found there."""
    (tmp_path / "new").mkdir()
    cues = "WEBVTT\n\n00:00:00.000 --> 00:00:01.000\n<v Ann>Um, {} {}, {} indeed.\n\n"
    cues += f"00:00:01.000 --> 00:00:02.000\n<v Bob>{FOOTER}\n"
    for number, (word, thing) in enumerate(
        [("good", "car"), ("bad", "car"), ("good", "house"), ("bad", "house")]
    ):
        (tmp_path / "new" / f"n{number}.vtt").write_text(cues.format(word, thing, word))
    (tmp_path / "happy.csv").write_text(
        "file,happy\nn0.vtt,yes\nn1.vtt,no\nn2.vtt,yes\nn3.vtt,no\nn9.vtt,no\n"
    )
    found = evaluate(place / "document", tmp_path / "new", scores=str(tmp_path / "happy.csv"))
    board = Board.load(place / "document" / "evaluations" / "new")
    rows = board.predictions("tfidf", "test").set_index("id")
    assert sorted(rows.index) == ["n0", "n1", "n2", "n3"] and found
    for name, row in rows.iterrows():
        (alone,) = rows_of(predict(place / "document", tmp_path / "new" / f"{name}.vtt"))
        assert alone["score_yes"] == pytest.approx(row["score_yes"], abs=1e-6)
    told = json.loads((place / "document" / "evaluations" / "new" / "split.json").read_text())["notes"]
    assert any("rows of labels unused" in note for note in told)
