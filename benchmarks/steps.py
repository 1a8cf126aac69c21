"""Training steps of this checkout and of another one, in turn: rows per second, and per second of processor time.

    python benchmarks/steps.py --against CHECKOUT [--strategy full] [--steps 40] [--rounds 2] [--busy 6]

Each measurement is a process of its own on the embedded reviews. `--busy`: so many other processes compute meanwhile.
Processor time does not see what other programs take, but what waiting threads burn. A line of JSON for each
measurement; one with the ratios is added to benchmarks/results.jsonl.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
WARM_UP = 5  # steps: memory is taken, kernels are chosen
BUSY = "while True: sum(range(10_000))"
SPOKEN = "measured "


class Done(BaseException):
    """Ends a training from within."""


def measure(strategy: str, steps: int) -> None:
    """In the process of one checkout: print what so many steps took."""
    import stratune.train.loop as loop
    from stratune.data.load import load_split
    from stratune.fitting.fit import train
    from stratune.strategy import parse_strategy
    from stratune.train.settings import Budget

    done, rows, began = 0, 0, (0.0, 0.0)
    step = loop.Loop._step

    def counted(self, epoch, index, of_step):
        nonlocal done, rows, began
        if done == WARM_UP:
            began = time.perf_counter(), time.process_time()
        step(self, epoch, index, of_step)
        done += 1
        rows += len(of_step) if done > WARM_UP else 0
        if done == WARM_UP + steps:
            wall, processor = time.perf_counter() - began[0], time.process_time() - began[1]
            found = {"rows_per_second": rows / wall, "rows_per_processor_second": rows / processor}
            print(SPOKEN + json.dumps(found), flush=True)
            raise Done

    loop.Loop._step = counted
    split = load_split("demo:reviews", seed=0, sizes=(1400, 100, 100))
    try:
        train(parse_strategy(strategy), "minilm", split.task, split, Budget(epochs=4), 0)
    except Done:
        return
    raise SystemExit(f"{strategy} takes fewer than {WARM_UP + steps} steps")


def measured(checkout: Path, given: argparse.Namespace) -> dict[str, float]:
    command = [sys.executable, __file__, "--child", "--strategy", given.strategy, "--steps", str(given.steps)]
    environment = {**os.environ, "PYTHONPATH": str(checkout), "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    spoken = [line for line in done.stdout.splitlines() if line.startswith(SPOKEN)]
    if not spoken:
        raise SystemExit(f"{checkout}: {done.stderr.strip()[-2000:]}")
    return json.loads(spoken[-1].removeprefix(SPOKEN))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--against", type=Path, help="a checkout of another version")
    parser.add_argument("--strategy", default="full")
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--busy", type=int, default=0)
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        measure(given.strategy, given.steps)
        return
    checkouts = {"here": HERE.parent.resolve()}
    if given.against is not None:
        checkouts["there"] = given.against.resolve()
    busy = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(given.busy)]
    found: dict[str, list[dict[str, float]]] = {name: [] for name in checkouts}
    try:
        for number in range(given.rounds):
            for name, checkout in checkouts.items():
                found[name].append(measured(checkout, given))
                print(json.dumps({"round": number, "checkout": name, **found[name][-1]}), flush=True)
    finally:
        for process in busy:
            process.kill()
    keep(given, found)


def keep(given: argparse.Namespace, found: dict[str, list[dict[str, float]]]) -> None:
    medians = {
        name: {figure: statistics.median(one[figure] for one in rounds) for figure in rounds[0]}
        for name, rounds in found.items()
    }
    line = {
        "date": datetime.date.today().isoformat(),
        "benchmark": "steps",
        "strategy": given.strategy,
        "busy": given.busy,
        "threads": os.environ.get("OMP_NUM_THREADS"),
        "command": " ".join(["python", *sys.argv]),
        **medians,
    }
    if "there" in medians:
        line["ratio"] = {
            figure: medians["here"][figure] / medians["there"][figure] for figure in medians["here"]
        }
    print(json.dumps(line))
    with (HERE / "results.jsonl").open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    main()
