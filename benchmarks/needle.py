"""A planted needle: documents of 5,000 tokens whose label hangs on one sentence at a random place.

    python benchmarks/needle.py [--documents 400] [--out needle-out]

The hay is sentences of the embedded film reviews; the needle says that a parcel is for the north or for the south gate. All four ways
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

NEEDLES = {
    "north": ["The parcel must go to the north gate.", "Bring this parcel to the north gate, please."],
    "south": ["The parcel must go to the south gate.", "Bring this parcel to the south gate, please."],
}
TOKENS = 5000
WINDOW = 64
STRATEGIES = [
    "majority",
    "tfidf",
    {"preset": "probe", "name": "truncate", "readout": {"long": "truncate"}},
    {"preset": "probe", "name": "long", "readout": {"long": "long"}},
    *(
        {"preset": "probe", "name": f"chunk-{how}",
         "readout": {"long": {"way": "chunk", "window": WINDOW, "aggregate": how}}}
        for how in ("mean", "max", "learned")
    ),
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
            label = ("north", "south")[row % 2]
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
    parser.add_argument("--documents", type=int, default=400)
    parser.add_argument("--epochs", type=float, default=40)
    parser.add_argument("--out", type=Path, default=Path("needle-out"))
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    source = args.out / "documents.jsonl"
    if not source.exists():
        write_documents(source, args.documents)

    import stratune as st

    board = st.compare(
        source,
        label="label",
        strategies=STRATEGIES,
        epochs=args.epochs,
        data={"fractions": [0.5, 0.2, 0.3]},
        task={"id": "id"},
        train={"patience": 40},
        out=args.out / "board",
    )
    records = {record["id"]: record for record in map(json.loads, source.open(encoding="utf-8"))}
    ids = json.loads((args.out / "board" / "split.json").read_text())["parts"]["test"]
    test = [records[one] for one in ids]
    truth = np.array([record["label"] for record in test])
    done = {}
    for row in board.rows:
        scorer, task = (model := board.model(row["strategy"])).scorer, model.task
        whole = scorer([record["text"] for record in test], None)
        halves = scorer([record["text"][: len(record["text"]) // 2] for record in test], None)
        done[row["strategy"]] = {
            "accuracy": float((np.array(whole.predicted(task)) == truth).mean()),
            "changed_by_halving": float(np.abs(whole.said - halves.said).mean()),
            "train_seconds": row["train_seconds"],
            "peak_bytes": row["peak_bytes"],
            "needle_named": named(whole.evidence, test) if whole.evidence else None,
        }
        print(row["strategy"], {k: v if v is None else round(v, 3) for k, v in done[row["strategy"]].items()})
    line = {"date": str(datetime.date.today()), "benchmark": "needle", "documents": args.documents, **done}
    with (Path(__file__).parent / "results.jsonl").open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(line) + "\n")


def named(evidence, test):
    """The share of documents whose first named chunk holds the needle, or a part of it."""
    firsts = [chunks[0] for chunks in evidence]
    return float(
        np.mean(
            [
                a.start < record["end"] and record["start"] < a.end
                for a, record in zip(firsts, test, strict=True)
            ]
        )
    )


if __name__ == "__main__":
    main()
