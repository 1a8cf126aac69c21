"""Texts without labels beside a split: what a student learns its teachers' answers to.

A text of another part is left out: of test and validation, as nothing may be learned from these before they
measure; of train, as it has a label.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from stratune.data.columns import canonical
from stratune.data.fingerprint import fingerprint_of
from stratune.data.identity import text_keys
from stratune.data.read import read_tables
from stratune.data.rows import text_columns
from stratune.data.split import Split
from stratune.errors import DataError
from stratune.files import sha256
from stratune.task import Task


def with_unlabelled(split: Split, source: Any, task: Task, how: Mapping[str, str | None]) -> Split:
    """The split with the texts of `source` that are in no part, each once; empty ones are left out.

    A label in `source` is not read, and its rows need no id. `how` text files are read. Raises DataError for
    a source without the columns of the texts, or with no new text.
    """
    tables = read_tables(source, **how)
    plain = replace(task, id=None, group=None, annotations=None)
    table = canonical(tables.train, plain, tables.name, labelled=False)
    keys = text_keys(*text_columns(table))
    known = {key for part in split.parts.values() for key in text_keys(*text_columns(part))}
    seen: set[bytes] = set()
    kept = []
    for number, (key, text) in enumerate(zip(keys, table["text"][:], strict=True)):
        if key not in known and key not in seen and text.strip():
            seen.add(key)
            kept.append(number)
    if not kept:
        raise DataError("no text that is not in a part of the split already", path=tables.name)
    rows = table.select(np.asarray(kept))
    among = sum(key in known for key in keys)
    found = [f"{len(kept):,} texts without labels"]
    if among:
        found.append(f"{among:,} left out, which are texts of train, validation or test")
    if again := len(keys) - among - len(kept):
        found.append(f"{again:,} left out, which are empty or there twice")
    both = sha256(split.fingerprint, fingerprint_of("unlabelled", rows))
    return replace(
        split,
        unlabelled=rows,
        fingerprint=both,
        notes=(*split.notes, *tables.notes, "; ".join(found)),
    )
