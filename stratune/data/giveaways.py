"""What gives the label away beside what the text means: the label's own name, a word, one text of a pair
alone, another column. A model that reads it scores well here, and nowhere else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
from datasets import Dataset
from numpy.typing import NDArray

from stratune.data.issue import Issue, counted, shown, some
from stratune.target.numbers import number
from stratune.task import Task

MOST_ROWS = 4_000  # drawn by a fixed seed
LEAST_ROWS = 40  # with fewer, chance gives labels away
LEAST_WITH = 10  # rows that have a word
SURE = 0.95  # share of a word's rows that have one label
COVERED = 0.25  # share of that label's rows that have the word
GAIN = 0.1  # accuracy above always naming the most frequent label, from which something else tells labels
FOLDS = 3
MOST_VALUES = 0.5  # values of a column per row; with more, it is a name of its rows
NO_NAME = re.compile(r"[\d\W_]*")

Numbers = NDArray[np.int64]


def giveaways(texts: Sequence[str], pairs: Sequence[str] | None, labels: Sequence[str]) -> Iterator[Issue]:
    """Of rows with one label each."""
    rows = np.sort(np.random.default_rng(0).permutation(len(labels))[:MOST_ROWS])
    numbers = np.unique([labels[row] for row in rows], return_inverse=True)
    names, truth = [str(name) for name in numbers[0]], np.asarray(numbers[1])
    if len(rows) < LEAST_ROWS or len(names) < 2:
        return
    first = [texts[row] for row in rows]
    second = None if pairs is None else [pairs[row] for row in rows]
    both = first if second is None else [f"{a}\n{b}" for a, b in zip(first, second, strict=True)]
    told = list(_own_names(both, names, truth))
    yield from told
    yield from _words(both, names, truth, {issue.examples[0].casefold() for issue in told})
    if second is not None:
        yield from _one_text({"text": first, "text_pair": second}, truth)


def columns_that_tell(columns: Mapping[str, Sequence[Any]], labels: Sequence[str]) -> Iterator[Issue]:
    """Other columns of the table (a source, an author, a date) that a label can be guessed from."""
    rows = np.sort(np.random.default_rng(0).permutation(len(labels))[:MOST_ROWS])
    truth = np.unique([labels[row] for row in rows], return_inverse=True)[1]
    if len(rows) < LEAST_ROWS or truth.max(initial=0) == 0:
        return
    for name, cells in columns.items():
        features = _features([cells[row] for row in rows])
        if features is None:
            continue
        from sklearn.tree import DecisionTreeClassifier

        tree = DecisionTreeClassifier(max_leaf_nodes=64, min_samples_leaf=5, random_state=0)
        right = _out_of_fold(tree, features, truth)
        if message := _above(right, truth):
            why = f"the column {shown(name)} alone {message}: what the text says may not be what is learned"
            yield Issue("warning", "column_tells", why, len(rows), (name,))


def other_columns(table: Dataset, task: Task, split_column: str | None = None) -> Iterator[Issue]:
    """Of a table as it was read: what its columns tell that are not the task's."""
    if not task.target.one_label or task.label not in table.column_names:
        return
    own = {task.text, task.text_pair, task.label, task.id, task.group, split_column}
    own |= set((task.annotations or "").split("+"))
    columns = {name: table[name][:] for name in table.column_names if name not in own}
    yield from columns_that_tell(columns, [str(cell) for cell in table[task.label]])


def _own_names(texts: Sequence[str], names: Sequence[str], truth: Numbers) -> Iterator[Issue]:
    """Names of labels that stand in the texts, nearly only in those of the label."""
    lowered = [text.casefold() for text in texts]
    for label, name in enumerate(names):
        if len(name) < 3 or NO_NAME.fullmatch(name):
            continue
        word = re.compile(rf"(?<!\w){re.escape(name.casefold())}(?!\w)")
        has = np.asarray([bool(word.search(text)) for text in lowered])
        if _tells(has, truth == label, covered=0.0):
            found = counted(int(has.sum()), "text has", "texts have")
            own = f"{(truth == label)[has].mean():.0%} of them its own"
            message = f"{found} the name of the label {shown(name)} in it, {own}: a model may read the answer"
            yield Issue("warning", "label_in_text", message, int(has.sum()), (name,))


def _words(texts: Sequence[str], names: Sequence[str], truth: Numbers, told: set[str]) -> Iterator[Issue]:
    """Words that many rows of one label have, and hardly any other."""
    from sklearn.feature_extraction.text import CountVectorizer

    counter = CountVectorizer(
        binary=True, token_pattern=r"(?u)\b\w+\b", min_df=LEAST_WITH, max_features=20_000
    )
    try:
        has = counter.fit_transform(texts).tocsc()
    except ValueError:  # no word is in so many rows
        return
    terms = counter.get_feature_names_out()
    counts = np.asarray(has.sum(axis=0)).ravel()
    by_label = np.stack([np.asarray(has[truth == k].sum(axis=0)).ravel() for k in range(len(names))])
    top = by_label.argmax(axis=0)
    likely = np.flatnonzero(by_label.max(axis=0) >= SURE * counts)
    found = []
    for at in likely:
        rows = np.asarray(has[:, [at]].toarray()).ravel() > 0
        if terms[at] not in told and _tells(rows, truth == top[at], covered=COVERED):
            found.append((int(counts[at]), str(terms[at]), names[int(top[at])]))
    if found:
        count, word, label = max(found)
        more = f" (and {len(found) - 1} more words)" if len(found) > 1 else ""
        message = (
            f"the word {shown(word)} stands in {count:,} texts, nearly all of the label {shown(label)}{more}"
        )
        words = [one for _, one, _ in sorted(found, reverse=True)]
        yield Issue(
            "warning", "word_tells", f"{message}: is it what you want to be learned?", count, some(words)
        )


def _one_text(columns: Mapping[str, list[str]], truth: Numbers) -> Iterator[Issue]:
    """Whether one text of a pair is enough, as hypotheses of SNLI are (Gururangan et al. 2018)."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.naive_bayes import MultinomialNB
    from sklearn.pipeline import make_pipeline

    for name, texts in columns.items():
        if len(set(texts)) < MOST_VALUES * len(texts) / 4:
            continue  # a handful of questions about many texts
        model = make_pipeline(
            TfidfVectorizer(ngram_range=(1, 2), token_pattern=r"(?u)\b\w+\b", sublinear_tf=True),
            MultinomialNB(alpha=0.1),
        )
        right = _out_of_fold(model, np.asarray(texts, dtype=object), truth)
        if message := _above(right, truth):
            which = {"text": "the first text", "text_pair": "the second text"}[name]
            why = f"{which} of the pairs alone {message}: see how far `{_ALONE[name]}` gets"
            yield Issue("warning", "one_text_tells", why, len(truth), (name,))


_ALONE = {"text": "first_only", "text_pair": "second_only"}


def _features(cells: Sequence[Any]) -> NDArray[np.float64] | None:
    """(N, C) numbers of a column's cells; None for names of single rows, and for a column of one value."""
    numbers = [_number(cell) for cell in cells]
    if all(one is not None for one in numbers):
        return np.asarray(numbers, dtype=np.float64)[:, None] if len(set(numbers)) > 1 else None
    if not all(isinstance(cell, str | bool | int | float | type(None)) for cell in cells):
        return None
    values, inverse = np.unique([str(cell) for cell in cells], return_inverse=True)
    if len(values) < 2 or len(values) > MOST_VALUES * len(cells):
        return None
    return np.asarray(np.eye(len(values))[inverse]) if len(values) <= 500 else None


def _number(cell: Any) -> float | None:
    """Of a number or a date, also where it is text."""
    text = str(cell)
    if (found := number(text)) is not None:
        return found
    try:
        return float(date.fromisoformat(text[:10]).toordinal())
    except ValueError:
        return None


def _out_of_fold(model: Any, features: NDArray[Any], truth: Numbers) -> NDArray[np.bool_]:
    """(N,) whether a model of the other folds answers each row right."""
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    rare = np.bincount(truth)[truth] < FOLDS
    kept = np.flatnonzero(~rare)
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=0)
    right = np.zeros(len(truth), dtype=np.bool_)
    right[kept] = cross_val_predict(model, features[kept], truth[kept], cv=folds) == truth[kept]
    return right


def _above(right: NDArray[np.bool_], truth: Numbers) -> str | None:
    """In words, where it is right clearly more often than the most frequent label is."""
    share, most = float(right.mean()), float(np.bincount(truth).max() / len(truth))
    if share - most < max(GAIN, 4 * np.sqrt(0.25 / len(truth))):
        return None
    return f"tells the label in {share:.0%} of the rows (the most frequent label: {most:.0%})"


def _tells(has: NDArray[np.bool_], own: NDArray[np.bool_], covered: float) -> bool:
    """Whether nearly all rows with a word are of a label, by more than chance."""
    count = int(has.sum())
    if count < LEAST_WITH:
        return False
    share, base = float(own[has].mean()), float(own.mean())
    by_chance = 4 * np.sqrt(base * (1 - base) / count)
    return share >= SURE and share - base > by_chance and float(has[own].mean()) >= covered
