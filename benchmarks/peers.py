"""stratune, and what a user would pick in its place, on the same rows: paired 95 % intervals.

    python benchmarks/peers.py --data ../shared/data --out peers-out [--setfit SETFIT/bin/python]
    python benchmarks/peers.py --data FOLDER --sets FOLDER/sets.yaml --out peers-out     sets that are kept aside
    python benchmarks/peers.py --out peers-out --table [--page docs/results/peers.md]    what is kept, no runs

Peers: TF-IDF and a linear model, frozen vectors and a linear model (of pairs: read together, and apart), the cosine of a
pair, transformers' Trainer, SetFit; all on one model, `minilm`. Settings are chosen on the validation rows, ours as theirs.
A run that is stopped goes on where it was. An environment for SetFit (torch 2.13.0, transformers 5.23.0):

    python3 -m venv SETFIT && SETFIT/bin/pip install -c constraints.txt setfit==1.2.0

To measure a change of stratune, give another --out: `--like OLD` takes the results of peers from the folder OLD, not ours.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import yaml
from against import table
from against.answers import Answer
from against.kept import OURS, Kept
from against.linear import cosine, frozen, tfidf, two_vectors
from against.ours import compared
from against.setfit_apart import fits, setfit
from against.sets import DataSet, Draw, draws, read_sets
from against.trainer import trainer

from stratune.backbone.locate import locate
from stratune.errors import ConfigError, StratuneError, choices
from stratune.strategy import parse_strategy
from stratune.testing.check import needs_pairs

SETS = Path(__file__).parent / "against" / "sets.yaml"
STRATEGIES = "tfidf,probe,features,partial,lora,full,contrastive,probe+two_tower,partial+two_tower"
PAIRS_ONLY = ("two vectors + LR", "cosine")
IN_PROCESS: dict[str, Callable[[Draw, Path, Path], Answer]] = {
    "TF-IDF + LR": tfidf,
    "vectors + LR": frozen,
    "two vectors + LR": two_vectors,
    "cosine": cosine,
    "Trainer": trainer,
}
PEERS = (*IN_PROCESS, "SetFit")
SYSTEMS = ("ours", *PEERS)
PAGE = """# stratune and its peers

What a user would pick in stratune's place, on the same rows and with the same model: `minilm`. Made by `benchmarks/peers.py`, which says
what each peer does. A cell has the peer's score, then ours less the peer's with its paired 95 % interval, signed so that above zero is better for us;
bold where we are behind by more than the interval. `imdb@8` has 8 labelled rows of each class. Rows: training / validation / test.

{table}

{verdict}

## Every strategy

Bold: the one that validation chose, in any of the draws.

{strategies}
"""


def main() -> None:
    given = arguments()
    try:
        kept = Kept(given.out)
        if given.like:
            take_peers(kept, Kept(given.like))
        if not given.table:
            run(given, kept)
        known = table.cases(kept)
    except StratuneError as error:
        sys.exit(f"peers.py: {error}")
    if not known:
        print(f"{given.out}: no case has results of ours for every draw yet")
        return
    print(table.markdown(known), table.verdict(known), table.strategies(known), sep="\n\n")
    if given.page:
        parts = {
            "table": table.markdown(known),
            "verdict": table.verdict(known),
            "strategies": table.strategies(known),
        }
        given.page.write_text(PAGE.format(**parts), encoding="utf-8")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, help="the folder of the data sets")
    parser.add_argument(
        "--sets", type=Path, default=SETS, help="YAML or JSON that describes them (against/sets.py)"
    )
    parser.add_argument("--only", help="names of sets, with commas; `imdb@8` for one of few labels")
    parser.add_argument("--out", type=Path, required=True, help="results are kept here")
    parser.add_argument("--like", type=Path, help="take the peers' results from this folder")
    parser.add_argument("--systems", default=",".join(SYSTEMS), help="which to run, with commas: %(default)s")
    parser.add_argument(
        "--strategies", default=STRATEGIES, help="ours, with commas, or a YAML file with a list: %(default)s"
    )
    parser.add_argument("--backbone", default="minilm")
    parser.add_argument("--most", help="no more train,val,test rows of a set than these: 300,100,500")
    parser.add_argument("--setfit", type=Path, help="the python of SetFit's environment")
    parser.add_argument("--table", action="store_true", help="only print what is kept")
    parser.add_argument("--page", type=Path, help="write the table to this page, too")
    given = parser.parse_args()
    if given.data is None and not given.table:
        parser.error("--data is needed for a run; --table prints what is kept")
    return given


def run(given: argparse.Namespace, kept: Kept) -> None:
    systems = given.systems.split(",")
    for system in systems:
        if system not in SYSTEMS:
            raise ConfigError(choices(system, SYSTEMS), key="--systems")
    if "SetFit" in systems and given.setfit is None:
        print("SetFit is left out: --setfit gives the python of its environment", flush=True)
    most = None if given.most is None else tuple(map(int, given.most.split(",")))
    for draw in wanted(read_sets(given.sets), given.data, given.only, most):
        for system in systems:
            if system == "ours":
                ours(draw, given.backbone, strategies(given.strategies), kept)
            elif (answer := of_peer(draw, system, given)) is not None and not kept.has(draw, system):
                started = time.perf_counter()
                found = answer()
                kept.add(draw, system, found, time.perf_counter() - started)
                tell(draw, system, time.perf_counter() - started)


def wanted(sets: list[DataSet], data: Path, only: str | None, most: tuple[int, ...] | None):
    """The draws that are asked for."""
    names = None if only is None else only.split(",")
    known = {case for one in sets for case in (one.name, *(f"{one.name}@{few}" for few in one.few))}
    for name in names or ():
        if name not in known:
            raise ConfigError(choices(name, sorted(known)), key="--only")
    for one in sets:
        if names is None or any(name.partition("@")[0] == one.name for name in names):
            yield from (draw for draw in draws(one, data, most) if names is None or draw.case in names)


def of_peer(draw: Draw, system: str, given: argparse.Namespace) -> Callable[[], Answer] | None:
    """How a peer answers; None: it is not for such rows."""
    backbone = locate(given.backbone)
    if system == "SetFit":
        return partial(setfit, draw, backbone, given.setfit) if given.setfit and fits(draw) else None
    if system in PAIRS_ONLY and draw.task.text_pair is None:
        return None
    return partial(IN_PROCESS[system], draw, backbone, given.out)


def ours(draw: Draw, backbone: str, asked: list[Any], kept: Kept) -> None:
    """All strategies that rows of such a kind have, unless all are kept: ranks are those of one comparison."""
    asked = [one for one in asked if draw.task.text_pair or not needs_pairs(one)]
    names = [parse_strategy(one).name for one in asked]
    if all(kept.has(draw, OURS + name) for name in names):
        return
    started = time.perf_counter()
    board = kept.folder / "boards" / f"{draw.case}-{draw.number}"
    for row in compared(draw, backbone, asked, board):
        kept.add(draw, OURS + row.strategy, row.answer, row.seconds, rank=row.rank, error=row.error)
    tell(draw, "ours", time.perf_counter() - started)


def strategies(given: str) -> list[Any]:
    path = Path(given)
    return (
        yaml.safe_load(path.read_text(encoding="utf-8"))
        if path.suffix in (".yaml", ".yml")
        else given.split(",")
    )


def take_peers(kept: Kept, other: Kept) -> None:
    """Results of peers that `kept` lacks. Raises ConfigError where they are of other rows."""
    for key, result in other.results.items():
        if not result.ours and key not in kept.results:
            shutil.copy(other.folder / result.file, kept.folder / result.file)
            kept.write(result)


def tell(draw: Draw, system: str, seconds: float) -> None:
    print(f"{draw.case}, draw {draw.number}: {system}, {seconds:.0f} s", flush=True)


if __name__ == "__main__":
    main()
