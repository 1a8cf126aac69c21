"""Which rows should choose: a part of them, or all training rows in folds? By how many rows there are.

    python benchmarks/choosing.py --data ../shared/data --sets md_agreement,emobank_genre,snli,mrpc
    --rows 24,48,96,192,384,768 --draws 5

For each set and draw so many labelled rows are given to `stratune` with `validation: rows` and with
`validation: folds`. A line has the test metric of the strategy that each chose, of the best one in hindsight,
and the mean over strategies (what choosing at random gives).
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from against.sets import draws, read_sets

from stratune.data.load import load_split
from stratune.fitting.fit import train
from stratune.strategy import parse_strategy
from stratune.train.settings import Budget

SETS = Path(__file__).parent / "against" / "sets.yaml"
SINGLES = "tfidf,probe,centroid,knn"
PAIRS = "tfidf,probe,probe+two_tower,centroid"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--sets", default="md_agreement,emobank_genre,snli,mrpc")
    parser.add_argument("--rows", default="24,48,96,192,384,768")
    parser.add_argument("--test-rows", type=int, default=500)
    parser.add_argument("--draws", type=int, default=5)
    parser.add_argument("--strategies", help="with commas; by default those that take milliseconds")
    parser.add_argument("--backbone", default="minilm")
    given = parser.parse_args()
    known = {one.name: one for one in read_sets(SETS)}
    for count in map(int, given.rows.split(",")):
        found = []
        for name in given.sets.split(","):
            whole = next(iter(draws(known[name], given.data, None)))
            for seed in range(given.draws):
                found.append(one(whole, count, seed, given))
                print(json.dumps({"set": name, "rows": count, "seed": seed, **found[-1]}), flush=True)
        keys = found[0]
        print(count, {key: round(float(np.mean([line[key] for line in found])), 4) for key in keys})


def one(whole: Any, count: int, seed: int, given: argparse.Namespace) -> dict[str, float]:
    """Test metrics (higher is better), of one draw of `count` labelled rows."""
    table = whole.train.sample(min(count, len(whole.train)), random_state=seed)
    test = whole.test.sample(min(given.test_rows, len(whole.test)), random_state=0)
    task = replace(whole.task, id="id")
    names = given.strategies or (PAIRS if task.text_pair else SINGLES)
    line: dict[str, float] = {}
    for validation in ("rows", "folds"):
        split = load_split(table, task, seed=seed, test=test, unknown="wrong", validation=validation)
        values = {}
        for name in names.split(","):
            strategy = parse_strategy(name)
            fitted = train(strategy, given.backbone, split.task, split, Budget(), 0)
            score = split.task.selection.score
            on_val = score(fitted.validation_metrics(split))
            target = split.task.target
            truth = target.truth(split.test["label"])
            texts = list(split.test["text"])
            pairs = list(split.test["text_pair"]) if task.text_pair else None
            answers = fitted.predictor.model.caching()(texts, pairs)  # frozen vectors are computed once
            values[name] = (on_val, score(target.score(truth, answers.predictions, answers.invalid)))
        line[f"{validation}: chosen"] = max(values.values(), key=lambda pair: pair[0])[1]
        line[f"{validation}: best"] = max(test for _, test in values.values())
        line[f"{validation}: any"] = float(np.mean([test for _, test in values.values()]))
    return line


if __name__ == "__main__":
    main()
