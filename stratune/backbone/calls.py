"""What one call changes in a module that many calls share: kept in the caller's context, never on the module.

Two threads may run one model at once, and several models may stand on the same weights. So "skip these
blocks", "stop here" and "pass these states through" are not written on the modules: an interceptable module
looks into a context variable whether this very call wants something else of it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from torch import nn

# (the module's own call, its arguments) -> what stands for its output
Call = Callable[[Callable[..., Any], tuple[Any, ...], dict[str, Any]], Any]

_calls: ContextVar[Mapping[int, Call] | None] = ContextVar("calls", default=None)


class _Interceptable(nn.Module):
    """Put before a module's own class, so that gradient checkpointing and hooks see the changed call, too."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        calls = _calls.get()
        call = calls.get(id(self)) if calls else None
        return super().__call__(*args, **kwargs) if call is None else call(super().__call__, args, kwargs)


@functools.cache
def _interceptable(cls: Any) -> type[nn.Module]:
    # The same name: transformers looks some classes up by it.
    return type(cls.__name__, (_Interceptable, cls), {"__module__": cls.__module__})


def make_interceptable(module: nn.Module) -> None:
    """Once for a module; it stays what it was, and a copy of it is interceptable too."""
    if not isinstance(module, _Interceptable):
        cls: Any = type(module)
        module.__class__ = _interceptable(cls)


@contextmanager
def intercepting(calls: Mapping[nn.Module, Call]) -> Iterator[None]:
    """Within the block, and in this thread alone, `calls` are made in the place of those modules."""
    token = _calls.set({**(_calls.get() or {}), **{id(module): call for module, call in calls.items()}})
    try:
        yield
    finally:
        _calls.reset(token)
