"""Transcripts and labels become rows: which meet, which are left out, and why."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from stratune.data.segments import SEPARATOR
from stratune.errors import ConfigError, DataError
from stratune.transcript import Texts, read_texts

TURNS = """doc_id,speaker,section,side,text
m,ANN,open,for,Good day to all
m,BOB,open,against,Um why
m,ANN,talk,for,Because
t,CAT,talk,for,No
t,,talk,,Nobody said this
"""


@pytest.fixture
def turns(tmp_path):
    path = tmp_path / "turns.csv"
    path.write_text(TURNS)
    return path


def labels(tmp_path, text, name="labels.csv"):
    path = tmp_path / name
    path.write_text(text)
    return path


def by_id(rows):
    return {row["id"]: row for row in rows}


def test_documents_with_their_labels(turns, tmp_path):
    table = labels(tmp_path, "document,rating,speaker,id\nt,2,CAT,x\nm,5,ANN,y\n")
    rows, report = read_texts(turns, Texts(labels=table))
    m = by_id(rows)["m"]
    assert m["text"].split(SEPARATOR) == ["ANN: Good day to all", "BOB: Um why", "ANN: Because"]
    # The speaker of a document is whom the table names, where several speak; ids stay ours.
    assert (m["rating"], m["speaker"], m["document"]) == ("5", "ANN", "m")
    assert (report.documents, report.rows, report.words, report.left_out) == (2, 2, 15, {})
    assert report.troubles == {"no speaker": 1}


def test_speakers_meet_their_own_row(turns, tmp_path):
    table = labels(tmp_path, "doc_id,speaker_name,won\nm,ANN,1\nm,BOB,0\n")
    rows, report = read_texts(turns, Texts(unit="speaker", labels=table))
    assert {row["id"]: row["won"] for row in rows} == {"m/ANN": "1", "m/BOB": "0"}
    assert report.left_out == {"no row in the label table": ["t/CAT"]} and report.unused == []


def test_label_rows_without_a_text_are_told(turns, tmp_path):
    _, report = read_texts(turns, Texts(labels=labels(tmp_path, "document,y\nm,1\nx,2\n")))
    assert report.unused == ["x"] and report.to_dict()["unused"] == {"count": 1, "such_as": ["x"]}
    assert "1 rows of labels unused (such as x)" in report.lines()


def test_a_table_by_document_labels_every_speaker_and_segment(turns, tmp_path):
    table = labels(tmp_path, "document,rating\nm,5\nt,2\n")
    speakers, _ = read_texts(turns, Texts(unit="speaker", labels=table))
    assert {row["id"]: row["rating"] for row in speakers} == {"m/ANN": "5", "m/BOB": "5", "t/CAT": "2"}
    segments, _ = read_texts(turns, Texts(unit="segment", by="section", labels=table))
    assert {row["id"]: row["rating"] for row in segments} == {"m/1": "5", "m/2": "5", "t/1": "2"}


def test_the_turns_are_their_own_label_table(turns):
    rows, report = read_texts(turns, Texts(unit="speaker", keep={"side": "for"}))
    assert {row["id"]: (row["side"], row["section"]) for row in rows} == {
        "m/ANN": ("for", "open"),
        "t/CAT": ("for", "talk"),
    }
    assert report.labels == str(turns)
    assert report.left_out == {"its label row has another value than `keep` wants": ["m/BOB"]}


def test_a_table_of_one_document_is_called_after_its_file(tmp_path):
    path = labels(tmp_path, "speaker,text,side\nANN,Yes,for\n", "monday.csv")
    (row,), _ = read_texts(path, Texts(keep={"side": ["for", "for"]}))
    assert (row["id"], row["side"]) == ("monday", "for")


def test_keep_compares_values_as_they_are_written(turns, tmp_path):
    table = tmp_path / "labels.parquet"
    pd.DataFrame({"document": ["m", "t"], "won": [1.0, None]}).to_parquet(table)
    rows, _ = read_texts(turns, Texts(labels=table, keep={"won": [1]}))
    assert [row["id"] for row in rows] == ["m"]


def test_what_is_read(turns):
    (m, _), report = read_texts(turns, Texts(clean=["fillers"], no_speakers=True, sections=["open", "talk"]))
    assert m["text"].split(SEPARATOR) == ["Good day to all", "Why", "Because"]
    assert report.cleaned == {"fillers": 1}
    rows, report = read_texts(turns, Texts(without_sections=["talk"], no_speakers=True))
    assert [row["text"].split(SEPARATOR) for row in rows] == [["Good day to all", "Um why"]]
    assert report.left_out == {"nothing left to read": ["t"]}
    rows, report = read_texts(turns, Texts(unit="speaker", min_words=2, no_speakers=True))
    assert by_id(rows).keys() == {"m/ANN", "m/BOB"}
    assert report.left_out == {"fewer words than `min_words`": ["t/CAT"]}


def test_a_document_as_each_speaker_hears_it(turns):
    rows = by_id(read_texts(turns, Texts(unit="speaker", others=True))[0])
    assert rows["m/BOB"]["text"].split(SEPARATOR) == [
        "OTHER: Good day to all",
        "SPEAKER: Um why",
        "OTHER: Because",
    ]
    assert (rows["m/BOB"]["speaker"], rows["m/ANN"]["speaker"]) == ("BOB", "ANN")
    assert rows["t/CAT"]["text"].split(SEPARATOR) == ["SPEAKER: No", "Nobody said this"]


def test_a_folder_needs_no_labels(tmp_path):
    (tmp_path / "a.txt").write_text("ANN: Hello there\n")
    rows, report = read_texts(tmp_path)
    assert rows[0].keys() == {"id", "document", "speaker", "text", "pieces", "speakers", "starts"}
    assert report.labels is None


def test_the_speeches_bring_their_party():
    rows, report = read_texts("demo:speeches", Texts(no_speakers=True))
    assert (report.rows, {row["party"] for row in rows}) == (189, {"democrat", "republican"})
    assert rows[0]["speaker"] == "BARACK OBAMA"  # whose speech it is, though the audience speaks too


def test_the_report_is_json(turns, tmp_path):
    _, report = read_texts(turns, Texts(unit="speaker", min_words=2))
    told = json.loads(json.dumps(report.to_dict()))
    assert told["left_out"] == {} and told["rows"] == 3
    _, report = read_texts(turns, Texts(unit="speaker", min_words=3))
    assert report.to_dict()["left_out"] == {
        "fewer words than `min_words`": {"count": 1, "such_as": ["t/CAT"]}
    }
    assert report.lines()[1] == "1 left out: fewer words than `min_words` (such as t/CAT)"


@pytest.mark.parametrize(
    ("table", "options", "error", "message"),
    [
        ("document,y\nx,1\nz,2\n", {}, DataError, "labels.csv: column 'document': has no row of the document 'm', nor of any other that was read; here are 'x', 'z'"),
        ("document,speaker,y\nm,DAN,1\n", {"unit": "speaker"}, DataError, "has no row of the document 'm' and its speaker 'ANN', nor"),
        ("person,y\nx,1\n", {}, DataError, "labels.csv: has no column of documents (document, doc_id, document_id, dialogue_id, conversation_id, transcript_id, file, filename, file_path, ...) among person, y"),
        ("document,y\nm,1\nm,2\n", {}, DataError, "labels.csv:3: column 'document': 'm' is in row 2 already: one row a document is wanted"),
        ("document,speaker,y\nm,ANN,1\nm,ANN,2\n", {"unit": "speaker"}, DataError, "'ANN' of 'm' is in row 2 already: one row a document and speaker is wanted"),
        ("document,y\nm,1\n", {"keep": {"z": 1}}, ConfigError, "labels.csv: 'z' is not one of document, y"),
        ("document,y\nm,yes\n", {"keep": {"y": "yess"}}, ConfigError, "'yess' is not one of yes (did you mean 'yes'?)"),
        ("document,y\nm,1\nx,2\n", {"keep": {"y": 2}}, DataError, "turns.csv: no text is left of 2 documents: 1 x its label row has another value than `keep` wants; 1 x no row in the label table"),
        ("document,y\nm,1\n", {"min_words": 99}, DataError, "no text is left of 2 documents: 1 x no row in the label table; 1 x fewer words"),
        ("document,y\nm,1\n", {"sections": ["opening"]}, ConfigError, "'opening' is not one of open, talk (did you mean 'open'?)"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_one_line(turns, tmp_path, table, options, error, message):
    with pytest.raises(error) as caught:
        read_texts(turns, Texts(labels=labels(tmp_path, table), **options))
    assert message in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"unit": "documents"}, "unit: 'documents' is not one of document, speaker, segment"),
        ({"by": "turns"}, "by: 'turns' is not one of turn"),
        ({"by": "minutes:x"}, "by: 'minutes:x' should be minutes:<n>"),
        ({"clean": ["noises"]}, "steps: 'noises' is not one of fillers"),
        ({"columns": {"who": "x"}}, "columns: 'who' is not one of document"),
        ({"min_words": -1}, "min_words: -1 is below 0"),
        ({"others": True}, "others: is for unit speaker, not document"),
        ({"others": True, "unit": "speaker", "no_speakers": True}, "others: needs the names of speakers"),
    ],
)
def test_options_are_checked_before_anything_is_read(options, message):
    with pytest.raises(ConfigError) as caught:
        Texts(**options)
    assert str(caught.value).startswith(message)


def test_keep_needs_labels(tmp_path):
    (tmp_path / "a.txt").write_text("ANN: Hello there\n")
    with pytest.raises(ConfigError, match="keep: needs a table of labels"):
        read_texts(tmp_path, Texts(keep={"a": 1}))
