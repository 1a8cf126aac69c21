"""A comparison that is killed, as a whole or in parts, goes on and ends as if it had not been."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_a_comparison_that_is_killed_twice_ends_as_if_it_had_not_been():
    """benchmarks/killed.py with 50 kills is the whole campaign."""
    command = [sys.executable, "benchmarks/killed.py", "--kills", "2", "--models", "tiny", "--seed", "1"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    ran = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "faults: 0" in ran.stdout
