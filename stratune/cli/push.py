"""stratune push: a model folder into a repository of the Hugging Face hub."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from stratune.errors import ConfigError


def push(
    model_dir: Annotated[Path, typer.Argument(help="Model folder (OUT/runs/<run>/model), or an export.")],
    repo: Annotated[str, typer.Argument(metavar="OWNER/NAME", help="Repository; made where there is none.")],
    private: Annotated[bool, typer.Option("--private", help="A new repository is yours alone.")] = False,
    message: Annotated[str, typer.Option(help="Of the commit.")] = "A model of stratune",
) -> None:
    """Put a model folder, with its card, on the Hugging Face hub. Its token: HF_TOKEN, or `hf auth login`."""
    from stratune.report.cards import REPO

    if not REPO.fullmatch(repo):
        raise ConfigError(f"{repo!r:.100} is no repository; expected OWNER/NAME", key="OWNER/NAME")
    if not (model_dir / "config.json").is_file():  # an export for transformers has one, and no manifest
        from stratune.predictor.manifest import read_manifest

        read_manifest(model_dir)
    from stratune.export.hub import push as push_folder
    from stratune.printable import printable

    if not (model_dir / "README.md").is_file():
        typer.echo("note: it has no card; `stratune report OUT` writes one into each model folder", err=True)
    typer.echo(printable(push_folder(model_dir, repo, private=private, message=message)))
