"""python -m fuzz: run a campaign, print what broke and a table; exit code 1 when something did."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

from fuzz.campaign import Tally, campaign
from fuzz.kinds import KINDS, make, orders
from fuzz.material import make_material
from fuzz.worker import bounds, run


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__)
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kinds", default=",".join(KINDS), help="with commas between")
    parser.add_argument("--only", metavar="KIND:SEED", help="one case, with its output; its folder is kept")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=20.0, help="that a case may take")
    parser.add_argument(
        "--base", type=Path, help="where sound material is kept from one campaign to the next"
    )
    asked = parser.parse_args()
    os.environ |= {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}  # read at import
    with tempfile.TemporaryDirectory(prefix="fuzz-") as name:
        base = asked.base or Path(name) / "base"
        os.environ["STRATUNE_CACHE"] = str(
            Path(name) / "cache"
        )  # nothing of the user's, and nothing left there
        make_material(base)
        if asked.only:
            return _only(asked.only, base)
        kinds = [kind for kind in asked.kinds.split(",") if kind]
        todo = orders(asked.cases, asked.seed, kinds)
        return _all(todo, kinds, base, Path(name), asked.workers, asked.seconds)


def _all(
    todo: list[tuple[str, int]], kinds: list[str], base: Path, scratch: Path, workers: int, seconds: float
) -> int:
    tally, started = Tally(), time.monotonic()
    for order, done in campaign(todo, make, base, scratch, workers=workers, seconds=seconds):
        for what in done.findings:
            if (order[0], what) not in tally.findings:
                print(f"{order[0]}:{order[1]}: {what}\n    {done.command[:300]!r}", flush=True)
        tally.add(order, done)
    print(f"\n{table(tally, kinds)}\n{time.monotonic() - started:.0f} s")
    return 1 if tally.findings else 0


def table(tally: Tally, kinds: list[str]) -> str:
    """A line a kind; then each finding, how often it was seen, and one case that repeats it."""
    heads = ("kind", "cases", "still valid", "refused", "broken", "mean s", "slowest s")
    counts = {
        kind: (tally.cases[kind], tally.valid[kind], tally.refused[kind], tally.broken(kind))
        for kind in kinds
    }
    rows = [
        (
            kind,
            *counts[kind],
            f"{tally.seconds[kind] / max(1, tally.cases[kind]):.2f}",
            f"{tally.slowest.get(kind, 0):.1f}",
        )
        for kind in kinds
    ]
    rows.append(("all", *(sum(column) for column in zip(*counts.values(), strict=True)), "", ""))
    lines = [f"{row[0]:<16}" + "".join(f"{cell:>12}" for cell in row[1:]) for row in (heads, *rows)]
    ordered = sorted(tally.findings.items(), key=lambda found: -len(found[1]))
    for (kind, what), cases in ordered:
        also = f", also {', '.join(str(seed) for seed, _ in cases[1:6])}" if len(cases) > 1 else ""
        lines.append(f"{len(cases):>5} x {kind}: {what!r} (--only {kind}:{cases[0][0]}{also})")
    return "\n".join(lines)


def _only(order: str, base: Path) -> int:
    """In this process, where a debugger reaches it."""
    kind, _, seed = order.partition(":")
    scratch = Path(tempfile.mkdtemp(prefix="fuzz-only-"))
    done = run(make, kind, int(seed), base, scratch / "case", bounds(scratch))
    print(f"{done.command!r}\nexit code {done.code}, in {scratch / 'case'}\n{done.shown}", end="")
    for what in done.findings:
        print(f"broken: {what}")
    return 1 if done.findings else 0


if __name__ == "__main__":
    sys.exit(main())
