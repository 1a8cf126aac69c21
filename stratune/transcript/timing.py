"""Times for formats that need them: missing ones are taken from the turns around."""

from __future__ import annotations

from stratune.errors import DataError
from stratune.transcript.turn import Transcript


def filled(transcript: Transcript) -> list[tuple[float, float]]:
    """(start, end) of every turn, seconds. A missing start is the latest time before it, a missing end the
    start of the next turn that has one, if that is later.

    DataError when no turn has a start.
    """
    turns = transcript.turns
    if turns and all(turn.start is None for turn in turns):
        message = "has no start times, which vtt and srt need: write txt, json, jsonl, csv or parquet"
        raise DataError(message, path=transcript.document)
    following: list[float | None] = []
    upcoming: float | None = None
    for turn in reversed(turns):
        following.append(upcoming)
        upcoming = turn.start if turn.start is not None else upcoming
    times: list[tuple[float, float]] = []
    latest = 0.0
    for turn, later in zip(turns, reversed(following), strict=True):
        start = latest if turn.start is None else turn.start
        end = turn.end if turn.end is not None else max(start, later or start)
        times.append((start, end))
        latest = max(start, end)
    return times
