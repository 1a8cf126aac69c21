"""What `data agree` says: how far raters agree, on which labels, who is off, on which rows they differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from stratune.data.agreed import Agreed, Chosen
from stratune.data.rated import NOBODY, Rated
from stratune.evaluate.annotators import LEVEL, Annotator, annotators
from stratune.evaluate.consensus import disagreement
from stratune.evaluate.intervals import Interval
from stratune.evaluate.label_agreement import label_agreement
from stratune.evaluate.rater_pairs import LEAST, pair_agreement
from stratune.report.people import among_raters

MEASURES = ("agreement", "mae", "bias", "pearson")


def of_rated(rated: Rated, groups: Any = None) -> dict[str, Any]:
    """Everything but the rows. What is not defined for the kind of ratings is empty."""
    found = {
        "kind": rated.task.kind,
        "labels": list(rated.task.labels),
        **among_raters(rated.ratings, rated.task, groups=groups),
        "raters": len(rated.names) if rated.who is not None else None,
        **_of_labels(rated, groups),
        "cohen": _cohen(rated, groups),
        "annotators": [],
        "off": [],
    }
    if rated.who is not None:
        each = annotators(rated.ratings.values, rated.who, rated.label_count, groups=groups)
        found["annotators"] = [_of_annotator(one, rated.names) for one in each]
        found["off"] = [rated.names[one.number] for one in each if one.off]
        found["off_level"] = LEVEL
    return found


def _of_labels(rated: Rated, groups: Any) -> dict[str, Any]:
    if rated.label_count is None:
        return {"percent": None, "fleiss": None, "by_label": {}}
    labels = rated.task.labels
    found = label_agreement(rated.ratings.values, labels, groups=groups)
    by_label = {}
    for place, label in enumerate(labels):
        measures = {name: _plain(found.get(f"{name}[{label}]")) for name in ("specific", "kappa")}
        by_label[label] = {"ratings": int((rated.ratings.values == place).sum()), **measures}
    return {
        "percent": _plain(found.get("percent")),
        "fleiss": _plain(found.get("fleiss")),
        "by_label": by_label,
    }


def _cohen(rated: Rated, groups: Any) -> dict[str, Any] | None:
    if rated.label_count is None or rated.who is None:
        return None
    ordered = rated.task.target.measurement == "ordinal"
    found = pair_agreement(rated.ratings.values, rated.who, rated.label_count, ordered=ordered, groups=groups)
    each = [
        {"raters": [rated.names[one] for one in pair], **_plains(measures)}
        for pair, measures in found.each.items()
    ]
    return {"pairs": found.pairs, "least_rows": LEAST, "mean": _plains(found.means), "each": each}


def _of_annotator(one: Annotator, names: Sequence[str]) -> dict[str, Any]:
    return {
        "name": names[one.number],
        "ratings": one.ratings,
        "compared": one.compared,
        **_plains(one.measures),
        "rest": one.rest,
        "p": one.p,
        "off": one.off,
    }


def worst_rows(rated: Rated, count: int, texts: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
    """The `count` rows whose ratings differ most, the first of equals first; those that agree are left out.
    `texts`: column -> cells.
    """
    values = rated.ratings.values
    spread = rated.label_count if rated.task.target.measurement == "nominal" else None
    apart = np.nan_to_num(disagreement(values, spread), nan=0.0)
    order = np.argsort(-apart, kind="stable")[:count]
    return [
        {
            "row": int(row) + 1,
            "disagreement": float(apart[row]),
            **{name: cells[row] for name, cells in texts.items()},
            **_said(rated, int(row)),
        }
        for row in order
        if apart[row] > 0
    ]


def _said(rated: Rated, row: int) -> dict[str, Any]:
    there = np.flatnonzero(np.isfinite(rated.ratings.values[row]))
    given = [rated.ratings.values[row, place] for place in there]
    numeric = rated.label_count is None
    said: dict[str, Any] = {
        "ratings": [float(one) if numeric else rated.task.labels[int(one)] for one in given]
    }
    if rated.who is not None:
        codes = [int(rated.who[row, place]) for place in there]
        said["raters"] = [rated.names[code] for code in codes if code != NOBODY]
    return said


def of_agreed(agreed: Agreed, chosen: Chosen) -> dict[str, Any]:
    return {
        "way": agreed.way,
        "gold": chosen.gold,
        "ties": int(agreed.tied.sum()),
        "unrated": int((~agreed.rated).sum()),
        "rows": len(agreed.cells),
        "kept": len(chosen.rows),
        "left_out": chosen.left_out,
        "balance": {"before": chosen.before, "after": chosen.after},
    }


def _plain(interval: Interval | None) -> dict[str, float] | None:
    return None if interval is None else interval.to_dict()


def _plains(measures: Mapping[str, Interval]) -> dict[str, dict[str, float]]:
    return {name: interval.to_dict() for name, interval in measures.items()}
