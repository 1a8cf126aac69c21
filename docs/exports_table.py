"""Export every strategy in every format, on tiny models: `python docs/exports_table.py`.

Writes docs/exports.csv, of which `make docs` makes docs/exports.md; a test tries each cell again. Some 10
seconds a strategy on one core: name some to try these alone.
"""

from __future__ import annotations

import argparse
import csv
import os
import shutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

EXPORTS = Path(__file__).parent / "exports.csv"


def read_rows() -> dict[str, dict[str, str]]:
    """Rows by strategy, as they were tried."""
    if not EXPORTS.is_file():
        return {}
    with EXPORTS.open(encoding="utf-8", newline="") as stream:
        return {row["strategy"]: row for row in csv.DictReader(stream)}


def write_rows(rows: Mapping[str, Mapping[str, str]]) -> None:
    from stratune.testing.exports import FORMATS, cases

    with EXPORTS.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, ["strategy", *FORMATS], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows[name] for name in cases() if name in rows)


def main() -> None:
    import torch

    from stratune.testing.exports import FORMATS, cases, exported, trained

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("strategies", nargs="*", help="these alone (default: all)")
    asked = parser.parse_args()
    torch.set_num_threads(1)  # a second thread costs these models more than it gives
    rows = read_rows()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        os.environ["STRATUNE_CACHE"] = str(folder / "cache")
        for name, case in cases().items():
            if asked.strategies and name not in asked.strategies:
                continue
            predictor = trained(case, folder)
            cells = {
                to: exported(predictor, to, folder / f"{number}-{to}") for number, to in enumerate(FORMATS)
            }
            for one in folder.glob("[0-9]-*"):
                shutil.rmtree(one)
            rows[name] = {"strategy": name, **cells}
            write_rows(rows)
            print(f"{name}: {cells}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
