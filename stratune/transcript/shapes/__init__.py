"""JSON that other programs write, recognised by its shape: a table, the most special shape first."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from stratune.transcript.shapes import corpora, meetings, microsoft, services, whisper
from stratune.transcript.shapes.said import Said


@dataclass(frozen=True)
class Shape:
    """`fits` a whole document; `turns` are read only from one that fits."""

    name: str
    fits: Callable[[Any], bool]
    turns: Callable[[Any], Iterable[Said]]


SHAPES: tuple[Shape, ...] = (
    Shape("ElevenLabs", services.is_elevenlabs, services.elevenlabs),
    Shape("AssemblyAI", services.is_assemblyai, services.assemblyai),
    Shape("Deepgram", services.is_deepgram, services.deepgram),
    Shape("Speechmatics", services.is_speechmatics, services.speechmatics),
    Shape("AWS Transcribe", services.is_aws, services.aws),
    Shape("IBM Watson", services.is_watson, services.watson),
    Shape("Google Speech-to-Text", services.is_google, services.google),
    Shape("Azure batch transcription", microsoft.is_batch, microsoft.batch),
    Shape("Azure fast transcription", microsoft.is_fast, microsoft.fast),
    Shape("Azure Speech SDK", microsoft.is_live, microsoft.live),
    Shape("Azure Video Indexer", microsoft.is_indexer, microsoft.indexer),
    Shape("Teams", microsoft.is_teams, microsoft.teams),
    Shape("Teams (Graph)", microsoft.is_teams_meta, microsoft.teams_meta),
    Shape("Rev", services.is_rev, services.rev),
    Shape("Otter", meetings.is_otter, meetings.otter),
    Shape("Fireflies", meetings.is_fireflies, meetings.fireflies),
    Shape("Google Meet", meetings.is_meet, meetings.meet),
    Shape("Gladia", meetings.is_gladia, meetings.gladia),
    Shape("Zoom", meetings.is_zoom, meetings.zoom),
    Shape("whisper.cpp", whisper.is_cpp, whisper.cpp),
    Shape("transformers chunks", whisper.is_chunks, whisper.chunks),
    Shape("Whisper", whisper.is_segments, whisper.segments),
    Shape("faster-whisper", whisper.is_list, whisper.segments),
    Shape("words as OpenAI's", services.is_openai_words, services.openai_words),
    Shape("Recall.ai", meetings.is_recall, meetings.recall),
    Shape("chat messages", corpora.is_messages, corpora.messages),
    Shape("Slack", corpora.is_slack, corpora.slack),
    Shape("QMSum", corpora.is_qmsum, corpora.qmsum),
    Shape("MediaSum", corpora.is_mediasum, corpora.mediasum),
    Shape("earnings call", corpora.is_earnings_call, corpora.earnings_call),
    Shape("dialogue", corpora.is_dialogue, corpora.dialogue),
    Shape("pairs", corpora.is_pairs, corpora.pairs),
)


def shape_of(value: Any) -> Shape | None:
    """The first shape that a document has."""
    return next((shape for shape in SHAPES if shape.fits(value)), None)


def shape_name(shape: Shape, value: Any) -> str:
    """What is told about it: Whisper's relatives differ in details alone."""
    return (
        whisper.name_of_segments(value)
        if shape.turns is whisper.segments and isinstance(value, dict)
        else shape.name
    )
