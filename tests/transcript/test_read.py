"""Reading: what each format means, what is counted, what is an error of one line."""

from __future__ import annotations

import json

import pytest

from stratune.errors import ConfigError, DataError
from stratune.transcript import TROUBLES, Turn, read_transcripts
from stratune.transcript.read import transcript_files


def one(path, content, **options):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    (transcript,) = read_transcripts(path, **options)
    assert set(transcript.troubles) <= set(TROUBLES)
    return transcript


def said(transcript):
    return [(turn.speaker, turn.text) for turn in transcript.turns]


VTT = """WEBVTT - a meeting
Kind: captions

NOTE nobody says
this --> that

STYLE
::cue { color: red }

REGION
id:left

intro
00:01.000 --> 00:02.500 align:start position:10%
<v.loud Roger Bingham>We are <i>in</i> New&nbsp;York &amp; <00:00:02.000>happy</v>

01:00:03.000 --> 01:00:04.000
<v Neil>Yes
and no
<v Roger Bingham>No

01:00:05,000 --> 01:00:06,000
JANE: labelled
goes on
- BOB: hi
"""


def test_webvtt(tmp_path):
    transcript = one(tmp_path / "talk.vtt", VTT)
    assert said(transcript) == [
        ("Roger Bingham", "We are in New\xa0York & happy"),
        ("Neil", "Yes and no"),
        ("Roger Bingham", "No"),
        ("JANE", "labelled goes on"),
        ("BOB", "hi"),
    ]
    assert transcript.turns[0] == Turn(
        "talk", 0, "Roger Bingham", "", 1.0, 2.5, "", "We are in New\xa0York & happy"
    )
    assert transcript.turns[1].start == 3603.0 and transcript.troubles == {}


def test_srt(tmp_path):
    text = "\ufeff1\r\n00:00:01,000 --> 00:00:02,000 X1:40\r\n{\\an8}<i>JOHN:</i> Hello\r\nthere\r\n\r\n2\r\n00:00:03,5 --> 00:00:04,000\r\n42\r\n"
    transcript = one(tmp_path / "a.srt", text)
    assert said(transcript) == [("JOHN", "Hello there"), ("", "42")]
    assert [turn.start for turn in transcript.turns] == [1.0, 3.5] and transcript.troubles == {
        "no speaker": 1
    }


def test_damaged_cues_keep_their_text_and_are_counted(tmp_path):
    text = (
        "00:00:01.000 --> 00:00:0\nA: one\n\n"  # no end
        "A: two\n\n"  # no times
        "7\n\n"  # a number alone
        "00:00:05.000 --> 00:00:06.000\n\n"  # no text
        "00:00:04.000 --> 00:00:06.000\nA: three\n8\n00:00:07.000 --> 00:00:03.000\nfour\n"  # no blank line
    )
    transcript = one(tmp_path / "a.vtt", text)
    assert said(transcript) == [("A", "one"), ("A", "two"), ("A", "three"), ("", "four")]
    assert [turn.start for turn in transcript.turns] == [1.0, None, 4.0, 7.0]
    expected = {"no header": 1, "broken cue": 3, "empty turn": 2, "no speaker": 1, "time runs backwards": 1}
    assert transcript.troubles == expected


def test_plain_text(tmp_path):
    text = "(Applause.)\n\nJOHN SMITH: Hello\nand welcome.\n\nA second paragraph.\n[00:01:05] Dr. Jones (Chair): Thanks:\nso it is.\nBOB:\n"
    transcript = one(tmp_path / "a.txt", text)
    assert said(transcript) == [
        ("", "(Applause.)"),
        ("JOHN SMITH", "Hello and welcome."),
        ("JOHN SMITH", "A second paragraph."),
        ("Dr. Jones (Chair)", "Thanks: so it is."),
    ]
    assert transcript.turns[3].start == 65.0
    assert transcript.troubles == {"no speaker": 1, "empty turn": 1}


ROW = {"Speaker_Name": "Ann", "start_time": "1:02.5", "stop": 70, "UTTERANCE": " hi ", "role": None}


@pytest.mark.parametrize(
    ("value", "document"),
    [([ROW], "file"), ({"turns": [ROW]}, "file"), ({"id": 7, "turns": [ROW]}, "7"), ([{"doc_id": "d", "turns": [ROW]}], "d")],
)  # fmt: skip
def test_json_in_its_shapes(tmp_path, value, document):
    transcript = one(tmp_path / "file.json", json.dumps(value))
    assert transcript.turns == (Turn(document, 0, "Ann", "", 62.5, 70.0, "", "hi"),)


def test_json_lines_count_what_is_no_turn(tmp_path):
    lines = [
        '{"text": "a", "dialogue_id": 3, "start": "soon"}',
        "[1]",
        '{"text": ["no"], "dialogue_id": 3}',
        '{"text": "b\\ud800", "dialogue_id": null, "start": -1}',
        '{"text": "cut of',
    ]
    three, rest = _read(tmp_path / "x.jsonl", "\n".join(lines))
    assert said(three) == [("", "a")] and said(rest) == [("", "b\ufffd")]
    assert three.troubles == {"bad line": 3, "no speaker": 1, "bad time": 1}
    assert rest.document == "x" and rest.troubles == {"no document": 1, "no speaker": 1, "bad time": 1}


def _read(path, content):
    path.write_text(content)
    return read_transcripts(path)


def test_tables_with_the_users_names_and_turns_out_of_order(tmp_path):
    path = tmp_path / "a.tsv"
    path.write_text("who\tline\tcase\tturn\nB\tsecond\tx\t2\nA\tfirst\tx\t1\nC\tother\ty\t1\n")
    one_, two = read_transcripts(path, {"text": "line", "speaker": "who", "document": "case"})
    assert said(one_) == [("A", "first"), ("B", "second")] and one_.troubles == {"out of order": 1}
    assert two.document == "y" and two.turns[0].index == 0
    with pytest.raises(
        ConfigError, match="columns: 'txt' is not one of document, turn, speaker.*did you mean 'text'"
    ):
        read_transcripts(path, {"txt": "line"})
    with pytest.raises(
        DataError, match=r"a\.tsv: column 'lines': no such column, given for 'text': .*did you mean 'line'"
    ):
        read_transcripts(path, {"text": "lines"})
    with pytest.raises(
        DataError, match="has no column of turns' texts .text or utterance. among who, line, case, turn"
    ):
        read_transcripts(path)


def test_a_folder_names_documents_after_their_files(tmp_path):
    for name in (
        "b.txt",
        "a.srt",
        "day1/talk.txt",
        "day2/talk.txt",
        "day2/talk.vtt",
        ".hidden.txt",
        "notes.pdf",
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(
            "00:00:01,000 --> 00:00:02,000\nA: x" if name.endswith(("vtt", "srt")) else "A: x"
        )
    names = [transcript.document for transcript in read_transcripts(tmp_path)]
    assert names == ["a", "b", "day1/talk", "day2/talk.txt", "day2/talk.vtt"]
    assert transcript_files(tmp_path)[1] == [tmp_path / "notes.pdf"]


def test_a_document_that_is_in_two_files(tmp_path):
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text("document,text\nx,hello\n")
    with pytest.raises(DataError, match=r"b\.csv: the document 'x' is in .*a\.csv already"):
        read_transcripts(tmp_path)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.vtt", b"", "is empty (0 bytes)"),
        ("a.vtt", b"WEBVTT\n\n", "holds no turns"),
        ("a.doc", b"x", "file type '.doc' is not one of .vtt, .srt, .txt, .json"),
        ("a.srt", "é, à, ü".encode("cp1252"), ":1: byte 0xe9 (number 1 of the file) is not UTF-8; the file looks like cp1252: save it as UTF-8 or name it with --encoding cp1252"),
        ("a.txt", "A: é".encode("utf-16"), "looks like utf-16"),
        ("a.txt", b"A: x\nB: \0\0", ":2: holds a NUL character: a binary file, or UTF-16"),
        ("a.json", b'[{"text": "x"},\n{"text"]', ":2: invalid JSON at character 8"),
        ("a.json", b"[" * 100_000, "JSON that cannot be read"),
        ("a.json", b"[1, 2]", 'holds no turns: expected objects with a "text", or {"turns": [...]}'),
        ("a.jsonl", b"nothing\nof it", "holds no turns"),
        ("a.csv", b"text,speaker\na\n", ":2: expected 2 columns (text, speaker), found 1"),
        ("a.parquet", b"PAR1 no", "cannot be read as parquet"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_read_is_one_line(tmp_path, name, content, message):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        read_transcripts(path)
    assert str(caught.value).startswith(str(path)) and message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_other_places(tmp_path):
    with pytest.raises(DataError, match=r"no such file"):
        read_transcripts(tmp_path / "a.vtt")
    with pytest.raises(DataError, match=r"holds no transcripts \(\.vtt, \.srt"):
        read_transcripts(tmp_path)
    with pytest.raises(DataError, match="demo:reviews: 'reviews' is not one of speeches"):
        read_transcripts("demo:reviews")


def test_a_few_damaged_bytes_are_replaced_and_an_encoding_can_be_named(tmp_path):
    cut = one(tmp_path / "a.txt", "A: caf\u00e9".encode()[:-1])
    assert said(cut) == [("A", "caf\ufffd")] and cut.troubles == {"undecodable bytes": 1}
    assert said(one(tmp_path / "b.txt", "A: é\nB: à".encode("utf-16"), encoding="utf-16")) == [
        ("A", "é"),
        ("B", "à"),
    ]
    for wrong in ("utf-99", "hex"):
        with pytest.raises(ConfigError, match=f"encoding: '{wrong}' is not"):
            read_transcripts(tmp_path / "a.txt", encoding=wrong)


def test_speeches_are_transcripts():
    speeches = read_transcripts("demo:speeches")
    assert len(speeches) == 189 and sum(len(speech.turns) for speech in speeches) == 859
    assert speeches[0].speakers[:2] == ["BARACK OBAMA", "AUDIENCE MEMBERS"]
    assert all(name == name.upper() for speech in speeches for name in speech.speakers)
