"""Scores of truth and predictions, by kind of task, through its target."""

from stratune.evaluate import agreement
from stratune.target import target_of


def scorer(kind, truth, predictions, labels=(), invalid=None):
    return target_of(kind, labels).scorer(truth, predictions, invalid)


def score(truth, predictions, labels=(), *, kind="classification", invalid=None):
    return target_of(kind, labels).score(truth, predictions, invalid)


def bootstrap(truth, predictions, labels=(), *, kind="classification", invalid=None, **options):
    labels = () if kind == "regression" else labels
    return target_of(kind, labels).intervals(truth, predictions, invalid, **options)


def truth_of(table, task):
    return task.target.truth(table["label"])


def raters(ratings, kind="regression", label_count=0, identified=False):
    labels = [str(label) for label in range(label_count)]
    return target_of(kind, labels).raters(ratings, identified=identified)


def human_ceiling(ratings, *, kind="regression", label_count=0, identified=False, **options):
    return agreement.human_ceiling(raters(ratings, kind, label_count, identified), **options)


def with_people(predictions, ratings, *, kind="regression", label_count=0, identified=False, **options):
    return agreement.with_people(predictions, raters(ratings, kind, label_count, identified), **options)
