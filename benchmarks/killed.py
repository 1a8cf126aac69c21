"""Kill comparisons with SIGKILL at random moments, start them again, and compare with an undisturbed one.

    python benchmarks/killed.py [--kills 50] [--seed 0] [--models tiny|minilm]

Killed is the comparison's own process, the zygote that starts runs, or the process of one run. After each
kill no process may be left; when the same command has come to its end, the leaderboard is that of the
undisturbed comparison (but for measured costs), its folder has the same files, and no temporary file is
left there or in the cache. Then the next comparison begins. Exit code 1 when anything differs.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from comparisons import Comparison, Started, board, comparison, names, temporary

VICTIMS = (
    "main",
    "main",
    "zygote",
    "run",
)  # a comparison's own process dies most often: Ctrl-C, a closed lid


class Campaign:
    def __init__(self, compared: Comparison, folder: Path, seed: int) -> None:
        self.compared, self.folder, self.random = compared, folder, random.Random(seed)
        self.kills: Counter[str] = Counter()
        self.comparisons = 0
        self.faults: list[str] = []
        started = self._start(folder / "undisturbed", folder / "cache-undisturbed")
        if started.wait() != 0:
            sys.exit(f"the undisturbed comparison failed: {started.said()}")
        self.whole = time.monotonic() - started.started
        self.board, self.names = board(folder / "undisturbed"), names(folder / "undisturbed")

    def _start(self, out: Path, cache: Path) -> Started:
        return self.compared.start(out, cache, self.folder / "log.txt")

    def one(self, kills: int) -> None:
        """One comparison that is killed until it ends by itself, at most `kills` times in all."""
        out, cache = self.folder / f"out-{self.comparisons}", self.folder / f"cache-{self.comparisons}"
        while True:
            started = self._start(out, cache)
            if self.kills.total() < kills and (victim := self._kill(started)):
                self.kills[victim] += 1
                done = len(list(out.glob("runs/*/result.json")))
                print(f"kill {self.kills.total()}: {victim}, {done} runs done", flush=True)
            code = started.wait()
            self._expect(not (left := started.gone()), f"processes left: {left}")
            self._expect("Traceback" not in started.said(), f"a traceback: {started.said()[-300:]}")
            if code == 0:
                break
            killed = code == -signal.SIGKILL or code == 1  # 1: a run that was killed is a failed row
            self._expect(killed, f"exit code {code}: {started.said()[-300:]}")
            if not killed:
                break
        self._compare(out, cache)
        self.comparisons += 1
        for made in (out, cache):
            shutil.rmtree(made)

    def _kill(self, started: Started) -> str:
        """The victim, at a random moment; "" where the comparison has ended before."""
        victim = self.random.choice(VICTIMS)
        time.sleep(self.random.uniform(0.02, 0.9) * self.whole)
        until = time.monotonic() + self.whole
        while started.process.poll() is None and time.monotonic() < until:
            if pids := started.parts()[victim]:
                time.sleep(self.random.uniform(0, 0.3))
                try:
                    os.kill(self.random.choice(pids), signal.SIGKILL)
                    return victim
                except ProcessLookupError:  # it has just ended: the next
                    continue
            time.sleep(0.02)  # between two runs
        return ""

    def _compare(self, out: Path, cache: Path) -> None:
        same = (out / "leaderboard.json").is_file() and board(out) == self.board
        self._expect(same, f"another leaderboard after {self.kills.total()} kills")
        stray = sorted(names(out) ^ self.names)
        self._expect(not stray, f"files that only one of the two comparisons has: {stray[:5]}")
        left = temporary(out, cache)
        self._expect(not left, f"temporary files left: {left[:5]}")

    def _expect(self, held: bool, fault: str) -> None:
        if not held:
            print(f"FAULT: {fault}", flush=True)
            self.faults.append(fault)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--models", choices=("tiny", "minilm"), default="tiny")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="killed-") as name:
        folder = Path(name)
        campaign = Campaign(comparison(asked.models, folder / "source"), folder, asked.seed)
        print(f"undisturbed: {campaign.whole:.0f} s, {len(campaign.board['rows'])} rows", flush=True)
        while campaign.kills.total() < asked.kills:
            campaign.one(asked.kills)
    print(f"\n{'killed':<8}{'times':>6}")
    for victim in dict.fromkeys(VICTIMS):
        print(f"{victim:<8}{campaign.kills[victim]:>6}")
    print(f"{campaign.comparisons} comparisons came to their end; faults: {len(campaign.faults)}")
    return 1 if campaign.faults else 0


if __name__ == "__main__":
    sys.exit(main())
