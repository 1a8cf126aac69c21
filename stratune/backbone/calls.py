"""Intercept the calls of a module for one caller: kept in a context variable, never on the module.

Two threads may run one model at once, and several models may share the same weights. So "skip these blocks",
"stop here" and "pass these states through" are not stored on the modules: an interceptable module looks up in
a context variable whether the current call replaces it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from torch import nn

# (the module's own call, args, kwargs) -> what to return instead of the module's output
Call = Callable[[Callable[..., Any], tuple[Any, ...], dict[str, Any]], Any]

_calls: ContextVar[Mapping[int, Call] | None] = ContextVar("calls", default=None)


class _Interceptable(nn.Module):
    """A base before a module's own class, so that gradient checkpointing and hooks see the replaced call."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        calls = _calls.get()
        call = calls.get(id(self)) if calls else None
        return super().__call__(*args, **kwargs) if call is None else call(super().__call__, args, kwargs)


@functools.cache
def _interceptable(cls: Any) -> type[nn.Module]:
    # transformers looks up some classes by name, so the name stays.
    return type(cls.__name__, (_Interceptable, cls), {"__module__": cls.__module__})


def make_interceptable(module: nn.Module) -> None:
    """Allow `intercepting` for this module. Its behaviour stays; copies of it are interceptable, too."""
    if not isinstance(module, _Interceptable):
        cls: Any = type(module)
        module.__class__ = _interceptable(cls)


@contextmanager
def intercepting(calls: Mapping[nn.Module, Call]) -> Iterator[None]:
    """Within the block, and in this thread only, `calls` replace the calls of those modules."""
    token = _calls.set({**(_calls.get() or {}), **{id(module): call for module, call in calls.items()}})
    try:
        yield
    finally:
        _calls.reset(token)
