"""What every way to read an answer does, until one says otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

    from stratune.data.split import Split
    from stratune.fitting import Watch
    from stratune.net import Net
    from stratune.predictor import NetScorer
    from stratune.prompt.search import Trial
    from stratune.readout.text_reader import Reader
    from stratune.train.precision import Precision


class Readout:
    @property
    def refuses_learning(self) -> str | None:
        """Why weights cannot learn with this readout; None: they can."""
        return None

    def scorer(
        self, net: Net, device: torch.device, precision: Precision, pass_tokens: int, reader: Reader
    ) -> NetScorer:
        from stratune.predictor import NetScorer

        return NetScorer(net, device, precision, pass_tokens, reader)

    def finish(self, scorer: NetScorer, split: Split, seed: int, watch: Watch) -> list[Trial]:
        """What is left to do once the weights have learned: nothing."""
        return []
