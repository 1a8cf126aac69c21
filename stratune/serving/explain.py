"""What decided an answer: the text is answered again without some of its words.

A short text, of at most 8 words, has exact Shapley values: of every subset of its words (2^8 = 256 texts) the
score, and of each word the mean of what it adds, over all orders in which words could come. They sum to the
score of the whole text less that of none. A longer one has occlusion: what is lost without each word, and of
more than 64 words without each of 64 spans. Words that stand for each other, as "good" and "great" do, share
what they did in the first; in the second neither is missed.

Shapley 1953, "A value for n-person games"; Zeiler & Fergus 2014, "Visualizing and understanding convolutional
networks" (occlusion); Strumbelj & Kononenko 2010, "An efficient explanation of individual classifications
using game theory".
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb
from typing import Any

from stratune.predictor.written import DIGITS, Answer, evidence_objects
from stratune.serving.bodies import asked_of
from stratune.serving.limits import Limits
from stratune.serving.refusals import Refused
from stratune.serving.served import ServedModel
from stratune.serving.service import Service

KEYS = ("text", "pair", "model")
EXACT_WORDS = 8  # of a text with Shapley values
SPANS = 64  # of a text with occlusion
# Chinese and Japanese have no spaces between words: each character is one.
_OF_ITS_OWN = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_WORD = re.compile(rf"[{_OF_ITS_OWN}]|[^\s{_OF_ITS_OWN}]+")
_BLANKS = " \t\u00a0\u3000"  # neither line breaks nor what stands between segments

Rows = tuple[list[str], list[str] | None]  # (N,) texts, and their pairs


@dataclass(frozen=True)
class Span:
    """Characters [start, end) of the text or of its pair."""

    column: str  # text, or pair
    start: int
    end: int


async def explanation(service: Service, model: ServedModel, found: Mapping[str, Any]) -> dict[str, Any]:
    """For a body {"text", "pair"?}: the answer, which words decided it, chunks and prompt where it has them.

    Raises Refused: 400 for what is no text, 413 for one that is too long, 429 where too many rows wait.
    """
    if "text" not in found:
        raise Refused(400, 'body: no text; expected {"text": ...}')
    asked = asked_of("text", found, model.predictor, service.limits)
    text, pair = asked.texts[0], asked.pairs[0] if asked.pairs is not None else None
    spans, exact = spans_of(text, pair, service.limits, paid=model.predictor.model.paid)
    subsets = _subsets(len(spans)) if exact else [(), *((k,) for k in range(len(spans)))]
    variants = [_without(text, pair, [spans[k] for k in gone]) for gone in subsets]
    different = list(dict.fromkeys(variants))  # the whole text is the first
    texts = [one for one, _ in different]
    pairs = None if pair is None else [beside or "" for _, beside in different]
    answered = await service.answered(model, texts, pairs)
    whole = answered[0]
    of = decided_label(whole.answer)
    scores = {one: score_of(row.answer, of) for one, row in zip(different, answered, strict=True)}
    changes = _changes([scores[one] for one in variants], subsets, len(spans), exact)
    result: dict[str, Any] = {
        **whole.answer,
        "model": model.name,
        "of": of,
        "method": "shapley" if exact else "occlusion",
        "words": [_word(*one, text, pair) for one in zip(spans, changes, strict=True)],
    }
    if whole.evidence is not None:
        result["chunks"] = evidence_objects(whole.evidence, text)
    if (prompt := await service.prompt(model, text, pair)) is not None:
        result["prompt"] = prompt
    return result


def decided_label(answer: Answer) -> str | None:
    """The label that is explained: the predicted one; of a set the most probable. None of values."""
    known = {label: score for label, score in answer["scores"].items() if score is not None}
    if answer["prediction"] in known:
        return str(answer["prediction"])
    return max(known, key=known.__getitem__, default=None)


def score_of(answer: Answer, of: str | None) -> float | None:
    """The label's score, or the value; None of a row that has none."""
    found = answer["scores"].get(of) if of is not None else answer["prediction"]
    return float(found) if isinstance(found, (int, float)) else None


# -- words


def spans_of(text: str, pair: str | None, limits: Limits, *, paid: bool = False) -> tuple[list[Span], bool]:
    """(the words of both, or spans of several where they are many; whether all subsets can be answered).

    `paid`: each text costs money, so the 256 of exact values are not asked. Raises Refused (413).
    """
    words = {"text": words_of(text), "pair": words_of(pair or "")}
    counts = [len(found) for found in words.values()]
    size, count = len(text) + len(pair or ""), sum(counts)
    # what is answered in all is no more than a request of texts may hold
    rows = min(limits.most_rows, limits.most_bytes // max(1, size))
    if rows < 1 + sum(map(bool, counts)):
        raise Refused(413, f"text: {size:,} characters are too many for this server to explain")
    if not paid and count <= EXACT_WORDS and 2**count <= rows:
        return [Span(name, *word) for name in words for word in words[name]], True
    most = min(SPANS, rows - 1)
    if count > most:
        first = most if not counts[1] else min(most - 1, max(min(1, counts[0]), most * counts[0] // count))
        counts = [min(first, counts[0]), min(most - first, counts[1])]
    parts = zip(words, counts, strict=True)
    return [Span(name, *one) for name, number in parts for one in _joined(words[name], number)], False


def words_of(text: str) -> list[tuple[int, int]]:
    """[start, end) of each word, with the punctuation that touches it."""
    return [one.span() for one in _WORD.finditer(text)]


def _joined(words: list[tuple[int, int]], count: int) -> list[tuple[int, int]]:
    """`count` spans of neighbours, of equal numbers of words as far as it can be."""
    ends = [k * len(words) // count for k in range(count + 1)] if count else []
    return [(words[a][0], words[b - 1][1]) for a, b in zip(ends, ends[1:], strict=False)]


def without(text: str, gone: Sequence[tuple[int, int]]) -> str:
    """The text less these spans, in their order, and one gap of each: words beside them are not joined."""
    kept, at = "", 0
    for start, end in gone:
        kept += text[at:start]
        at = end
        while at < len(text) and text[at] in _BLANKS:
            at += 1
        if at == end and (end == len(text) or text[end].isspace()):  # the last of its line
            kept = kept.rstrip(_BLANKS)
    return kept + text[at:]


def _without(text: str, pair: str | None, gone: Sequence[Span]) -> tuple[str, str | None]:
    of = {name: [(one.start, one.end) for one in gone if one.column == name] for name in ("text", "pair")}
    return without(text, of["text"]), None if pair is None else without(pair, of["pair"])


def _subsets(count: int) -> list[tuple[int, ...]]:
    """(2^N,) which words are gone; none in the first."""
    return [gone for size in range(count + 1) for gone in combinations(range(count), size)]


# -- values


def _changes(
    scores: Sequence[float | None], subsets: Sequence[tuple[int, ...]], count: int, exact: bool
) -> list[float | None]:
    """(N,) what each word does to the score; None where a text that it needs got no answer."""
    if exact and None not in scores:
        known = {frozenset(gone): score for gone, score in zip(subsets, scores, strict=True)}
        return list(shapley(known, count))
    alone = {gone[0]: score for gone, score in zip(subsets, scores, strict=True) if len(gone) == 1}
    whole = scores[0]
    if exact or whole is None:
        return [None] * count
    return [None if (one := alone[k]) is None else whole - one for k in range(count)]


def shapley(scores: Mapping[frozenset[int], Any], count: int) -> list[float]:
    """(N,) Shapley values. `scores`: of every subset of players that are gone."""
    found = []
    for k in range(count):
        value = 0.0
        for gone, score in scores.items():
            if k not in gone:  # with k, and without
                weight = 1 / (count * comb(count - 1, len(gone)))
                value += weight * (score - scores[gone | {k}])
        found.append(value)
    return found


def _word(span: Span, change: float | None, text: str, pair: str | None) -> dict[str, Any]:
    of = text if span.column == "text" else pair or ""
    found: dict[str, Any] = {"start": span.start, "end": span.end, "text": of[span.start : span.end]}
    if pair is not None:
        found["column"] = span.column
    return {**found, "change": None if change is None else round(change, DIGITS)}
