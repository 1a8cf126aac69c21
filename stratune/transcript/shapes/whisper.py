"""Whisper and its relatives. Times are seconds, except in whisper.cpp (milliseconds)."""

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
    mean,
    rows,
    time,
)

_DECODED = (
    "seek",
    "tokens",
    "avg_logprob",
    "no_speech_prob",
    "compression_ratio",
)  # only Whisper writes them


def is_segments(value: Any) -> bool:
    """{"segments": [...]} with texts and times, whether speakers are told or not."""
    return isinstance(value, dict) and any_has(value.get("segments"), "start", "text")


def is_list(value: Any) -> bool:
    """The segments of faster-whisper without anything around them."""
    return any_has(value, "start", "end", "text") and any(key in rows(value)[0] for key in _DECODED)


def segments(value: Any) -> Iterator[Said]:
    for segment in rows(at(value, "segments") if isinstance(value, dict) else value):
        yield _segment(segment)


def _segment(segment: Row) -> Said:
    words = rows(segment.get("words"))
    own = confidence(segment.get("confidence"))
    speakers = [speaker_name(one.get("speaker")) for one in words if one.get("speaker") is not None]
    return Said(
        text=word(segment.get("text")),
        speaker=speaker_name(first_of(segment, "speaker", "speaker_name", "speaker_label", "speaker_id"))
        or (max(speakers, key=speakers.count) if speakers else ""),
        start=time(segment.get("start")),
        end=time(segment.get("end")),
        confidence=own if own is not None else mean(_sureness(one) for one in words),
    )


def _sureness(one: Row) -> float | None:
    return confidence(first_of(one, "probability", "score", "confidence"))


def is_cpp(value: Any) -> bool:
    return any_has(at(value, "transcription"), "text") and (
        any_has(at(value, "transcription"), "offsets") or any_has(at(value, "transcription"), "timestamps")
    )


def cpp(value: Any) -> Iterator[Said]:
    for segment in rows(at(value, "transcription")):
        start, end = (
            time(at(segment, "offsets", key), MILLISECONDS)
            if at(segment, "offsets", key) is not None
            else time(at(segment, "timestamps", key))
            for key in ("from", "to")
        )
        yield Said(word(segment.get("text")), speaker_name(segment.get("speaker")), start, end)


def is_chunks(value: Any) -> bool:
    """The pipeline of transformers, and insanely-fast-whisper with its speakers."""
    return any_has(at(value, "chunks"), "text", "timestamp")


def chunks(value: Any) -> Iterator[Said]:
    with_speakers = any_has(at(value, "speakers"), "text", "timestamp")
    for chunk in rows(at(value, "speakers" if with_speakers else "chunks")):
        start, end = (time(at(chunk, "timestamp", side)) for side in (0, 1))
        yield Said(word(chunk.get("text")), speaker_name(chunk.get("speaker")), start, end)


def name_of_segments(value: Any) -> str:
    """Which of them wrote {"segments": ...}."""
    found = rows(at(value, "segments"))
    if has(value, "word_segments") or any(has(one, "speaker") for one in found[:50]):
        return "WhisperX"
    return "Whisper" if any(key in found[0] for key in _DECODED) else "segments as Whisper's"
