"""Where the pieces of a transcript are goes with the text, and a column of the user's own does not."""

import pyarrow as pa

from stratune.data.arrow import from_batches, to_arrow
from stratune.data.pieces import pieces_of
from stratune.data.read import read
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


def test_transcripts_without_times_become_a_table():
    turns = [Turn("m", k, "ANN", "", None, None, "", "Hello.") for k in range(3)]
    rows = documents(
        [Transcript("m", tuple(turns[:2])), Transcript("n", tuple(turns))], "document", "document"
    )
    table = to_arrow(read(rows))
    table.validate(full=True)
    assert table.column("starts").to_pylist() == [[None], [None]]


def test_lists_of_nothing_take_the_type_of_the_others():
    batches = [{"k": [[None], []]}, {"k": [[1.5, None]]}]
    table = to_arrow(from_batches(batches, "rows"))
    table.validate(full=True)
    assert table.column("k").to_pylist() == [[None], [], [1.5, None]]
