"""How answers are written: the same keys and digits in a file, on the terminal and from a server."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from stratune.data.segments import readable

if TYPE_CHECKING:
    from stratune.longtext.evidence import Evidence
    from stratune.model.answers import Scored
    from stratune.predictor.predictor import Predictor

DIGITS = 6  # of a score, after the point

Answer = dict[str, Any]  # prediction, scores by label, tokens_cut; of a prompted model that writes: answer


def answer_objects(predictor: Predictor, answers: Scored) -> list[Answer]:
    """(N,) objects for JSON. A score is None where the row has none."""
    labels, columns = predictor.labels, zip(*_scores(predictor, answers), strict=True)
    scores: list[dict[str, float | None]] = [{} for _ in answers.tokens_cut]
    if labels:
        scores = [dict(zip(labels, row, strict=True)) for row in columns]
    said = answers.predicted(predictor.task)
    found: list[Answer] = [
        {"prediction": one, "scores": by_label, "tokens_cut": int(cut)}
        for one, by_label, cut in zip(said, scores, answers.tokens_cut, strict=True)
    ]
    if answers.answers is not None:
        for one, written in zip(found, answers.answers, strict=True):
            one["answer"] = written
    return found


def answer_columns(
    predictor: Predictor, answers: Scored, prefix: str = "", sets: list[str] | None = None
) -> dict[str, list[Any]]:
    """The columns that answers add to N rows, in the order in which they are written."""
    columns: dict[str, list[Any]] = {f"{prefix}prediction": answers.predicted(predictor.task)}
    if sets is not None:
        columns[f"{prefix}set"] = list(sets)
    scores = _scores(predictor, answers)
    columns |= {
        f"{prefix}score_{label}": column for label, column in zip(predictor.labels, scores, strict=True)
    }
    if answers.answers is not None:
        columns[f"{prefix}answer"] = answers.answers
    columns[f"{prefix}tokens_cut"] = [int(cut) for cut in answers.tokens_cut]
    return columns


def flat(answer: Answer) -> dict[str, Any]:
    """An answer's object as the cells that it adds to its row: `answer_columns` of one row."""
    found = {"prediction": answer["prediction"]}
    found |= {f"score_{label}": score for label, score in answer["scores"].items()}
    if "answer" in answer:
        found["answer"] = answer["answer"]
    return {**found, "tokens_cut": answer["tokens_cut"]}


def evidence_objects(evidence: list[Evidence], text: str) -> list[dict[str, Any]]:
    """Of one text the chunks that decided, as {score, start, end, text}, the most important first."""
    return [
        {
            "score": round(one.score, 4),
            "start": one.start,
            "end": one.end,
            "text": readable(text[one.start : one.end]).strip(),
        }
        for one in evidence
    ]


def _scores(predictor: Predictor, answers: Scored) -> list[list[float | None]]:
    """(K, N) of the labels; [] of values."""
    columns = answers.predictions.T.tolist()[: len(predictor.labels)]
    return [[None if math.isnan(p) else round(p, DIGITS) for p in column] for column in columns]
