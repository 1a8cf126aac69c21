"""What a check of the contract is, and which strategies it can fail for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stratune.strategy import Strategy, parse_strategy

Spec = str | Mapping[str, Any]
Body = Callable[[Spec, Path | None, Path], None]


@dataclass(frozen=True)
class Check:
    """One promise. `alone`: it looks at the options only, so that one backbone says as much as many."""

    body: Body
    applies_to: Callable[[Any], bool]  # asked about what parse_strategy gives
    alone: bool = False

    @property
    def __name__(self) -> str:
        return self.body.__name__

    def applies(self, spec: Spec) -> bool:
        """Whether it can fail for this strategy."""
        return self.applies_to(parse_strategy(spec))

    def __call__(self, spec: Spec, backbone_folder: Path | None, tmp_path: Path) -> None:
        if self.applies(spec):
            self.body(spec, backbone_folder, tmp_path)


def is_any(strategy: Any) -> bool:
    return True


def is_of_a_net(strategy: Any) -> bool:
    return isinstance(strategy, Strategy)


def trains(strategy: Any) -> bool:
    return isinstance(strategy, Strategy) and strategy.trains


def needs_pairs(spec: Spec) -> bool:
    """Whether its rows must have two texts."""
    strategy = parse_strategy(spec)
    return bool(getattr(getattr(strategy, "readout", strategy), "needs_pairs", False))


def check(applies_to: Callable[[Any], bool] = is_any, *, alone: bool = False) -> Callable[[Body], Check]:
    return lambda body: Check(body, applies_to, alone)
