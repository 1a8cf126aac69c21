"""transfer: every strategy trained on one source of the texts, and tested on each (a newspaper, a year).

The models of a source are a comparison of their own in OUT/transfer, with the configuration of OUT but for
the training and validation rows (`data.trained_on`), so it goes on where it was stopped. All answer the
same test rows, each source of them scored apart: a model of another source less one of the same is a paired
difference.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from stratune.comparison.board import Board
from stratune.comparison.comparison import run_comparison
from stratune.comparison.progress import Display
from stratune.comparison.source import split_again
from stratune.comparison.sources import Source, sources_of
from stratune.config import read_config
from stratune.data.one_source import OneSource
from stratune.errors import ConfigError, DataError
from stratune.evaluate.multiple import holm
from stratune.evaluate.paired import differences
from stratune.evaluate.slices import estimate
from stratune.evaluate.visible import NORMAL
from stratune.files import sha256, write_json
from stratune.ownership import owned_by_us
from stratune.report import publish
from stratune.report.comparison import Comparison, Entry, load
from stratune.report.slices import Answers, files_of
from stratune.report.transfer import FILE, FOLDER, sentence

if TYPE_CHECKING:
    from stratune.config import Config
    from stratune.evaluate.arrays import Flags

RESAMPLES = 1000
Key = tuple[str, str | None]
Found = dict[str, Any]


def transfer(
    out: str | Path,
    column: str,
    values: Sequence[str] | None = None,
    *,
    jobs: int | None = None,
    engine: str = "local",
    shown: bool = True,
) -> Found:
    """Of the finished comparison in `out`. `column`: of its data; `values`: its sources, None: all that have
    enough rows.

    Writes transfer.json, which is also returned, and the report anew. `jobs`, `engine`: as of run_comparison.
    A strategy that fails on a source is told with its reason.
    Raises ArtifactError where there is no comparison, or its data are others now; ConfigError for a column or
    value that is not there, or where fewer than two sources have enough rows.
    """
    out = Path(out)
    board, config = Board.load(out), read_config(out / "config.yaml")
    split = split_again(out, config, board.leaderboard["split"]["fingerprint"])
    sources, notes = sources_of(config, split, column, values)
    owned_by_us(out).own(FILE, FOLDER)
    trained: dict[str, Comparison | str] = {}
    for source in sources:
        place = out / FOLDER / _folder(column, source.name)
        trained[source.name] = _train(config, column, source, place, jobs=jobs, engine=engine, shown=shown)
    whole = load(out)
    found: Found = {
        "fingerprint": whole.fingerprint,
        "column": column,
        "metric": whole.task.metric,
        "higher_is_better": whole.task.selection.higher_is_better,
        "sources": [{"name": one.name, **one.rows} for one in sources],
        "strategies": [_strategy(entry, whole, sources, trained) for entry in _ordered(whole, board)],
        "notes": notes,
    }
    _adjust(found["strategies"])
    found["sentence"] = sentence(found)
    write_json(out / FILE, found)
    publish(out)
    return found


def _folder(column: str, name: str) -> str:
    """Readable, and another one for every column and name."""
    plain = re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-")[:40]
    return f"{plain or 'source'}-{sha256(column, name)[:8]}"


def _train(
    config: Config, column: str, source: Source, out: Path, *, jobs: int | None, engine: str, shown: bool
) -> Comparison | str:
    """The comparison, or why nothing could be trained."""
    data = config.data.model_copy(update={"trained_on": OneSource(column, source.name)})
    report = config.report.model_copy(update={"slices": (), "protected": ()})
    child = config.model_copy(update={"data": data, "sizes": (), "transfer": None, "report": report})
    with Display(shown=shown) as display:
        if shown:
            display.screen.say(f"{column} {source.name}: {source.rows['train']:,} training rows", "bold")
        how: dict[str, Any] = {"jobs": jobs, "engine": engine, "report": False}
        try:
            list(run_comparison(child, out, watch=display.on, **how))
        except (ConfigError, DataError) as error:  # too few rows for folds, say
            return str(error)
    return load(out)


def _ordered(whole: Comparison, board: Board) -> list[Entry]:
    """Those that finished, as on the board."""
    known = {(entry.strategy, entry.backbone): entry for entry in whole.entries() if entry.ok}
    keys = [(row["strategy"], row["backbone"]) for row in board.rows]
    return [known[key] for key in keys if key in known]


def _strategy(
    entry: Entry, whole: Comparison, sources: Sequence[Source], trained: dict[str, Comparison | str]
) -> Found:
    """`cells`: by source it was trained on, by source it was tested on; `whole`: trained on all rows."""
    metric = whole.task.metric
    answers: dict[str, Answers] = {}
    errors: dict[str, str] = {}
    for source in sources:
        comparison = trained[source.name]
        own = None if isinstance(comparison, str) else _entry(comparison, entry)
        if isinstance(comparison, str):
            errors[source.name] = comparison
        elif own is None or not own.ok:
            errors[source.name] = (own and own.runs[0].result.error) or "it was not trained"
        else:
            answers[source.name] = Answers(own, comparison.task, RESAMPLES)
    every = Answers(entry, whole.task, RESAMPLES)
    return {
        "strategy": entry.strategy,
        "backbone": entry.backbone,
        "files": files_of(entry),
        "floor": any(run.result.floor for run in entry.runs),
        "cells": [[_cell(answers, home, away, metric) for away in sources] for home in sources],
        "whole": [_estimate(every, source.test, metric) for source in sources],
        "loss": _loss(answers, sources, metric),
        "errors": errors,
    }


def _entry(comparison: Comparison, like: Entry) -> Entry | None:
    wanted = (like.strategy, like.backbone)
    return next((one for one in comparison.entries() if (one.strategy, one.backbone) == wanted), None)


def _cell(answers: Mapping[str, Answers], home: Source, away: Source, metric: str) -> Found:
    """Trained on `home`, tested on `away`; the `change` is against trained on what is tested."""
    one, other, rows = answers.get(home.name), answers.get(away.name), away.test
    if one is None:
        return {"estimate": None, "change": None}
    change = None
    if other is not None and home is not away:
        (found,) = differences([(one.measured(rows, metric), other.measured(rows, metric))], metric)
        change = None if found is None else found.to_dict()
    return {"estimate": _estimate(one, rows, metric), "change": change}


def _estimate(one: Answers, rows: Flags, metric: str) -> Found | None:
    found = estimate(one.on(rows), metric)
    return None if found is None else found.to_dict()


def _loss(known: Mapping[str, Answers], sources: Sequence[Source], metric: str) -> Found | None:
    """What being tested elsewhere costs, on the mean of all sources: models of the others less the model of
    the source, on the same rows. Replicates of all are of the same resamples of the test part. None where one
    of them is missing or undefined.
    """
    if len(known) < len(sources):
        return None
    values, drawn = [], []
    for away in sources:
        own = known[away.name].on(away.test)
        others = [known[home.name].on(away.test) for home in sources if home is not away]
        values.append(np.mean([one.value(metric) for one in others]) - own.value(metric))
        drawn.append(np.mean([one.over_seeds(metric) for one in others], axis=0) - own.over_seeds(metric))
    value, spread = float(np.mean(values)), float(np.std(np.mean(drawn, axis=0), ddof=1))
    if not np.isfinite([value, spread]).all():
        return None
    return {"value": value, "low": value - NORMAL * spread, "high": value + NORMAL * spread}


def _adjust(strategies: Sequence[Found]) -> None:
    """`p_adjusted` of every change that is shown (Holm)."""
    known = [cell["change"] for one in strategies for line in one["cells"] for cell in line if cell["change"]]
    for change, p in zip(known, holm([change["p"] for change in known]), strict=True):
        change["p_adjusted"] = p
