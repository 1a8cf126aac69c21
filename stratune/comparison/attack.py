"""attack: how few changed words make the models of a finished comparison wrong, with their answers alone.

Nothing is trained, and nothing of a model is seen but what it answers (perturb/search.py). Every model is
attacked on the same rows, with the same substitutes.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from stratune.comparison.attacked import Attack, Settings, between
from stratune.comparison.bench import Bench
from stratune.comparison.board import Board
from stratune.comparison.robustness import about, entries_named
from stratune.comparison.source import split_again
from stratune.config import read_config
from stratune.errors import ConfigError, choices
from stratune.evaluate.multiple import holm
from stratune.files import write_json
from stratune.ownership import owned_by_us
from stratune.perturb.places import words_of
from stratune.perturb.search import FEWEST
from stratune.perturb.substitutes import By, Substitutes, neighbours, typos
from stratune.report import human, publish
from stratune.report.attack import FILE
from stratune.watch import SILENT, Progress

if TYPE_CHECKING:
    from stratune.predictor.predictor import Predictor
    from stratune.task import Task

Row = dict[str, Any]

ROWS, QUERIES, CHANGES = 200, 100, 0.2
VECTORS = "minilm"  # whose input embeddings say which words are neighbours: it is there without a network


def attack(
    out: str | Path,
    strategies: Sequence[str] | None = None,
    *,
    by: By = "typos",
    rows: int = ROWS,
    queries: int = QUERIES,
    changes: float = CHANGES,
    seed: int = 0,
    max_cost: float | None = None,
    allow_server: str | Sequence[str] = (),
    progress: Progress = SILENT,
) -> dict[str, Any]:
    """Of the finished comparison in `out`; `strategies`: rows of its leaderboard, None: the best row, and the
    best baseline (where that is the best row, the best that is none).

    `by`: `typos`, or `words`, neighbours in an embedding table. `rows`: of the test part, at most; those that
    a model gets right are attacked. `queries`: answers about each, at most, and as many for the control.
    `changes`: the share of a row's words that may be changed. `max_cost`: a model on a server that may cost
    more, at the `remote.price` of the comparison, is not asked. Writes attack.json, which is also returned,
    and the report anew.

    Raises ArtifactError where there is no comparison, or its data are others now; ConfigError for an unknown
    name, a value that cannot be, or a task whose rows have no single label.
    """
    out = Path(out)
    board = Board.load(out, allow_server=allow_server)
    config = read_config(out / "config.yaml")
    _check(board.task, by, rows, queries, changes)
    price = config.remote.price
    if max_cost is not None and price is None:
        raise ConfigError(f"{max_cost:g}: what an answer costs is known by `remote.price`", key="max_cost")
    entries = _best_two(board) if strategies is None else entries_named(board, strategies)
    split = split_again(out, config, board.leaderboard["split"]["fingerprint"])
    bench = Bench.of(split, rows, seed, keep=config.report.texts > 0)
    how = Settings(_substitutes(by, bench), queries, changes, seed)
    owned_by_us(out).own(FILE)
    bill = _Bill(bench, queries, price, max_cost)
    attacks: list[tuple[Row, Attack]] = []
    for row in entries:
        name = human.entry(row["strategy"], row["backbone"])
        model = board.model(row["strategy"], row["backbone"])
        bill.add(name, model, progress)
        attacks.append((about(board, row), Attack.on(model, bench, how, name, progress)))
    found = [{**named, **one.to_dict()} for named, one in attacks]
    pairs = between([(human.entry(named["strategy"], named["backbone"]), one) for named, one in attacks])
    _adjust(found, pairs)
    result = {
        "fingerprint": split.fingerprint,
        "by": by,
        "rows": len(bench.ids),
        "queries": queries,
        "changes": changes,
        "seed": seed,
        "strategies": found,
        "differences": pairs,
    }
    write_json(out / FILE, result)
    publish(out)
    return result


def _check(task: Task, by: str, rows: int, queries: int, changes: float) -> None:
    if by not in get_args(By):
        raise ConfigError(choices(by, get_args(By)), key="by")
    if rows < 1:
        raise ConfigError(f"{rows} is below 1", key="rows")
    if queries < FEWEST:
        raise ConfigError(f"{queries} is below {FEWEST}: one orders words, one changes a word", key="queries")
    if not 0 < changes <= 1:
        raise ConfigError(f"{changes:g} is not above 0 and at most 1", key="changes")
    if not task.target.one_label:
        what = "numbers" if task.target.is_numeric else "sets of labels"
        why = f"an answer counts as wrong where a row has one label, and these are {what}"
        raise ConfigError(f"{why}; `stratune stress` says how far answers move", key="task.kind")


def _best_two(board: Board) -> list[Row]:
    """The winner, and the best of the others that are baselines, or where it is one, that are none."""
    done = [row for row in board.rows if row["status"] == "ok" and not row.get("floor")]
    if not done:
        raise ConfigError("no row of the leaderboard reads the texts", key="strategies")
    first = next((row for row in done if row.get("winner")), done[0])
    other = [row for row in done if bool(row.get("baseline")) != bool(first.get("baseline"))]
    return [first, *other[:1]]


def _substitutes(by: By, bench: Bench) -> Substitutes:
    if by == "typos":
        return typos
    from stratune.backbone.load import load_backbone
    from stratune.backbone.vocabulary import whole_words

    texts = [*bench.texts, *(bench.pairs or ())]
    return neighbours({one.word for one in words_of(tuple(texts))}, *whole_words(load_backbone(VECTORS)))


class _Bill:
    """What models on servers may be asked, and cost, told before the first question to each."""

    def __init__(
        self, bench: Bench, queries: int, price: tuple[float, float] | None, most: float | None
    ) -> None:
        self.bench, self.queries, self.price, self.most = bench, queries, price, most
        self.total = 0.0

    def add(self, name: str, model: Predictor, progress: Progress) -> None:
        """Raises ConfigError where the models so far may cost more than `most`; this one is not asked."""
        if not model.model.paid:
            return
        rows = len(self.bench.ids)
        answers = rows * (1 + 2 * self.queries)
        told = f"{name} asks a server: up to {answers:,} answers"
        if self.price is not None:
            once = model.model.expected_cost(self.bench.texts, self.bench.pairs, self.price)
            cost = once * answers / rows
            self.total += cost
            told += f", up to about {cost:,.2f} at the price given"
        if self.most is not None and self.total > self.most:
            raise ConfigError(f"{told}: more than {self.most:,.2f}; it was not asked", key="max_cost")
        progress.note(told)


def _adjust(found: Sequence[Row], pairs: Sequence[Row]) -> None:
    """`p_adjusted` of every difference that is shown (Holm)."""
    changes = [one["gain"] for one in found] + [one["change"] for one in pairs]
    known = [change for change in changes if change is not None]
    for change, p in zip(known, holm([change["p"] for change in known]), strict=True):
        change["p_adjusted"] = p
