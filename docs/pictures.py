"""Draw docs/img/techniques from the code: each technique is put on a tiny BERT of three blocks, and what is
then trainable is coloured. And docs/img/house.svg, the rooms of the package.

`make docs` runs this; a test fails when a picture is out of date.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from drawing import flows
from drawing.encoder import encoder
from drawing.house import house

FOLDER = Path(__file__).parent / "img" / "techniques"
HOUSE = Path(__file__).parent / "img" / "house.svg"

# File name -> the strategy that it shows.
NETS: dict[str, dict[str, Any]] = {
    "untuned": {"preset": "untuned"},
    "probe": {"preset": "probe"},
    "contrastive": {"preset": "contrastive"},
    "partial": {"preset": "partial"},
    "full": {"preset": "full"},
    "bitfit": {"preset": "bitfit"},
    "lora": {"preset": "lora"},
    "lora-last": {"preset": "lora", "last": 2},
    "lora-dora": {"preset": "lora", "dora": True},
    "ia3": {"preset": "ia3"},
    "houlsby": {"preset": "houlsby"},
    "houlsby-pfeiffer": {"preset": "houlsby", "after": "feed_forward", "layer_norms": False},
    "prefix": {"preset": "prefix"},
    "prefix-mlp": {"preset": "prefix", "reparametrise": True},
    "soft_prompt": {"preset": "soft_prompt"},
    "p_tuning": {"preset": "p_tuning"},
    "peft": {"preset": "peft:vera"},
}
FLOWS = {
    "baselines": flows.baselines, "features": flows.features, "nearest": flows.nearest,
    "ensemble": flows.ensemble, "stack": flows.stack, "cascade": flows.cascade, "soup": flows.soup,
    "distil": flows.distil, "prompting": flows.prompting,
    "completion": flows.completion,
}  # fmt: skip


def title(spec: dict[str, Any]) -> str:
    """As it stands in a configuration."""
    options = [f"{key}: {str(value).lower()}" for key, value in spec.items() if key != "preset"]
    return ", ".join([spec["preset"], *options])


def drawn() -> dict[str, str]:
    """Every picture by its file's name."""
    from stratune.backbone.load import load_backbone
    from stratune.objective.classes import CrossEntropy
    from stratune.strategy import Strategy, parse_strategy
    from stratune.testing import save_tiny
    from stratune.testing.nets import fresh_net

    pictures = {name: draw() for name, draw in FLOWS.items()}
    with tempfile.TemporaryDirectory() as folder:
        tiny = save_tiny("bert", Path(folder))
        for name, spec in NETS.items():
            strategy = parse_strategy(spec)
            assert isinstance(strategy, Strategy)
            net = fresh_net(load_backbone(str(tiny)), strategy.readout, CrossEntropy(2))
            strategy.tune.adapt(net)
            pictures[name] = encoder(title(spec), net)
    return pictures


def write() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, picture in drawn().items():
        (FOLDER / f"{name}.svg").write_text(picture, encoding="utf-8")
    HOUSE.write_text(house(), encoding="utf-8")


if __name__ == "__main__":
    write()
