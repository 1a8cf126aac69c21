"""Cores are shared out among runs that are under way at once."""

from __future__ import annotations

import os

from stratune.cores import THREADS, limited


def named_threads() -> int | None:
    """$OMP_NUM_THREADS; None where it names no number above 0, or was set by us (cores.py)."""
    named = "" if THREADS[0] in limited else os.environ.get(THREADS[0], "")
    return int(named) if named.isdigit() and int(named) > 0 else None


def share_cores(jobs: int) -> None:
    """Leave the other runs of `jobs` their share: of torch's threads, of the linear algebra libraries', and
    of the tokenizers'. With more threads than cores they spin while they wait: twice slower (docs/log.md).
    """
    if jobs == 1:
        return
    import torch

    use_threads(max(1, torch.get_num_threads() // jobs))


def use_threads(threads: int) -> None:
    """So many, whatever is loaded already."""
    import torch
    from threadpoolctl import threadpool_limits

    torch.set_num_threads(threads)
    threadpool_limits(threads)
    os.environ["RAYON_NUM_THREADS"] = str(threads)  # read when the tokenizers' threads start
