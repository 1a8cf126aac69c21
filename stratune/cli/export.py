"""stratune export: a model folder in a format that other programs run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from stratune.errors import ConfigError, choices

FORMATS = ("hf",)


def export(
    model_dir: Annotated[Path, typer.Argument(help="Model folder (OUT/runs/<run>/model).")],
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder to write.")],
    to: Annotated[str, typer.Option(help="hf: what transformers' pipeline and from_pretrained read.")] = "hf",
    force: Annotated[bool, typer.Option("--force", help="Replace DIR and all that is in it.")] = False,
) -> None:
    """Write the model as a plain Hugging Face folder: same answers, same label names, no stratune needed."""
    if to not in FORMATS:
        raise ConfigError(choices(to, FORMATS), key="--to")
    _check_target(model_dir, folder, force)
    from stratune.export import export_hf
    from stratune.export.card import notes
    from stratune.predictor.predictor import Predictor

    predictor = Predictor.load(model_dir, device="cpu")
    written = export_hf(predictor, folder)
    for note in notes(predictor):
        typer.echo(f"note: {note}", err=True)
    typer.echo(str(written))


def _check_target(model_dir: Path, folder: Path, force: bool) -> None:
    """Raises ConfigError when writing would destroy something the user did not offer."""
    if folder.exists() and not folder.is_dir():
        raise ConfigError(f"{folder} is a file; name a folder", key="DIR")
    if model_dir.resolve().is_relative_to(folder.resolve()):
        raise ConfigError(f"{folder} holds the model itself; name another folder", key="DIR")
    if folder.is_dir() and any(folder.iterdir()) and not force:
        why = f"{folder} is not empty; name another folder, or use --force to replace it"
        raise ConfigError(why, key="DIR")
