"""A comparison as a user starts it, for the campaigns that disturb one: killed.py and disks.py.

It runs through the command line with a cache of its own. Of a finished one, what two undisturbed comparisons
have in common is its leaderboard without costs, and the names of its files.
"""

from __future__ import annotations

import csv
import json
import os
import re
import subprocess
import sys
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path

# Of a row, and of a board: measured anew each time.
COSTS = ("train_seconds", "train_rows_per_second", "predict_rows_per_second", "peak_bytes", "artifact_bytes")
CHEAPEST = ("winner", "sentence", "visible", "command")  # of a verdict: costs decide, or the folder's name
DATES = ("date", "dates", "started", "finished", "created", "made", "seconds")
MARK = "STRATUNE_CAMPAIGN"  # in the environment of every process that a comparison started
TEMPORARY = re.compile(r"^\..*(tmp|\.old$|\.log$)|^checkpoint-")
TINY = ("majority", "tfidf", "probe", "partial", "lora", "ensemble")
MINILM = ("majority", "tfidf", "probe", "partial", "lora", "bitfit", "ensemble")


@dataclass(frozen=True)
class Comparison:
    """What is compared, as options of `stratune compare`, on `data`, a file or a demo."""

    options: tuple[str, ...]

    def start(self, out: Path, cache: Path, log: Path, **options) -> Started:
        mark = uuid.uuid4().hex
        command = [sys.executable, "-m", "stratune", "compare", *self.options, "--out", str(out), "--quiet"]
        environment = {**os.environ, "STRATUNE_CACHE": str(cache), "HF_HUB_OFFLINE": "1", MARK: mark}
        with log.open("wb") as stream:
            process = subprocess.Popen(
                command, env=environment, stdout=stream, stderr=stream, start_new_session=True, **options
            )
        return Started(process, mark, log)


@dataclass
class Started:
    process: subprocess.Popen
    mark: str
    log: Path
    started: float = field(default_factory=time.monotonic)

    def wait(self) -> int:
        return self.process.wait()

    def said(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace").strip()

    def alive(self) -> dict[int, str]:
        """Process id -> command line, of the comparison's process and all that it started."""
        found = {}
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if f"{MARK}={self.mark}".encode() in (folder / "environ").read_bytes().split(b"\0"):
                    line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                    if line and (folder / "stat").read_text().rpartition(")")[2].split()[0] != "Z":
                        found[int(folder.name)] = line
            except (OSError, ProcessLookupError):
                continue  # it has just ended
        return found

    def parts(self) -> dict[str, list[int]]:
        """main, zygote, run -> process ids. A run is a fork of the zygote: its child, with its command line."""
        alive = self.alive()
        parents = {pid: _parent(pid) for pid in alive}
        zygotes = [
            pid for pid, line in alive.items() if "engine.zygote" in line and parents[pid] == self.process.pid
        ]
        runs = [pid for pid in alive if parents[pid] in zygotes]
        return {"main": [self.process.pid] * (self.process.poll() is None), "zygote": zygotes, "run": runs}

    def gone(self, seconds: float = 15.0) -> list[str]:
        """What is still alive after `seconds`."""
        until = time.monotonic() + seconds
        while (left := self.alive()) and time.monotonic() < until:
            time.sleep(0.1)
        return list(left.values())


def _parent(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def comparison(models: str, folder: Path, seeds: int = 1) -> Comparison:
    """With tiny models on the toy task, made in `folder`; or with minilm on the embedded reviews."""
    if models == "minilm":
        sizes = ("--train-rows", "200", "--val-rows", "100", "--test-rows", "100", "--max-length", "64")
        strategies = ("--strategies", ",".join(MINILM), "--backbone", "minilm", "--epochs", "2")
        return Comparison(("--data", "demo:reviews", *sizes, *strategies, "--seeds", str(seeds)))
    from stratune.testing import save_tiny, toy_split

    folder.mkdir(parents=True, exist_ok=True)
    backbone = save_tiny("bert", folder / "bert")
    with (folder / "rows.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["text", "label"])
        for number, table in enumerate(toy_split(rows=120).parts.values()):
            writer.writerows([f"{row['text']} {number}", row["label"]] for row in table)
    strategies = (
        "--strategies",
        ",".join(TINY),
        "--backbone",
        str(backbone),
        "--epochs",
        "4",
        "--seeds",
        str(seeds),
    )
    return Comparison(("--data", str(folder / "rows.csv"), "--text", "text", "--label", "label", *strategies))


def board(out: Path) -> dict:
    """The leaderboard, without what is measured anew each time."""
    found = json.loads((out / "leaderboard.json").read_text(encoding="utf-8"))
    verdict = {k: v for k, v in (found.pop("verdict", None) or {}).items() if k not in CHEAPEST}
    gone = (*COSTS, *DATES, "winner")
    rows = [{k: v for k, v in row.items() if k not in gone} for row in found.pop("rows")]
    return {**{k: v for k, v in found.items() if k not in DATES}, "verdict": verdict, "rows": rows}


def names(out: Path) -> set[str]:
    """Of all files, hidden ones included."""
    return {str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()}


def temporary(*folders: Path) -> list[str]:
    """Files and folders that a process which ended in order does not leave."""
    return sorted(str(path) for folder in folders for path in folder.rglob("*") if TEMPORARY.match(path.name))
