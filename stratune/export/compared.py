"""The rows that an export and its predictor both answer, and how near the two have to be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from stratune.errors import ArtifactError
from stratune.tokens.tokens import first_words

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from stratune.predictor.predictor import Predictor

TOLERANCE = 1e-4  # of a logit, a probability or a value in float32; relative where it is above 1
PROBES = (
    "A short sentence to compare two copies of one model.",
    "No.",
    "Nothing works as it should, and the ending was a disappointment from start to finish! " * 3,
)
# Where tokenisers differ: punctuation, repeated words, accents in one character and in two, cases that change
# the length, digits of other scripts, emoji, white space of all kinds, and no text at all.
EDGES = (
    "Don't: it's well-known (3.14 of 1,000)… the the THE cat, the cat; a_b c-d #tag @user e.g. 50%!",
    "Été à Paris, nai\u0308ve cafe\u0301, Straße, İstanbul, ΟΔΟΣ, ŒUVRE, ﬁn",
    "हिन्दी भाषा, 中文文本, под снегом, ١٢٣ x² ½ Ⅷ",
    "rain😀snow 👍🏽 \t two\n\nlines\u00a0and\u2003spaces  ",
    "zzzz",
    " ",
    "",
)


def compared_rows(
    predictor: Predictor, words: int | None, others: tuple[str, ...] = PROBES
) -> tuple[list[str], list[str] | None]:
    """Sample rows and `others` (paired with themselves from the last), each text cut after `words` words."""
    rows = [(row["text"], row.get("text_pair", "")) for row in predictor.sample]
    rows += list(zip(others, reversed(others), strict=True))
    cut = [(first_words(a, words), first_words(b, words)) for a, b in rows]
    return [a for a, _ in cut], [b for _, b in cut] if predictor.task.text_pair else None


def largest_gap(ours: NDArray[np.float64], theirs: NDArray[np.float64], what: str) -> float:
    """Of two arrays (N, C) of answers. Raises ArtifactError where it is above TOLERANCE."""
    if ours.shape != theirs.shape:
        raise ArtifactError(f"{what}: answers of shape {theirs.shape}, not {ours.shape}")
    gap = float((np.abs(ours - theirs) / np.maximum(1.0, np.abs(ours))).max())
    if not gap <= TOLERANCE:  # NaN, too
        raise ArtifactError(f"{what}: answers are not ours, they differ by up to {gap:.2g}")
    return gap


def same_decisions(predictor: Predictor, raw: NDArray[np.float64], theirs: NDArray[Any], what: str) -> None:
    """Raises ArtifactError where decisions `theirs` are not those of the predictor's probabilities before
    calibration, `raw` (N, K). A row that rounding could decide may be decided either way.
    """
    target, decision = predictor.task.target, predictor.post.decision
    ours = target.decided(raw, None, decision)
    if decision.thresholds or target.several_labels:
        below, above = (target.decided(raw + by, None, decision) for by in (-TOLERANCE, TOLERANCE))
        clear = below == above
    else:
        *_, second, first = np.sort(raw, axis=1).T
        clear = first - second > 2 * TOLERANCE
    if not np.array_equal(ours[clear], theirs[clear]):
        raise ArtifactError(f"{what}: labels are not ours")
