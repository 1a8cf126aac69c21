"""How long `stratune predict --engine ray` takes for 100 million rows: measured here with few processes, and
simulated for up to a thousand.

    python benchmarks/scaling.py MODEL ROWS.csv [--rows 40960] [--of 100000000] [--workers 1,2,10,100,1000]

ROWS.csv has a column `text`; its rows are repeated up to --rows. Measured, on this machine with --here processes:

asked     processor seconds a batch of the process that reads, sends, receives and writes (parquet)
answered  seconds a batch of a process that answers, batch by batch

The simulation has one process that asks: it reads and sends a batch, unless AHEAD batches a worker are unanswered,
and receives and writes answers in the order of the input, one thing at a time. Each worker answers one batch at a
time; its seconds are drawn from those that were measured. It is run for --here processes first: what it says beside
what was seen. The disk is asked for `MB/s`, the memory holds `waiting`: the batches that are read and not written.
"""

from __future__ import annotations

import argparse
import heapq
import random
import statistics
import tempfile
import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from stratune.cli.batches import BATCH_ROWS, Answering, Rows, size_of
from stratune.cli.cluster import AHEAD, cluster
from stratune.cli.workers import Added, Here, Loading
from stratune.data.layout import column_types
from stratune.data.write import open_writer
from stratune.memory import set_up_memory


@dataclass(frozen=True)
class Measured:
    asking: float  # processor seconds a batch, reading to writing
    answering: list[float]  # seconds, of each batch
    seconds: float  # of all batches, with `here` processes
    here: int
    row_bytes: float  # read and written


@dataclass(frozen=True)
class Simulated:
    seconds: float
    asking: float  # share of the time that the asking process is busy
    working: float  # share that a worker is


def main() -> None:
    given = arguments()
    with tempfile.TemporaryDirectory() as name:
        measured = measure(given, Path(name))
    seen = given.rows / measured.seconds
    print(f"\nasked     {1000 * measured.asking:.0f} ms of processor time a batch of {BATCH_ROWS:,} rows")
    times = measured.answering
    print(
        f"answered  {statistics.mean(times):.2f} s a batch ({min(times):.2f} to {max(times):.2f}), one at a time"
    )
    said = simulated(measured, measured.here, given.rows // BATCH_ROWS)
    print(
        f"{measured.here} processes here: {seen:,.0f} rows/s seen, {given.rows / said.seconds:,.0f} simulated\n"
    )
    print(
        f"| workers | {given.of / 1e6:,.0f} M rows take | rows/s | of linear | asking process busy | MB/s | waiting |"
    )
    print("|---|---|---|---|---|---|---|")
    batches = -(-given.of // BATCH_ROWS)
    alone = statistics.mean(times)
    for workers in map(int, given.workers.split(",")):
        found = simulated(measured, workers, batches)
        rate = given.of / found.seconds
        waiting = AHEAD * workers * BATCH_ROWS * measured.row_bytes / 1e6
        linear = rate * alone / BATCH_ROWS / workers
        print(
            f"| {workers:,} | {hours(found.seconds)} | {rate:,.0f} | {linear:.0%} | {found.asking:.0%} "
            f"| {rate * measured.row_bytes / 1e6:.1f} | {waiting:,.0f} MB |"
        )


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", type=Path)
    parser.add_argument("source", type=Path)
    parser.add_argument(
        "--rows", type=int, default=10 * BATCH_ROWS, help="that are really answered: %(default)s"
    )
    parser.add_argument("--here", type=int, default=2, help="processes on this machine: %(default)s")
    parser.add_argument("--of", type=int, default=100_000_000, help="rows that are simulated")
    parser.add_argument("--workers", default="1,2,10,30,100,300,1000", help="with commas: %(default)s")
    return parser.parse_args()


def measure(given: argparse.Namespace, place: Path) -> Measured:
    texts = pyarrow.csv.read_csv(given.source).column("text").to_pylist()
    texts = (texts * (given.rows // len(texts) + 1))[: given.rows]
    pq.write_table(pa.table({"text": texts}), place / "rows.parquet")
    loading, added = Loading(given.model, "cpu"), Added()
    predictor = loading.load()
    set_up_memory()
    source = str(place / "rows.parquet")
    rows = Rows(source, column_types(source))
    answering = Answering(predictor.task, source, rows.types, added.names(predictor))
    types = {**rows.types, **added.types(predictor)}
    alone = timed(answering, Here(predictor, added), rows)
    with (
        cluster(loading, added, given.here, print) as pool,
        open_writer(place / "answers.parquet", types=types) as out,
    ):
        while len(pool._ready()) < given.here:  # loading is not what is measured
            time.sleep(0.1)
        began, cpu = time.perf_counter(), time.process_time()
        for batch in answering.answered(pool, rows.batches(BATCH_ROWS)):
            out.write(batch)
        asking, seconds = time.process_time() - cpu, time.perf_counter() - began
    read_and_written = sum((place / name).stat().st_size for name in ("rows.parquet", "answers.parquet"))
    batches = -(-given.rows // BATCH_ROWS)
    return Measured(asking / batches, alone, seconds, given.here, read_and_written / given.rows)


def timed(answering: Answering, pool: Here, rows: Rows) -> list[float]:
    """Seconds of each batch, after one that warms up."""
    found: list[float] = []
    first = 0
    for batch in rows.batches(BATCH_ROWS):
        question = answering.question(batch, first)
        first += size_of(batch)
        began = time.perf_counter()
        pool.ask(question)()
        found.append(time.perf_counter() - began)
    return found[1:]


def simulated(measured: Measured, workers: int, batches: int) -> Simulated:
    """Half of the asking process's time is before an answer (read, sent), half after it (received, written)."""
    drawn = random.Random(0)
    half = measured.asking / 2
    free = [0.0] * workers  # when each worker has ended what it was given, a heap
    waiting: deque[float] = deque()  # when the answers come, in the order of the input
    now = busy = worked = 0.0
    for _ in range(batches):
        now, busy = now + half, busy + half
        took = drawn.choice(measured.answering)
        ends = max(now, heapq.heappop(free)) + took
        heapq.heappush(free, ends)
        worked += took
        waiting.append(ends)
        if len(waiting) > AHEAD * workers:
            now, busy = max(now, waiting.popleft()) + half, busy + half
    while waiting:
        now, busy = max(now, waiting.popleft()) + half, busy + half
    return Simulated(now, busy / now, worked / workers / now)


def hours(seconds: float) -> str:
    if seconds >= 86400:
        return f"{seconds / 86400:.1f} days"
    return f"{seconds / 3600:.1f} h" if seconds >= 3600 else f"{seconds / 60:.0f} min"


if __name__ == "__main__":
    main()
