"""A small comparison through the real entry point, for the tests of the command line."""

import csv
import os
import subprocess

from stratune.testing import toy_split
from tests import warm

STRATEGIES = "majority,tfidf,untuned,probe,partial,lora"
COSTS = ("train_seconds", "train_rows_per_second", "predict_rows_per_second", "peak_bytes", "artifact_bytes")
CHEAPEST = ("winner", "sentence", "visible", "command")  # of a verdict: costs decide, or the folder's name
STANDING = ("rank", "first", "tied", "near", "winner")  # of a row: among the others that there are


def write_rows(path, rows=3):
    """The toy task as a CSV with columns review, mood: `rows` times its three parts."""
    split = toy_split()
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["review", "mood"])
        for turn in range(rows):
            for table in split.parts.values():
                writer.writerows([f"{row['text']}{' again' * turn}", row["label"]] for row in table)
    return path


def stratune(*arguments, cwd, cache, stdin=None, python=None, **options):
    """Run the installed command as a user would; `python`: what runs it, a warm one unless another is named."""
    environment = {**os.environ, "STRATUNE_CACHE": str(cache), "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [python or warm.python(), "-m", "stratune", *map(str, arguments)],
        cwd=cwd,
        env=environment,
        input=stdin,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=240,
        **options,
    )


def without_costs(board):
    """The leaderboard, less what is measured: two runs of one comparison agree on all of it."""
    verdict = without(board["verdict"], CHEAPEST)
    slices = board["slices"] and without(board["slices"], ("order",))  # of the winner: costs decide
    return {
        **board,
        "verdict": verdict,
        "slices": slices,
        "rows": [without(row, (*COSTS, "winner")) for row in board["rows"]],
    }


def without(fields, names):
    return {key: value for key, value in fields.items() if key not in names}
