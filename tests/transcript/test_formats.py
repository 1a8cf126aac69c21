"""Every format: what it can hold comes back, for any text."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from stratune.errors import DataError
from stratune.transcript import Transcript, Turn, read_transcripts, write_transcript, write_transcripts
from stratune.transcript.label import one_line, split_label
from stratune.transcript.write import WRITERS

FULL = (".json", ".jsonl", ".csv", ".parquet")  # hold everything

odd = st.sampled_from(
    ["Note: this", "[Bob]: hi", "- JOHN: yes", "1", "WEBVTT", "00:01.000 --> 00:02.000", "a --> b", "<v Bob>hi", "&amp;lt;", "NOTE x", "a\nb: c\r\n\nd", "[00:01:02] BOB: x", "<b>x</b>", "{\\an8}x", '"q"', "a,b\tc", "[]: x", "é\u0301", "\u2028x", "x\x1ey"]
)  # fmt: skip
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30) | odd
names = st.sampled_from(
    ["", "JOHN SMITH", "mturk_agent_1", "the witness", "Q", "http", "A: B", "Élodie", "a [b]"]
)
times = st.none() | st.integers(0, 10**7).map(lambda thousandths: thousandths / 1000)


@st.composite
def transcripts(draw) -> Transcript:
    """At least one turn; texts as they are after reading: not empty, nothing around them."""
    found = draw(st.lists(st.tuples(names | texts, times, times, texts), min_size=1, max_size=6))
    turns = []
    for speaker, start, end, text in found:
        said = text.strip() if one_line(text) else f"x{text}x"
        turns.append(Turn("meeting", len(turns), speaker.strip(), "host", start, end, "2", said))
    return Transcript("meeting", tuple(turns))


def written_and_read(transcript: Transcript, folder, suffix: str) -> Transcript:
    path = folder / f"{transcript.document}{suffix}"
    write_transcript(transcript, path)
    (back,) = read_transcripts(path)
    return back


round_trip = settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.mark.parametrize("suffix", FULL)
@round_trip
@given(transcript=transcripts())
def test_tables_and_json_hold_everything(tmp_path, suffix, transcript):
    assert written_and_read(transcript, tmp_path, suffix).turns == transcript.turns


def spoken_only(turn: Turn, **times) -> Turn:
    """What a format of lines holds of a turn."""
    return replace(
        turn, speaker=one_line(turn.speaker), text=one_line(turn.text), role="", section="", **times
    )


def assert_spoken_alike(transcript, back):
    """Speakers, texts and the times that were known; others were filled in."""
    for turn, read in zip(transcript.turns, back.turns, strict=True):
        start = read.start if turn.start is None else turn.start
        end = read.end if turn.end is None else turn.end
        assert read == spoken_only(turn, start=start, end=end)


@round_trip
@given(transcript=transcripts())
def test_vtt_holds_speakers_texts_and_times(tmp_path, transcript):
    assume(any(turn.start is not None for turn in transcript.turns))
    back = written_and_read(transcript, tmp_path, ".vtt")
    assert set(back.troubles) <= {"no speaker", "time runs backwards"}
    assert_spoken_alike(transcript, back)


@round_trip
@given(transcript=transcripts())
def test_srt_holds_the_same_without_tags_and_arrows(tmp_path, transcript):
    assume(any(turn.start is not None for turn in transcript.turns))
    lost = re.compile(r"-->|<|\{\\|\]:")
    assume(not any(lost.search(turn.text + turn.speaker) for turn in transcript.turns))
    back = written_and_read(transcript, tmp_path, ".srt")
    assert_spoken_alike(transcript, back)


@round_trip
@given(transcript=transcripts())
def test_plain_text_holds_speakers_and_texts(tmp_path, transcript):
    assume(not any("]:" in turn.speaker for turn in transcript.turns))
    back = written_and_read(transcript, tmp_path, ".txt")
    assert back.turns == tuple(spoken_only(turn, start=None, end=None) for turn in transcript.turns)


def test_times_that_are_missing_come_from_the_turns_around(tmp_path):
    known = [(None, None), (2.0, None), (None, None), (9.0, 9.5), (None, None)]
    turns = [Turn("m", i, "A", "", start, end, "", "x") for i, (start, end) in enumerate(known)]
    back = written_and_read(Transcript("m", tuple(turns)), tmp_path, ".vtt")
    assert [(turn.start, turn.end) for turn in back.turns] == [(0, 2), (2, 9), (9, 9), (9, 9.5), (9.5, 9.5)]


@pytest.mark.parametrize("suffix", [".vtt", ".srt"])
def test_captions_without_any_time_are_refused(tmp_path, suffix):
    silent = Transcript("m", (Turn("m", 0, "A", "", None, None, "", "x"),))
    with pytest.raises(DataError, match="m: has no start times, which vtt and srt need: write txt, json"):
        write_transcript(silent, tmp_path / f"a{suffix}")


@pytest.mark.parametrize("suffix", FULL)
def test_several_documents_in_one_file(tmp_path, suffix):
    several = [
        Transcript(d, tuple(Turn(d, i, "A", "", 1.5, None, "", f"{d} {i}") for i in range(3))) for d in "ab"
    ]
    write_transcripts(several, tmp_path / f"all{suffix}")
    assert read_transcripts(tmp_path / f"all{suffix}") == several


def test_targets_that_cannot_be_written(tmp_path):
    transcript = Transcript("m", (Turn("m", 0, "A", "", None, None, "", "x"),))
    with pytest.raises(
        DataError, match=r"file type '\.vt' is not one of \.vtt, \.srt, .*did you mean '\.vtt'"
    ):
        write_transcript(transcript, tmp_path / "a.vt")
    with pytest.raises(DataError, match="holds one document, not 2: write a folder, or json, jsonl"):
        write_transcripts([transcript, transcript], tmp_path / "a.txt")
    assert list(WRITERS) == [".vtt", ".srt", ".txt", *FULL]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("JOHN: hi", ("JOHN", "hi")),
        ("Mr. John Q. Smith (Counsel): hi", ("Mr. John Q. Smith (Counsel)", "hi")),
        ("R.T. RYBAK:", ("R.T. RYBAK", "")),
        (">> Ursula von der Leyen: so", ("Ursula von der Leyen", "so")),
        ("speaker_1: x", ("speaker_1", "x")),
        ("John G. Roberts, Jr.: x", ("John G. Roberts, Jr.", "x")),
        ("[the witness]: x", ("the witness", "x")),
        ("[]: Note: x", ("", "Note: x")),
        ("And I said this: no", None),
        ("He left the house. Bob: no", None),
        ("http://a.b", None),
        ("at 12:30 we", None),
        ("What? John: no", None),
        ("so: no", None),
    ],
)  # fmt: skip
def test_what_is_a_label(line, expected):
    assert split_label(line) == expected
