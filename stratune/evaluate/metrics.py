"""Every metric by name: those that the scorers compute, and functions that somebody registers.

A metric of one's own is a function of the truth, the predictions and the weights of N rows (kinds.py has the
shapes), in a package behind the entry point `stratune.metrics` or in any module that is imported:

    @register_metric("cost", higher_is_better=False, kinds=("classification",))
    def cost(truth, predictions, weights) -> float:
        "what a wrong answer costs, mean over rows"
        return float(np.average(COSTS[truth, predictions.argmax(axis=1)], weights=weights))

It is computed wherever the others are, has intervals (a resample is a weighting of the rows), and may be the
task's metric. NaN means that it is undefined. An invalid answer comes as a wrong one: see the scorers.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TypeVar

from stratune import plugins
from stratune.errors import ConfigError, choices
from stratune.evaluate.arrays import Floats, Predictions
from stratune.evaluate.kinds import KINDS, Kind, Truth
from stratune.evaluate.labels import PER_LABEL

__all__ = [
    "METRICS",
    "PER_LABEL",
    "Function",
    "Metric",
    "all_metrics",
    "find",
    "for_other_processes",
    "metrics_of",
    "register_metric",
]

Function = Callable[[Truth, Predictions, Floats], float]
_F = TypeVar("_F", bound=Function)


@dataclass(frozen=True)
class Metric:
    """A number that can be asked for by name. `kinds` are the task kinds it makes sense for."""

    name: str
    doc: str
    higher_is_better: bool
    kinds: tuple[Kind, ...] = ("classification",)
    function: Function | None = None  # None: the scorers of its kinds compute it, all at once
    module: str = ""  # that registered the function


_ONE: tuple[Kind, ...] = ("classification", "ordinal")  # one label of several
_ANY: tuple[Kind, ...] = ("classification", "ordinal", "multilabel")
_SETS: tuple[Kind, ...] = ("multilabel",)
_LEVELS: tuple[Kind, ...] = ("ordinal",)
_NUMBERS: tuple[Kind, ...] = ("regression",)
_ORDERED: tuple[Kind, ...] = ("ordinal", "regression")

_OWN = [
    Metric("accuracy", "share of rows whose prediction is the truth", True, _ONE),
    Metric("precision_macro", "precision, mean over labels", True, _ANY),
    Metric("recall_macro", "recall, mean over labels (balanced accuracy)", True, _ANY),
    Metric("f1_macro", "F1, mean over labels", True, _ANY),
    Metric("precision_weighted", "precision, mean over labels weighted by their rows", True, _ONE),
    Metric("recall_weighted", "recall, mean over labels weighted by their rows", True, _ONE),
    Metric("f1_weighted", "F1, mean over labels weighted by their rows", True, _ONE),
    Metric("precision_micro", "precision, the counts of all labels added up", True, _SETS),
    Metric("recall_micro", "recall, the counts of all labels added up", True, _SETS),
    Metric("f1_micro", "F1, the counts of all labels added up", True, _SETS),
    Metric("mcc", "Matthews correlation coefficient: -1 to 1, 0 is chance", True, _ONE),
    Metric("roc_auc", "area under the ROC curve: second label of two, else macro one-vs-rest", True, _ANY),
    Metric("pr_auc", "average precision: second label of two, else macro one-vs-rest", True, _ONE),
    Metric("map", "average precision, mean over labels", True, _SETS),
    Metric("subset_accuracy", "share of rows whose labels are all right", True, _SETS),
    Metric("hamming", "share of the yes-or-no answers, rows times labels, that are wrong", False, _SETS),
    Metric("log_loss", "mean negative log probability of the truth, in nats", False, _ANY),
    Metric("brier", "mean squared distance of the probabilities from the truth", False, _ANY),
    Metric("ece", "expected calibration error: confidence less accuracy, mean over bins", False, _ANY),
    Metric("aurc", "share of errors among the most confident rows, mean over all coverages", False, _ONE),
    Metric("qwk", "Cohen's kappa with quadratic weights: 1 is agreement, 0 is chance", True, _LEVELS),
    Metric("mae_levels", "mean distance of the prediction from the truth, in levels", False, _LEVELS),
    Metric("mae", "mean absolute error, in the units of the truth", False, _NUMBERS),
    Metric("rmse", "root mean squared error, in the units of the truth", False, _NUMBERS),
    Metric("r2", "share of the truth's variance explained: 1 is all, 0 what its mean does", True, _NUMBERS),
    Metric("pearson", "linear correlation of prediction (ordinal: expected level) and truth", True, _ORDERED),
    Metric("spearman", "rank correlation of prediction (ordinal: expected level) and truth", True, _ORDERED),
]
METRICS: dict[str, Metric] = {metric.name: metric for metric in _OWN}  # in the order to show them


def register_metric(
    name: str, *, higher_is_better: bool, kinds: Sequence[Kind] = ("classification",)
) -> Callable[[_F], _F]:
    """Make a function known as the metric `name`; the first line of its docstring says what it is.

    Raises ConfigError for a name that another metric has or that cannot be a column, or a kind that is none.
    """
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_.@-]*", name):
        raise ConfigError(f"{name!r} is no name: letters, digits and _ . @ - after a letter", key="metrics")
    if not kinds or isinstance(kinds, str):
        raise ConfigError(f"{name!r} names no kinds of task, as in kinds=('classification',)", key="metrics")
    if strange := [kind for kind in kinds if kind not in KINDS]:
        raise ConfigError(f"{name!r}: {choices(strange[0], KINDS)}", key="metrics")
    module = sys._getframe(1).f_globals["__name__"]  # where other processes find it: for_other_processes

    def keep(function: _F) -> _F:
        lines = (function.__doc__ or "").strip().splitlines() or [f"as {module} computes it"]
        metric = Metric(name, lines[0], higher_is_better, tuple(kinds), function, module)
        if name in METRICS and not _again(METRICS[name], metric):
            owner = METRICS[name].module or "stratune itself"
            raise ConfigError(f"{name!r} is already a metric, of {owner}", key="metrics")
        METRICS[name] = metric
        return function

    return keep


def _again(known: Metric, metric: Metric) -> bool:
    """Whether a module, or a cell of a notebook, is only executed once more."""
    called, was = (getattr(one.function, "__qualname__", None) for one in (metric, known))
    return known.function is not None and (known.module, was) == (metric.module, called)


def metrics_of(kind: Kind) -> dict[str, Metric]:
    """The metrics that suit a kind of task, in the order to show them."""
    return {name: metric for name, metric in all_metrics().items() if kind in metric.kinds}


def all_metrics() -> dict[str, Metric]:
    """METRICS, once the modules of others are imported that register some."""
    _import_others()
    return METRICS


def find(name: str, labels: Sequence[str] = (), kind: Kind = "classification") -> Metric:
    """The metric called `name`, or by label: `f1[positive]`. Raises ConfigError with the kind's choices."""
    known = metrics_of(kind)
    if name in known:
        return known[name]
    families = [family for family in PER_LABEL if f"{family}_macro" in known]
    by_label = {f"{family}[{label}]": (family, label) for family in families for label in labels}
    if name not in by_label:
        raise ConfigError(choices(name, [*known, *by_label]), key="task.metric")
    family, label = by_label[name]
    return Metric(name, f"{family} of label {label!r}", True, _ANY)


@cache
def _import_others() -> None:
    """Once, on first use. Raises ConfigError naming what cannot be imported."""
    plugins.load("metrics")


def for_other_processes() -> dict[str, str]:
    """Environment variables with which another process knows the metrics that are registered here.

    Raises ConfigError for one that stands in a script or a notebook, which no other process can import.
    """
    modules = {metric.module: name for name, metric in METRICS.items() if metric.function is not None}
    if "__main__" in modules:
        why = "the processes that train cannot import it; put it into a module, and import that"
        raise ConfigError(f"{modules['__main__']!r} stands in a script or a notebook: {why}", key="metrics")
    named = dict.fromkeys([*plugins.named("metrics"), *modules])
    return {plugins.variable("metrics"): ",".join(named)} if named else {}
