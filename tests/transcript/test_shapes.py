"""JSON of recognisers, meeting services and corpora: turns, speakers, seconds."""

from __future__ import annotations

import json

import pytest

from stratune.errors import DataError
from stratune.transcript import Transcript, Turn, read_texts, read_transcripts, write_transcript
from stratune.transcript.shapes import SHAPES, shape_of
from stratune.transcript.shapes.said import BAD, Said, moment, time
from tests.transcript.test_exports import MOTLEY


def word(text, start, end, **more):
    return {"word": text, "start": start, "end": end, **more}


def item(content, start, end, **more):
    return {"type": "pronunciation", "start_time": start, "end_time": end, "alternatives": [{"content": content, "confidence": "0.8"}], **more}  # fmt: skip


def mark(content, **more):
    return {"type": "punctuation", "alternatives": [{"content": content, "confidence": "0.0"}], **more}


GOOGLE_WORDS = [
    {"startTime": "0.100s", "endTime": "0.300s", "word": "Good", "speakerTag": 1},
    {"startTime": "0.400s", "endTime": "4s", "word": "morning.", "speakerTag": 1},
    {"startTime": "4.500s", "endTime": "6s", "word": "Hello.", "speakerTag": 2},
]

# (name, a file's value); each holds: A says "Good morning." from 0.1 to 4 s, B says "Hello." from 4.5 to 6 s.
TWO = [
    ("AssemblyAI", {"id": "x", "status": "completed", "text": "…", "words": [], "audio_duration": 6, "utterances": [
        {"speaker": "A", "start": 100, "end": 4000, "text": "Good morning.", "confidence": 0.9, "words": []},
        {"speaker": "B", "start": 4500, "end": 6000, "text": "Hello.", "confidence": 0.9, "words": []}]}),
    ("AssemblyAI", {"status": "completed", "text": "…", "utterances": None, "words": [
        {"text": "Good", "start": 100, "end": 300, "confidence": 0.9, "speaker": "A"},
        {"text": "morning.", "start": 310, "end": 4000, "confidence": 0.9, "speaker": "A"},
        {"text": "Hello.", "start": 4500, "end": 6000, "confidence": 0.9, "speaker": "B"}]}),
    ("ElevenLabs", {"text": "…", "words": [
        {"text": "Good", "start": 0.1, "end": 1, "type": "word", "speaker_id": "A"},
        {"text": " ", "start": 1, "end": 1.1, "type": "spacing", "speaker_id": "A"},
        {"text": "morning.", "start": 1.1, "end": 4, "type": "word", "speaker_id": "A"},
        {"text": "Hello.", "start": 4.5, "end": 6, "type": "word", "speaker_id": "B"}]}),
    ("Deepgram", {"results": {"channels": [{"alternatives": [{"transcript": "…", "words": []}]}], "utterances": [
        {"start": 0.1, "end": 4.0, "channel": 0, "transcript": "Good morning.", "speaker": "A"},
        {"start": 4.5, "end": 6.0, "channel": 0, "transcript": "Hello.", "speaker": "B"}]}}),
    ("Deepgram", {"results": {"channels": [{"alternatives": [{"transcript": "…", "words": [], "paragraphs": {"paragraphs": [
        {"sentences": [{"text": "Good", "start": 0.1}, {"text": "morning."}], "speaker": "A", "start": 0.1, "end": 4.0},
        {"sentences": [{"text": "Hello."}], "speaker": "B", "start": 4.5, "end": 6.0}]}}]}]}}),
    ("Deepgram", {"results": {"channels": [{"alternatives": [{"transcript": "…", "words": [
        word("good", 0.1, 1, speaker="A", punctuated_word="Good"), word("morning", 1, 4, speaker="A", punctuated_word="morning."),
        word("hello", 4.5, 6, speaker="B", punctuated_word="Hello.")]}]}]}}),
    ("AWS Transcribe", {"jobName": "j", "results": {"transcripts": [{"transcript": "…"}], "items": [
        item("Good", "0.1", "0.3", speaker_label="A"), item("morning", "0.4", "4.0", speaker_label="A"), mark(".", speaker_label="A"),
        item("Hello", "4.5", "6.0", speaker_label="B"), mark(".")]}}),
    ("AWS Transcribe", {"results": {"transcripts": [{"transcript": "…"}], "items": [
        item("Good", "0.1", "0.3"), item("morning", "0.4", "4.0"), mark("."), item("Hello", "4.5", "6.0"), mark(".")],
        "speaker_labels": {"segments": [
            {"speaker_label": "A", "items": [{"start_time": "0.1", "speaker_label": "A"}, {"start_time": "0.4", "speaker_label": "A"}]},
            {"speaker_label": "B", "items": [{"start_time": "4.5", "speaker_label": "B"}]}]}}}),
    ("AWS Transcribe", {"results": {"items": [], "channel_labels": {"channels": [
        {"channel_label": "B", "items": [item("Hello", "4.5", "6.0"), mark(".")]},
        {"channel_label": "A", "items": [item("Good", "0.1", "0.3"), item("morning", "0.4", "4.0"), mark(".")]}]}}}),
    ("AWS Transcribe", {"Transcript": [
        {"ParticipantRole": "A", "Content": "Good morning.", "BeginOffsetMillis": 100, "EndOffsetMillis": 4000},
        {"ParticipantRole": "B", "Content": "Hello.", "BeginOffsetMillis": 4500, "EndOffsetMillis": 6000}]}),
    ("Google Speech-to-Text", {"results": [
        {"alternatives": [{"transcript": "Good morning. Hello.", "words": [{k: v for k, v in w.items() if k != "speakerTag"} for w in GOOGLE_WORDS]}]},
        {"alternatives": [{"words": [{**w, "speakerTag": "AB"[w["speakerTag"] - 1]} for w in GOOGLE_WORDS]}]}]}),
    ("Google Speech-to-Text", {"response": {"results": [{"alternatives": [{"transcript": "…", "words": [
        {"start_offset": {"nanos": 100000000}, "end_offset": {"seconds": 1}, "word": "Good", "speaker_label": "A"},
        {"start_offset": {"seconds": "1"}, "end_offset": {"seconds": "4"}, "word": "morning.", "speaker_label": "A"},
        {"start_offset": {"seconds": 4, "nanos": 500000000}, "end_offset": "6s", "word": "Hello.", "speaker_label": "B"}]}]}]}}),
    ("Azure batch transcription", {"source": "s", "combinedRecognizedPhrases": [{"display": "…"}], "recognizedPhrases": [
        {"channel": 0, "speaker": "A", "offset": "PT0.1S", "duration": "PT3.9S", "nBest": [{"display": "Good morning.", "confidence": 0.9}]},
        {"channel": 0, "speaker": "B", "offsetInTicks": 45000000.0, "durationInTicks": 15000000.0, "nBest": [{"display": "Hello."}]}]}),
    ("Azure fast transcription", {"durationMilliseconds": 6000, "combinedPhrases": [{"text": "…"}], "phrases": [
        {"offsetMilliseconds": 100, "durationMilliseconds": 3900, "text": "Good morning.", "speaker": "A", "confidence": 0.9},
        {"offset": 4500, "duration": 1500, "text": "Hello.", "speaker": "B"}]}),
    ("Azure Speech SDK", [
        {"RecognitionStatus": "Success", "DisplayText": "Good morning.", "Offset": 1000000, "Duration": 39000000, "SpeakerId": "A"},
        {"RecognitionStatus": "Success", "DisplayText": "Hello.", "Offset": 45000000, "Duration": 15000000, "SpeakerId": "B"}]),
    ("Azure Video Indexer", {"videos": [{"insights": {"speakers": [{"id": 1, "name": "A"}, {"id": 2, "name": "B"}], "transcript": [
        {"text": "Good morning.", "speakerId": 1, "confidence": 0.9, "instances": [{"start": "0:00:00.1", "end": "0:00:04"}]},
        {"text": "Hello.", "speakerId": 2, "instances": [{"adjustedStart": "0:00:04.5", "adjustedEnd": "0:00:06", "start": "0:01"}]}]}}]}),
    ("Teams", {"version": "1.0.0", "type": "Transcript", "entries": [
        {"text": "Good morning.", "speakerId": "1@2", "speakerDisplayName": "A", "confidence": 0.0, "startOffset": "00:00:00.1000000", "endOffset": "00:00:04"},
        {"text": "Hello.", "speakerId": "3@2", "speakerDisplayName": "B", "startOffset": "00:00:04.5000000", "endOffset": "00:00:06"}]}),
    ("Speechmatics", {"format": "2.9", "results": [
        {"type": "word", "start_time": 0.1, "end_time": 0.4, "alternatives": [{"content": "Good", "confidence": 1.0, "speaker": "A"}]},
        {"type": "word", "start_time": 0.5, "end_time": 4.0, "alternatives": [{"content": "morning", "confidence": 0.5, "speaker": "A"}]},
        {"type": "punctuation", "start_time": 4.0, "end_time": 4.0, "attaches_to": "previous", "alternatives": [{"content": ".", "confidence": 1.0, "speaker": "A"}]},
        {"type": "word", "start_time": 4.5, "end_time": 6.0, "alternatives": [{"content": "Hello", "speaker": "B"}]},
        {"type": "punctuation", "start_time": 6.0, "end_time": 6.0, "alternatives": [{"content": ".", "speaker": "B"}]}]}),
    ("IBM Watson", {"results": [{"alternatives": [{"transcript": "…", "timestamps": [["Good", 0.1, 1], ["morning.", 1, 4], ["Hello.", 4.5, 6]]}]}],
        "speaker_labels": [{"from": 0.1, "speaker": "A"}, {"from": 1, "speaker": "A"}, {"from": 4.5, "speaker": "B"}]}),
    ("Rev", {"speakers": [{"id": 0, "name": "A"}], "monologues": [
        {"speaker": 0, "elements": [{"type": "text", "value": "Good", "ts": 0.1, "end_ts": 0.3, "confidence": 0.9}, {"type": "punct", "value": " "},
            {"type": "text", "value": "morning", "ts": 0.4, "end_ts": 4.0}, {"type": "punct", "value": "."}]},
        {"speaker": "B", "elements": [{"type": "text", "value": "Hello", "timestamp": "00:00:04,500", "end_timestamp": "00:00:06,000"}, {"type": "punct", "value": "."}]}]}),
    ("Otter", {"speech": {"speakers": [{"id": 7, "speaker_name": "A"}], "transcripts": [
        {"transcript": "Good morning.", "speaker_id": 7, "start_offset": 1600, "end_offset": 64000},
        {"transcript": "Hello.", "speaker_id": None, "speaker_model_label": "B", "start_offset": 72000, "end_offset": 96000}]}}),
    ("Fireflies", {"data": {"transcript": {"title": "t", "sentences": [
        {"index": 0, "speaker_name": "A", "text": "Good morning.", "raw_text": "x", "start_time": 0.1, "end_time": 4},
        {"index": 1, "speaker_name": "B", "text": "Hello.", "start_time": 4.5, "end_time": 6}]}}}),
    ("Zoom", {"transcript": {"transcriptList": [
        {"username": "A", "ts": "00:00:00.100", "endTs": "00:00:04.000", "text": "Good morning."},
        {"username": "B", "ts": "00:00:04.500", "endTs": "00:00:06.000", "text": "Hello."}]}}),
    ("Zoom", {"participants": [
        {"display_name": "B", "transcripts": [{"text": "Hello.", "start_time": "00:00:04.500", "end_time": "00:00:06"}]},
        {"display_name": "A", "transcripts": [{"text": "Good morning.", "start_time": "00:00:00.100", "end_time": "00:00:04"}]}]}),
    ("Gladia", {"result": {"transcription": {"utterances": [
        {"text": "Good morning.", "start": 0.1, "end": 4, "speaker": "A"}, {"text": "Hello.", "start": 4.5, "end": 6, "speaker": "B"}]}}}),
    ("WhisperX", {"segments": [
        {"start": 0.1, "end": 4.0, "text": " Good morning.", "speaker": "A", "words": [word("Good", 0.1, 0.2, score=0.9)]},
        {"start": 4.5, "end": 6.0, "text": " Hello.", "words": [word("Hello.", 4.5, 6, speaker="B")]}], "word_segments": []}),
    ("transformers chunks", {"text": "…", "chunks": [{"timestamp": [0.1, 4.0], "text": "x"}], "speakers": [
        {"speaker": "A", "timestamp": [0.1, 4.0], "text": "Good morning."}, {"speaker": "B", "timestamp": [4.5, 6.0], "text": "Hello."}]}),
    ("Recall.ai", [
        {"participant": {"name": "A"}, "words": [{"text": "Good", "start_timestamp": {"relative": 0.1}}, {"text": "morning.", "end_timestamp": {"relative": 4}}]},
        {"speaker": "B", "words": [{"text": "Hello.", "start_timestamp": 4.5, "end_timestamp": 6}]}]),
    ("turns at data.parts", {"data": {"title": "t", "parts": [
        {"who": "A", "body": "Good morning.", "startMs": 100, "endMs": 4000}, {"who": "B", "body": "Hello.", "startMs": 4500, "endMs": 6000}]}}),
]  # fmt: skip


def read(tmp_path, value, name="call.json"):
    path = tmp_path / name
    path.write_text(json.dumps(value))
    return read_transcripts(path)


@pytest.mark.parametrize(("name", "value"), TWO)
def test_two_turns_of_every_shape(tmp_path, name, value):
    (found,) = read(tmp_path, value)
    heard = [(turn.speaker, turn.start, turn.end, turn.text) for turn in found.turns]
    assert heard == [("A", 0.1, 4.0, "Good morning."), ("B", 4.5, 6.0, "Hello.")]
    assert found.troubles == {} and found.form == name


SEGMENT = {"id": 0, "seek": 0, "tokens": [1], "avg_logprob": -0.2, "start": 0.0, "end": 2.0, "text": " Good."}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Whisper", {"text": " Good. No.", "segments": [SEGMENT, {**SEGMENT, "start": 2.0, "end": 4.0, "text": " No."}]}),
        ("faster-whisper", [SEGMENT, {**SEGMENT, "start": 2.0, "end": 4.0, "text": " No."}]),
        ("whisper.cpp", {"transcription": [
            {"timestamps": {"from": "00:00:00,000", "to": "00:00:02,000"}, "offsets": {"from": 0, "to": 2000}, "text": " Good."},
            {"timestamps": {"from": "00:00:02,000", "to": "00:00:04,000"}, "text": " No."}]}),
        ("transformers chunks", {"text": "x", "chunks": [{"timestamp": [0, 2], "text": "Good."}, {"timestamp": [2, 4.0], "text": "No."}]}),
        ("words as OpenAI's", {"text": "Good. No.", "words": [word("Good.", 0, 2), word("No.", 2, 4)]}),
        ("AssemblyAI", {"words": [{"text": "Good.", "start": 0, "end": 2000, "confidence": 1, "speaker": None},
                                  {"text": "No.", "start": 2000, "end": 4000, "confidence": 1, "speaker": None}]}),
    ],
)  # fmt: skip
def test_texts_without_speakers_are_cut_by_segment_or_sentence(tmp_path, name, value):
    (found,) = read(tmp_path, value)
    assert [(turn.start, turn.end, turn.text) for turn in found.turns] == [(0, 2, "Good."), (2, 4, "No.")]
    assert found.form == name and found.speakers == []


@pytest.mark.parametrize(
    ("name", "value", "turns"),
    [
        ("chat messages", {"messages": [{"role": "user", "content": "Where?"}, {"role": "assistant", "content": [{"type": "text", "text": "Here."}]}]},
         [("user", "user", "", "Where?"), ("assistant", "assistant", "", "Here.")]),
        ("chat messages", {"conversations": [{"from": "human", "value": "Where?"}]}, [("human", "human", "", "Where?")]),
        ("QMSum", {"topic_list": [], "meeting_transcripts": [{"speaker": "Chair", "content": "Shall we?"}]}, [("Chair", "", "", "Shall we?")]),
        ("MediaSum", {"id": "x", "summary": "s", "utt": ["Hello.", "Hi."], "speaker": ["ANN", "BO"]}, [("ANN", "", "", "Hello."), ("BO", "", "", "Hi.")]),
        ("dialogue", {"id": "1", "summary": "s", "dialogue": "Amanda: Hi.\r\nJerry: Sure!"}, [("Amanda", "", "", "Hi."), ("Jerry", "", "", "Sure!")]),
        ("pairs", {"original": [["agent", "Hi."], ["customer", "No."]]}, [("agent", "", "", "Hi."), ("customer", "", "", "No.")]),
        ("earnings call", {"prepared_remarks": [{"speaker": "Dana Reed", "speech": ["Sales", "grew."]}], "q_and_a": [{"speaker": "Lee Moss", "speech": "Why?"}],
                           "participants": ["Dana Reed--Chief Executive Officer"]},
         [("Dana Reed", "Chief Executive Officer", "Prepared Remarks", "Sales grew."), ("Lee Moss", "", "Questions and Answers", "Why?")]),
    ],
)  # fmt: skip
def test_corpora(tmp_path, name, value, turns):
    (found,) = read(tmp_path, value)
    assert [(turn.speaker, turn.role, turn.section, turn.text) for turn in found.turns] == turns
    assert found.form == name


def test_dates_become_seconds_since_the_first(tmp_path):
    teams = [{"startDateTime": f"2024-05-02T10:00:0{i}.1234567Z", "endDateTime": None, "speakerName": "A", "spokenText": "x"} for i in (1, 3)]  # fmt: skip
    assert [turn.start for turn in read(tmp_path, teams)[0].turns] == [0, 2]
    rows = [{"speaker": "A", "text": "x", "timestamp": f"2024-05-02T10:0{i}:00+02:00"} for i in (1, 3)]
    assert [turn.start for turn in read(tmp_path, rows)[0].turns] == [0, 120]


def test_many_documents_in_one_file(tmp_path):
    chats = [{"messages": [{"role": "user", "content": f"{i}"}]} for i in range(2)]
    (tmp_path / "chat.jsonl").write_text("\n".join(map(json.dumps, chats)) + "\nnothing\n")
    found = read_transcripts(tmp_path / "chat.jsonl")
    assert [transcript.document for transcript in found] == ["chat-1", "chat-2"]
    assert found[0].troubles == {"bad line": 1}
    named = [{"id": "a", "utt": ["x"], "speaker": ["A"]}, {"id": "b", "utt": ["y"], "speaker": ["B"]}]
    assert [transcript.document for transcript in read(tmp_path, named)] == ["a", "b"]
    rows = [{"id": f"u{i}", "conversation_id": "c", "text": "x", "speaker": {"id": "ann"}, "reply-to": None, "timestamp": i} for i in (1, 2)]  # fmt: skip
    (corpus,) = read(tmp_path, rows)
    assert (corpus.document, corpus.form, corpus.speakers) == ("c", "ConvoKit", ["ann"])
    assert [turn.start for turn in corpus.turns] == [1, 2]


def test_lists_and_documents_inside_others(tmp_path):
    (chat,) = read(tmp_path, {"conversation": {"messages": [{"role": "user", "content": "x"}]}})
    assert (chat.form, chat.speakers) == ("chat messages at conversation", ["user"])
    (alone,) = read(tmp_path, [{"role": "user", "content": "x"}, {"role": "assistant", "content": "y"}])
    assert alone.speakers == ["user", "assistant"]
    talks = {
        name: {"content": [{"message": f"{name} {i}", "agent": f"agent_{i}"} for i in (1, 2)]}
        for name in "ab"
    }
    assert [(t.document, len(t.turns), t.form) for t in read(tmp_path, talks)] == [
        ("a", 2, "turns in 2 lists"), ("b", 2, "turns in 2 lists")]  # fmt: skip
    (call,) = read(
        tmp_path, {"remarks": [{"who": "A", "said": 1, "body": "x"}], "answers": [{"who": "B", "body": "y"}]}
    )
    assert [(turn.section, turn.text) for turn in call.turns] == [("remarks", "x"), ("answers", "y")]
    calls = [{"id": "q1", "transcript": MOTLEY}, {"id": "q2", "transcript": "Ann: x\nBo: y\nAnn: z"}]
    first, second = read(tmp_path, calls)
    assert (first.document, first.troubles["one text"], len(first.turns)) == ("q1", 1, 6)
    assert (second.document, second.speakers) == ("q2", ["Ann", "Bo"])
    since = [{"speaker": "A", "text": "x", "timestamp": 1_400_000_000 + i} for i in (0, 5)]
    assert [turn.start for turn in read(tmp_path, since)[0].turns] == [0, 5]
    with pytest.raises(DataError, match="nothing stands at 'a.b', given for 'text'"):
        read_transcripts(tmp_path / "call.json", {"text": "a.b"})


LONG_TEXT = "Good morning all of you, and welcome to this call. " * 3


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"a": {"b": [{"said": LONG_TEXT}]}}, "long texts are at a.b.0.said (30 words): name one, as in --columns text=a.b.0.said"),
        ({"a": [{"said": LONG_TEXT}, {"said": LONG_TEXT}]}, "long texts are at a.said (60 words)"),
        ({"a": 1}, 'holds no turns: expected objects with a "text"'),
    ],
)  # fmt: skip
def test_what_is_not_recognised_tells_where_its_texts_are(tmp_path, value, message):
    with pytest.raises(DataError) as caught:
        read(tmp_path, value)
    assert message in str(caught.value) and "\n" not in str(caught.value)


def test_dotted_paths(tmp_path):
    path = tmp_path / "call.json"
    parts = [{"who": {"n": "A"}, "said": "x", "at": "1.5s"}, {"who": {"n": "B"}, "said": "y", "at": "2s"}]
    path.write_text(json.dumps({"call": {"no": 7}, "a": {"parts": parts}}))
    columns = {
        "text": "a.parts.said",
        "speaker": "a.parts.who.n",
        "start": "a.parts.at",
        "document": "call.no",
    }
    (found,) = read_transcripts(path, columns)
    heard = [(turn.document, turn.speaker, turn.start, turn.text) for turn in found.turns]
    assert heard == [("7", "A", 1.5, "x"), ("7", "B", 2.0, "y")]
    path.write_text(
        json.dumps({"results": {"transcripts": [{"transcript": "Ann: Good.\nBo: No.\nAnn: Why?"}]}})
    )
    (found,) = read_transcripts(path, {"text": "results.transcripts.0.transcript"})
    assert [turn.speaker for turn in found.turns] == ["Ann", "Bo", "Ann"] and found.troubles == {
        "one text": 1
    }


@pytest.mark.parametrize(
    "value",
    [{"text": LONG_TEXT}, {"results": {"transcripts": [{"transcript": LONG_TEXT}]}}, {"id": 1, "text": LONG_TEXT, "segments": []}],
)  # fmt: skip
def test_one_turn_is_never_silent(tmp_path, value):
    (found,) = read(tmp_path, value)
    assert len(found.turns) == 1 and found.troubles["one text"] == 1


def test_confidences_are_kept(tmp_path):
    (found,) = read(tmp_path, TWO[6][1])
    assert [turn.confidence for turn in found.turns] == [0.8, 0.8]
    for suffix in (".json", ".jsonl", ".csv", ".parquet"):
        transcript = Transcript("m", (Turn("m", 0, "A", "", 1.0, None, "", "x", 0.5),))
        write_transcript(transcript, tmp_path / f"m{suffix}")
        assert read_transcripts(tmp_path / f"m{suffix}") == [transcript]


def test_the_shape_is_told_with_the_texts(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps(TWO[0][1]))
    _, report = read_texts(tmp_path)
    assert report.forms == {"AssemblyAI": 1} and "1 document read as AssemblyAI" in report.lines()


def test_names_of_corpora_in_tables(tmp_path):
    path = tmp_path / "annomi.csv"
    path.write_text(
        "transcript_id,mi_quality,utterance_id,interlocutor,timestamp,utterance_text\n"
        "0,high,0,therapist,00:00:13,What brings you?\n0,high,1,client,00:00:24,My knee.\n"
    )
    (found,) = read_transcripts(path)
    heard = [(turn.speaker, turn.start, turn.text) for turn in found.turns]
    assert heard == [("therapist", 13, "What brings you?"), ("client", 24, "My knee.")]
    rows, _ = read_texts(path)
    assert [(row["document"], row["mi_quality"]) for row in rows] == [("0", "high")]
    meld = tmp_path / "meld.csv"
    meld.write_text(
        'Utterance,Speaker,Dialogue_ID,StartTime,EndTime\nWhere?,Ann,0,"00:16:16,059","00:16:21,731"\n'
    )
    assert [(turn.start, turn.end) for turn in read_transcripts(meld)[0].turns] == [(976.059, 981.731)]
    daic = tmp_path / "daic.csv"
    daic.write_text("start_time\tstop_time\tspeaker\tvalue\n1.0\t2.0\tEllie\thow are you, today\n")
    assert [(turn.end, turn.text) for turn in read_transcripts(daic)[0].turns] == [(2, "how are you, today")]


ODD = [
    None,
    0,
    -1,
    1e300,
    float("nan"),
    "x",
    "",
    [],
    {},
    [[]],
    [None],
    {"text": 1},
    {"alternatives": 3},
    True,
]


def test_values_of_any_type_are_no_error_of_ours(tmp_path):
    """Every value of every example, replaced by values of other types."""

    def places(value, path=()):
        yield path
        inside = (
            value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        )
        for key, found in inside:
            yield from places(found, (*path, key))

    def changed(value, path, other):
        if not path:
            return other
        copy = value.copy()
        copy[path[0]] = changed(copy[path[0]], path[1:], other)
        return copy

    tried = 0
    for _, value in TWO:
        for path in places(value):
            for other in ODD:
                odd = changed(value, path, other)
                shape = shape_of(odd)
                for turn in shape.turns(odd) if shape is not None else ():
                    assert isinstance(turn.text, str) and isinstance(turn.speaker, str)
                    assert all(t is None or t != t or 0 <= t <= 1e11 for t in (turn.start, turn.end))
                    tried += 1
    assert tried > 10_000 and len(SHAPES) == len({shape.name for shape in SHAPES})


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("1.5s", 1.5), ("PT1M2.5S", 62.5), ("P1DT1H", 90000), ("90ms", 0.09), ("1:02.5", 62.5), (3, 3.0), ({"seconds": "1", "nanos": 5e8}, 1.5), (None, None), ("", None)],
)  # fmt: skip
def test_times(value, seconds):
    assert time(value) == seconds


@pytest.mark.parametrize("value", ["soon", -1, True, [], "P", "PT", "1e999", {"seconds": "x"}])
def test_what_is_no_time(value):
    found = time(value)
    assert found is not None and found != found and BAD != BAD


def test_dates():
    assert moment("1970-01-02T00:00:00Z") == 86400 and moment(None) is None
    assert moment("soon") != moment("soon") and Said("x").start is None
