"""Whether servers whose vectors are to be learned from have any: known before the first run begins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from stratune.errors import MissingEndpoint, StratuneError
from stratune.remote.address import is_remote

if TYPE_CHECKING:
    from stratune.comparison.plan import Planned
    from stratune.config import Config
    from stratune.data.split import Split
    from stratune.strategy import Baseline, Combination, Distillation, Strategy


def check_endpoints(runs: Sequence[Planned], config: Config, split: Split) -> None:
    """Raises MissingEndpoint for a server without vectors. What else is wrong with one is said by its runs.

    Each server is asked about one text, which is stored as all others.
    """
    asked: dict[str, Strategy] = {}
    for run in runs:
        strategy = run.candidate.fitted_by(_OnVectors())
        if strategy is not None and run.backbone is not None and is_remote(run.backbone):
            asked.setdefault(run.backbone, strategy)
    for backbone, strategy in asked.items():
        from stratune.fitting.vectors import VectorFitting

        once = replace(config.remote.retry_policy(), attempts=1)
        how = config.train, config.remote, config.servers, once
        try:
            VectorFitting(strategy, backbone, split, *how).ask_one()
        except MissingEndpoint:
            raise
        except StratuneError:
            continue


class _OnVectors:
    """The strategy that reads vectors of texts; None: there is none (strategy/base.py)."""

    def strategy(self, strategy: Strategy) -> Strategy | None:
        return None if strategy.readout.language_model or strategy.trains else strategy

    def baseline(self, baseline: Baseline) -> None:
        return None

    def combination(self, combination: Combination) -> None:
        return None

    def distillation(self, distillation: Distillation) -> Strategy | None:
        return self.strategy(distillation.strategy)
