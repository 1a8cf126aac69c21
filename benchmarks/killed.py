"""Kill `stratune demo` with SIGKILL at random moments, start it again each time, and compare with an undisturbed run.

    python benchmarks/killed.py [--kills 5] [--seed 0] [-- more options of the demo]

Everything but the measured costs must be equal: ranks, metrics, intervals, errors. Exit code 1 when it is not.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

COSTS = ("train_seconds", "train_rows_per_second", "predict_rows_per_second", "peak_bytes", "artifact_bytes")


def start(out, cache, options):
    command = [sys.executable, "-m", "stratune", "demo", "--quiet", "--out", str(out), *options]
    return subprocess.Popen(command, env={**os.environ, "STRATUNE_CACHE": str(cache)}, start_new_session=True)


def board(out):
    found = json.loads((out / "leaderboard.json").read_text())
    for row in found["rows"]:
        for cost in COSTS:
            row.pop(cost)
    return found


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    asked, options = parser.parse_known_args()
    options = [option for option in options if option != "--"]
    folder = Path(tempfile.mkdtemp())
    started = time.monotonic()
    start(folder / "undisturbed", folder / "cache-a", options).wait()
    whole = time.monotonic() - started
    print(f"undisturbed: {whole:.0f} s", flush=True)
    moments = random.Random(asked.seed)
    for kill in range(asked.kills):
        process = start(folder / "killed", folder / "cache-b", options)
        time.sleep(moments.uniform(0.02, 0.35) * whole)
        still = process.poll() is None
        if still:
            os.kill(process.pid, signal.SIGKILL)  # the comparison alone: its runs must notice by themselves
            process.wait()
        done = len(list((folder / "killed").glob("runs/*/result.json")))
        print(f"kill {kill + 1}: {'killed' if still else 'had already ended'}, {done} runs done", flush=True)
    code = start(folder / "killed", folder / "cache-b", options).wait()
    same = board(folder / "undisturbed") == board(folder / "killed")
    print(f"exit code {code}; leaderboards {'are equal' if same else 'DIFFER'}: {folder}")
    sys.exit(0 if same and code == 0 else 1)


if __name__ == "__main__":
    main()
