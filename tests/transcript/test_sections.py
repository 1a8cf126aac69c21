"""Sections of documents whose files name none."""

from __future__ import annotations

import pytest

from stratune.transcript import Transcript, Turn
from stratune.transcript.sections import heading_of, sectioned
from stratune.transcript.texts import Texts, read_texts

R, Q = "Prepared Remarks", "Questions and Answers"
INTRO = (
    "Operator",
    "Welcome to the call. After the speakers' remarks there will be a question and answer session.",
)
CEO = ("Dana Reed", "Sales grew by a tenth. The first question is whether that lasts. We think so.")
FIRST = ("Operator", "Thank you. Our first question comes from Lee Moss of Acme Bank.")
ASKS = ("Lee Moss", "And margins?")


def sections(said):
    """(the sections of turns of (speaker, text[, role]), how they were found)."""
    turns = tuple(
        Turn("m", n, who, role[0] if role else "", None, None, "", text)
        for n, (who, text, *role) in enumerate(said)
    )
    (found,), ways = sectioned([Transcript("m", turns)])
    return [turn.section for turn in found.turns], ways


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("Prepared Remarks:", R),
        ("## PREPARED REMARKS", R),
        ("MANAGEMENT DISCUSSION SECTION", R),
        ("Presentation", R),
        ("Questions and Answers", Q),
        ("Question-and-Answer Session", Q),
        ("**Q&A**", Q),
        ("[Q & A session]", Q),
        ("Closing Remarks", "Closing Remarks"),
        ("CROSS-EXAMINATION BY MR. SMITH", "Cross-Examination"),
        ("We come to the questions and answers.", None),
        ("Questions", None),
        ("", None),
    ],
)
def test_headings(line, name):
    assert heading_of(line) == name


def test_headings_among_the_turns():
    said = [
        ("", "Prepared Remarks"),
        CEO,
        ("", "QUESTIONS AND ANSWERS"),
        ASKS,
        CEO,
        ("", "Closing remarks"),
        CEO,
    ]
    assert sections(said) == ([R, R, Q, Q, Q, "Closing Remarks", "Closing Remarks"], {"headings": 1})
    # what stands before questions are remarks
    assert sections([CEO, ("Questions and Answers", "Operator"), ASKS])[0] == [R, Q, Q]


def test_an_operators_first_question():
    assert sections([INTRO, CEO, FIRST, ASKS, CEO]) == ([R, R, Q, Q, Q], {"what is said": 1})


def test_words_in_two_cues():
    said = [
        INTRO,
        CEO,
        ("Operator", "Thank you. Our first"),
        ("Operator", "question comes from Lee Moss."),
        ASKS,
    ]
    assert sections(said)[0] == [R, R, Q, Q, Q]


@pytest.mark.parametrize(
    ("opening", "begins"),
    [
        ("With that, let us open the line for questions.", 2),
        ("We will now begin the question-and-answer session.", 2),
        ("We can take our first question.", 2),
        ("That is where we are. And so I am happy to take your questions.", 3),
        ("Then we will take questions.", None),
        ("At the end of the call we will open the line for questions.", None),
        ("Let us turn to questions of cost.", None),
        ("My first question is from last year.", None),
        ("Do you have questions now?", None),
    ],
)
def test_who_opens_the_floor(opening, begins):
    said = [("Ann Lee", "Good morning."), CEO, ("Ann Lee", opening), ("Bo Tan", "What of it?"), CEO]
    expected = [""] * 5 if begins is None else [R] * begins + [Q] * (5 - begins)
    assert sections(said)[0] == expected


def test_a_floor_that_is_opened_after_long_remarks():
    said = [
        ("Ann", "One. Two. Three. Four. Let us now take questions."),
        ("Bo", "What of it?"),
        ("Ann", "That."),
    ]
    assert sections(said)[0] == [R, Q, Q]


@pytest.mark.parametrize("asker", [("Lee Moss", "And margins?", "Analyst"), ("Analyst 1", "And margins?")])
def test_who_speaks(asker):
    assert sections([CEO, CEO, asker, CEO]) == ([R, R, Q, Q], {"who speaks": 1})
    assert sections([CEO, CEO, ("Operator", "Lee Moss."), asker])[0] == [R, R, Q, Q]


def test_nothing_is_found_where_nothing_is_said():
    assert sections([("ANN", "Where were you?"), ("BOB", "Home.")]) == (["", ""], {})
    assert sections([("Analyst", "And margins?"), CEO]) == (["", ""], {})  # no remarks before it
    assert sectioned([Transcript("m", ())]) == ([Transcript("m", ())], {})


def test_sections_of_the_file_stay():
    turns = (
        Turn("m", 0, "Ann", "", None, None, "opening", "Hello."),
        Turn("m", 1, "Operator", "", None, None, "", "Our first question comes from Bo."),
    )
    assert sectioned([Transcript("m", turns)]) == ([Transcript("m", turns)], {})


@pytest.fixture
def calls(tmp_path):
    """A call in captions and one in text; neither names a section, and nobody speaks in the third."""
    vtt = ["WEBVTT\n"]
    for n, (who, text) in enumerate([INTRO, CEO, FIRST, ASKS, CEO]):
        vtt.append(f"00:00:{10 * n:02}.000 --> 00:00:{10 * n + 9:02}.000\n<v {who}>{text}</v>\n")
    (tmp_path / "a.vtt").write_text("\n".join(vtt))
    (tmp_path / "b.txt").write_text("\n".join(f"{who}: {text}" for who, text in [CEO, FIRST, ASKS]) + "\n")
    (tmp_path / "c.txt").write_text("ANN: Hello.\nBOB: Good day.\n")
    return tmp_path


def test_sections_of_captions_and_text_can_be_chosen(calls):
    rows, report = read_texts(calls, Texts(sections=[Q], no_speakers=True, by="document"))
    assert [row["document"] for row in rows] == ["a", "b"]
    assert rows[1]["text"] == f"{FIRST[1]}\n{ASKS[1]}"
    assert report.left_out == {"nothing left to read": ["c"]}
    assert report.notes == ("2 of 3 documents got sections: 2 by what is said",)
    rows, _ = read_texts(calls, Texts(without_sections=[Q], unit="segment", by="section"))
    assert [row["id"] for row in rows] == ["a/1", "b/1", "c/1"]
