"""stratune: one comparison of all strategies for each draw, as a user runs it. Validation ranks them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from against.answers import Answer
from against.sets import Draw


@dataclass(frozen=True)
class Row:
    """A row of the leaderboard. `rank` by validation, `seconds` of training; of a failed one the reason."""

    strategy: str
    rank: int | None
    seconds: float | None
    answer: Answer | None
    error: str | None


def compared(draw: Draw, backbone: str, strategies: Sequence[Any], out: Path) -> list[Row]:
    """All rows, with answers in the order of the draw's test rows. Started again it goes on where it was."""
    board = board_of(draw, backbone, strategies, out)
    return [_row(draw, board, row) for row in board.rows]


def board_of(draw: Draw, backbone: str, strategies: Sequence[Any], out: Path, **more: Any) -> Any:
    """`more`: options of `stratune.compare`."""
    import stratune as st

    task = draw.task
    own = {} if draw.val is None else {"val": draw.val}
    return st.compare(
        draw.train,
        **own,
        test=draw.test,
        id="id",
        text="text",
        pair=task.text_pair,
        label="label",
        group=task.group,
        kind=task.kind,
        metric=task.metric,
        strategies=list(strategies),
        backbone=backbone,
        prefer="best",
        texts=0,
        anyway=True,  # one draw of few rows may have what the check of the data calls an error
        progress=False,
        out=out,
        **more,
    )


def _row(draw: Draw, board: Any, row: dict[str, Any]) -> Row:
    if row["status"] != "ok":
        return Row(row["strategy"], None, None, None, row["error"])
    found = board.predictions(row["strategy"], "test").set_index("id").loc[list(draw.test["id"])]
    if draw.task.target.is_numeric:
        predictions = found["prediction"].to_numpy(dtype=float)[:, None]
    else:
        predictions = found[[f"score_{label}" for label in draw.task.labels]].to_numpy(dtype=np.float64)
    return Row(
        row["strategy"],
        row["rank"],
        row["train_seconds"],
        Answer(predictions, list(found["prediction"])),
        None,
    )
