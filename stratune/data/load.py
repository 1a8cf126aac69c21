"""load_split: from what the user names to the Split that every strategy sees."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from datasets import Dataset

from stratune.data.annotations import check_ratings
from stratune.data.bins import binned, unbinned
from stratune.data.by_time import KEY, Splitter, check_apart
from stratune.data.columns import canonical, part_column
from stratune.data.corrections import read_corrections
from stratune.data.documents import grouped_by_document, ungrouped
from stratune.data.gold import check_least, taken, with_gold
from stratune.data.home_rows import HomeRows
from stratune.data.labels import infer_labels, label_counts, one_level_note
from stratune.data.one_source import OneSource
from stratune.data.other_test import OtherTest
from stratune.data.read import Tables, read_tables, source_name
from stratune.data.relabel import relabelled
from stratune.data.share_out import new_folds
from stratune.data.split import (
    FRACTIONS,
    Split,
    assemble,
    make_split,
    subsample,
)
from stratune.data.subset import Subset, first_rows
from stratune.data.unlabelled import with_unlabelled
from stratune.data.unseen import with_other_test
from stratune.errors import ConfigError
from stratune.task import Task


def load_split(
    source: Any,
    task: Task | None = None,
    *,
    seed: int,
    val: Any = None,
    test: Any = None,
    split_column: str | None = None,
    split_by: str | None = None,
    fractions: Sequence[float] = FRACTIONS,
    sizes: Sequence[int | float | None] = (None, None, None),
    unknown: str = "refuse",
    validation: str = "rows",
    unlabelled: Any = None,
    near: str = "together",
    drop_leaks: bool = False,
    corrections: Any = None,
    relabel: Mapping[str, str] | None = None,
    no_gold: Sequence[str] = (),
    agreement: float | None = None,
    subset: Subset | None = None,
    trained_on: OneSource | None = None,
    other: OtherTest | None = None,
    other_texts: Tables | None = None,
    encoding: str | None = None,
    delimiter: str | None = None,
) -> Split:
    """Read, check and split. Sources are what `read` takes. Without a task: the source's own, or the default.

    `split_by`: a column of moments, by which train, val and test follow one another (by_time.py).
    `sizes`: train, val and test cut to so many rows (int) or such a share (float) of the part, stratified.
    `unknown`: refuse, drop or wrong, for labels that no training row has (unknown.py). `validation`: rows,
    folds or auto, as `make_split` has it; a size of it asks for rows. `unlabelled`: a source of texts without
    labels (unlabelled.py). `near`: together or apart, of nearly equal texts where rows are shared out
    (near.py).
    `drop_leaks`: rows that stand in two parts stay in one (leaks.py). `no_gold`, `agreement`: rows of every
    part that are left out before the split, by their label and by the share of their raters that are of one
    mind (gold.py). `corrections`: a source of labels that take the place of the rows' own (corrections.py).
    `relabel`: names that labels get instead, after corrections (relabel.py). `other`: test rows in the place
    of these (unseen.py), `other_texts` their texts, of transcripts. `trained_on`: training and validation
    rows of one source (home_rows.py). `subset`: fewer training rows, after all else (subset.py).
    DataError and ConfigError as in `read`, `canonical` and `make_split`.
    """
    how = {"encoding": encoding, "delimiter": delimiter}
    _check_split_by(split_by, split_column, validation)
    tables = with_own(source, val, test, split_column, how)
    wanted, grouping = grouped_by_document(
        task or tables.task or Task(), tables.train, tables.val, tables.test
    )
    task = unbinned(wanted) if wanted.bins else wanted
    renamed = relabelled(relabel)
    read_task, task = renamed.tasks(task)
    check_least(agreement, wanted, "data.agreement")
    gold = partial(_with_gold, task=read_task, no_gold=no_gold, agreement=agreement)
    rows = gold(tables.train, tables.name)
    fixed = None if corrections is None else read_corrections(corrections, **how)
    table = canonical(rows.table, read_task, tables.name, records=rows.records)
    table = renamed.to(fixed.to(table) if fixed else table)
    labels = task.labels or infer_labels([table], task, tables.name)
    check_ratings(table, task, labels, rows.place)
    paths = {"train": rows.place}
    left_out = [rows.note]
    assigned = None if split_column is None else part_column(rows.table, split_column, rows.place)
    splitter = None
    if split_by is not None:
        there = [part for part, one in (("val", tables.val), ("test", tables.test)) if one is not None]
        splitter = Splitter(split_by, fractions, there)
        assigned = splitter.parts(rows.table, table, rows.place)
        if not drop_leaks:
            check_apart(table, assigned, split_by, near == "together", rows.place)
    home = None if trained_on is None else HomeRows(trained_on)
    if home is not None:
        home.add(rows.table, table, rows.place)
    own = {}
    for part, given, source_ in (("val", tables.val, val), ("test", tables.test, test)):
        if given is not None:
            # None: a hub dataset's own part
            place = f"{tables.name} ({part})" if source_ is None else source_name(source_)
            rows = gold(given, place)
            made = replace(task, labels=())
            where: dict[str, Any] = {"id_prefix": f"{part}:", "records": rows.records, "levels": labels}
            own[part] = canonical(rows.table, made, place, **where)
            own[part] = renamed.to(fixed.to(own[part]) if fixed else own[part])
            check_ratings(own[part], task, labels, rows.place)
            if home is not None and part == "val":
                home.add(rows.table, own[part], rows.place)
            if splitter is not None:
                splitter.own(part, rows.table, own[part], rows.place)
            paths[part] = rows.place
            left_out.append(rows.note)
    if sizes[1] is not None:
        if validation == "folds":
            raise ConfigError("folds of the training rows have no size of their own", key="data.val_rows")
        validation = "rows"
    split = make_split(
        table,
        task,
        seed=seed,
        fractions=fractions,
        assigned=assigned,
        unknown=unknown,
        paths=paths,
        validation=validation,
        near=near == "together",
        drop_leaks=drop_leaks,
        **own,
    )
    spelt = one_level_note(tables.train, read_task)
    left_out += [spelt, fixed.note() if fixed else None, renamed.note(tables.name), grouping]
    notes = (*tables.notes, *filter(None, left_out), *split.notes)
    loose = ungrouped(wanted, tables.train) if (splitter or assigned is None) and len(own) < 2 else None
    warnings = (*split.warnings, *([loose] if loose else []))
    whole = _before(split, sizes)
    split = _cut(replace(split, notes=notes, warnings=warnings), sizes, seed, near == "together")
    split = (
        split if other is None else with_other_test(split, other, near == "together", renamed.to, other_texts)
    )
    split = binned(split, wanted) if wanted.bins else split
    split = split if home is None else home.of(split, seed, near == "together")
    if subset is not None:
        split = first_rows(split, subset, seed, near == "together")
    split = replace(split, whole=whole)
    if splitter is not None:
        split = _told(split, splitter)
    return split if unlabelled is None else with_unlabelled(split, unlabelled, task, how)


def _check_split_by(split_by: str | None, split_column: str | None, validation: str) -> None:
    if split_by is None:
        return
    if split_column is not None:
        raise ConfigError("a column of parts and one of moments exclude each other", key=KEY)
    if validation == "folds":
        why = "split by time, validation is the rows after those of training; choose rows"
        raise ConfigError(f"folds: {why}", key="data.validation")


def _told(split: Split, splitter: Splitter) -> Split:
    by_time, warnings = splitter.described(split.parts)
    notes, said = (by_time.note(), *split.notes), (*split.warnings, *warnings)
    return replace(split, by_time=by_time, notes=notes, warnings=said)


@dataclass(frozen=True)
class _Rows:
    """A part without the rows that were left out. `records`: their places in the source, where some were;
    `place` is for messages that count what is left.
    """

    table: Dataset
    place: str
    records: list[int] | None = None
    note: str | None = None


def _with_gold(
    raw: Dataset, place: str, *, task: Task, no_gold: Sequence[str], agreement: float | None
) -> _Rows:
    kept = with_gold(raw, task, place, no_gold, agreement)
    note = kept.note(place, agreement)
    if note is None:
        return _Rows(raw, place)
    return _Rows(taken(raw, kept), f"{place}, of the rows that were kept", kept.rows.tolist(), note)


def with_own(
    source: Any, val: Any, test: Any, split_column: str | None, how: Mapping[str, str | None]
) -> Tables:
    """The user's own files replace the parts that came with the source. `how` text files are read."""
    if split_column is not None and (val is not None or test is not None):
        raise ConfigError("a split column and own val or test files exclude each other", key="split_column")
    tables = read_tables(source, **how)
    own = {
        part: read_tables(rows, **how) for part, rows in (("val", val), ("test", test)) if rows is not None
    }
    notes = [*tables.notes, *(note for one in own.values() for note in one.notes)]
    return replace(
        tables,
        val=own["val"].train if "val" in own else tables.val,
        test=own["test"].train if "test" in own else tables.test,
        notes=tuple(notes),
    )


def _before(split: Split, sizes: Sequence[int | float | None]) -> dict[str, dict[str, int]]:
    """Rows of each label, of the parts that have a size; none where a row has not one label."""
    if not split.task.target.one_label:
        return {}
    wanted = [part for part, size in zip(split.parts, sizes, strict=True) if size is not None]
    return {part: label_counts(split.parts[part], split.task) for part in wanted}


def _cut(split: Split, sizes: Sequence[int | float | None], seed: int, near: bool) -> Split:
    if all(size is None for size in sizes):
        return split
    parts = {
        part: table if size is None else subsample(table, size, seed, split.task)
        for (part, table), size in zip(split.parts.items(), sizes, strict=True)
    }
    folds = split.folds
    if split.cross_validated:
        parts["val"] = parts["train"]
        folds = new_folds(parts["train"], split.task, seed, near)
    return assemble(parts, split.task, split.notes, split.warnings, split.wrong, folds)
