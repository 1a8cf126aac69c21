"""Warnings that are nobody's business: a library we call, complaining about another library we call."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def peft_unwarned() -> Iterator[None]:
    """peft asks a model for a property by the name that transformers has deprecated."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*is_gradient_checkpointing", category=FutureWarning)
        warnings.filterwarnings("ignore", message="Unsupported layer type", category=UserWarning)  # of a norm
        yield
