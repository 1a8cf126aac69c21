"""The pieces of a document that was a transcript: where each is, who speaks in it, when it begins.

Rows that `transcript/segment.py` makes have three lists beside their text, one entry a piece; a split keeps
them in one column, for the page. Nothing is trained on them.
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from stratune.data.segments import SEPARATOR

COLUMN = "pieces"
NAMES, SPEAKERS, STARTS = "pieces", "speakers", "starts"  # as rows of transcripts have them
TYPE = pa.list_(pa.struct([("name", pa.string()), ("speaker", pa.string()), ("start", pa.float64())]))


def pieces_of(table: pa.Table, texts: pa.ChunkedArray) -> pa.Array | None:
    """(N,) lists of {name, speaker, start}; None for a table that has no such columns.

    A row whose lists are not as long as its text has pieces gets none: the columns may be the user's own.
    """
    if not all(name in table.column_names for name in (NAMES, SPEAKERS, STARTS)):
        return None
    columns = [table.column(name) for name in (NAMES, SPEAKERS, STARTS)]
    if not all(pa.types.is_list(column.type) or pa.types.is_large_list(column.type) for column in columns):
        return None
    rows = zip(texts.to_pylist(), *(column.to_pylist() for column in columns), strict=True)
    try:
        return pa.array([_row(*row) for row in rows], TYPE)
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        return None


def _row(text: str, *lists: Any) -> list[dict[str, Any]]:
    count = text.count(SEPARATOR) + 1
    if any(one is None or len(one) != count for one in lists):
        return []
    return [dict(zip(("name", "speaker", "start"), one, strict=True)) for one in zip(*lists, strict=True)]
