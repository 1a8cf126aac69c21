"""Meeting services: Otter, Fireflies, Zoom, Google Meet, Gladia."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from stratune.transcript.records import speaker_name, word
from stratune.transcript.shapes.said import (
    Row,
    Said,
    any_has,
    at,
    confidence,
    first_of,
    moment,
    rows,
    since_first,
    time,
)

OTTER_SAMPLES = 1 / 16000  # seconds; Otter counts samples of 16 kHz


def _otter_speech(value: Any) -> Any:
    return at(value, "speech") or value


def is_otter(value: Any) -> bool:
    found = at(_otter_speech(value), "transcripts")
    return any_has(found, "transcript") and (
        any_has(found, "start_offset")
        or any_has(found, "speaker_id")
        or any_has(found, "speaker_model_label")
    )


def otter(value: Any) -> Iterator[Said]:
    """Names come from the list of speakers, else the number that the recogniser gave."""
    speech = _otter_speech(value)
    names = {word(one.get("id")): word(one.get("speaker_name")) for one in rows(at(speech, "speakers"))}
    for one in rows(speech["transcripts"]):
        who = word(one.get("speaker_id"))
        name = word(one.get("speaker_name")) or names.get(who) or word(one.get("speaker_model_label")) or who
        start, end = (
            time(one.get(f"{side}_offset"), OTTER_SAMPLES)
            if one.get(f"{side}_offset") is not None
            else time(one.get(f"{side}_time"))
            for side in ("start", "end")
        )
        yield Said(word(one.get("transcript")), name, start, end)


def _fireflies_rows(value: Any) -> list[Row]:
    for path in (("data", "transcript", "sentences"), ("transcript", "sentences"), ("sentences",)):
        if any_has(at(value, *path), "speaker_name") or any_has(at(value, *path), "raw_text"):
            return rows(at(value, *path))
    return rows(value) if any_has(value, "sentence") else []


def is_fireflies(value: Any) -> bool:
    return bool(_fireflies_rows(value))


def fireflies(value: Any) -> Iterator[Said]:
    """Seconds, in the file that people download clock times."""
    for one in _fireflies_rows(value):
        text = first_of(one, "text", "sentence", "raw_text")
        start, end = (time(first_of(one, f"{side}_time", f"{side}Time")) for side in ("start", "end"))
        yield Said(word(text), word(first_of(one, "speaker_name", "speaker_id", "speaker")), start, end)


def _zoom_rows(value: Any) -> list[Row]:
    for path in (
        ("transcript", "transcriptList"),
        ("transcriptList",),
        ("transcript",),
        ("result", "transcript"),
    ):
        if any_has(at(value, *path), "ts", "text"):
            return rows(at(value, *path))
    if any_has(value, "ts", "text", "username"):
        return rows(value)
    return [
        {**one, "username": first_of(who, "display_name", "name")}
        for who in rows(at(value, "participants"))
        for one in rows(who.get("transcripts"))
    ]


def is_zoom(value: Any) -> bool:
    found = _zoom_rows(value)
    return any_has(found, "ts", "text") or any_has(found, "start_time", "text")


def zoom(value: Any) -> list[Said]:
    """Clock times of the recording, or dates; those of several participants in the order of their times."""
    turns, dated = [], False
    for one in _zoom_rows(value):
        start, end = first_of(one, "ts", "start_time"), first_of(one, "end_ts", "endTs", "end_time")
        dates = isinstance(start, str) and "T" in start
        dated = dated or dates
        read = moment if dates else time
        who = speaker_name(first_of(one, "username", "user_name", "userName", "speaker", "userId"))
        turns.append(Said(word(one.get("text")), who, read(start), read(end)))
    turns.sort(key=lambda turn: turn.start if turn.start is not None and turn.start == turn.start else 0.0)
    return since_first(turns) if dated else turns


def is_meet(value: Any) -> bool:
    """transcripts.entries.list of the Google Meet API."""
    return any_has(at(value, "transcriptEntries"), "participant", "text")


def meet(value: Any) -> list[Said]:
    return since_first(
        Said(
            word(one.get("text")),
            speaker_name(one.get("participant")),
            moment(one.get("startTime")),
            moment(one.get("endTime")),
        )
        for one in rows(value["transcriptEntries"])
    )


def _gladia(value: Any) -> Any:
    held = at(value, "result", "transcription") or at(value, "transcription")
    return at(held, "utterances")


def is_gladia(value: Any) -> bool:
    return any_has(_gladia(value), "text", "start")


def gladia(value: Any) -> Iterator[Said]:
    """Seconds."""
    for one in rows(_gladia(value)):
        sure = confidence(one.get("confidence"))
        who = speaker_name(one.get("speaker"))
        yield Said(word(one.get("text")), who, time(one.get("start")), time(one.get("end")), confidence=sure)


def is_recall(value: Any) -> bool:
    """Recall.ai: turns of words."""
    return (any_has(value, "speaker", "words") or any_has(value, "participant", "words")) and any_has(
        at(value, 0, "words"), "text"
    )


def recall(value: Any) -> Iterator[Said]:
    """Seconds, or {"relative": seconds}."""
    for one in rows(value):
        words = rows(one.get("words"))
        start, end = (at(words, place, f"{side}_timestamp") for place, side in ((0, "start"), (-1, "end")))
        first, last = (
            time(at(found, "relative") if isinstance(found, dict) else found) for found in (start, end)
        )
        text = " ".join(word(found.get("text")) for found in words)
        yield Said(text, speaker_name(first_of(one, "speaker", "participant")), first, last)
