"""Documents of other programs: Word, Excel, web pages, Markdown, Praat, CHAT; and what is refused with advice."""

from __future__ import annotations

import builtins
import io
import zipfile

import pytest

from stratune.errors import DataError
from stratune.transcript import Texts, read_texts, read_transcripts
from stratune.transcript.docx_file import LARGEST
from stratune.transcript.read import transcript_files


def one(path, content=None, **options):
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    (transcript,) = read_transcripts(path, **options)
    return transcript


def heard(transcript):
    return [(turn.start, turn.speaker, turn.text) for turn in transcript.turns]


def word_file(path, *paragraphs, table=()):
    import docx

    made = docx.Document()
    for paragraph in paragraphs:
        made.add_paragraph(paragraph)
    if table:
        rows = made.add_table(rows=0, cols=len(table[0]))
        for cells in table:
            for cell, text in zip(rows.add_row().cells, cells, strict=True):
                cell.text = text
    made.save(str(path))
    return path


def test_word(tmp_path):
    plain = word_file(
        tmp_path / "a.docx", "Title", "Ann Lee: Good morning.", "Bo Tan: Hello.", "Ann Lee: Well."
    )
    assert heard(one(plain))[1:] == [(None, "Ann Lee", "Good morning."), (None, "Bo Tan", "Hello."), (None, "Ann Lee", "Well.")]  # fmt: skip
    teams = word_file(tmp_path / "t.docx", "Weekly", "Ann Lee   0:03\nGood morning.", "Bo Tan   0:09\nHello.")
    assert heard(one(teams)) == [(3, "Ann Lee", "Good morning."), (9, "Bo Tan", "Hello.")]
    table = word_file(
        tmp_path / "c.docx", table=[("0:03", "Ann Lee", "Good\nmorning."), ("0:09", "Bo Tan", "Hello.")]
    )
    assert heard(one(table)) == [(3, "Ann Lee", "Good morning."), (9, "Bo Tan", "Hello.")]


def test_word_files_stand_beside_others(tmp_path):
    word_file(tmp_path / "b.docx", "Ann: Good morning.", "Bo: Hello.")
    (tmp_path / "a.txt").write_text("Ann: Good.\nBo: No.")
    (tmp_path / "notes.pdf").write_text("x")
    assert [transcript.document for transcript in read_transcripts(tmp_path)] == ["a", "b"]
    _, report = read_texts(tmp_path, Texts())
    assert report.not_read == [str(tmp_path / "notes.pdf")]
    assert report.to_dict()["not_read"]["count"] == 1 and any(
        "1 files not read" in line for line in report.lines()
    )


def test_word_files_that_cannot_be_read(tmp_path, monkeypatch):
    for content in (b"x", b"PK\x03\x04 no", zipped({"a.txt": b"x"})):
        with pytest.raises(DataError, match=r"a\.docx: cannot be read as a Word document: "):
            one(tmp_path / "a.docx", content)
    monkeypatch.setattr("stratune.transcript.docx_file.LARGEST", 10)
    with pytest.raises(DataError, match="unpacks to .* bytes, more than 10: save it as plain text"):
        one(word_file(tmp_path / "b.docx", "Ann: x"))
    assert LARGEST > 10**8
    real = builtins.__import__

    def missing(name, *rest):
        if name == "docx":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(DataError, match=r"needs python-docx: pip install 'stratune\[transcripts\]'"):
        one(tmp_path / "b.docx")


def zipped(files):
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return held.getvalue()


def test_excel(tmp_path):
    import openpyxl

    book = openpyxl.Workbook()
    for row in (["Speaker", "Start Time", "Text"], ["Ann", "0:03", "Good morning."], ["Bo", 9.5, "Hello."]):
        book.active.append(row)
    book.save(tmp_path / "a.xlsx")
    assert heard(one(tmp_path / "a.xlsx")) == [(3, "Ann", "Good morning."), (9.5, "Bo", "Hello.")]


@pytest.mark.parametrize(
    "body",
    [
        "<p><b>Ann Lee:</b> Good <i>morning</i>.</p><script>var x = 'Cy: no';</script><p>Bo Tan: Hello&nbsp;all &amp; one.</p>",
        "<div>Ann Lee: Good morning.<br>Bo Tan: Hello&nbsp;all &amp;\n one.</div>",
        "<table><tr><td>Ann Lee</td><td>Good morning.</td></tr><tr><td>Bo Tan</td><td>Hello&nbsp;all &amp; one.</td></tr></table>",
    ],
)  # fmt: skip
def test_web_pages(tmp_path, body):
    page = f"<!DOCTYPE html><html><head><title>No: speech</title><style>p {{}}</style></head><body>{body}</body></html>"
    assert heard(one(tmp_path / "a.html", page)) == [
        (None, "Ann Lee", "Good morning."),
        (None, "Bo Tan", "Hello all & one."),
    ]


def test_markdown(tmp_path):
    text = "---\ntitle: Weekly: one\nspeaker: nobody\n---\n# Interview\n\n**Interviewer**: What is it?\n\n**P1**: A form.\n\n## Q&A\n\n**P1**: Yes.\n"
    found = one(tmp_path / "a.md", text)
    assert [(turn.speaker, turn.section, turn.text) for turn in found.turns] == [
        ("Interviewer", "", "What is it?"),
        ("P1", "", "A form."),
        ("P1", "Questions and Answers", "Yes."),
    ]
    assert found.troubles == {"left out": 1}


LONG = """File type = "ooTextFile"
Object class = "TextGrid"

xmin = 0
xmax = 4.5
tiers? <exists>
size = 2
item []:
    item [1]:
        class = "IntervalTier"
        name = "Ann"
        xmin = 0
        xmax = 4.5
        intervals: size = 2
        intervals [1]:
            xmin = 0
            xmax = 2.25
            text = "say ""good 12"" morning"
        intervals [2]:
            xmin = 2.25
            xmax = 4.5
            text = ""
    item [2]:
        class = "IntervalTier"
        name = "Bo"
        xmin = 0
        xmax = 4.5
        intervals: size = 2
        intervals [1]:
            xmin = 0
            xmax = 2.5
            text = "sil"
        intervals [2]:
            xmin = 2.5
            xmax = 4.5
            text = "héllo"
"""
SHORT = """File type = "ooTextFile"
Object class = "TextGrid"

0
4.5
<exists>
3
"IntervalTier"
"Ann - words"
0
4.5
3
0
1
"good"
1
2.25
"morning."
2.5
4.5
"yes"
"IntervalTier"
"Ann - phones"
0
4.5
1
0
1
"g"
"TextTier"
"Bo"
0
4.5
1
2.4
"hello"
"""


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_praat(tmp_path, encoding):
    found = one(tmp_path / "a.TextGrid", LONG.encode(encoding))
    assert [(turn.start, turn.end, turn.speaker, turn.text) for turn in found.turns] == [
        (0, 2.25, "Ann", 'say "good 12" morning'),
        (2.5, 4.5, "Bo", "héllo"),
    ]
    short = one(tmp_path / "b.textgrid", SHORT)
    assert heard(short) == [(0, "Ann", "good morning."), (2.4, "Bo", "hello"), (2.5, "Ann", "yes")]
    assert short.troubles == {"left out": 1}
    with pytest.raises(DataError, match="is no TextGrid"):
        one(tmp_path / "c.textgrid", "hello")


CHAT = """@UTF8
@Begin
@Participants:\tCHI Adam Target_Child, INV Investigator
@ID:\teng|x|CHI|||||Target_Child|||
*INV:\twhat is going on here ? \x15100_2345\x15
*CHI:\t&-um <the boy> [/] the (.) boy [: girl] is fallin(g) &=laughs
\t0is down (be)cause +... \x152400_3000\x15
%mor:\tdet|the n|boy
@G:\tstory
*CHI:\t&=laughs .
*CHI:\txxx bow@o (2.5) no+no „ yes ‡ .
@End
"""


def test_chat(tmp_path):
    found = one(tmp_path / "a.cha", CHAT)
    assert [(turn.speaker, turn.role, turn.section, turn.text) for turn in found.turns] == [
        ("INV", "Investigator", "", "what is going on here?"),
        ("CHI", "Target_Child", "", "um the boy the boy is falling down because..."),
        ("CHI", "Target_Child", "story", "xxx bow no+no yes."),
    ]
    assert [(turn.start, turn.end) for turn in found.turns[:2]] == [(0.1, 2.345), (2.4, 3.0)]
    assert found.troubles == {"empty turn": 1}


@pytest.mark.parametrize(
    ("suffix", "advice"),
    [("pdf", "pdftotext"), ("doc", "save it as .docx"), ("rtf", "save it as .docx or .txt"), ("xls", "save it as .xlsx")],
)  # fmt: skip
def test_what_is_refused_with_advice(tmp_path, suffix, advice):
    path = tmp_path / f"a.{suffix}"
    path.write_text("x")
    for source in (path, tmp_path):
        with pytest.raises(DataError) as caught:
            read_transcripts(source)
        assert advice in str(caught.value) and "\n" not in str(caught.value)


def test_what_convokit_keeps_beside_its_utterances(tmp_path):
    (tmp_path / "utterances.jsonl").write_text(
        '{"id": "a", "root": "a", "text": "Where?", "user": "ann", "reply_to": null}\n'
    )
    for name in ("speakers.json", "corpus.json", "index.json"):
        (tmp_path / name).write_text("{}")
    assert [turn.speaker for turn in one(tmp_path).turns] == ["ann"]
    assert len(transcript_files(tmp_path)[1]) == 3
