"""Azure Speech, Azure Video Indexer and Teams. Azure's times: ticks of 100 ns, ISO durations or ms."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from stratune.transcript.records import speaker_name, word
from stratune.transcript.shapes.said import (
    MILLISECONDS,
    TICKS,
    Row,
    Said,
    after,
    any_has,
    at,
    confidence,
    first_of,
    moment,
    rows,
    since_first,
    time,
)


def is_batch(value: Any) -> bool:
    return any_has(at(value, "recognizedPhrases"), "nBest")


def batch(value: Any) -> Iterator[Said]:
    """Azure batch transcription; a channel is a speaker where no speaker is told and there are several."""
    phrases = rows(value["recognizedPhrases"])
    several = len({word(one.get("channel")) for one in phrases}) > 1
    for one in phrases:
        best = at(one, "nBest", 0)
        start = _ticks_or_text(one, "offsetInTicks", "offset")
        who = word(one.get("speaker")) or (word(one.get("channel")) if several else "")
        length = _ticks_or_text(one, "durationInTicks", "duration")
        sure = confidence(at(best, "confidence"))
        yield Said(word(at(best, "display")), who, start, after(start, length), confidence=sure)


def _ticks_or_text(one: Row, ticks: str, text: str) -> float | None:
    return time(one.get(ticks), TICKS) if one.get(ticks) is not None else time(one.get(text))


def is_fast(value: Any) -> bool:
    return any_has(at(value, "phrases"), "text") and (
        any_has(at(value, "phrases"), "offsetMilliseconds") or any_has(at(value, "combinedPhrases"), "text")
    )


def fast(value: Any) -> Iterator[Said]:
    """Azure fast transcription: milliseconds, in its first version without the word in the key."""
    several = len({word(one.get("channel")) for one in rows(value["phrases"])}) > 1
    for one in rows(value["phrases"]):
        start, length = (
            time(first_of(one, f"{key}Milliseconds", key), MILLISECONDS) for key in ("offset", "duration")
        )
        who = speaker_name(one.get("speaker")) or (word(one.get("channel")) if several else "")
        sure = confidence(one.get("confidence"))
        yield Said(word(one.get("text")), who, start, after(start, length), confidence=sure)


def is_live(value: Any) -> bool:
    """The results of the Speech SDK, one or a list: ticks."""
    return any_has(value if isinstance(value, list) else [value], "RecognitionStatus", "DisplayText")


def live(value: Any) -> Iterator[Said]:
    for one in rows(value if isinstance(value, list) else [value]):
        start, length = time(one.get("Offset"), TICKS), time(one.get("Duration"), TICKS)
        sure = confidence(at(one, "NBest", 0, "Confidence"))
        yield Said(
            word(one.get("DisplayText")),
            speaker_name(one.get("SpeakerId")),
            start,
            after(start, length),
            confidence=sure,
        )


def _insights(value: Any) -> Any:
    return at(value, "videos", 0, "insights") or at(value, "insights") or value


def is_indexer(value: Any) -> bool:
    return any_has(at(_insights(value), "transcript"), "text", "instances")


def indexer(value: Any) -> Iterator[Said]:
    held = _insights(value)
    names = {word(one.get("id")): word(one.get("name")) for one in rows(at(held, "speakers"))}
    for one in rows(held["transcript"]):
        who = word(one.get("speakerId"))
        first = at(one, "instances", 0)
        start = time(first_of(first, "adjustedStart", "start")) if isinstance(first, dict) else None
        end = time(first_of(first, "adjustedEnd", "end")) if isinstance(first, dict) else None
        sure = confidence(one.get("confidence"))
        yield Said(word(one.get("text")), names.get(who) or who, start, end, confidence=sure)


def is_teams(value: Any) -> bool:
    return any_has(at(value, "entries"), "speakerDisplayName", "text")


def teams(value: Any) -> Iterator[Said]:
    """The transcript of a recording, as Teams and Stream keep it: clock times."""
    for one in rows(value["entries"]):
        sure = confidence(one.get("confidence")) or None  # 0 where none was computed
        start, end = time(one.get("startOffset")), time(one.get("endOffset"))
        yield Said(word(one.get("text")), _teams_name(one), start, end, confidence=sure)


def _teams_name(one: Row) -> str:
    return word(first_of(one, "speakerDisplayName", "speakerId"))


def is_teams_meta(value: Any) -> bool:
    """The metadata of a transcript from Microsoft Graph: dates."""
    return any_has(value if isinstance(value, list) else [value], "spokenText", "speakerName")


def teams_meta(value: Any) -> list[Said]:
    return since_first(
        Said(
            word(one.get("spokenText")),
            word(one.get("speakerName")),
            moment(one.get("startDateTime")),
            moment(one.get("endDateTime")),
        )
        for one in rows(value if isinstance(value, list) else [value])
    )
