"""Pieces and rows: every turn is in one piece, and its name tells where."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stratune.data.segments import SEPARATOR
from stratune.errors import ConfigError, DataError
from stratune.transcript import Transcript, Turn, documents, pieces

SAID = [
    ("ANN", 0.0, "1", "Welcome all."),
    ("ANN", 42.0, "1", "Who is first? Bob?"),
    ("BOB", 61.0, "1", "Me. Why not?"),
    ("BOB", 65.0, "2", "Or is it not?"),
    ("", 50.0, "2", "Yes."),
    ("ANN", 190.0, "2", 'Really "now?"'),
]
MEETING = Transcript(
    "m", tuple(Turn("m", i, who, "", at, None, part, text) for i, (who, at, part, text) in enumerate(SAID))
)


def names(by, transcript=MEETING):
    return [piece.name for piece in pieces(transcript, by)]


def test_what_a_piece_is():
    # ANN's two cues are one turn, and so are BOB's; those of different sections are not
    assert names("turn")[:3] == ["turns 1-2, 0:00, ANN", "turn 3, 1:01, BOB", "turn 4, 1:05, BOB"]
    # ANN goes on with her own turn, BOB asks back and goes on, ANN asks again.
    assert names("exchange") == ["turns 1-2, 0:00, ANN", "turns 3-5, 1:01, BOB", "turn 6, 3:10, ANN"]
    assert names("section") == ["turns 1-3, 0:00, ANN, BOB", "turns 4-6, 1:05, BOB, ANN"]
    assert names("speaker") == ["3 turns in 1-6, 0:00, ANN", "turns 3-4, 1:01, BOB", "turn 5, 0:50"]
    assert names("document") == ["turns 1-6, 0:00, ANN, BOB"]
    assert names("minutes:1") == ["turns 1-2, 0:00, ANN", "turns 3-5, 1:01, BOB", "turn 6, 3:10, ANN"]
    assert pieces(MEETING, "minutes:2")[0].text.splitlines() == [
        "ANN: Welcome all. Who is first? Bob?",
        "BOB: Me. Why not?",
        "BOB: Or is it not?",
        "Yes.",
    ]


turns_of = st.lists(st.tuples(st.sampled_from(["", "A", "B"]), st.none() | st.floats(0, 1000), st.sampled_from(["", "2"]), st.sampled_from(["x?", "y", "z"])), max_size=12)  # fmt: skip


@given(turns_of, st.sampled_from(["turn", "exchange", "section", "speaker", "document", "minutes:3"]))
def test_every_turn_is_in_one_piece(said, by):
    turns = tuple(Turn("m", i, who, "", at, None, part, text) for i, (who, at, part, text) in enumerate(said))
    if by == "minutes:3" and turns and all(turn.start is None for turn in turns):
        with pytest.raises(DataError, match="m: has no start times, which minutes:3 needs"):
            pieces(Transcript("m", turns), by)
        return
    lines = [line for piece in pieces(Transcript("m", turns), by) for line in piece.text.split("\n")]
    words = [word for line in lines for word in line.split() if not word.endswith(":")]
    expected = [turn.text for turn in turns]
    assert sorted(words) == sorted(expected) if by == "speaker" else words == expected
    assert {line[0] for line in lines if ":" in line} == {turn.speaker for turn in turns} - {""}


def test_rows_of_documents_speakers_and_segments():
    (row,) = documents([MEETING], "document", "section")
    assert (row["id"], row["document"], row["speaker"]) == ("m", "m", "")
    assert row["text"].split(SEPARATOR) == [piece.text for piece in pieces(MEETING, "section")]
    assert row["pieces"] == names("section")
    ann, bob = documents([MEETING], "speaker", "turn")
    assert (ann["id"], bob["speaker"], bob["pieces"]) == (
        "m/ANN",
        "BOB",
        ["turn 3, 1:01, BOB", "turn 4, 1:05, BOB"],
    )
    rows = documents([MEETING], "segment", "exchange")
    assert [(r["id"], r["speaker"]) for r in rows] == [("m/1", "ANN"), ("m/2", ""), ("m/3", "ANN")]
    assert [r["pieces"] for r in rows] == [[name] for name in names("exchange")]


def test_the_separator_is_nobodys_text():
    held = Transcript("m", (Turn("m", 0, f"A{SEPARATOR}", "", None, None, "", f"a{SEPARATOR}b"),))
    (row,) = documents([held], "document", "document")
    assert row["text"] == "A : a b"


def test_a_document_without_turns_is_a_row_without_text():
    empty = documents([Transcript("m", ())], "document", "minutes:2")
    assert empty == [
        {"id": "m", "document": "m", "speaker": "", "text": "", "pieces": [], "speakers": [], "starts": []}
    ]


@pytest.mark.parametrize(
    ("unit", "by", "message"),
    [
        ("paragraph", "turn", "unit: 'paragraph' is not one of document, speaker, segment"),
        ("document", "turns", "by: 'turns' is not one of turn, exchange, section, speaker, document, minutes:<n> (did you mean 'turn'?)"),
        ("document", "minutes:x", "by: 'minutes:x' should be minutes:<n>, such as minutes:5"),
        ("document", "minutes:-1", "by: 'minutes:-1' should be"),
    ],
)  # fmt: skip
def test_wrong_words(unit, by, message):
    with pytest.raises(ConfigError) as caught:
        documents([MEETING], unit, by)
    assert str(caught.value).startswith(message)
