"""Text that programs and people export: speakers, times, sections; and no names out of prose."""

from __future__ import annotations

import pytest

from stratune.transcript import Transcript, Turn, read_transcripts, write_transcript
from stratune.transcript.exports import FORMS
from stratune.transcript.exports.believed import believed_names, common_words, is_common, name_like
from stratune.transcript.exports.court import without_page_frames
from stratune.transcript.exports.stamps import times_of
from stratune.transcript.plain import parse_plain


def read(text):
    return parse_plain(text.split("\n"), "d")


def heard(text):
    return [(turn.start, turn.speaker, turn.text) for turn in read(text).turns]


ANN, BO = (None, "Ann Lee", "Good morning."), (None, "Bo Tan", "Hello: all.")


@pytest.mark.parametrize(
    ("text", "starts"),
    [
        ("Ann Lee: Good morning.\nBo Tan: Hello: all.", (None, None)),
        ("**Ann Lee:** Good morning.\n\n**Bo Tan:** \\[00:04:10\\] Hello: all.", (None, 250)),
        ("**Ann Lee**: Good morning.\n\n__Bo Tan__: Hello: all.", (None, None)),
        ("- **Ann Lee**: Good morning.\n- **Bo Tan**: Hello: all.", (None, None)),
        ("Ann Lee (00:04): Good morning.\nBo Tan (01:00:10): Hello: all.", (4, 3610)),
        ("Ann Lee [00:04]: Good morning.\nBo Tan [0:10]:\nHello: all.", (4, 10)),
        ("00:00:01 Ann Lee: Good morning.\n00:00:04 Bo Tan: Hello: all.", (1, 4)),
        ("[00:01] Ann Lee: Good morning.\n(00:04) - Bo Tan: Hello: all.", (1, 4)),
        ("[02/05/2024, 10:02:11] Ann Lee: Good morning.\n02/05/24, 10:04 - Bo Tan: Hello: all.", (36131, 36240)),
        ("10:02 AM Ann Lee: Good morning.\n1:02:03 PM Bo Tan: Hello: all.", (36120, 46923)),
        ("Ann Lee  0:02  \nGood morning.\n\nBo Tan  1:00:11\nHello: all.\n\nTranscribed by https://otter.ai", (2, 3611)),
        ("Ann Lee   0:03\nGood morning.\n\nBo Tan   0:09\nHello: all.", (3, 9)),
        ("**Ann Lee** 0:03\nGood morning.\n\n**Bo Tan** 0:09\nHello: all.", (3, 9)),
        ("[Ann Lee] 10:02:11\nGood morning.\n\n[Bo Tan] 10:02:15\nHello: all.", (36131, 36135)),
        ("00:04 | Ann Lee\nGood morning.\n\n00:09 | Bo Tan\nHello: all.", (4, 9)),
        ("Ann Lee - 00:04\nGood morning.\nBo Tan - 00:09\nHello: all.", (4, 9)),
        ("Ann Lee  0:04  Good morning.\nBo Tan  0:09  Hello: all.", (4, 9)),
        ("Ann Lee [00:00:03] Good morning.\n\nBo Tan [00:00:09] Hello: all.", (3, 9)),
        ("Ann Lee: [00:00:03] Good morning.\n\nBo Tan: (00:00:09) Hello: all.", (3, 9)),
        ("10:02:11 From Ann Lee to Everyone:\n\tGood morning.\n10:02:15\t From  Bo Tan : Hello: all.", (36131, 36135)),
        ("[Ann Lee] Good morning.\n[Bo Tan] Hello: all.", (None, None)),
        ("[10:02] <Ann Lee> Good morning.\n[10:03] <Bo Tan> Hello: all.", (602, 603)),
        ("Ann Lee\tGood morning.\nBo Tan\tHello: all.", (None, None)),
        ("0:04\tAnn Lee\tGood morning.\n0:09\tBo Tan\tHello: all.", (4, 9)),
        ("Ann Lee\nGood morning.\n\nBo Tan\nHello: all.", (None, None)),
        ("1 Ann Lee: Good morning.\n2 Bo Tan: Hello:\n3 all.\n4\n5", (None, None)),
    ],
)  # fmt: skip
def test_two_turns_of_every_form(text, starts):
    assert heard(text) == [(start, *turn[1:]) for start, turn in zip(starts, (ANN, BO), strict=True)]


def test_a_range_of_times():
    turns = read("Ann Lee (00:00 - 00:10):\nGood.\n\nBo Tan (00:11 --> 00:20): No.").turns
    assert [(turn.start, turn.end) for turn in turns] == [(0, 10), (11, 20)]
    screen = read("[00:00.000 --> 00:02.000]  Good morning.\n[00:02.000 --> 00:04.500]  Who goes?").turns
    assert [(turn.speaker, turn.start, turn.end) for turn in screen] == [("", 0, 2), ("", 2, 4.5)]
    assert heard("0:00\nmorning team\n0:02\nlate again") == [(0, "", "morning team"), (2, "", "late again")]


MEET = """Weekly sync (2024-05-02 10:00 GMT+2) - Transcript
Attendees
Ann Lee, Bo Tan
Transcript
Ann Lee: Good morning.
Bo Tan: Hello.
00:05:00
Ann Lee: We continue.
Meeting ended after 00:34:12
This editable transcript was computer generated and might contain errors."""

TEAMS = """Weekly sync-20240502_100000-Meeting Recording
May 2, 2024, 10:00AM
34m 12s

Ann Lee started transcription

Ann Lee   0:03
Good morning.

Tan, Bo (External)   0:09
Where do we begin?

Ann Lee stopped transcription"""

OTTER = """Weekly sync
Mon, May 6, 2024 10:02AM • 34:12

SUMMARY KEYWORDS
budget, plan

SPEAKERS
Ann Lee, Bo Tan

Ann Lee  00:00
Good morning. The agenda: short.
And more.

Second paragraph.

Bo Tan  00:12
Hello."""


def test_what_an_export_has_around_the_turns():
    assert heard(MEET) == [(None, "Ann Lee", "Good morning."), (None, "Bo Tan", "Hello."), (300, "Ann Lee", "We continue.")]  # fmt: skip
    assert read(MEET).troubles == {"left out": 6}
    assert heard(TEAMS) == [(3, "Ann Lee", "Good morning."), (9, "Tan, Bo (External)", "Where do we begin?")]
    assert heard(OTTER) == [
        (0, "Ann Lee", "Good morning. The agenda: short. And more."),
        (None, "Ann Lee", "Second paragraph."),
        (12, "Bo Tan", "Hello."),
    ]


MOTLEY = """Example Corp (EXC) Q1 2024 Earnings Call Transcript

Contents:
Prepared Remarks
Questions and Answers
Call Participants

Prepared Remarks:

Operator

Welcome to the call. [Operator Instructions]

Dana Reed -- Chief Executive Officer

Sales grew: by a tenth.

We are proud.

Questions and Answers:

Operator

Our first question comes from Lee Moss.

Lee Moss -- Acme Bank -- Analyst

And margins?

Dana Reed -- Chief Executive Officer

Margins fell.

Call participants:

Dana Reed -- Chief Executive Officer

Lee Moss -- Acme Bank -- Analyst

More EXC analysis"""

SEEKING = """Example Corp (EXC) CEO Dana Reed on Q1 2024 Results

Company Participants

Dana Reed - Chief Executive Officer
Kim Poe - CFO

Conference Call Participants

Lee Moss - Acme Bank

Operator

Welcome to the call.

Dana Reed

Sales grew.

Question-and-Answer Session

Operator

Our first question comes from Lee Moss.

Lee Moss

And margins?

Kim Poe

Margins fell."""


def sections(text):
    return [(turn.section, turn.speaker, turn.role, turn.text) for turn in read(text).turns]


def test_earnings_calls():
    remarks, questions, ceo = "Prepared Remarks", "Questions and Answers", "Chief Executive Officer"
    assert sections(MOTLEY) == [
        (remarks, "Operator", "", "Welcome to the call. [Operator Instructions]"),
        (remarks, "Dana Reed", ceo, "Sales grew: by a tenth."),
        (remarks, "Dana Reed", ceo, "We are proud."),
        (questions, "Operator", "", "Our first question comes from Lee Moss."),
        (questions, "Lee Moss", "Analyst", "And margins?"),
        (questions, "Dana Reed", ceo, "Margins fell."),
    ]
    session = "Questions and Answers"
    assert sections(SEEKING) == [
        ("", "Operator", "", "Welcome to the call."),
        ("", "Dana Reed", ceo, "Sales grew."),
        (session, "Operator", "", "Our first question comes from Lee Moss."),
        (session, "Lee Moss", "Analyst", "And margins?"),
        (session, "Kim Poe", "CFO", "Margins fell."),
    ]
    colon = "Operator: Welcome.\nDana Reed: Sales grew.\nOperator: First, Lee Moss.\nLee Moss: And margins?\nDana Reed: Fell."
    assert [turn.speaker for turn in read(colon).turns] == ["Operator", "Dana Reed", "Operator", "Lee Moss", "Dana Reed"]  # fmt: skip


COURT = """                                                            12
 1                 IN THE DISTRICT COURT
 2
 3                      DIRECT EXAMINATION
 4   BY MR. SMITH:
 5       Q.   Good morning.  State your name
 6   for the record.
 7       A.   Ann Lee.
 8       Q.   And where
 9   do you live?
10       A.   In Rome.  Note: it is far.
11            MS. JONES:  Objection.
12            THE COURT:  Sustained.
                 ACME REPORTING 555-1234
\f                                                            13
 1       A.   In May.
 2            THE WITNESS:  May I add?
 3       Q.   Go on, for
 4   ever.
                 ACME REPORTING 555-1234"""


def test_court_files():
    found = read(COURT)
    assert [(turn.speaker, turn.text) for turn in found.turns] == [
        ("", "IN THE DISTRICT COURT"),
        ("Q", "Good morning.  State your name for the record."),
        ("A", "Ann Lee."),
        ("Q", "And where do you live?"),
        ("A", "In Rome.  Note: it is far."),
        ("MS. JONES", "Objection."),
        ("THE COURT", "Sustained."),
        ("A", "In May."),
        ("THE WITNESS", "May I add?"),
        ("Q", "Go on, for ever."),
    ]
    assert found.turns[1].section == "Direct Examination" and found.troubles["left out"] == 5
    assert heard("Q: What?\nA: A form.\nQ. And when?\nA. In May.") == [
        (None, "Q", "What?"), (None, "A", "A form."), (None, "Q", "And when?"), (None, "A", "In May."),
    ]  # fmt: skip
    hearing = "    The CHAIRMAN. The committee will come to order.\n    Mr. SMITH of Ohio. Thank you, Mr. Chairman.\n    The CHAIRMAN. Go on."
    assert [turn.speaker for turn in read(hearing).turns] == [
        "The CHAIRMAN",
        "Mr. SMITH of Ohio",
        "The CHAIRMAN",
    ]
    assert heard("A. First item\nB. Second item") == [(None, "", "A. First item B. Second item")]


def test_numbers_that_count_turns_lose_no_line():
    lines = [f"{i} {'Ann' if i % 2 else 'Bo'}: line {i}" for i in range(1, 60)]
    lines.insert(7, "   goes on")
    turns = read("\n".join(lines)).turns
    assert len(turns) == 59 and turns[6].text == "line 7 goes on" and turns[58].speaker == "Ann"
    assert without_page_frames(["1 apple", "3 pears", "7 plums", "5 figs", "2 nuts"])[1] == 0


@pytest.mark.parametrize(
    "text",
    [
        "I went home.\nNote: this is important.\nThen I said this: no.\nReference: see below.\nSunday: rain.",
        "Ingredients: flour\nTime: 20 minutes\nServes: 4\nMix it well.",
        "Introduction\n\nThis is about Alice. She said: no.\n\nMethods\n\nWe asked: why?\n\nResults and Discussion\n\nIt works.",
        "Merkel spoke.\nThen the host left.\nJohn Miller: that was it.\nNothing more.",
        "Note: one.\nNote: two.\nNote: three.\nA long line without any.",
        "The meeting began at 10:02\nand ended at 11:15\nand nobody came.",
        "Alice Springs\n\nThe town is small.\n\nUluru\n\nThe rock is large.",
        "Meeting minutes\nDate: May 2\nTime: 10:00\nLocation: Rome\n- Budget: approved\n- Plan: open",
        "Genesis 1:1 In the beginning.\nJohn 3:16 For God so loved.\nLuke 2:10 And the angel said.",
        "Call me.\nP.S.: bring it.\nFYI: late.",
        "[laughs] He left the room.\n[applause] And came back.",
        "Revenue: 3 million.\nNet Income: 1 million.\nMay 2024: 4 million.",
    ],
)  # fmt: skip
def test_no_names_out_of_prose(text):
    assert {turn.speaker for turn in read(text).turns} == {""}


def test_common_words_before_a_colon_stay_in_the_turn():
    text = "Ann: Here is the plan.\nBudget: forty thousand.\nBo: Fine.\nWell: I did not expect that.\nAnn: Yes.\nNet Income: 3 million.\nBo: OK."
    assert [(turn.speaker, turn.text) for turn in read(text).turns] == [
        ("Ann", "Here is the plan. Budget: forty thousand."),
        ("Bo", "Fine. Well: I did not expect that."),
        ("Ann", "Yes. Net Income: 3 million."),
        ("Bo", "OK."),
    ]
    assert {"budget", "well", "income", "sunday"} <= common_words()
    assert [is_common(name) for name in ("Budget", "Net Income", "Operator", "Lee Moss", "The Will", "P1")] == [True, True, False, False, False, False]  # fmt: skip
    assert believed_names(["Budget", "Price", "Budget", "Price"], everywhere=True) == {"Budget", "Price"}
    assert believed_names(["Budget", "Price", "Budget", "Price"], everywhere=False) == set()
    assert not name_like("May 2, 2024") and not name_like("loud applause") and name_like("Dr. Ann Lee")


@pytest.mark.parametrize(
    ("stamp", "times"),
    [("[00:04]", (4, None)), ("(1:00:04.5 - 1:00:05)", (3604.5, 3605)), ("12:30 AM", (1800, None)), ("12:30 pm", (45000, None)), ("2024-05-02 10:02", (36120, None)), ("x", (None, None))],
)  # fmt: skip
def test_stamps(stamp, times):
    assert times_of(stamp) == times


@pytest.mark.parametrize(
    "said",
    [
        [("Note", "one"), ("Budget", "two")],
        [("", "Ann Lee  0:08"), ("", "Good")],
        [("", "[Ann Lee] x"), ("", "[Bo Tan] y")],
        [("A", "**Bo:** x"), ("B", "00:04")],
        [("Ann", "x"), ("Ann", "Prepared Remarks"), ("Bo", "1 x")],
        [("", "Attendees"), ("Ann", "hi"), ("Bo", "hi")],
    ],
)  # fmt: skip
def test_what_could_be_misread_is_written_in_brackets(tmp_path, said):
    turns = tuple(Turn("m", i, who, "", None, None, "", text) for i, (who, text) in enumerate(said))
    write_transcript(Transcript("m", turns), tmp_path / "m.txt")
    assert read_transcripts(tmp_path / "m.txt")[0].turns == turns


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "what", [" ", "*", "_", "0:01 ", "Ann ", "[", "(0:01", "A -- ", "\t", "#", "-", "'", "1 ", ".'"]
)
def test_long_lines_take_no_endless_time(what):
    long = what * 20_000
    for line in (
        long,
        f"Ann{long}: x",
        f"Ann Lee {long}0:08",
        f"[{long}] x",
        f"**{long}:** x",
        f"Bo -- {long}x",
    ):
        found = read(f"{line}\n{line}\nAnn: x\nBo: y\nAnn: z")
        assert found.turns
    assert len(FORMS) == 5
