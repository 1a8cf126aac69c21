"""Comparisons on full disks and in read-only folders: a line, a failed row or a heal, and nothing is lost.

    sudo python benchmarks/disks.py [--full 20] [--seed 0] [--models tiny|minilm]

Full: folder and cache of a comparison lie on a disk (tmpfs) of a random size below what they need; then it
grows, and the same command goes on. Read-only: a comparison is cut short, and one folder after the other,
of what it has written and of its cache, cannot be written to while the same command is given; then it can.
Each time the command ends with exit code 0, 1 or 2 and no traceback; afterwards with the leaderboard of an
undisturbed comparison, and no temporary file. Mounting needs root on Linux. Exit code 1 when anything differs.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from comparisons import Comparison, board, comparison, temporary

ROOM = 4 << 30  # bytes of a disk that is large enough


class Campaign:
    def __init__(self, compared: Comparison, folder: Path) -> None:
        self.compared, self.folder = compared, folder
        self.ended: Counter[tuple[str, int]] = Counter()
        self.faults: list[str] = []
        self.sound = folder / "sound"
        (self.sound / "cache").mkdir(parents=True)
        if self._run(self.sound)[0] != 0:
            sys.exit("the undisturbed comparison failed")
        self.board = board(self.sound / "out")

    def _run(self, place: Path) -> tuple[int, str]:
        started = self.compared.start(place / "out", place / "cache", self.folder / "log.txt")
        return started.wait(), started.said()

    def disturbed(self, how: str, where: str, place: Path) -> None:
        code, said = self._run(place)
        self.ended[how, code] += 1
        print(
            f"{how}, {where}: exit code {code}: {said.splitlines()[-1][:150] if said else 'nothing said'}",
            flush=True,
        )
        self._expect(code in (0, 1, 2), f"{how}, {where}: exit code {code}")
        self._expect("Traceback" not in said, f"{how}, {where}: a traceback")
        if code == 2:
            last = said.splitlines()[-1] if said else ""
            named = last.startswith("stratune: ") and str(place) in last
            self._expect(named, f"{how}, {where}: exit code 2 without a line that says where: {last!r}")

    def afterwards(self, how: str, where: str, place: Path) -> None:
        """The same command, undisturbed."""
        code, said = self._run(place)
        self._expect(code == 0, f"afterwards ({how}, {where}): exit code {code}: {said[-300:]}")
        same = code == 0 and board(place / "out") == self.board
        self._expect(same, f"afterwards ({how}, {where}): another leaderboard")
        left = temporary(place)
        self._expect(not left, f"afterwards ({how}, {where}): temporary files {left[:3]}")

    def _expect(self, held: bool, fault: str) -> None:
        if not held:
            print(f"FAULT: {fault}", flush=True)
            self.faults.append(fault)

    # -- full

    def full(self, times: int, seed: int) -> None:
        needed = sum(path.stat().st_size for path in self.sound.rglob("*") if path.is_file())
        sizes = random.Random(seed)
        for _ in range(times):
            size = int(sizes.uniform(0.0, 1.0) * needed) // 4096 * 4096 + 4096
            with _disk(self.folder / "disk", size) as place:
                (place / "cache").mkdir()
                where = f"{size:,} of {needed:,} bytes"
                self.disturbed("full disk", where, place)
                _mount("-o", f"remount,size={ROOM}", str(place))
                self.afterwards("full disk", where, place)

    # -- read-only

    def read_only(self) -> None:
        """Of a comparison that lacks half of its runs, its leaderboard and its page."""
        for name in ("", *_folders(self.sound)):
            place = self.folder / "half"
            shutil.copytree(self.sound, place)
            self._cut_short(place / "out")
            where = place / name
            where.mkdir(parents=True, exist_ok=True)
            with _sealed(where):
                self.disturbed("read-only", name or "all", place)
            self.afterwards("read-only", name or "all", place)
            shutil.rmtree(place)

    def _cut_short(self, out: Path) -> None:
        for number, run in enumerate(sorted(out.glob("runs/*"))):
            if number % 2:
                (run / "result.json").unlink()
        for name in ("leaderboard.json", "leaderboard.csv", "leaderboard.md", "report.html"):
            (out / name).unlink()


def _folders(place: Path) -> list[str]:
    """Of each kind one: folders of a run (every other is done again), of the cache, plots."""
    found, seen = [], set()
    for path in sorted(one for one in place.rglob("*") if one.is_dir()):
        parts = path.relative_to(place).parts
        kind = (
            parts if "runs" not in parts else (*parts[:2], *(("run",) if len(parts) > 2 else ()), *parts[3:])
        )
        kind = kind[:3] if parts[0] == "cache" else kind
        if kind not in seen:
            seen.add(kind)
            found.append(str(path.relative_to(place)))
    return found


def _mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True)


@contextmanager
def _disk(place: Path, size: int) -> Iterator[Path]:
    place.mkdir(exist_ok=True)
    _mount("-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place))
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


@contextmanager
def _sealed(folder: Path) -> Iterator[None]:
    """Nobody writes in it, root included."""
    _mount("--bind", str(folder), str(folder))
    try:
        _mount("-o", "remount,ro,bind", str(folder))
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--full", type=int, default=20, help="disks, each of another size")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--models", choices=("tiny", "minilm"), default="tiny")
    asked = parser.parse_args()
    if os.name != "posix" or os.geteuid() != 0:
        sys.exit("mounting disks needs root")
    with tempfile.TemporaryDirectory(prefix="disks-") as name:
        folder = Path(name)
        campaign = Campaign(comparison(asked.models, folder / "source"), folder)
        campaign.full(asked.full, asked.seed)
        campaign.read_only()
    print(f"\n{'':<12}{'exit code':>10}{'times':>7}")
    for (how, code), times in sorted(campaign.ended.items()):
        print(f"{how:<12}{code:>10}{times:>7}")
    print(f"faults: {len(campaign.faults)}")
    return 1 if campaign.faults else 0


if __name__ == "__main__":
    sys.exit(main())
