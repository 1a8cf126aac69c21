"""Captions as programs write them: each word once, at its time, by its speaker."""

from __future__ import annotations

import pytest

from stratune.errors import DataError
from stratune.transcript import Transcript, read_transcripts, write_transcript


def one(path, content):
    path.write_text(content)
    (transcript,) = read_transcripts(path)
    return transcript


def heard(transcript):
    return [(turn.start, turn.end, turn.speaker, turn.text) for turn in transcript.turns]


YOUTUBE = """WEBVTT
Kind: captions
Language: en

00:00:00.160 --> 00:00:02.429 align:start position:0%
\x20
morning<00:00:00.560><c> team</c><00:00:00.960><c> the</c><00:00:01.360><c> budget</c><00:00:01.760><c> is</c>

00:00:02.429 --> 00:00:02.439 align:start position:0%
morning team the budget is
\x20

00:00:02.439 --> 00:00:04.749 align:start position:0%
morning team the budget is
late<00:00:02.760><c> again</c><00:00:03.000><c> so</c><00:00:03.200><c> we</c><00:00:03.474><c> wait</c>

00:00:04.749 --> 00:00:04.759 align:start position:0%
late again so we wait
\x20

00:00:04.759 --> 00:00:07.000 align:start position:0%
late again so we wait
until<00:00:05.000><c> friday</c>

00:00:07.000 --> 00:00:07.010 align:start position:0%
until friday
\x20
"""


def test_rolling_captions_are_read_once(tmp_path):
    read = one(tmp_path / "a.vtt", YOUTUBE)
    assert heard(read) == [
        (0.16, 2.429, "", "morning team the budget is"),
        (2.439, 4.749, "", "late again so we wait"),
        (4.759, 7.0, "", "until friday"),
    ]
    assert read.words == 12 and read.troubles == {"no speaker": 3}


def test_lines_that_move_up_and_words_that_are_added(tmp_path):
    text = (
        "1\n00:00:01,000 --> 00:00:02,000\n>> ANN: we are\nlate again\n\n"
        "2\n00:00:02,000 --> 00:00:03,000\nlate again\n>> BO: so we wait\n\n"
        "3\n00:00:03,000 --> 00:00:04,000\n>> BO: so we wait\nuntil friday\n"
    )
    assert heard(one(tmp_path / "up.srt", text)) == [
        (1, 2, "ANN", "we are late again"),
        (2, 3, "BO", "so we wait"),
        (3, 4, "", "until friday"),
    ]
    grows = ["so we", "so we wait", "so we wait until", "so we wait until friday"]
    cues = [f"00:00:0{i}.000 --> 00:00:0{i + 1}.000\n{line}" for i, line in enumerate(grows)]
    read = one(tmp_path / "grows.vtt", "WEBVTT\n\n" + "\n\n".join(cues))
    assert [turn.text for turn in read.turns] == ["so we", "wait", "until", "friday"]


def test_what_is_said_twice_stays(tmp_path):
    lines = ["Yes.", "Yes.", "Yes, I know.", "Yes, I know.", "No."]
    cues = [f"00:00:0{i}.000 --> 00:00:0{i + 1}.000\n{line}" for i, line in enumerate(lines)]
    read = one(tmp_path / "a.vtt", "WEBVTT\n\n" + "\n\n".join(cues))
    assert [turn.text for turn in read.turns] == lines


@pytest.mark.parametrize(
    "header",
    ["\nKind: captions\nLanguage: en\n", "Kind: captions\nLanguage: en\nStyle:\n::cue(c.a) { color: red;\n }\n##\n",
     "\nStyle:\n::cue(c.a) { color: red;\n }\n##\n", "X-TIMESTAMP-MAP=LOCAL:00:00:00.000,MPEGTS:1\n"],
)  # fmt: skip
def test_headers_are_no_speakers(tmp_path, header):
    read = one(
        tmp_path / "a.vtt",
        f"WEBVTT\n{header}\n00:00:01.000 --> 00:00:02.000\nAnn: Good <c.colorE5E5E5>morning</c>.\n",
    )
    assert heard(read) == [(1, 2, "Ann", "Good morning.")] and read.troubles == {}


def test_changes_of_speaker_and_names_in_brackets(tmp_path):
    lines = [
        ">> Good morning.",
        ">> ANN: Hello.",
        "- Who is it?\n- It is me.",
        "We &gt;&gt; No.",
        "- one dash",
    ]
    cues = [f"{i}\n00:00:0{i},000 --> 00:00:0{i + 1},000\n{line}\n" for i, line in enumerate(lines)]
    read = one(tmp_path / "a.srt", "\n".join(cues))
    assert [(turn.speaker, turn.text) for turn in read.turns] == [
        ("", "Good morning."),
        ("ANN", "Hello."),
        ("", "Who is it?"),
        ("", "It is me."),
        ("", "We"),
        ("", "No."),
        ("", "- one dash"),
    ]
    meet = "0:00:01.000,0:00:02.000\n(Ann Lee)\nGood morning.\n\n0:00:02.000,0:00:03.000\n(Bo Tan) Hello[br]all.\n"
    assert heard(one(tmp_path / "meet.sbv", meet)) == [
        (1, 2, "Ann Lee", "Good morning."),
        (2, 3, "Bo Tan", "Hello all."),
    ]
    noise = "0:00:01.000,0:00:02.000\n(Loud Applause) Good.\n\n0:00:02.000,0:00:03.000\n(Laughs) Hello.\n"
    assert one(tmp_path / "noise.sbv", noise).speakers == []


def test_common_words_before_a_colon_name_nobody(tmp_path):
    cues = ["Ann: Two things.", "Note: the first.", "Budget: none.", "[Note]: said."]
    text = "\n".join(f"{i}\n00:00:0{i},000 --> 00:00:0{i},900\n{line}\n" for i, line in enumerate(cues))
    turns = one(tmp_path / "a.srt", text).turns
    assert [turn.speaker for turn in turns] == ["Ann", "", "", "Note"]
    assert turns[1].text == "Note: the first."
    write_transcript(Transcript("b", turns), tmp_path / "b.srt")
    assert [turn.speaker for turn in read_transcripts(tmp_path / "b.srt")[0].turns] == ["Ann", "", "", "Note"]


TTML = """<?xml version="1.0" encoding="UTF-8"?>
<tt xmlns="http://www.w3.org/ns/ttml" xmlns:ttm="http://www.w3.org/ns/ttml#metadata"
    xmlns:ttp="http://www.w3.org/ns/ttml#parameter" ttp:frameRate="25" ttp:tickRate="1000">
 <head><metadata><ttm:title>no speech</ttm:title>
  <ttm:agent xml:id="a" type="person"><ttm:name type="full">Ann Lee</ttm:name></ttm:agent></metadata></head>
 <body begin="10s"><div>
  <p begin="00:00:01.500" end="00:00:02:05" ttm:agent="a">Good <span tts:color="red">morning</span>,<br/>all &amp; one.</p>
  <p begin="2500ms" dur="1.5s">Hello.</p><p begin="4000t" end="0.1m">Yes.</p><p>when?</p>
 </div></body>
</tt>""".replace('tts:color="red"', "")


def test_ttml(tmp_path):
    read = one(tmp_path / "a.ttml", TTML)
    assert heard(read) == [
        (11.5, 12.2, "Ann Lee", "Good morning, all & one."),
        (12.5, 14.0, "", "Hello."),
        (14.0, 16.0, "", "Yes."),
        (None, None, "", "when?"),
    ]
    assert read.troubles == {"no speaker": 3, "broken cue": 1}


def test_youtubes_xml(tmp_path):
    old = '<transcript><text start="0.16" dur="2.2">it&amp;#39;s late</text><text start="3">&gt;&gt; yes</text></transcript>'
    assert heard(one(tmp_path / "a.xml", old)) == [(0.16, 2.36, "", "it's late"), (3.0, None, "", "yes")]
    new = '<timedtext format="3"><body><w t="0"/><p t="160" d="2269"><s>it</s><s t="5"> is</s></p></body></timedtext>'
    assert heard(one(tmp_path / "b.xml", new)) == [(0.16, 2.429, "", "it is")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('<!DOCTYPE tt [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]><tt><body><p begin="1s">&b;</p></body></tt>', ":1: has a document type"),
        ('<!DOCTYPE tt SYSTEM "file:///etc/passwd"><tt/>', ":1: has a document type"),
        ("<tt>\n<p>", ":2: is no well-formed XML: no element found"),
        ("<tt><p>&b;</p></tt>", "is no well-formed XML: undefined entity"),
        ("<html><p>x</p></html>", "<html> is no kind of captions"),
        ("<tt/>", "holds no turns"),
    ],
)  # fmt: skip
def test_xml_that_is_refused(tmp_path, text, message):
    path = tmp_path / "a.ttml"
    path.write_text(text)
    with pytest.raises(DataError) as caught:
        read_transcripts(path)
    assert str(caught.value).startswith(str(path)) and message in str(caught.value)


def test_deep_xml_is_read(tmp_path):
    deep = "<span>" * 50_000 + "x" + "</span>" * 50_000
    assert one(tmp_path / "a.ttml", f'<tt><body><p begin="1s">{deep}</p></body></tt>').turns[0].text == "x"
