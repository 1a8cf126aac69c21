"""Cues of one speaker are one turn, and exchanges begin with questions."""

from __future__ import annotations

import pytest

from stratune.transcript import Transcript, Turn, pieces, read_transcripts
from stratune.transcript.runs import merged, runs
from stratune.transcript.texts import Texts, read_texts

ZOOM = """WEBVTT

1
00:00:01.000 --> 00:00:04.000
Ann Lee: Thanks for the talk. I was wondering about the second

2
00:00:04.100 --> 00:00:06.000
Ann Lee: slide. What did the control group get?

3
00:00:06.500 --> 00:00:09.000
Bo Tan: They got the old form. It was

4
00:00:09.100 --> 00:00:12.000
Bo Tan: shorter by a page.

5
00:00:12.500 --> 00:00:14.000
Cy Roe: I have another one. Was

6
00:00:14.100 --> 00:00:16.000
it the same in spring?

7
00:00:16.500 --> 00:00:18.000
Bo Tan: Yes, it was.
"""


def transcript(said, seconds=None):
    """Of (speaker, text) or (speaker, text, role)."""
    turns = []
    for number, (who, text, *role) in enumerate(said):
        start = None if seconds is None else number * seconds
        end = None if start is None else start + seconds
        turns.append(Turn("m", number, who, role[0] if role else "", start, end, "", text))
    return Transcript("m", tuple(turns))


def texts(found, by="exchange"):
    return [piece.text.split("\n") for piece in pieces(found, by)]


def test_a_recording_of_zoom(tmp_path):
    (tmp_path / "zoom.vtt").write_text(ZOOM)
    (zoom,) = read_transcripts(tmp_path)
    first, second = pieces(zoom, "exchange")
    assert first.text.startswith("Ann Lee: Thanks for the talk. I was wondering about the second slide. What")
    assert second.text == "Cy Roe: I have another one. Was it the same in spring?\nBo Tan: Yes, it was."
    assert (first.name, second.name) == (
        "turns 1-4, 0:01, Ann Lee, Bo Tan",
        "turns 5-7, 0:12, Cy Roe, Bo Tan",
    )
    assert [piece.name for piece in pieces(zoom, "turn")][1] == "turns 3-4, 0:06, Bo Tan"
    (row,), _ = read_texts(tmp_path, Texts(by="turn"))
    assert len(row["pieces"]) == 4 and "It was shorter by a page." in row["text"]


def test_a_run_has_the_times_of_its_ends():
    found = transcript([("ANN", "One"), ("ANN", "two."), ("BOB", "Three.")], seconds=2.0)
    ann, bob = map(merged, runs(found.turns))
    assert (ann.text, ann.start, ann.end, ann.index) == ("One two.", 0.0, 4.0, 0)
    assert bob == found.turns[2]


@pytest.mark.parametrize(
    ("said", "seconds", "lines"),
    [
        ([("A", "One."), ("A", "Two.")], None, ["A: One.", "A: Two."]),  # whoever wrote it made two turns
        ([("A", "One."), ("A", "Two.")], 1.0, ["A: One. Two."]),
        ([("A", "One and"), ("A", "two.")], None, ["A: One and two."]),
        ([("A", "One"), ("A", "Two")], None, ["A: One", "A: Two"]),
        ([("A", "One and"), ("", "two.")], 1.0, ["A: One and two."]),
        ([("A", "One."), ("", "Two.")], 1.0, ["A: One.", "Two."]),
        ([("", "one and"), ("", "two."), ("", "three")], 1.0, ["one and two.", "three"]),
        ([("", "One and"), ("A", "two.")], 1.0, ["One and", "A: two."]),
        ([("", "w " * 60)] * 3, 1.0, [("w " * 60).strip()] * 3),  # recognised, without a full stop
    ],
)
def test_what_goes_on(said, seconds, lines):
    found = transcript([(who, text.strip()) for who, text in said], seconds)
    assert [line for piece in texts(found, "turn") for line in piece] == lines


def test_turns_that_were_left_out_stand_between():
    found = transcript([("A", "I was"), ("B", "Why?"), ("A", "late.")], seconds=1.0)
    less = Transcript("m", (found.turns[0], found.turns[2]))
    assert texts(less, "turn") == [["A: I was"], ["A: late."]]


def test_minutes_cut_what_one_speaker_says():
    found = transcript([("A", f"Word {n} and") for n in range(10)], seconds=30.0)
    assert len(texts(found, "minutes:1")) == 5 and len(texts(found, "turn")) == 1
    assert texts(found, "minutes:1")[1] == ["A: Word 2 and Word 3 and"]


def interview(questions=6, **names):
    """A question in three cues, an answer in three, with a question back in each."""
    asks, answers = names.get("asks", "ANN"), names.get("answers", "BOB")
    said = [(answers, "Good to be here.")]
    for n in range(questions):
        said += [(asks, f"And the number {n}, tell me,"), (asks, "what is"), (asks, "it?")]
        said += [(answers, "Do you mean"), (answers, "this one? It is"), (answers, f"so and so, {n}.")]
    return said


def test_exchanges_are_within_one_of_the_interviewers_questions():
    for questions in (3, 6, 36):
        assert len(texts(transcript(interview(questions), seconds=2.0))) == questions + 1


def test_eighty_calls(tmp_path):
    """80 calls with six questions each, each in two cues, which were 80 pieces."""
    for call in range(80):
        cues = ["WEBVTT\n"]
        for n in range(6):
            words = [("Analyst", "What about"), ("Analyst", "margins?"), ("CEO", "They"), ("CEO", "rose.")]
            for k, (who, text) in enumerate(words):
                at = f"00:{n:02}:{10 * k:02}.000 --> 00:{n:02}:{10 * k + 9:02}.000"
                cues.append(f"{at}\n<v {who}>{text}</v>\n")
        (tmp_path / f"call{call:02}.vtt").write_text("\n".join(cues))
    rows, _ = read_texts(tmp_path, Texts(unit="segment", by="exchange"))
    assert len(rows) == 480


@pytest.mark.parametrize(
    ("said", "count"),
    [
        # a role or a name says who interviews, from the first question on
        ([("A", "Who?", "interviewer"), ("B", "Me?", "guest"), ("B", "Yes.", "guest"), ("A", "Why?", "interviewer")], 2),
        ([("I", "Who?"), ("P1", "Me?"), ("I", "Yes."), ("I", "Why?"), ("P1", "So.")], 2),
        # the interviewer's question may stand before a remark
        ([("Interviewer", "How are you? Take your time."), ("P", "Well."), ("Interviewer", "Fine."), ("P", "Yes.")], 1),
        # nobody interviews: whoever asks
        ([("A", "Who?"), ("B", "Me."), ("C", "And when?"), ("B", "Then.")], 2),
        # nothing is punctuated
        ([("Interviewer", "who is it"), ("P", "me"), ("Interviewer", "why"), ("P", "so")], 2),
        # captions without speakers
        ([("", "Who is it?"), ("", "It is me."), ("", "And when?"), ("", "In May?"), ("", "In May.")], 2),
    ],
)  # fmt: skip
def test_what_begins_an_exchange(said, count):
    assert len(texts(transcript(said))) == count


def test_others_who_follow_each_other_stay_two(tmp_path):
    found = "WEBVTT\n\n00:01.000 --> 00:02.000\nANN: One.\n\n00:02.000 --> 00:03.000\nBOB: Two.\n\n00:03.000 --> 00:04.000\nCAT: Three.\n"
    (tmp_path / "m.vtt").write_text(found)
    rows, _ = read_texts(tmp_path, Texts(unit="speaker", others=True, by="document"))
    assert {row["speaker"]: row["text"] for row in rows}["CAT"] == "OTHER: One.\nOTHER: Two.\nSPEAKER: Three."
