"""stratune list: the names that other commands take."""

from __future__ import annotations

from typing import Annotated

import typer

from stratune.cli.output import console, print_json
from stratune.errors import ConfigError, choices

KINDS = ("strategies", "backbones", "templates", "metrics", "perturbations", "demos")


def list_names(
    kind: Annotated[str, typer.Argument(help=" | ".join(KINDS))],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """What there is: strategies, backbones, templates, metrics, perturbations or demos."""
    if kind not in KINDS:
        raise ConfigError(choices(kind, KINDS), key="list")
    names = _names(kind)
    if as_json:
        print_json(names)
        return
    from stratune.report.screen import Table

    table = Table("name", "what it is", box=None, header_style="bold", pad_edge=False)
    for name, about in names.items():
        table.add_row(name, about)
    console().print(table)


def _names(kind: str) -> dict[str, str]:
    if kind == "strategies":
        from stratune.strategy import about, strategy_names

        return {name: about(name) for name in strategy_names()}
    if kind == "backbones":
        from stratune.backbone.embedded import EMBEDDED

        embedded = {name: f"{model.about} (embedded)" for name, model in EMBEDDED.items()}
        types = "a text model of transformers: encoder, decoder or encoder-decoder"
        return embedded | {"a Hugging Face id or a folder": types}
    if kind == "templates":
        from stratune.prompt.template import template_names

        return template_names()
    if kind == "metrics":
        from stratune.evaluate.metrics import all_metrics

        return {name: metric.doc for name, metric in all_metrics().items()}
    if kind == "perturbations":
        from stratune.perturb import find_perturbations

        found = find_perturbations(None, swap=True)
        return {one.name: f"{one.about} (strength {one.usual:g})" for one in found}
    from stratune.data.demo import DEMOS

    return dict(DEMOS)
