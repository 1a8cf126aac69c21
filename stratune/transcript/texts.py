"""read_texts(source, options): transcripts, and labels beside them, become rows of a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from operator import attrgetter
from pathlib import Path
from statistics import median
from typing import Any

from stratune.data.arrow import as_text
from stratune.data.issue import counted
from stratune.errors import ConfigError, DataError, choices
from stratune.transcript.clean import clean
from stratune.transcript.label_table import SHOWN, LabelTable
from stratune.transcript.near_names import near_names, note
from stratune.transcript.read import read_transcripts, transcript_files
from stratune.transcript.records import Columns, check_columns, turn_fields
from stratune.transcript.sections import sectioned
from stratune.transcript.segment import check_by, check_unit, documents
from stratune.transcript.sheet_in_folder import the_sheet_of
from stratune.transcript.sheet_ratings import check_way
from stratune.transcript.steps import Spec, parse_step
from stratune.transcript.turn import TROUBLES, Transcript, total_forms, total_troubles

FEW = 10  # ids that are all shown
TABLES = (".csv", ".tsv", ".parquet")  # of turns, which may hold their labels too

NO_LABEL = "no row in the label table"
NO_SCORE = "its label row has no score"
NOT_KEPT = "its label row has another value than `keep` wants"
TOO_SHORT = "fewer words than `min_words`"
NO_TEXT = "nothing left to read"


@dataclass(frozen=True)
class Texts:
    """How transcripts become texts. Raises ConfigError for a unit, cut or step that is not known."""

    unit: str = "document"  # document, speaker or segment: what gets a row
    by: str = "turn"  # how a text is cut into pieces: turn, exchange, minutes:n, section, speaker, document
    clean: Sequence[Spec] = ()  # steps, in this order
    columns: Columns = field(default_factory=dict)  # field -> its name in the table, as in read_transcripts
    labels: str | Path | None = None  # table; None: the turns' own table, if it is one
    keep: Mapping[str, Any] = field(default_factory=dict)  # column of the label table -> value or values
    min_words: int = 0  # of a text, as it is read
    sections: Sequence[str] | None = None  # only these are read; None: all
    without_sections: Sequence[str] = ()  # these are left out
    roles: Sequence[str] | None = None  # only the turns of these are read; None: all
    without_roles: Sequence[str] = ()  # the turns of these are left out
    no_speakers: bool = False  # no "NAME: " before turns
    others: bool = False  # for unit speaker: the turns of the others too, as OTHER
    ratings: str | None = None  # how several raters' become a label: mean, median, majority; None: by values

    def __post_init__(self) -> None:
        check_unit(self.unit)
        check_by(self.by)
        check_columns(self.columns)
        check_way(self.ratings)
        for spec in self.clean:
            parse_step(spec)
        if self.min_words < 0:
            raise ConfigError(f"{self.min_words} is below 0", key="min_words")
        if self.others and self.unit != "speaker":
            raise ConfigError(f"is for unit speaker, not {self.unit}", key="others")
        if self.others and self.no_speakers:
            raise ConfigError("needs the names of speakers: leave out no_speakers", key="others")

    @property
    def kept(self) -> dict[str, tuple[str, ...]]:
        """`keep` with a tuple of texts for each column."""
        several = (list, tuple, set)
        values = {name: value if isinstance(value, several) else [value] for name, value in self.keep.items()}
        return {name: tuple(as_text(one) or "" for one in found) for name, found in values.items()}


@dataclass(frozen=True)
class TextsReport:
    """What was done. `left_out`: reason -> ids of rows, and of documents that gave no row."""

    source: str
    labels: str | None
    documents: int
    rows: int
    words: int
    median_words: float
    left_out: Mapping[str, Sequence[str]]
    unused: Sequence[str]  # rows of the label table that no text has
    cleaned: Mapping[str, int]  # step -> changes
    troubles: Mapping[str, int]  # what was wrong with the files, by the names in TROUBLES
    steps: Sequence[Spec] = ()  # of cleaning, as they clean other documents alike
    forms: Mapping[str, int] = field(default_factory=dict)  # format that was recognised -> its documents
    not_read: Sequence[str] = ()  # files of the folder that are of another type
    near_names: Sequence[tuple[str, str]] = ()  # pairs that may be one speaker
    near: Mapping[str, Sequence[str]] = field(default_factory=dict)  # what was not joined -> what it may mean
    notes: Sequence[str] = ()  # how labels were joined, and sections found
    score: str | None = None  # its column of scores, where that is known
    annotations: str | None = None  # columns of the ratings that the score was made of, as a task names them

    def to_dict(self) -> dict[str, Any]:
        """For JSON, with counts and a few ids in place of all ids."""
        left_out = {why: _counted(ids) for why, ids in self.left_out.items()}
        others: dict[str, Any] = {"unused": _counted(self.unused), "not_read": _counted(self.not_read)}
        others["near_names"] = _counted([" and ".join(pair) for pair in self.near_names])
        found = {**vars(self), "left_out": left_out, **others}
        return {name: value for name, value in found.items() if name != "steps"}

    def lines(self) -> list[str]:
        """The report in lines of text."""
        size = f"{self.median_words:,.0f} words in the middle one"
        lines = [f"{self.rows:,} texts of {self.documents:,} documents, {size}"]
        changed = [f"{count:,} x {step}" for step, count in self.cleaned.items()]
        return [*lines, *self._of_reading(), *changed, *self._troubled()]

    def problems(self) -> list[str]:
        """Those of them that somebody should know who gets answers to the texts."""
        return [*self._of_reading(), *self._troubled()]

    def _of_reading(self) -> list[str]:
        lines = [f"{len(ids):,} left out: {why} ({_such_as(ids)})" for why, ids in self.left_out.items()]
        if self.unused:
            lines.append(f"{len(self.unused):,} rows of labels unused ({_such_as(self.unused)})")
        if self.not_read:
            lines.append(f"{len(self.not_read):,} files not read ({_such_as(self.not_read)})")
        for row, names in islice(self.near.items(), SHOWN):
            lines.append(f"{row!r} was not joined: is it {' or '.join(map(repr, names))}?")
        documents = {form: counted(count, "document", "documents") for form, count in self.forms.items()}
        lines += [f"{count} read as {form}" for form, count in documents.items()]
        return [*lines, *([note(self.near_names)] if self.near_names else []), *self.notes]

    def _troubled(self) -> list[str]:
        return [f"{count:,} x {name}: {TROUBLES[name]}" for name, count in self.troubles.items()]


def _counted(ids: Sequence[str]) -> dict[str, Any]:
    return {"count": len(ids), "such_as": list(ids[:SHOWN])}


def _such_as(ids: Sequence[str]) -> str:
    """Three of many; all of a few, which somebody will want to mend."""
    return ", ".join(ids) if 3 < len(ids) <= FEW else f"such as {', '.join(ids[:3])}"


def read_texts(
    source: str | Path,
    options: Texts | None = None,
    *,
    encoding: str | None = None,
    score: str | None = None,
    labelled: bool = True,
) -> tuple[list[dict[str, Any]], TextsReport]:
    """(rows of `documents` with the columns of the label table, what was done).

    `source` as in read_transcripts. A label row is found by document, and by speaker where the unit is one
    and the table has a column of them. Texts without a label row are left out and counted; DataError when
    none has one, or no text is left. `score`: the column of labels, which rows without one are left out for;
    where none is called so, the only one, if there is only one: the report's `score`. Not `labelled`: all
    texts, and no labels are looked for.
    """
    options = options or Texts()
    # Before the transcripts, which take longer to read.
    labels = _labels(source, options, encoding, score) if labelled else None
    transcripts = read_transcripts(source, options.columns, encoding=encoding)
    transcripts, ways = sectioned(transcripts)
    if labels is not None:
        labels.meet([transcript.document for transcript in transcripts])
    read = _wanted(transcripts, options, str(source))
    read, cleaned = clean(read, options.clean, examples=0)
    left_out: dict[str, list[str]] = {}
    rows = [row for transcript in read for row in _rows(transcript, options, left_out)]
    unused: list[str] = []
    if labels is not None:
        rows, unused = _labelled(rows, labels, left_out)
    rows, words = _long_enough(rows, options.min_words, left_out)
    if not rows:
        why = "; ".join(f"{len(ids):,} x {reason}" for reason, ids in left_out.items())
        raise DataError(f"no text is left of {len(transcripts):,} documents: {why}", path=source)
    return rows, TextsReport(
        source=str(source),
        labels=None if labels is None else str(labels.name),
        documents=len(transcripts),
        rows=len(rows),
        words=sum(words),
        median_words=median(words),
        left_out=left_out,
        unused=unused,
        cleaned={step: cleaned.total(step) for step in cleaned.steps},
        troubles=total_troubles(transcripts),
        steps=cleaned.written_out,
        forms=total_forms(transcripts),
        near_names=near_names(read),
        not_read=[] if str(source).startswith("demo:") else [str(f) for f in transcript_files(source)[1]],
        near={} if labels is None else labels.near,
        notes=(*(() if labels is None else labels.notes), *_section_notes(ways, len(transcripts))),
        score=None if labels is None else labels.score,
        annotations=None if labels is None else labels.annotations,
    )


def _section_notes(ways: Mapping[str, int], documents: int) -> list[str]:
    """How many documents got sections that their files do not name."""
    if not ways:
        return []
    each = ", ".join(f"{count:,} by {way}" for way, count in ways.items())
    return [f"{sum(ways.values()):,} of {documents:,} documents got sections: {each}"]


def _labels(source: str | Path, options: Texts, encoding: str | None, score: str | None) -> LabelTable | None:
    """The table in `options.labels`, or the source itself where it is a table."""
    from stratune.data.read import read

    document, folder, notes = None, Path(source).is_dir(), tuple[str, ...]()
    columns = options.columns
    if options.labels is not None:
        name, table = options.labels, read(options.labels, encoding=encoding)
    elif str(source).startswith("demo:"):
        name, table = source, _demo_labels(str(source))
    elif Path(source).suffix.lower() in TABLES and not folder:
        name, table, document = source, read(source, encoding=encoding), Path(source).stem
        columns = turn_fields(table.column_names, options.columns)
    elif folder and (sheet := _sheet_in(Path(source), options, encoding)) is not None:
        name, table = sheet, read(sheet, encoding=encoding)
        notes = (f"labels are of {sheet}, which stands among the transcripts",)
    elif options.keep:
        raise ConfigError("needs a table of labels (labels)", key="keep")
    else:
        return None
    how: dict[str, Any] = {"score": score, "ratings": options.ratings, "encoding": encoding, "notes": notes}
    return LabelTable(table, name, options.unit, options.kept, columns, document, **how)


def _sheet_in(folder: Path, options: Texts, encoding: str | None) -> Path | None:
    """The score sheet among the transcripts of a folder."""
    known, others = transcript_files(folder)
    return the_sheet_of(folder, sorted([*known, *others]), options.columns, encoding)


def _demo_labels(source: str) -> Any:
    """The demo's own table, its rows called as read_transcripts does."""
    from stratune.data.demo import demo_table
    from stratune.data.read import read

    table, task = demo_table(source.removeprefix("demo:"))
    names = [f"speech-{number}" for number in range(1, len(table) + 1)]
    columns = {name: list(table[name]) for name in table.column_names if name != task.text}
    return read({"document": names, **columns})


def _rows(transcript: Transcript, options: Texts, left_out: dict[str, list[str]]) -> list[dict[str, Any]]:
    how = {"named": not options.no_speakers, "others": options.others}
    rows = documents([transcript], options.unit, options.by, **how) if transcript.turns else []
    if not rows:
        left_out.setdefault(NO_TEXT, []).append(transcript.document)
    return rows


def _wanted(transcripts: Sequence[Transcript], options: Texts, source: str) -> list[Transcript]:
    """The turns of the wanted sections and roles. ConfigError for one that no document has."""
    read = list(transcripts)
    for field_, only, without in (
        ("section", options.sections, options.without_sections),
        ("role", options.roles, options.without_roles),
    ):
        if only is None and not without:
            continue
        of_turn = attrgetter(field_)
        known = sorted({of_turn(turn) for transcript in transcripts for turn in transcript.turns})
        for key, names in ((f"{field_}s", only or ()), (f"without_{field_}s", without)):
            for name in names:
                if name not in known:
                    shown = [one or "''" for one in known[:SHOWN]]
                    raise ConfigError(f"{source}: {choices(name, shown)}", key=key)
        wanted = {*(known if only is None else only)} - {*without}
        read = [replace(one, turns=tuple(t for t in one.turns if of_turn(t) in wanted)) for one in read]
    return read


def _labelled(
    rows: Sequence[dict[str, Any]], labels: LabelTable, left_out: dict[str, list[str]]
) -> tuple[list[dict[str, Any]], list[str]]:
    """(rows with their labels, label rows without a text); the other rows go to `left_out`."""
    found, missing = [], dict[str, list[str]]()
    for row in rows:
        key = labels.key(row)
        if key in labels.rows:
            found.append({**row, **labels.rows[key]})
        else:
            why = NOT_KEPT if key in labels.others else NO_SCORE if key in labels.unscored else NO_LABEL
            missing.setdefault(why, []).append(row["id"])
    if rows and not found and missing.keys() == {NO_LABEL}:
        raise labels.no_match(rows[0])
    left_out.update(missing)
    used = {labels.key(row) for row in found}
    unused = (
        [] if labels.of_turns else ["/".join(filter(None, key)) for key in labels.rows if key not in used]
    )
    return found, unused


def _long_enough(
    rows: Sequence[dict[str, Any]], least: int, left_out: dict[str, list[str]]
) -> tuple[list[dict[str, Any]], list[int]]:
    """(rows of at least `least` words, the words of each)."""
    counted = [(row, len(row["text"].split())) for row in rows]
    if short := [row["id"] for row, words in counted if words < least]:
        left_out[TOO_SHORT] = short
    long = [(row, words) for row, words in counted if words >= least]
    return [row for row, _ in long], [words for _, words in long]
