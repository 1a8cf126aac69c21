"""A model folder is all that another process needs."""

import json
import subprocess
import sys

import pytest

from tests.helpers import TEXTS, trained

PRESETS = ("houlsby", "prefix", "soft_prompt", "p_tuning", "ia3")
READ = """
import json, sys
from stratune.predictor.predictor import Predictor
folders, texts = json.loads(sys.stdin.read())
print(json.dumps([Predictor.load(folder).predict_proba(texts).tolist() for folder in folders]))
"""


def test_folders_say_the_same_in_a_fresh_process(tiny, tmp_path):
    wanted = {}
    for family in ("bert", "llama"):
        for preset in PRESETS:
            run = trained({"preset": preset, "learning_rate": 1e-2}, tiny(family), epochs=1)
            folder = run.predictor.save(tmp_path / f"{family}-{preset}")
            wanted[str(folder)] = run.predictor.predict_proba(TEXTS)
    read = subprocess.run(
        [sys.executable, "-c", READ],
        input=json.dumps([list(wanted), TEXTS]),
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert read.returncode == 0, read.stderr
    found = dict(zip(wanted, json.loads(read.stdout), strict=True))
    for folder, probabilities in wanted.items():
        assert found[folder] == pytest.approx(probabilities, abs=1e-5), folder
