"""`stratune serve` under load, beside the loop that a user would write around transformers' pipeline.

    python benchmarks/serve.py [MODEL] [--requests 2000] [--clients 100] [--malformed 0.1] [--exact]

MODEL is a model folder that `stratune export --to hf` can write (default: `full` on minilm, trained here on 400 of the
embedded reviews). Everything runs on loopback in one run, each server in a process of its own:

load      CLIENTS connections send REQUESTS requests of 1 to 8 texts, a share of them malformed: wrong answers, 5xx,
          requests and rows a second, p50 and p99, memory of the server before and after
loop      one text a request, the same number of connections, to `serve` and to FastAPI around `pipeline`: requests a second
alone     one text at a time on one connection, against `predictor.answer` in this process, and the bare forward pass

An answer is wrong where its label is another than `predict` gives the text alone, unless its two likeliest labels are
closer than 0.01: a batch moves a probability in bfloat16 by up to 0.005.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

CLOSE = 0.01
LOOP = """
import socket, sys, uvicorn
from fastapi import FastAPI
from pydantic import BaseModel
from transformers import pipeline

class Asked(BaseModel):
    text: str

classify = pipeline("text-classification", model=sys.argv[1], device="cpu", top_k=None)
app = FastAPI()

@app.post("/predict")
def predict(asked: Asked):
    return classify(asked.text)

listening = socket.create_server(("127.0.0.1", 0), backlog=2048)
print(f"ready: http://127.0.0.1:{listening.getsockname()[1]} answers", flush=True)
uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False)).run(sockets=[listening])
"""
BROKEN = [b"", b"{", b"[1]", b'{"text": NaN}', b'{"text": 3}', b'{"txet": "a"}', b'{"text": "\\ud800"}', b"\xff\xfe", b"[" * 5000, b'{"texts": []}', b'{"text": "a", "model": "none"}']  # fmt: skip


@contextmanager
def server(*command):
    """(port, process id) of a server that is ready."""
    with subprocess.Popen([sys.executable, *map(str, command)], stdout=subprocess.PIPE, text=True) as process:
        try:
            line = process.stdout.readline()
            if not line.startswith("ready: "):
                raise SystemExit(f"the server did not start: {line}")
            yield int(re.search(r":(\d+) answers", line)[1]), process.pid
        finally:
            process.terminate()


def resident(pid):
    """MiB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024


# -- a client: HTTP/1.1 over a connection that stays open


async def asked(reader, writer, body, path="/predict"):
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    writer.write(head.encode() + body)
    await writer.drain()
    found = await reader.readuntil(b"\r\n\r\n")
    length = int(re.search(rb"(?i)content-length: (\d+)", found)[1])
    return int(found[9:12]), await reader.readexactly(length)


async def load(port, jobs, clients):
    """(seconds, [(job, status, body, seconds)]): the jobs are shared out among the connections as they get free."""
    waiting, done = iter(jobs), []

    async def client():
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for job in waiting:
            begun = time.perf_counter()
            status, body = await asked(reader, writer, job["body"])
            done.append((job, status, body, time.perf_counter() - begun))
        writer.close()

    begun = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(clients)))
    return time.perf_counter() - begun, done


def jobs_of(texts, count, malformed, most, rng):
    for _ in range(count):
        if rng.random() < malformed:
            yield {"body": rng.choice(BROKEN), "texts": None}
            continue
        some = rng.sample(texts, rng.randint(1, most))
        asked_for = {"text": some[0]} if len(some) == 1 else {"texts": some}
        yield {"body": json.dumps(asked_for).encode(), "texts": some}


def faults(done, known):
    """(wrong answers, 5xx, malformed that were not refused, refused for want of room)."""
    wrong = broken = missed = full = 0
    for job, status, body, _ in done:
        broken += status >= 500
        full += status == 429
        if job["texts"] is None:
            missed += not 400 <= status < 500
        elif status == 200:
            found = json.loads(body)
            wrong += sum(
                not same(one, known[text])
                for one, text in zip(found.get("answers", [found]), job["texts"], strict=True)
            )
        else:
            wrong += status != 429
    return wrong, broken, missed, full


def same(answer, wanted):
    gap = max(abs(answer["scores"][label] - wanted["scores"][label]) for label in wanted["scores"])
    first, second, *_ = sorted(wanted["scores"].values(), reverse=True)
    return gap < CLOSE and (answer["prediction"] == wanted["prediction"] or first - second < CLOSE)


def told(name, seconds, done, rows):
    times = sorted(one[3] * 1000 for one in done)
    p50, p99 = times[len(times) // 2], times[int(len(times) * 0.99)]
    rate = len(done) / seconds
    print(f"{name:10} {len(done):7,} requests  {rate:8.1f} requests/s  {rows / seconds:8.1f} rows/s  p50 {p50:7.1f} ms  p99 {p99:7.1f} ms", flush=True)  # fmt: skip
    return {"requests_per_second": round(rate, 1), "rows_per_second": round(rows / seconds, 1), "p50_ms": round(p50, 1), "p99_ms": round(p99, 1)}  # fmt: skip


# -- one text alone


async def alone(port, texts):
    """Seconds of each."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    found = []
    for text in texts:
        begun = time.perf_counter()
        await asked(reader, writer, json.dumps({"text": text}).encode())
        found.append(time.perf_counter() - begun)
    writer.close()
    return found


def here(predictor, texts):
    """(seconds of `answer` for each, seconds of the forward pass with its text as tokens already)."""
    from stratune.train.feed import Feed

    model = predictor.model.whole
    answers, forwards = [], []
    for text in texts:
        begun = time.perf_counter()
        predictor.answer([text], None)
        answers.append(time.perf_counter() - begun)
        rows = Feed(model.reader.tokens([text], None), model.pad)
        begun = time.perf_counter()
        model.logits(rows)
        forwards.append(time.perf_counter() - begun)
    return answers, forwards


def trained_here(folder):
    import stratune as st
    from stratune.data.load import load_split

    split = load_split("demo:reviews", seed=0, sizes=(400, 200, 50))
    return st.fit("full", "minilm", split.task, split).save(folder)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", nargs="?", type=Path)
    parser.add_argument("--requests", type=int, default=2000)
    parser.add_argument("--clients", type=int, default=100)
    parser.add_argument("--malformed", type=float, default=0.1)
    parser.add_argument("--loop-requests", type=int, default=400)
    parser.add_argument("--exact", action="store_true")
    asked_for = parser.parse_args()

    import stratune as st
    from stratune.data.load import load_split
    from stratune.export import export_hf
    from stratune.predictor.written import answer_objects

    rng = random.Random(0)
    with tempfile.TemporaryDirectory() as home:
        folder = asked_for.model or trained_here(Path(home) / "model")
        predictor = st.Predictor.load(folder, device="cpu")
        split = load_split("demo:reviews", seed=0, sizes=(400, 1000, 50))
        texts = list(dict.fromkeys(split.val["text"]))[:500]
        known = {text: answer_objects(predictor, predictor.answer([text], None))[0] for text in texts}
        hf = export_hf(predictor, Path(home) / "hf")
        (Path(home) / "loop.py").write_text(LOOP)
        options = ["--port", 0, "--queue", 1_000_000] + (["--exact"] if asked_for.exact else [])
        record = {}
        with server("-m", "stratune", "serve", folder, *options) as (port, pid):
            asyncio.run(load(port, jobs_of(texts, 200, 0, 8, rng), 20))  # warm
            before = resident(pid)
            jobs = list(jobs_of(texts, asked_for.requests, asked_for.malformed, 8, rng))
            seconds, done = asyncio.run(load(port, jobs, asked_for.clients))
            rows = sum(len(job["texts"] or ()) for job in jobs)
            record["load"] = told("load", seconds, done, rows)
            wrong, broken, missed, full = faults(done, known)
            after = resident(pid)
            print(f"           {wrong} wrong answers, {broken} of 5xx, {missed} malformed answered, {full} refused with 429; memory {before:.0f} -> {after:.0f} MiB")  # fmt: skip
            record["load"] |= {
                "wrong": wrong,
                "5xx": broken,
                "missed": missed,
                "mib": [round(before), round(after)],
            }
            one = list(jobs_of(texts, asked_for.loop_requests, 0, 1, rng))
            record["serve"] = told("serve", *asyncio.run(load(port, one, asked_for.clients)), len(one))
            some = texts[:200]
            served = asyncio.run(alone(port, some))
            answers, forwards = here(predictor, some)
        with server(Path(home) / "loop.py", hf) as (port, _):
            asyncio.run(load(port, list(jobs_of(texts, 50, 0, 1, rng)), 10))
            record["pipeline"] = told("pipeline", *asyncio.run(load(port, one, asked_for.clients)), len(one))
        ratio = record["serve"]["requests_per_second"] / record["pipeline"]["requests_per_second"]
        medians = {name: 1000 * statistics.median(times) for name, times in (("served", served), ("answer", answers), ("forward", forwards))}  # fmt: skip
        print(f"throughput over the loop around pipeline: {ratio:.2f}")
        print("alone, ms: " + ", ".join(f"{name} {value:.2f}" for name, value in medians.items()) + f"; served / answer {medians['served'] / medians['answer']:.2f}, served / forward {medians['served'] / medians['forward']:.2f}")  # fmt: skip
        record |= {
            "ratio": round(ratio, 2),
            "alone_ms": {name: round(value, 2) for name, value in medians.items()},
        }
        print(json.dumps(record))


if __name__ == "__main__":
    main()
