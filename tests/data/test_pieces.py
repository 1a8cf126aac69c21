"""Where the pieces of a transcript are goes with the text, and a column of the user's own does not."""

import pyarrow as pa

from stratune.data.pieces import pieces_of
from stratune.data.segments import SEPARATOR
from stratune.transcript import Transcript, Turn, documents

TEXTS = pa.chunked_array([[f"a{SEPARATOR}b", "c"]])
WHERE = {
    "pieces": [["one", "two"], ["three"]],
    "speakers": [["ANN", ""], ["BOB"]],
    "starts": [[0.0, None], [7.5]],
}


def test_each_piece_has_its_name_speaker_and_start():
    first, second = pieces_of(pa.table(WHERE), TEXTS).to_pylist()
    assert first == [
        {"name": "one", "speaker": "ANN", "start": 0.0},
        {"name": "two", "speaker": "", "start": None},
    ]
    assert second == [{"name": "three", "speaker": "BOB", "start": 7.5}]


def test_lists_of_another_length_are_not_of_this_text():
    short = {**WHERE, "starts": [[0.0], [7.5]]}
    assert pieces_of(pa.table(short), TEXTS).to_pylist()[0] == []


def test_columns_of_that_name_that_hold_something_else_are_left_alone():
    assert pieces_of(pa.table({**WHERE, "speakers": ["ANN", "BOB"]}), TEXTS) is None
    assert pieces_of(pa.table({**WHERE, "starts": [["soon", "later"], ["now"]]}), TEXTS) is None
    assert pieces_of(pa.table({"pieces": WHERE["pieces"]}), TEXTS) is None


def test_rows_of_transcripts_have_them():
    turns = (Turn("m", 0, "ANN", "", 0.5, 2.0, "", "Hello."), Turn("m", 1, "BOB", "", 2.5, None, "", "Hi."))
    rows = documents([Transcript("m", turns)], "document", "turn")
    (found,) = pieces_of(pa.Table.from_pylist(rows), pa.chunked_array([[rows[0]["text"]]])).to_pylist()
    assert found == [
        {"name": "turn 1, 0:00, ANN", "speaker": "ANN", "start": 0.5},
        {"name": "turn 2, 0:02, BOB", "speaker": "BOB", "start": 2.5},
    ]
