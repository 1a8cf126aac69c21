"""SetFit (Tunstall et al. 2022), in an environment of its own: its dependencies are not stratune's.

    python3 -m venv SETFIT && SETFIT/bin/pip install -c constraints.txt setfit==1.2.0

It learns by pairs of training rows, of equal and of different labels: 20 iterations over the rows, as in the paper. It is for few labels:
above `MOST` training rows, and for numbers, it is not run. The two texts of a pair are joined by the tokenizer's separator.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from against.answers import Answer, plain
from against.sets import Draw

ITERATIONS = 20
MOST = 500  # training rows
WORKER = Path(__file__).with_name("setfit_worker.py")


def fits(draw: Draw) -> bool:
    return not draw.task.target.is_numeric and len(draw.train) <= MOST


def setfit(draw: Draw, backbone: Path, python: Path) -> Answer:
    """Raises RuntimeError with the last lines of what the other process wrote, when it fails."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        truth = draw.truth("train")
        several = draw.task.target.several_labels
        labels = [one.tolist() for one in truth]
        pd.DataFrame({"text": _texts(draw.train), "label": labels}).to_parquet(folder / "train.parquet")
        pd.DataFrame({"text": _texts(draw.test)}).to_parquet(folder / "test.parquet")
        job = {"backbone": str(backbone), "several": several, "seed": draw.number, "iterations": ITERATIONS}
        (folder / "job.json").write_text(json.dumps(job), encoding="utf-8")
        apart = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        ran = subprocess.run(
            [python, WORKER, folder], capture_output=True, text=True, env={**apart, "HF_HUB_OFFLINE": "1"}
        )
        if ran.returncode:
            raise RuntimeError(f"{draw.case}, draw {draw.number}: SetFit failed:\n{ran.stderr[-2000:]}")
        return plain(draw, np.load(folder / "predictions.npy").astype(np.float64))


def _texts(frame: pd.DataFrame) -> list[str]:
    if "text_pair" not in frame:
        return list(frame["text"])
    return [f"{a} [SEP] {b}" for a, b in zip(frame["text"], frame["text_pair"], strict=True)]
