"""Searches of the same number of trials, on the same rows: what is chosen, and what finding it costs.

    python benchmarks/halving.py --data ../shared/data --only mrpc,emobank_genre --out halving-out
    python benchmarks/halving.py --data FOLDER --sets FOLDER/sets.yaml --most 400,150,600 --trials 8 --out OUT

Sets are described as for peers.py (against/sets.py). Each search tries settings of its own comparison, so that
none is helped by another; random and halving draw the same ones. Rows seen are those shown to the optimiser in
all trials. A run that is stopped goes on where it was.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from against.ours import board_of
from against.sets import Draw, draws, read_sets

SETS = Path(__file__).parent / "against" / "sets.yaml"
HEAD = (
    "set",
    "rows",
    "strategy",
    "search",
    "chosen",
    "validation",
    "test",
    "rows seen",
    "of random",
    "seconds",
)


@dataclass(frozen=True)
class Found:
    """A row of a leaderboard; `validation` and `test` by the task's metric, means over seeds."""

    case: str
    rows: str
    strategy: str
    search: str
    chosen: str  # number of the trial by seed; 0: the default settings
    validation: float
    test: float
    seen: int
    seconds: float  # of training, all trials


def main() -> None:
    given = arguments()
    names = None if given.only is None else given.only.split(",")
    most = None if given.most is None else tuple(map(int, given.most.split(",")))
    found: list[Found] = []
    for described in read_sets(given.sets):
        if names is None or described.name in names:
            draw = next(draws(described, given.data, most))
            for search in given.searches.split(","):
                found += rows_of(draw, search, given)
                print(f"{draw.case}: {search}", flush=True)
    print(table(found))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="the folder of the data sets")
    parser.add_argument("--sets", type=Path, default=SETS, help="YAML that describes them (against/sets.py)")
    parser.add_argument("--only", help="names of sets, with commas")
    parser.add_argument("--most", help="no more train,val,test rows of a set than these: 300,100,500")
    parser.add_argument("--out", type=Path, required=True, help="comparisons are kept here")
    parser.add_argument("--strategies", default="partial", help="with commas: %(default)s")
    parser.add_argument("--backbone", default="minilm")
    parser.add_argument("--searches", default="random,halving", help="with commas: %(default)s")
    parser.add_argument("--trials", type=int, default=8)
    parser.add_argument("--epochs", type=float, default=4.0)
    parser.add_argument("--seeds", type=int, default=1)
    return parser.parse_args()


def rows_of(draw: Draw, search: str, given: argparse.Namespace) -> list[Found]:
    strategies = given.strategies.split(",")
    how = {"trials": given.trials, "search": search, "epochs": given.epochs, "seeds": given.seeds}
    out = given.out / f"{draw.case}-{search}"
    board = board_of(draw, given.backbone, strategies, out, **how)
    sizes = " / ".join(str(len(part)) for part in draw.parts.values())
    return [found(draw.case, sizes, search, row, out, board.leaderboard["metric"]) for row in board.rows]


def found(case: str, sizes: str, search: str, row: dict[str, Any], out: Path, metric: str) -> Found:
    """Raises RuntimeError for a row that failed: a table without it would flatter."""
    if row["status"] != "ok":
        raise RuntimeError(f"{case}, {row['strategy']}, {search}: {row['error']}")
    from stratune.report.comparison import load

    runs = [run for run in load(out).runs if run.result.strategy == row["strategy"]]
    chosen = ", ".join(str(run.trials[0]["number"]) for run in runs)
    test = row["test"][metric]["value"]
    seconds = row["train_seconds"]
    return Found(
        case, sizes, row["strategy"], search, chosen, row["val"][metric], test, row["examples_seen"], seconds
    )


def table(found: list[Found]) -> str:
    """Markdown."""
    seen = {(one.case, one.strategy): one.seen for one in found if one.search == "random"}
    lines = [HEAD, ("---",) * len(HEAD)]
    for one in found:
        whole = seen.get((one.case, one.strategy))
        share = "" if whole is None else f"{one.seen / whole:.3f}"
        cells = (
            one.case,
            one.rows,
            one.strategy,
            one.search,
            one.chosen,
            f"{one.validation:.4f}",
            f"{one.test:.4f}",
        )
        lines.append((*cells, f"{one.seen:,}", share, f"{one.seconds:.0f}"))
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


if __name__ == "__main__":
    main()
