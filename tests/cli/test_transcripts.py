"""stratune data turns and clean, through the command-line app."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from stratune.cli import app
from stratune.errors import ConfigError, DataError
from stratune.transcript import read_transcripts


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "in"
    path.mkdir()
    (path / "a.vtt").write_text(
        "WEBVTT\n\n00:01.000 --> 01:31.000\n<v Mr. Smith>Um, the the cat.\n\n02:00.000 --> 02:0\nx\n"
    )
    (path / "b.txt").write_text("ANN: (Applause.)\nBOB: Why?\n")
    (path / "c.mp3").write_bytes(b"x")
    return path


def run(*arguments: object, code: int = 0) -> str:
    result = CliRunner().invoke(app, ["data", *(str(a) for a in arguments)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == code, result.output
    return result.output


def test_turns_tells_what_was_read(folder):
    told = run("turns", folder, "--by", "exchange")
    assert "all 2" in told and "1 x broken cue: a cue whose times cannot be read" in told
    assert "3 pieces by exchange" in told and "not read, of another type" in told and "c.mp3" in told


def test_turns_as_json(folder):
    told = json.loads(run("turns", folder, "--by", "document", "--json"))
    assert told["total"] == {"documents": 2, "turns": 4, "speakers": 3, "words": 7, "minutes": pytest.approx(119 / 60), "troubles": {"broken cue": 1, "no speaker": 1}}  # fmt: skip
    assert told["pieces"] == {"by": "document", "count": 2, "median_words": 5.5}
    assert [about["document"] for about in told["documents"]] == ["a", "b"]


def test_clean_counts_shows_and_writes(folder, tmp_path):
    out = tmp_path / "out"
    told = run("clean", folder, "--steps", "noise,fillers,repeats,speakers", "--diff", "-o", out)
    assert "- Mr. Smith: Um, the the cat.\n+ SMITH: The cat." in told
    assert "a, turn 1: fillers, repeats, speakers" in told and "- ANN: (Applause.)" in told
    assert sorted(file.name for file in out.iterdir()) == ["a.vtt", "b.txt"]
    a, b = read_transcripts(out)
    assert (a.turns[0].speaker, a.turns[0].text, a.turns[0].end) == ("SMITH", "The cat.", 91.0)
    assert [turn.text for turn in b.turns] == ["Why?"]


@pytest.mark.parametrize("name", ["all.csv", "all.json", "all.parquet", "all.jsonl"])
def test_clean_into_one_table(folder, tmp_path, name):
    told = json.loads(run("clean", folder, "--steps", "fillers", "-o", tmp_path / name, "--json"))
    assert told["total"] == {"fillers": 1} and told["out"] == str(tmp_path / name)
    assert [transcript.document for transcript in read_transcripts(tmp_path / name)] == ["a", "b"]


def test_lists_of_the_user(folder, tmp_path):
    own, lines = tmp_path / "fillers.txt", tmp_path / "lines.txt"
    own.write_text("cat\n")
    lines.write_text("why?\n/.*applause.*/\n")
    arguments = ("--steps", "fillers,boilerplate", "--fillers", own, "--boilerplate", lines, "--json")
    told = json.loads(run("clean", folder, *arguments))
    assert told["total"] == {"fillers": 1, "boilerplate": 2} and told["dropped"] == {"a": 0, "b": 2}


def test_columns_of_the_user(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("line,who\nhello there,A\n")
    told = json.loads(run("turns", path, "--columns", "text=line,speaker=who", "--json"))
    assert told["total"]["words"] == 2 and told["documents"][0]["speakers"] == ["A"]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((), ConfigError, "--steps: name at least one of fillers, repeats"),
        (("--steps", "fill"), ConfigError, "steps: 'fill' is not one of fillers"),
        (("--steps", "noise", "--fillers", "x"), ConfigError, "--fillers: needs the step fillers in --steps"),
        (("--steps", "noise", "--columns", "text"), ConfigError, "--columns: 'text' should be <field>=<column>"),
        (("--steps", "noise", "-o", "IN"), ConfigError, "--out: "),
        (("--steps", "noise", "-o", "x.docx"), DataError, "x.docx: file type '.docx' is not one of .vtt"),
        (("--steps", "noise", "-o", "x.txt"), DataError, "x.txt: holds one document, not 2"),
    ],
)  # fmt: skip
def test_wrong_options(folder, monkeypatch, arguments, error, message):
    monkeypatch.chdir(folder.parent)
    with pytest.raises(error) as caught:
        run("clean", folder, *(str(folder) if a == "IN" else a for a in arguments))
    assert str(caught.value).startswith(message) and "\n" not in str(caught.value)
    assert not list(folder.parent.glob("x.*"))


def test_speakers_by_a_sheet_and_by_role(tmp_path):
    call = tmp_path / "call.txt"
    call.write_text(
        "Dana Reed (Chief Executive Officer): Sales grew.\nAnn Lee: Why?\nDana Reed: Who knows.\n"
    )
    (tmp_path / "who.txt").write_text("Ann Lee = Anna\n")
    told = run("clean", call, "--steps", "speakers", "--speakers", tmp_path / "who.txt", "--diff")
    assert "+ Anna: Why?" in told
    told = run("clean", call, "--steps", "speakers", "--by-role", "--diff")
    assert "+ CEO: Sales grew." in told and "+ CEO: Who knows." in told
    with pytest.raises(ConfigError, match="--speakers: needs the step speakers in --steps"):
        run("clean", call, "--steps", "noise", "--by-role")
