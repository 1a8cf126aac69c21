"""Whether the levels of a scale stand in order: by their numbers, or by words of usual scales."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from stratune.target.numbers import number

# Scales in order, from one end to the other. Words of one rank are divided by "/".
USUAL = tuple(
    tuple(frozenset(rank.split("/")) for rank in line.split(", "))
    for line in (
        "none/no/absent, minimal/trace, very low, low/small/minor, "
        "medium/moderate/mid/middle/average/normal, high/large/major, very high/critical/severe/extreme",
        "none, mild/slight, moderate, severe/serious, critical/fatal",
        "terrible/awful/very bad/very poor/horrible, bad/poor, "
        "fair/ok/okay/average/acceptable/mediocre/neutral, good, very good/great, "
        "excellent/superb/outstanding/perfect",
        "very negative/strongly negative, negative/slightly negative, neutral/mixed, "
        "positive/slightly positive, very positive/strongly positive",
        "strongly disagree/completely disagree, disagree/somewhat disagree, neutral/neither/undecided/"
        "neither agree nor disagree, agree/somewhat agree, strongly agree/completely agree",
        "very dissatisfied, dissatisfied/unsatisfied, neutral, satisfied, very satisfied",
        "very unlikely, unlikely, neutral/possible, likely, very likely, certain",
        "never, rarely/seldom, sometimes/occasionally, often/frequently, usually/very often, always",
        "not at all, a little/slightly, somewhat/moderately, very/quite/a lot, extremely/very much",
        "tiny/very small/xs, small/s, medium/m, large/big/l, very large/huge/xl",
        "easy/beginner/elementary, medium/intermediate, hard/difficult/advanced, "
        "expert/very hard/very difficult",
        "first, second, third, fourth, fifth, sixth, seventh, eighth, ninth, tenth",
        "zero, one, two, three, four, five, six, seven, eight, nine, ten",
        "a1, a2, b1, b2, c1, c2",
        "daily, weekly, monthly, yearly/annually",
        "cold, cool, warm, hot",
        "contradiction, neutral, entailment",
    )
)
_NUMBER = re.compile(r"(?<![\w.])[+-]?\d+(?:\.\d+)?(?![\w.]*\d)")


def in_usual_order(levels: Sequence[str]) -> tuple[str, ...] | None:
    """The levels as their numbers, or the words of a usual scale, order them, in the direction that is nearer
    to the one that is given; None where they stand in order already (either way), or nothing says how.
    """
    ranks = _by_numbers(levels) or _by_words(levels)
    if ranks is None:
        return None
    steps = [after - before for before, after in zip(ranks, ranks[1:], strict=False)]
    up = sum(step > 0 for step in steps)
    if up in (0, len(steps)):
        return None
    falls = up < len(steps) - up
    order = sorted(range(len(levels)), key=lambda k: ranks[k], reverse=falls)
    return tuple(levels[k] for k in order)


def _by_numbers(levels: Sequence[str]) -> list[float] | None:
    """A number of each level, all different: 1, "2 stars", "3 of 5" (the first of several counts)."""
    found = [_number_of(level) for level in levels]
    known = [value for value in found if value is not None]
    return known if len(known) == len(levels) and len(set(known)) == len(known) else None


def _number_of(level: str) -> float | None:
    if (value := number(level)) is not None:
        return value
    found = _NUMBER.search(level)
    return None if found is None else number(found.group())


def _by_words(levels: Sequence[str]) -> list[float] | None:
    """Ranks of the first usual scale that has all of them, each with a rank of its own."""
    words = [_plain(level) for level in levels]
    for scale in USUAL:
        at = {word: float(rank) for rank, same in enumerate(scale) for word in same}
        ranks = [at[word] for word in words if word in at]
        if len(ranks) == len(words) and len(set(ranks)) == len(ranks):
            return ranks
    return None


def _plain(level: str) -> str:
    folded = unicodedata.normalize("NFKC", level).casefold()
    return " ".join(re.sub(r"[\W_]+", " ", folded).split())
