"""Cores are shared out among runs at once."""

import subprocess
import sys

import pytest

CODE = """
import sys
import numpy, torch
from stratune.engine.threads import share_cores
from threadpoolctl import threadpool_info, threadpool_limits
torch.set_num_threads(4)  # as on four cores
threadpool_limits(4)
share_cores(int(sys.argv[1]))
pools = [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] in ("blas", "openmp")]
print(torch.get_num_threads(), max(pools))
"""


@pytest.mark.parametrize(("jobs", "threads"), [(1, 4), (2, 2), (3, 1), (9, 1)])
def test_each_gets_its_share_and_one_at_least(jobs, threads):
    ran = subprocess.run([sys.executable, "-c", CODE, str(jobs)], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == [str(threads)] * 2
