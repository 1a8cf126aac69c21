"""Score sheets as people have them meet their transcripts, or say in one line why not."""

from __future__ import annotations

import openpyxl
import pytest

from stratune.errors import ConfigError, DataError
from stratune.transcript import Texts, read_texts, read_transcripts

SCORES = {"call_001": "5", "call_002": "4", "call_003": "10", "call_004": "2"}


@pytest.fixture
def calls(tmp_path):
    """Four calls, call_001.txt to call_004.txt."""
    folder = tmp_path / "calls"
    folder.mkdir()
    for name in SCORES:
        (folder / f"{name}.txt").write_text(f"ANN: We grew, said {name}.\nBOB: What about margins?\n")
    return folder


def sheet(folder, text, name="scores.csv"):
    path = folder / name
    path.write_text(text)
    return path


def table(header, rows, mark=","):
    return "\n".join([header, *(mark.join(map(str, row)) for row in rows)]) + "\n"


def scores(calls, labels, column="score", **options):
    rows, report = read_texts(calls, Texts(labels=labels, **options))
    return {row["document"]: row[column] for row in rows}, report


KEYS = {
    "the name": ("file,score", "{}"),
    "with its suffix": ("file,score", "{}.vtt"),
    "of the recording": ("recording,score", "{}.MP3"),
    "with a path": ("Path,score", "data/2024/{}.txt"),
    "of Windows": ("File Name,score", "C:\\calls\\{}.vtt"),
    "in capitals, with blanks": ("document,score", " {} "),
    "id": ("id,score", "{}"),
    "call": ("Call ID,score", "{}"),
    "a name of its own": ("Aufnahme,score", "{}"),
}


@pytest.mark.parametrize(("header", "cell"), KEYS.values(), ids=KEYS)
def test_a_cell_names_a_document(calls, header, cell):
    upper = str.capitalize if "capitals" in header or cell == " {} " else str
    rows = [(cell.format(upper(name)), score) for name, score in SCORES.items()]
    found, report = scores(calls, sheet(calls.parent, table(header, rows)))
    assert found == SCORES and report.score == "score"
    assert report.left_out == {} and report.unused == [] and report.near == {}
    column = header.partition(",")[0]
    plain = column == "document" and cell == "{}"
    assert plain or f"rows are joined by {column!r}, which names 4 of 4 documents" in report.notes[-1]


def test_a_path_is_a_name_where_files_share_one(tmp_path):
    for folder in ("a", "b"):
        (tmp_path / "calls" / folder).mkdir(parents=True)
        (tmp_path / "calls" / folder / "one.txt").write_text("ANN: Hello.\n")
    rows = [("x/calls/a/one.vtt", 1), ("b/one", 2), ("one", 3)]
    found, report = scores(tmp_path / "calls", sheet(tmp_path, table("file,score", rows)))
    assert found == {"a/one": "1", "b/one": "2"} and report.unused == ["one"]


def test_numbers_without_their_zeros_are_told(tmp_path):
    """Excel makes 1 of 001."""
    (tmp_path / "calls").mkdir()
    for name in ("001", "002"):
        (tmp_path / "calls" / f"{name}.txt").write_text("ANN: Hello.\n")
    found, report = scores(tmp_path / "calls", sheet(tmp_path, "call,score\n1,7\n2,8\n"))
    assert found == {"001": "7", "002": "8"}
    assert report.notes == (
        "rows are joined by 'call', which names 2 of 2 documents; 2 in another spelling, such as '1' for '001'",
    )


def test_two_documents_that_differ_by_case_are_not_confused(tmp_path):
    for name in ("Call.txt", "call.txt", "other.txt"):
        (tmp_path / name).write_text("ANN: Hello.\n")
    labels = sheet(tmp_path.parent, "file,score\nCall,1\nCALL,2\nother,3\n", "case.csv")
    found, report = scores(tmp_path, labels)
    assert found == {"Call": "1", "other": "3"} and report.unused == ["CALL"]


@pytest.mark.parametrize("mark", [";", "\t"])
def test_decimal_commas(calls, mark):
    rows = [(name, f"{score},5") for name, score in SCORES.items()]
    suffix = "tsv" if mark == "\t" else "csv"
    labels = sheet(calls.parent, table(f"document{mark}score", rows, mark), f"scores.{suffix}")
    found, report = scores(calls, labels)
    assert found == {name: f"{score}.5" for name, score in SCORES.items()}
    assert report.notes == ("'score': 4 numbers with decimal commas",)


def test_commas_that_are_no_decimal_ones_stay(calls):
    rows = [(name, f"{score},250", "a,b") for name, score in SCORES.items()]
    labels = sheet(calls.parent, table("document;score;tags", rows, ";"))
    found, report = scores(calls, labels)
    assert found["call_001"] == "5,250" and report.notes == ()
    quoted = [(name, f'"{score},5"') for name, score in SCORES.items()]  # may be two ratings
    found, _ = scores(calls, sheet(calls.parent, table("document,score", quoted)))
    assert found["call_001"] == "5,5"


def test_an_excel_sheet(calls):
    book = openpyxl.Workbook()
    for row in [
        ("document", "score"),
        ("call_001.vtt", 5),
        ("call_002", 4.5),
        ("call_003", "7,5"),
        (None, 9),
    ]:
        book.active.append(row)
    book.save(calls.parent / "scores.xlsx")
    found, report = scores(calls, calls.parent / "scores.xlsx")
    assert found == {"call_001": "5", "call_002": "4.5", "call_003": "7.5"}
    assert report.left_out == {"no row in the label table": ["call_004"]}
    assert f"1 rows of {calls.parent / 'scores.xlsx'} name no document" in report.notes


def test_an_empty_score_is_left_out_and_counted(calls):
    labels = sheet(calls.parent, "document,score\ncall_001,5\ncall_002,\ncall_003,N/A\ncall_004, \n")
    found, report = scores(calls, labels)
    assert found == {"call_001": "5"}
    assert report.left_out == {"its label row has no score": ["call_002", "call_003", "call_004"]}
    assert "3 left out: its label row has no score (such as call_002, call_003, call_004)" in report.lines()


def test_an_empty_cell_beside_the_score_is_none(calls):
    labels = sheet(calls.parent, "document,score,remark\ncall_001,5,\ncall_002,,good\ncall_003,1,x\n")
    assert len(scores(calls, labels)[0]) == 3  # which of the two is the score, nobody has said
    rows, report = read_texts(calls, Texts(labels=labels), score="score")
    assert [row["score"] for row in rows] == ["5", "1"]
    assert report.left_out["its label row has no score"] == ["call_002"]


def test_the_only_column_is_the_score_whatever_it_was_called(calls):
    labels = sheet(calls.parent, "document,score\ncall_001,5\ncall_002,\n")
    _, report = read_texts(calls, Texts(labels=labels), score="label")
    assert report.score == "score" and report.left_out["its label row has no score"] == ["call_002"]
    labels = sheet(calls.parent, "document,a,b\ncall_001,5,6\ncall_002,,7\n")
    rows, report = read_texts(calls, Texts(labels=labels), score="label")
    assert report.score is None and len(rows) == 2


def test_what_was_not_joined_is_listed_both_ways(calls):
    labels = sheet(calls.parent, "document,score\ncall_001,5\ncall-2,4\ncall 03,1\nintro,2\n")
    found, report = scores(calls, labels)
    assert found == {"call_001": "5"}
    assert report.left_out == {"no row in the label table": ["call_002", "call_003", "call_004"]}
    assert report.unused == ["call-2", "call 03", "intro"]
    assert report.near == {"call-2": ["call_002"], "call 03": ["call_003"]}
    assert "'call-2' was not joined: is it 'call_002'?" in report.lines()


def test_a_copy_is_not_joined(calls):
    (calls / "Call 001 (1).txt").write_text("CEO: Again.\n")
    rows = SCORES.items()
    found, report = scores(calls, sheet(calls.parent, table("document,score", rows)))
    assert found == SCORES and report.near == {"Call 001 (1)": ["call_001"]}


# -- which column names the documents


def test_the_column_that_names_most_documents(calls):
    rows = [(n, f"{name}.vtt", score) for n, (name, score) in enumerate(SCORES.items())]
    rows[0] = ("call_002", *rows[0][1:])
    found, report = scores(calls, sheet(calls.parent, table("id,file,score", rows)), "score")
    assert found == SCORES and report.notes[0].startswith("rows are joined by 'file'")


def test_two_columns_that_say_the_same_are_no_tie(calls):
    rows = [(name, f"{name}.vtt", score) for name, score in SCORES.items()]
    found, _ = scores(calls, sheet(calls.parent, table("id,file,score", rows)))
    assert found == SCORES


def test_a_tie_lists_the_columns(calls):
    names = list(SCORES)
    rows = [(name, other, 1) for name, other in zip(names, reversed(names), strict=True)]
    labels = sheet(calls.parent, table("id,file,score", rows))
    with pytest.raises(DataError) as caught:
        scores(calls, labels)
    assert str(caught.value) == (
        f"{labels}: columns 'file', 'id' each name 4 documents, but 'file' and 'id' not the same in every row: "
        "name one, as in document=file"
    )
    found, _ = scores(calls, labels, "file", columns={"document": "id"})
    assert found["call_001"] == "call_004"


def test_scores_are_no_names(tmp_path):
    """Documents 1, 2 and 3, and scores that look like them."""
    for name in "123":
        (tmp_path / f"{name}.txt").write_text("ANN: Hello.\n")
    labels = sheet(tmp_path.parent, "person,score\nx,1\ny,2\nz,3\n", "numbers.csv")
    with pytest.raises(DataError, match="has no column of documents"):
        scores(tmp_path, labels)


def test_two_rows_of_one_document(calls):
    labels = sheet(calls.parent, "file,score\ncall_001,5\nCALL_001.vtt,6\n")
    with pytest.raises(DataError) as caught:
        scores(calls, labels)
    assert str(caught.value) == (
        f"{labels}:3: column 'file': 'call_001' is in row 2 already: one row a document is wanted, or a column "
        "'rater' that says whose rating each row is"
    )


# -- several raters

LONG = [
    ("call_001", "A", 5),
    ("call_001", "B", 8),
    ("call_001", "C", 5),
    ("call_002", "A", 4),
    ("call_003", "B", 1),
]
WIDE = [("call_001", 5, 6, 4), ("call_002", 4, 5, 3), ("call_003", 10, 10, 9), ("call_004", 2, "", 1)]


def test_a_row_for_each_rater(calls):
    labels = sheet(calls.parent, table("document,rater,score", LONG))
    rows, report = read_texts(calls, Texts(labels=labels))
    assert [row["score"] for row in rows] == [6.0, 4.0, 1.0]
    assert rows[0]["score_ratings"] == ["5", "8", "5"] and rows[0]["score_raters"] == ["A", "B", "C"]
    assert (report.score, report.annotations) == ("score", "score_ratings")
    assert report.notes[0].startswith("'score' is the mean of 3 raters (A, B, C), 3 documents; Krippendorff")
    assert scores(calls, labels, ratings="median")[0]["call_001"] == 5.0
    assert scores(calls, labels, ratings="majority")[0]["call_001"] == "5"


def test_a_column_for_each_rater(calls):
    labels = sheet(calls.parent, table("document,rater1,Rater 2,rater_3", WIDE))
    found, report = scores(calls, labels, "rating")
    assert found == {"call_001": 5.0, "call_002": 4.0, "call_003": pytest.approx(29 / 3), "call_004": 1.5}
    assert (report.score, report.annotations) == ("rating", "rater1+Rater 2+rater_3")
    assert scores(calls, labels, "rating", ratings="median")[0]["call_003"] == 10.0
    rows, report = read_texts(calls, Texts(labels=labels), score="quality")
    assert rows[0]["quality"] == 5.0 and report.score == "quality"


def test_agreement_is_krippendorffs(calls):
    """1 - Do/De of [5, 6, 4], [4, 5, 3], [10, 10, 9], [2, 1], from all pairs of ratings, by hand."""
    labels = sheet(calls.parent, table("document,rater1,rater2,rater3", WIDE))
    _, report = scores(calls, labels, "rating")
    assert "Krippendorff's alpha 0.92" in report.notes[0]


def test_what_raters_rated_has_their_columns_names(calls):
    header = "document,clarity_rater1,clarity_rater2,warmth (rater a),warmth (rater b),q1,q2"
    labels = sheet(
        calls.parent, table(header, [("call_001", 1, 3, 7, 9, 1, 2), ("call_002", 2, 2, 1, 2, 1, 2)])
    )
    rows, report = read_texts(calls, Texts(labels=labels))
    assert (rows[0]["clarity"], rows[0]["warmth"], rows[0]["q1"]) == (2.0, 8.0, "1")
    assert report.score is None and len(report.notes) == 2


def test_a_tied_vote_goes_to_the_surer_rater(calls):
    """A and B agree with C where three rated; D never does. Where only A and D did, A's label counts."""
    many = [f"call_{n:03}" for n in range(5, 25)]
    for name in many:
        (calls / f"{name}.txt").write_text("CEO: Yes.\n")
    rows = []
    for n, name in enumerate(many):
        true, other = ("good", "bad") if n % 2 else ("bad", "good")
        rows += [(name, who, true) for who in "ABC"] + [(name, "D", other)]
    rows += [
        ("call_001", "D", "bad"),
        ("call_001", "A", "good"),
        ("call_002", "A", "bad"),
        ("call_002", "D", "good"),
    ]
    labels = sheet(calls.parent, table("document,rater,mood", rows))
    found, report = scores(calls, labels, "mood")
    assert (found["call_001"], found["call_002"]) == ("good", "bad") and found["call_006"] == "good"
    assert "of 2 tied votes 2 go to the surer raters' label (Dawid-Skene)" in report.notes[0]


def test_a_tied_vote_that_nothing_settles_has_no_score(calls):
    rows = [
        ("call_001", "A", "good"),
        ("call_001", "B", "bad"),
        ("call_002", "A", "good"),
        ("call_002", "B", "good"),
    ]
    rows += [("call_003", "A", "bad"), ("call_003", "B", "bad")]
    found, report = scores(calls, sheet(calls.parent, table("document,rater,mood", rows)), "mood")
    assert found == {"call_002": "good", "call_003": "bad"}
    assert report.left_out["its label row has no score"] == ["call_001"]


def test_remarks_of_raters_are_no_ratings(calls):
    rows = [(f"call_{n:03}", who, n, f"remark {who} {n}") for n in range(1, 5) for who in "ABC"]
    labels = sheet(calls.parent, table("document,rater,score,remark", rows))
    rows, report = read_texts(calls, Texts(labels=labels), score="score")
    assert (rows[0]["score"], rows[0]["remark"]) == (1.0, "remark A 1")
    assert "'remark' differs among the raters of a document: the first one's is kept" in report.notes


def test_a_mean_is_not_of_words_beside_the_score(calls):
    labels = sheet(calls.parent, "file,rater,score,mood\ncall_001,A,1,good\ncall_001,B,4,bad\n")
    found, report = scores(calls, labels, ratings="mean")
    assert found == {"call_001": 2.5} and report.annotations == "score_ratings"
    assert report.notes[0] == "rows are joined by 'file', which names 1 of 4 documents"
    assert report.notes[1] == "'mood' differs among the raters of a document: the first one's is kept"


def test_a_sheet_may_have_texts_of_its_own(calls):
    rows, _ = read_texts(calls, Texts(labels=sheet(calls.parent, "file,score,text\ncall_001,5,a remark\n")))
    assert (rows[0]["score"], rows[0]["text"][:4]) == ("5", "ANN:")


@pytest.mark.parametrize(
    ("text", "options", "error", "message"),
    [
        ("document,rater,score\ncall_001,A,1\ncall_001,A,2\n", {}, DataError, "scores.csv:3: column 'rater': 'A' has rated 'call_001' in row 2 already"),
        ("document,rater,score\ncall_001,A,1\ncall_001,,2\n", {}, DataError, "scores.csv:3: column 'rater': a row without a rater"),
        ("document,rater,mood\ncall_001,A,good\ncall_001,B,bad\n", {"ratings": "mean"}, ConfigError, "ratings: 'mean' is for numbers, and 'mood' holds labels: majority"),
    ],
)  # fmt: skip
def test_ratings_that_do_not_go_together(calls, text, options, error, message):
    with pytest.raises(error) as caught:
        scores(calls, sheet(calls.parent, text), "mood", **options)
    assert message in str(caught.value) and "\n" not in str(caught.value)


def test_a_way_that_is_none():
    with pytest.raises(ConfigError, match="ratings: 'mode' is not one of mean, median, majority"):
        Texts(ratings="mode")


# -- the sheet in the folder


@pytest.mark.parametrize("name", ["scores.csv", "all.tsv"])
def test_a_sheet_among_the_transcripts_is_no_transcript(calls, name):
    mark = "\t" if name.endswith("tsv") else ","
    path = sheet(calls, table(f"file{mark}score", [(f"{n}.vtt", s) for n, s in SCORES.items()], mark), name)
    assert [one.document for one in read_transcripts(calls)] == list(SCORES)
    found, report = scores(calls, None)
    assert found == SCORES and report.labels == str(path)
    assert report.notes[0] == f"labels are of {path}, which stands among the transcripts"
    assert scores(calls, path)[0] == SCORES


def test_an_excel_sheet_among_the_transcripts(calls):
    book = openpyxl.Workbook()
    for row in [("call", "score"), *((name, int(score)) for name, score in SCORES.items())]:
        book.active.append(row)
    book.save(calls / "scores.xlsx")
    assert scores(calls, None)[0] == {name: int(score) for name, score in SCORES.items()}


def test_turns_in_a_table_are_transcripts(calls):
    sheet(calls, "document,speaker,text\ncall_005,ANN,Hello\ncall_006,BOB,Yes\n", "more.csv")
    assert len(read_transcripts(calls)) == 6


def test_two_sheets_in_a_folder(calls):
    for name in ("a.csv", "b.csv"):
        sheet(calls, table("file,score", SCORES.items()), name)
    with pytest.raises(
        DataError, match=r"calls: holds several score sheets \(a.csv, b.csv\): name the one with the labels"
    ):
        read_texts(calls)
    assert scores(calls, calls / "b.csv")[0] == SCORES
