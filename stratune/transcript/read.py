"""read_transcripts(path): a file or a folder of files, each a transcript or a table of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from stratune.data.demo import demo_table
from stratune.data.read import READERS as TABLES
from stratune.data.text_files import require_file
from stratune.errors import DataError, choices
from stratune.transcript import (
    cha,
    docx_file,
    html_file,
    json_turns,
    markdown,
    plain,
    sbv,
    srt,
    table,
    textgrid,
    ttml,
    vtt,
)
from stratune.transcript.records import Columns, check_columns
from stratune.transcript.sheet_in_folder import sheets_among
from stratune.transcript.turn import Transcript

# (path, document's name, columns, encoding) -> the documents of the file
Reader = Callable[[Path, str, Columns | None, str | None], list[Transcript]]

DEMO = "speeches"

# Files that may well be transcripts, but are not read: what to do with them.
REFUSED = {
    ".pdf": "a PDF keeps no order of its text (two columns, line numbers): save it as text with `pdftotext"
    " -layout`, check the order, and read the .txt",
    ".doc": "an old Word document: save it as .docx",
    ".rtf": "save it as .docx or .txt",
    ".odt": "save it as .docx or .txt",
    ".xls": "an old Excel workbook: save it as .xlsx",
}
# What ConvoKit keeps beside utterances.jsonl.
_SIDECARS = frozenset(["speakers.json", "users.json", "conversations.json", "corpus.json", "index.json"])


def _single(read: Callable[[Path, str, str | None], Transcript]) -> Reader:
    """A format of one document a file, without columns."""
    return lambda path, document, columns, encoding: [read(path, document, encoding)]


READERS: dict[str, Reader] = {
    ".vtt": _single(vtt.read_vtt),
    ".srt": _single(srt.read_srt),
    ".txt": _single(plain.read_plain),
    ".json": json_turns.read_json,
    ".jsonl": json_turns.read_jsonl,
    ".ndjson": json_turns.read_jsonl,
    ".csv": table.read_table,
    ".tsv": table.read_table,
    ".parquet": table.read_table,
    ".sbv": _single(sbv.read_sbv),
    ".ttml": _single(ttml.read_ttml),
    ".dfxp": _single(ttml.read_ttml),
    ".xml": _single(ttml.read_ttml),
    ".docx": _single(docx_file.read_docx),
    ".xlsx": table.read_table,
    ".md": _single(markdown.read_markdown),
    ".html": _single(html_file.read_html),
    ".htm": _single(html_file.read_html),
    ".textgrid": _single(textgrid.read_textgrid),
    ".cha": _single(cha.read_cha),
}


def read_transcripts(
    path: str | Path, columns: Columns | None = None, *, encoding: str | None = None
) -> list[Transcript]:
    """Every document of a file, of a folder and its sub-folders (sorted), or of "demo:speeches".

    `columns`: what tables and JSON call their fields, as in {"text": "words", "speaker": "who"}, where it is
    not one of records.NAMES. A document is called as its column says, else after its file. DataError names
    the file that cannot be read; what can be read but is damaged is counted in `troubles`.
    """
    return [found for _, documents in read_files(path, columns, encoding=encoding) for found in documents]


def read_files(
    path: str | Path, columns: Columns | None = None, *, encoding: str | None = None
) -> Iterator[tuple[str, list[Transcript]]]:
    """(file, its documents), one file after the other, so that progress can be shown."""
    check_columns(columns)
    if str(path).startswith("demo:"):
        yield str(path), _demo(str(path))
        return
    files = _without_sheets(transcript_files(path)[0], columns, encoding)
    names, owner = _documents(Path(path), files), dict[str, Path]()
    for file in files:
        _check_type(file)
        found = READERS[file.suffix.lower()](file, names[file], columns, encoding)
        if not any(transcript.turns for transcript in found):
            raise DataError("holds no turns", path=file)
        for transcript in found:
            before = owner.setdefault(transcript.document, file)
            if before != file:
                raise DataError(f"the document {transcript.document!r} is in {before} already", path=file)
        yield str(file), found


def is_of_calls(source: str | Path) -> bool:
    """Whether it is a folder, or named like a type of file that no table has."""
    suffix = Path(source).suffix.lower()
    return Path(source).is_dir() or (suffix in READERS and suffix not in TABLES)


def transcript_files(path: str | Path) -> tuple[list[Path], list[Path]]:
    """(files that are read, files of other types that are left out), sorted; hidden ones are in neither.

    DataError for a folder without transcripts. A file is returned as it is.
    """
    path = Path(path)
    if not path.is_dir():
        return [path], []
    files = sorted(file for file in path.rglob("*") if file.is_file() and not _hidden(file.relative_to(path)))
    read = {file: file.suffix.lower() in READERS and not _is_sidecar(file) for file in files}
    if not any(read.values()):
        refused = (file for file in files if _type(file) in REFUSED)
        advice = next((f": {file.name}: {REFUSED[_type(file)]}" for file in refused), "")
        raise DataError(f"holds no transcripts ({', '.join(READERS)}){advice}", path=path)
    return [file for file in files if read[file]], [file for file in files if not read[file]]


def _check_type(file: Path) -> None:
    """DataError for a file that is not there, or of a type that is not read, with advice if there is any."""
    advice = REFUSED.get(_type(file))
    if advice is not None and file.is_file():
        raise DataError(f"file type {choices(_type(file), READERS)}: {advice}", path=file)
    require_file(file, READERS)


def _type(file: Path) -> str:
    return file.suffix.lower()


def _is_sidecar(file: Path) -> bool:
    return file.name in _SIDECARS and (file.parent / "utterances.jsonl").exists()


def _without_sheets(files: list[Path], columns: Columns | None, encoding: str | None) -> list[Path]:
    """Without the score sheets that stand among the transcripts of a folder."""
    sheets = sheets_among(files, columns, encoding)
    return [file for file in files if file not in sheets]


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _documents(folder: Path, files: list[Path]) -> dict[Path, str]:
    """File names without suffix; where two are the same, their paths from the folder, with it if need be."""
    if not folder.is_dir():
        return {file: file.stem for file in files}
    paths = {file: file.relative_to(folder) for file in files}
    names = {
        file: (file.stem, local.with_suffix("").as_posix(), local.as_posix()) for file, local in paths.items()
    }
    taken = [Counter(of_file[kind] for of_file in names.values()) for kind in range(3)]
    return {
        file: next(name for name, counts in zip(of_file, taken, strict=True) if counts[name] == 1)
        for file, of_file in names.items()
    }


def _demo(source: str) -> list[Transcript]:
    """The 2012 speeches, "speech-1" and on, in the order of their table."""
    name = source.removeprefix("demo:")
    if name != DEMO:
        raise DataError(choices(name, [DEMO]), path=source)
    texts = demo_table(name)[0]["text"]
    return [
        plain.parse_plain(text.split("\n"), f"speech-{number}") for number, text in enumerate(texts, start=1)
    ]
