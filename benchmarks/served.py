"""A model asked here and on a real server: do both boards say the same?

    python benchmarks/served.py --server-python .venv/server/bin/python [--data demo:reviews] [--test 100]

Starts llama-cpp-python's server (`make test-server` builds it) with the embedded model, and compares `few_shot` on it with `few_shot`
on the same model here: same rows, same demonstrations, same prompt (remote.tokenizer). The server multiplies in 8 bits, so that single
probabilities differ. Prints both rows; exits with 1 where accuracy differs by more than 0.5 points or log loss by more than 0.05.
"""

from __future__ import annotations

import argparse
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path

POINTS, LOG_LOSS = 0.005, 0.05
MODEL = "smollm2"
WORDS = {"fresh": "positive", "rotten": "negative"}


@contextmanager
def llama_server(python, log, threads, context):
    """The address of a running server."""
    from stratune.backbone.embedded import embedded_path

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = {
        "model": embedded_path(MODEL), "model_alias": MODEL, "host": "127.0.0.1", "port": port, "n_ctx": context,
        "logits_all": "true", "verbose": "false", "n_threads": threads, "n_threads_batch": threads,
    }  # fmt: skip
    command = [str(python), "-m", "llama_cpp.server"]
    command += [part for name, value in options.items() for part in (f"--{name}", str(value))]
    with (
        log.open("wb") as output,
        subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT) as process,
    ):
        try:
            while not _answers(port):
                if process.poll() is not None:
                    raise SystemExit(log.read_text())
                time.sleep(0.5)
            yield f"http://127.0.0.1:{port}/v1#{MODEL}"
        finally:
            process.terminate()


def _answers(port):
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/docs", timeout=5).close()
    except urllib.error.URLError:
        return False
    return True


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--server-python", type=Path, required=True, help="where llama-cpp-python is installed"
    )
    parser.add_argument("--data", default="demo:reviews", help="with the labels fresh and rotten")
    parser.add_argument("--test", type=int, default=100, help="rows")
    parser.add_argument(
        "--context",
        type=int,
        default=704,
        help="tokens that the server takes: its log-probabilities take time by them",
    )
    parser.add_argument("--threads", type=int, default=2, help="of the server")
    asked = parser.parse_args()

    import stratune

    few_shot = {"preset": "few_shot", "readout": {"words": WORDS}}
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "server.log"
        with llama_server(asked.server_python, log, asked.threads, asked.context) as address:
            board = stratune.compare(
                asked.data,
                strategies=[few_shot],
                llms=[MODEL, address],
                train_rows=200,
                val_rows=50,
                test_rows=asked.test,
                seeds=1,
                remote={"tokenizer": MODEL, "way": "logprobs", "workers": 1, "timeout": 600, "longest": 1200},
                out=Path(folder) / "out",
            )
            print(board)
    here, there = (_row(board, model) for model in (MODEL, address))
    gaps = {name: abs(here[name] - there[name]) for name in ("accuracy", "log_loss")}
    for name, gap in gaps.items():
        print(f"{name}: here {here[name]:.4f}, on the server {there[name]:.4f}, difference {gap:.4f}")
    return int(gaps["accuracy"] > POINTS or gaps["log_loss"] > LOG_LOSS)


def _row(board, model):
    (row,) = [row for row in board.rows if row["backbone"] == model]
    if row["status"] != "ok":
        raise SystemExit(row["error"])
    return {name: row["test"][name]["value"] for name in ("accuracy", "log_loss")}


if __name__ == "__main__":
    sys.exit(main())
