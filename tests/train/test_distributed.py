"""Two processes that train together end where one does: same rows, same gradients, same validation."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from stratune.files import read_json
from tests.train import launched

ROOT = Path(__file__).parents[2]
NO_DROPOUT = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}


def launch(*what, how=("--multi_gpu",)):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    # `--cpu` alone starts one process (more are mpirun's business), so we ask for several and forbid the GPU.
    options = [*how, "--num_processes", "2", "--num_machines", "1", "--mixed_precision", "no"]
    options += ["--dynamo_backend", "no", "--main_process_port", port]
    ran = subprocess.run(
        [sys.executable, "-m", "accelerate.commands.launch", *options, "-m", *what],
        cwd=ROOT,
        env={**os.environ, "ACCELERATE_USE_CPU": "true", "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert ran.returncode == 0, ran.stderr[-3000:]


SPECS = ("full", "partial", "lora")


def test_two_processes_learn_what_one_does(tiny, tmp_path, monkeypatch):
    backbone = tiny("bert", **NO_DROPOUT)
    monkeypatch.setenv("STRATUNE_CACHE", str(tmp_path / "cache-of-two"))  # empty: both fill it at once
    launch("tests.train.launched", ",".join(SPECS), str(backbone), str(tmp_path / "two"))
    monkeypatch.setenv("STRATUNE_CACHE", str(tmp_path / "cache-of-one"))
    launched.main(",".join(SPECS), str(backbone), str(tmp_path / "one"))
    for spec in SPECS:
        same_run(tmp_path / "two" / spec, tmp_path / "one" / spec)


def same_run(two, one):
    learned, wanted = (load_file(folder / "learned.safetensors") for folder in (two, one))
    assert learned.keys() == wanted.keys()
    for name in wanted:
        np.testing.assert_allclose(learned[name], wanted[name], atol=1e-5, err_msg=f"{two.name} {name}")
    found, alone = (read_json(folder / "run.json") for folder in (two, one))
    assert (alone["processes"], found["processes"]) == (1, 2)
    assert found["examples_seen"] == alone["examples_seen"]
    np.testing.assert_allclose(found["logits"], alone["logits"], atol=1e-4)
    for line, of_one in zip(found["history"], alone["history"], strict=True):
        assert line == pytest.approx(of_one, abs=1e-4)
    assert [p.name for p in (two / "work").iterdir()] == ["checkpoint-float32.safetensors"]
