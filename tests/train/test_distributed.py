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


def launch(*what):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    # `--cpu` alone starts one process (more are mpirun's business), so we ask for several and forbid the GPU.
    options = ["--multi_gpu", "--num_processes", "2", "--num_machines", "1", "--mixed_precision", "no"]
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


@pytest.mark.parametrize("spec", ["full", "partial", "lora"])
def test_two_processes_learn_what_one_does(spec, tiny, tmp_path, monkeypatch):
    backbone = tiny("bert", **NO_DROPOUT)
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv(
        "STRATUNE_CACHE", str(tmp_path / "cache-of-two")
    )  # empty: both processes fill it at once
    launch("tests.train.launched", spec, str(backbone), str(tmp_path / "two"))
    monkeypatch.setenv("STRATUNE_CACHE", str(tmp_path / "cache-of-one"))
    launched.main(spec, str(backbone), str(tmp_path / "one"))
    one, two = (load_file(tmp_path / name / "learned.safetensors") for name in ("one", "two"))
    assert one.keys() == two.keys()
    for name in one:
        np.testing.assert_allclose(two[name], one[name], atol=1e-5, err_msg=name)
    one, two = (read_json(tmp_path / name / "run.json") for name in ("one", "two"))
    np.testing.assert_allclose(two["logits"], one["logits"], atol=1e-4)
    assert (one["processes"], two["processes"]) == (1, 2)
    assert two["examples_seen"] == one["examples_seen"]
    for line, wanted in zip(two["history"], one["history"], strict=True):
        assert line == pytest.approx(wanted, abs=1e-4)
    files = [sorted(p.name for p in (tmp_path / name / "work").iterdir()) for name in ("one", "two")]
    assert files == [["checkpoint-float32.safetensors"]] * 2
