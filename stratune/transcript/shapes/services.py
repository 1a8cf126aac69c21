"""Recognisers that are sold as a service, by their own documentation of times."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from stratune.transcript.records import speaker_name, word
from stratune.transcript.shapes.said import (
    MILLISECONDS,
    Row,
    Said,
    any_has,
    at,
    confidence,
    first_of,
    has,
    rows,
    time,
)
from stratune.transcript.shapes.words import turns_of_words

_ASSEMBLYAI = ("audio_duration", "audio_url", "acoustic_model", "language_model", "status", "webhook_url")


def is_assemblyai(value: Any) -> bool:
    held = next(
        (rows(at(value, key)) for key in ("utterances", "words", "sentences") if rows(at(value, key))), []
    )
    if not any_has(held, "text", "start", "end"):
        return False
    whole = (
        isinstance(held[0].get("start"), int) and "confidence" in held[0]
    )  # it writes milliseconds as integers
    return any(key in value for key in _ASSEMBLYAI) or whole


def assemblyai(value: Any) -> Iterator[Said]:
    """Milliseconds. Utterances where speakers were asked for, else sentences of the words."""
    found = first_of(value, "utterances", "sentences", "words")
    turns = [_timed(one, "text", "start", "end", MILLISECONDS) for one in rows(found)]
    yield from turns if value.get("utterances") or value.get("sentences") else turns_of_words(turns)


def is_deepgram(value: Any) -> bool:
    return any_has(at(value, "results", "channels"), "alternatives") or any_has(
        at(value, "results", "utterances"), "transcript"
    )


def deepgram(value: Any) -> Iterator[Said]:
    """Seconds. Utterances, else paragraphs, else words; channels are speakers where no speaker is told."""
    channels = rows(at(value, "results", "channels"))
    utterances = rows(at(value, "results", "utterances"))
    if utterances:
        for one in utterances:
            channel = one.get("channel") if len(channels) > 1 else None
            who = speaker_name(one.get("speaker") if len(channels) < 2 or one.get("speaker") else channel)
            yield _timed(one, "transcript", "start", "end", speaker=who)
        return
    found: list[Said] = []
    for number, channel in enumerate(channels):
        best = at(channel, "alternatives", 0)
        otherwise = str(number) if len(channels) > 1 else ""
        paragraphs = rows(at(best, "paragraphs", "paragraphs"))
        for paragraph in paragraphs:
            text = " ".join(word(one.get("text")) for one in rows(paragraph.get("sentences")))
            who = speaker_name(paragraph.get("speaker")) if len(channels) < 2 else otherwise
            found.append(Said(text, who, time(paragraph.get("start")), time(paragraph.get("end"))))
        if not paragraphs:
            words = [_deepgram_word(one, otherwise) for one in rows(at(best, "words"))]
            found += turns_of_words(words) if words else [Said(word(at(best, "transcript")), otherwise)]
    yield from _by_time(found)


def _deepgram_word(one: Row, otherwise: str) -> Said:
    text = "punctuated_word" if one.get("punctuated_word") else "word"
    return _timed(one, text, "start", "end", speaker=otherwise or speaker_name(one.get("speaker")))


def is_elevenlabs(value: Any) -> bool:
    return any_has(at(value, "words"), "text", "start", "type")


def elevenlabs(value: Any) -> Iterator[Said]:
    """Seconds; blanks are words of their own type."""
    words = (one for one in rows(value["words"]) if one.get("type") != "spacing")
    yield from turns_of_words(
        _timed(one, "text", "start", "end", speaker=speaker_name(one.get("speaker_id"))) for one in words
    )


def is_openai_words(value: Any) -> bool:
    """Words of OpenAI without segments, or of whisper-timestamped."""
    return any_has(at(value, "words"), "word", "start", "end")


def openai_words(value: Any) -> Iterator[Said]:
    """Seconds."""
    yield from turns_of_words(_timed(one, "word", "start", "end") for one in rows(value["words"]))


def is_watson(value: Any) -> bool:
    return isinstance(at(value, "results", 0, "alternatives", 0, "timestamps"), list)


def watson(value: Any) -> Iterator[Said]:
    """Seconds: [word, from, to], and the speaker of each `from`."""
    labels = {word(one.get("from")): word(one.get("speaker")) for one in rows(value.get("speaker_labels"))}
    words = [
        Said(word(at(one, 0)), labels.get(word(at(one, 1)), ""), time(at(one, 1)), time(at(one, 2)))
        for result in rows(value["results"])
        for one in at(result, "alternatives", 0, "timestamps") or []
    ]
    yield from turns_of_words(words)


def is_aws(value: Any) -> bool:
    held = at(value, "results")
    return has(held, "items") or any_has(at(held, "transcripts"), "transcript") or any_has(
        at(value, "Transcript"), "Content"
    )  # fmt: skip


def aws(value: Any) -> Iterator[Said]:
    """Seconds as text; in Call Analytics and Contact Lens milliseconds, and roles as speakers."""
    if any_has(at(value, "Transcript"), "Content"):
        for one in rows(value["Transcript"]):
            who = word(first_of(one, "ParticipantRole", "ParticipantId"))
            start, end = (time(_millis(one, key), MILLISECONDS) for key in ("Begin", "End"))
            yield Said(word(one.get("Content")), who, start, end, role=who)
        return
    held = value["results"]
    channels = rows(at(held, "channel_labels", "channels"))
    if channels:
        turns = [
            turn
            for channel in channels
            for turn in turns_of_words(
                _aws_words(channel.get("items"), {}, word(channel.get("channel_label")))
            )
        ]
        yield from _by_time(turns)
    elif any(at(one, "transcript") and one.get("speaker_label") for one in rows(held.get("audio_segments"))):
        for one in rows(held["audio_segments"]):
            yield _timed(one, "transcript", "start_time", "end_time", speaker=word(one.get("speaker_label")))
    elif rows(held.get("items")):
        yield from turns_of_words(_aws_words(held["items"], _aws_speakers(held), ""))
    else:
        for one in rows(held.get("transcripts")):
            yield Said(word(one.get("transcript")))


def _millis(one: Row, side: str) -> Any:
    return one.get(f"{side}OffsetMillis")


def _aws_speakers(held: Row) -> dict[str, str]:
    """Start of a word, as it is written -> speaker."""
    segments = rows(at(held, "speaker_labels", "segments"))
    return {
        word(item.get("start_time")): word(first_of(item, "speaker_label") or segment.get("speaker_label"))
        for segment in segments
        for item in rows(segment.get("items"))
    }


def _aws_words(items: Any, speakers: dict[str, str], otherwise: str) -> Iterator[Said]:
    for item in rows(items):
        best = at(item, "alternatives", 0)
        who = word(item.get("speaker_label")) or speakers.get(word(item.get("start_time")), otherwise)
        start, end = time(item.get("start_time")), time(item.get("end_time"))
        mark = item.get("type") == "punctuation"  # its confidence is always 0
        sure = None if mark else confidence(at(best, "confidence"))
        yield Said(word(at(best, "content")), who, start, end, confidence=sure)


def is_google(value: Any) -> bool:
    return any_has(_google_results(value), "alternatives") and not is_speechmatics(value)


def _google_results(value: Any) -> Any:
    found = at(value, "response") if isinstance(at(value, "response"), dict) else value
    return at(found, "results")


def google(value: Any) -> Iterator[Said]:
    """ "1.300s", or seconds and nanoseconds. With speakers, the last result repeats all words with tags."""
    results = rows(_google_results(value))
    tagged = [one for one in results if any(_google_speaker(found) for found in _google_words(one))]
    channels = {word(first_of(one, "channelTag", "channel_tag")) for one in results} - {""}
    if tagged and len(channels) < 2:
        repeated = len(tagged) == 1 and tagged[0] is results[-1]
        for one in tagged if repeated else results:
            yield from turns_of_words(_google_word(found, "") for found in _google_words(one))
        return
    for one in results:
        best = at(one, "alternatives", 0)
        words = [_google_word(found, "") for found in _google_words(one)]
        channel = word(first_of(one, "channelTag", "channel_tag")) if len(channels) > 1 else ""
        end = time(first_of(one, "resultEndTime", "result_end_time", "resultEndOffset"))
        yield Said(
            word(at(best, "transcript")),
            channel,
            words[0].start if words else None,
            words[-1].end if words else end,
            confidence=confidence(at(best, "confidence")),
        )


def _google_words(result: Row) -> list[Row]:
    return rows(at(result, "alternatives", 0, "words"))


def _google_speaker(one: Row) -> str:
    label = word(first_of(one, "speakerLabel", "speaker_label", "speakerTag", "speaker_tag"))
    return "" if label == "0" else label  # 0: no tag


def _google_word(one: Row, otherwise: str) -> Said:
    start = time(first_of(one, "startTime", "start_time", "startOffset", "start_offset"))
    end = time(first_of(one, "endTime", "end_time", "endOffset", "end_offset"))
    who = _google_speaker(one) or otherwise
    return Said(word(one.get("word")), who, start, end, confidence=confidence(one.get("confidence")))


def is_speechmatics(value: Any) -> bool:
    return any_has(at(value, "results"), "type", "alternatives", "start_time")


def speechmatics(value: Any) -> Iterator[Said]:
    """Seconds. S1 is a speaker, UU one that was not told apart; channels where there are no speakers."""
    yield from turns_of_words(_speechmatics_word(one) for one in rows(value["results"]))


def _speechmatics_word(one: Row) -> Said:
    best = at(one, "alternatives", 0)
    who = word(at(best, "speaker")) or word(one.get("channel"))
    sure = None if one.get("type") == "punctuation" else confidence(at(best, "confidence"))
    start, end = time(one.get("start_time")), time(one.get("end_time"))
    return Said(word(at(best, "content")), "" if who == "UU" else who, start, end, confidence=sure)


def is_rev(value: Any) -> bool:
    return any_has(at(value, "monologues"), "elements")


def rev(value: Any) -> Iterator[Said]:
    """Seconds (`ts`), or clock times in files that people made (`timestamp`)."""
    names = {word(one.get("id")): word(one.get("name")) for one in rows(value.get("speakers"))}
    for monologue in rows(value["monologues"]):
        elements = rows(monologue.get("elements"))
        text = "".join(at(one, "value") for one in elements if isinstance(at(one, "value"), str))
        starts, ends = ([_rev_time(one, keys) for one in elements if first_of(one, *keys) is not None]
                        for keys in (("ts", "timestamp"), ("end_ts", "end_timestamp")))  # fmt: skip
        who = speaker_name(monologue.get("speaker"))
        sure = [confidence(one.get("confidence")) for one in elements]
        known = [one for one in sure if one is not None]
        yield Said(
            text,
            word(monologue.get("speaker_name")) or names.get(who) or who,
            starts[0] if starts else None,
            ends[-1] if ends else None,
            confidence=round(sum(known) / len(known), 4) if known else None,
        )


def _rev_time(one: Row, keys: tuple[str, str]) -> float | None:
    return time(first_of(one, *keys))


def _timed(one: Row, text: str, start: str, end: str, unit: float = 1.0, speaker: str | None = None) -> Said:
    """A turn or word whose values stand under these keys."""
    return Said(
        text=word(one.get(text)),
        speaker=speaker_name(one.get("speaker")) if speaker is None else speaker,
        start=time(one.get(start), unit),
        end=time(one.get(end), unit),
        confidence=confidence(one.get("confidence")),
    )


def _by_time(turns: list[Said]) -> list[Said]:
    """Of several channels: in the order in which they were spoken."""
    return sorted(turns, key=lambda turn: turn.start if turn.start is not None else 0.0)
