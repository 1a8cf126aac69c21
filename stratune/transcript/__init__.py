"""Transcripts: turns of speakers, read from many formats, cleaned, and cut into pieces."""

from stratune.transcript.clean import Cleaned, clean
from stratune.transcript.read import read_transcripts
from stratune.transcript.segment import Piece, documents, pieces
from stratune.transcript.texts import Texts, TextsReport, read_texts
from stratune.transcript.turn import TROUBLES, Transcript, Turn
from stratune.transcript.write import write_transcript, write_transcripts

__all__ = [
    "TROUBLES",
    "Cleaned",
    "Piece",
    "Texts",
    "TextsReport",
    "Transcript",
    "Turn",
    "clean",
    "documents",
    "pieces",
    "read_texts",
    "read_transcripts",
    "write_transcript",
    "write_transcripts",
]
