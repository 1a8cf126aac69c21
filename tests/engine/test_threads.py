"""Cores are shared out among runs at once."""

import subprocess
import sys

import pytest

CODE = """
import sys
import numpy, torch
from stratune.engine.threads import share_cores
from threadpoolctl import threadpool_info, threadpool_limits
for jobs in sys.argv[1:]:
    torch.set_num_threads(4)  # as on four cores
    threadpool_limits(4)
    share_cores(int(jobs))
    pools = [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] in ("blas", "openmp")]
    print(torch.get_num_threads(), max(pools))
"""
EXPECTED = {1: 4, 2: 2, 3: 1, 9: 1}  # runs at once -> threads of each


@pytest.fixture(scope="module")
def found():
    """Runs at once -> the threads of torch, and of the pool that has most."""
    command = [sys.executable, "-c", CODE, *map(str, EXPECTED)]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    return dict(zip(EXPECTED, map(str.split, ran.stdout.splitlines()), strict=True))


@pytest.mark.parametrize(("jobs", "threads"), EXPECTED.items())
def test_each_gets_its_share_and_one_at_least(jobs, threads, found):
    assert found[jobs] == [str(threads)] * 2
