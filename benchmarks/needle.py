"""A planted needle: documents of 5,000 tokens whose label hangs on one sentence at a random place.

    python benchmarks/needle.py [--documents 700] [--out needle-out]

The hay is sentences of the embedded film reviews; the needle says that somebody is convicted, or acquitted. All four ways
to read a long text stand on one leaderboard with what they cost. Then each model answers once more from the first halves of the test
documents, and names the chunk that decided. A line goes to benchmarks/results.jsonl.
"""

from __future__ import annotations

import argparse
import datetime
import json
import random
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

NEEDLES = {
    "guilty": [
        "The jury found the defendant guilty, and the judge sent him to prison for twenty years.",
        "He was convicted of the robbery and led away to his cell in handcuffs.",
        "The court sentenced the accused to a life behind bars.",
    ],
    "free": [
        "The jury acquitted the defendant, and the judge let him go home to his family.",
        "He was cleared of the robbery and left the courthouse as a free man.",
        "The court dropped all charges and released the accused at once.",
    ],
}
TOKENS = 5000
WINDOW = 64
STRATEGIES = [
    "majority",
    "tfidf",
    {"preset": "probe", "name": "truncate", "readout": {"long": "truncate"}},
    {"preset": "probe", "name": "long", "readout": {"long": "long"}},
    {"preset": "probe", "name": "chunk", "epochs": 8,
     "readout": {"long": {"way": "chunk", "window": WINDOW, "aggregate": "auto"}}},
    *(
        {"preset": "probe", "name": f"hierarchical-{model}",
         "readout": {"long": {"way": "hierarchical", "window": WINDOW, "model": model}}}
        for model in ("mean", "attention", "mlp", "bilstm", "transformer")
    ),
]  # fmt: skip


def write_documents(path, count, seed=0):
    """Rows {id, text, label, start, end}: the needle's characters."""
    from stratune.data.load import load_split

    split = load_split("demo:reviews", seed=0)
    sentences = [
        s.strip() + "." for text in split.train["text"] for s in text.split(".") if len(s.split()) > 4
    ]
    draw = random.Random(seed)
    with path.open("w", encoding="utf-8") as stream:
        for row in range(count):
            label = list(NEEDLES)[row % 2]
            hay, words = [], 0
            while words < TOKENS / 1.3:
                hay.append(draw.choice(sentences))
                words += len(hay[-1].split())
            place = draw.randrange(len(hay) + 1)
            needle = draw.choice(NEEDLES[label])
            before = " ".join(hay[:place])
            text = " ".join([*hay[:place], needle, *hay[place:]])
            start = len(before) + (1 if before else 0)
            record = {
                "id": str(row),
                "text": text,
                "label": label,
                "start": start,
                "end": start + len(needle),
            }
            stream.write(json.dumps(record) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=700)
    parser.add_argument("--epochs", type=float, default=20)
    parser.add_argument("--out", type=Path, default=Path("needle-out"))
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    source = args.out / "documents.jsonl"
    if not source.exists():
        write_documents(source, args.documents)

    import stratune as st
    from stratune.result import run_id

    board = st.compare(
        source,
        label="label",
        strategies=STRATEGIES,
        epochs=args.epochs,
        data={"fractions": [0.6, 0.15, 0.25]},
        task={"id": "id"},
        train={"patience": 20},
        out=args.out / "board",
    )
    records = {record["id"]: record for record in map(json.loads, source.open(encoding="utf-8"))}
    done = {}
    for row in board.rows:
        folder = args.out / "board" / "runs" / run_id(row["strategy"], row["backbone"], 0)
        whole = [
            one for one in pq.read_table(folder / "predictions.parquet").to_pylist() if one["part"] == "test"
        ]
        test = [records[one["id"]] for one in whole]
        model = board.model(row["strategy"])
        columns = [f"score_{label}" for label in model.task.labels]
        halves = model.model(
            [record["text"][: len(record["text"]) // 2] for record in test], None
        ).predictions
        done[row["strategy"]] = {
            "accuracy": row["test"]["accuracy"]["value"],
            "changed_by_halving": float(
                np.abs(np.array([[one[c] for c in columns] for one in whole]) - halves).mean()
            ),
            "train_seconds": row["train_seconds"],
            "predict_rows_per_second": row["predict_rows_per_second"],
            "peak_bytes": row["peak_bytes"],
            "needle_named": named([one["evidence"][0] for one in whole], test)
            if "evidence" in whole[0]
            else None,
        }
        print(
            row["strategy"],
            {k: v if v is None else round(v, 3) for k, v in done[row["strategy"]].items()},
            flush=True,
        )
    line = {"date": str(datetime.date.today()), "benchmark": "needle", "documents": args.documents, **done}
    with (Path(__file__).parent / "results.jsonl").open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(line) + "\n")


def named(firsts, test):
    """The share of documents whose first named chunk holds the needle, or a part of it."""
    pairs = zip(firsts, test, strict=True)
    return float(
        np.mean([one["start"] < record["end"] and record["start"] < one["end"] for one, record in pairs])
    )


if __name__ == "__main__":
    main()
