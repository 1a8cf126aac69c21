"""write_transcript: one document, or many, in any format that is read. Whole or not at all."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from stratune.data.write import check_writable
from stratune.errors import DataError, choices
from stratune.files import write_text
from stratune.transcript.json_turns import json_text
from stratune.transcript.plain import plain_text
from stratune.transcript.srt import srt_text
from stratune.transcript.table import write_table
from stratune.transcript.turn import Transcript
from stratune.transcript.vtt import vtt_text

Writer = Callable[[Sequence[Transcript], Path], None]


def _as_text(render: Callable[[Sequence[Transcript]], str]) -> Writer:
    return lambda transcripts, path: write_text(path, render(transcripts))


WRITERS: dict[str, Writer] = {
    ".vtt": _as_text(vtt_text),
    ".srt": _as_text(srt_text),
    ".txt": _as_text(plain_text),
    ".json": _as_text(json_text),
    ".jsonl": write_table,
    ".csv": write_table,
    ".parquet": write_table,
}
SINGLE = (".vtt", ".srt", ".txt")  # hold one document: its name is the file's

_UNSAFE = re.compile(r'[\\/:*?"<>|\x00-\x1f\x7f]+')
LONGEST_NAME = 100  # characters of a file's name: 400 bytes would be too many for some systems


def write_transcript(transcript: Transcript, path: str | Path) -> None:
    """The suffix is the format: vtt, srt, txt, json, jsonl, csv, parquet. Modules list what they cannot hold.

    DataError for another suffix, a place that cannot be written, and vtt or srt without any times.
    """
    write_transcripts([transcript], path)


def write_transcripts(transcripts: Sequence[Transcript], path: str | Path) -> None:
    """All in one file. vtt, srt and txt hold one document only: DataError when there are more."""
    path = Path(path)
    check_target(path)
    suffix = path.suffix.lower()
    if suffix in SINGLE and len(transcripts) != 1:
        message = (
            f"holds one document, not {len(transcripts)}: write a folder, or json, jsonl, csv or parquet"
        )
        raise DataError(message, path=path)
    WRITERS[suffix](transcripts, path)


def check_target(path: Path) -> None:
    """DataError for a file that cannot be written, before the work for it is done."""
    suffix = path.suffix.lower()
    if suffix not in WRITERS:
        raise DataError(f"file type {choices(suffix, WRITERS)}", path=path)
    check_writable(path)


def write_folder(
    transcripts: Sequence[Transcript], folder: str | Path, suffixes: Mapping[str, str] | None = None
) -> list[Path]:
    """A file for each document, named after it. `suffixes`: document -> its format; .jsonl for others."""
    folder, taken, paths = Path(folder), set[str](), []
    for transcript in transcripts:
        name = _file_name(transcript.document, taken)
        path = folder / f"{name}{(suffixes or {}).get(transcript.document, '.jsonl')}"
        write_transcript(transcript, path)
        paths.append(path)
    return paths


def _file_name(document: str, taken: set[str]) -> str:
    """A name that is safe on every system, and not taken yet in any case of its letters."""
    safe = _UNSAFE.sub("_", document).strip(" .")[:LONGEST_NAME] or "document"
    name, number = safe, 1
    while name.lower() in taken:
        number += 1
        name = f"{safe}-{number}"
    taken.add(name.lower())
    return name
