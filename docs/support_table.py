"""Try every text model type of transformers, tiny and with random weights: `python docs/support_table.py`.

Writes docs/support.csv, of which `make docs` makes docs/support.md. Some 10 seconds a type on one core: name
types to try these alone, `--jobs 2` for two processes.
"""

from __future__ import annotations

import argparse
import csv
import os
import sys
import tempfile
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

SUPPORT = Path(__file__).parent / "support.csv"


def columns() -> list[str]:
    from stratune.testing.families import TECHNIQUES

    return ["model_type", "kind", "pooling", "linears", *TECHNIQUES, "refused"]


def read_rows() -> dict[str, dict[str, str]]:
    """Rows by model type, as they were tried."""
    if not SUPPORT.is_file():
        return {}
    with SUPPORT.open(encoding="utf-8", newline="") as stream:
        return {row["model_type"]: row for row in csv.DictReader(stream)}


def write_rows(rows: Mapping[str, Mapping[str, str]]) -> None:
    with SUPPORT.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, columns(), restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows[name] for name in sorted(rows))


def row_of(model_type: str) -> dict[str, str]:
    import torch

    from stratune.testing.families import tried

    torch.set_num_threads(1)  # a second thread costs these models more than it gives
    with tempfile.TemporaryDirectory() as folder:
        os.environ["STRATUNE_CACHE"] = f"{folder}/cache"
        return {"model_type": model_type, **tried(model_type, Path(folder))}


def main() -> None:
    from stratune.testing.families import BROKEN, works
    from stratune.testing.tiny import model_types

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("types", nargs="*", help="these alone (default: all)")
    parser.add_argument("--jobs", type=int, default=1)
    asked = parser.parse_args()
    rows = read_rows()
    with ProcessPoolExecutor(asked.jobs) as pool:
        for future in as_completed([pool.submit(row_of, name) for name in asked.types or model_types()]):
            row = future.result()
            rows[row["model_type"]] = row
            write_rows(rows)
            broken = [f"{name} {cell}" for name, cell in row.items() if cell.startswith(BROKEN)]
            word = "works" if works(row) else row.get("refused") or "; ".join(broken) or "does not work"
            print(f"{row['model_type']}: {word}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
