"""stratune export: a model folder in a format that other programs run."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from stratune.errors import ConfigError, UnsupportedError, choices
from stratune.printable import printable

FORMATS = ("hf",)
# What an export consists of: another file in its folder is the user's.
EXPORTED = re.compile(
    r"README\.md|(\w*config|tokenizer|\w+_map|vocab|added_tokens)\.json|model[\w.-]*\.(safetensors|index\.json)"
    r"|(vocab|merges)\.txt|[\w.]+\.model|chat_template\.jinja"
)


def export(
    model_dir: Annotated[Path, typer.Argument(help="Model folder (OUT/runs/<run>/model).")],
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder to write.")],
    to: Annotated[str, typer.Option(help="hf: what transformers' pipeline and from_pretrained read.")] = "hf",
    force: Annotated[bool, typer.Option("--force", help="Replace an export in DIR.")] = False,
) -> None:
    """Write the model as a plain Hugging Face folder: same answers, same label names, no stratune needed."""
    if to not in FORMATS:
        raise ConfigError(choices(to, FORMATS), key="--to")
    _check_target(model_dir, folder, force)
    from stratune.export import export_hf
    from stratune.export.card import notes_in
    from stratune.predictor.manifest import read_manifest
    from stratune.predictor.predictor import Predictor
    from stratune.remote.address import is_remote

    backbone = read_manifest(model_dir).fields.backbone
    if backbone is not None and is_remote(backbone.id):
        why = f"{backbone.id} is on a server; its weights are not here"
        raise UnsupportedError("export to hf", str(model_dir), why)
    predictor = Predictor.load(model_dir, device="cpu")
    written = export_hf(predictor, folder)
    for note in notes_in(written):
        typer.echo(f"note: {printable(note)}", err=True)
    typer.echo(printable(written))


def _check_target(model_dir: Path, folder: Path, force: bool) -> None:
    """Raises ConfigError when writing would destroy something the user did not offer."""
    if folder.exists() and not folder.is_dir():
        raise ConfigError(f"{folder} is a file; name a folder", key="DIR")
    if model_dir.resolve().is_relative_to(folder.resolve()):
        raise ConfigError(f"{folder} holds the model itself; name another folder", key="DIR")
    names = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    if names and not force:
        why = f"{folder} is not empty; name another folder, or use --force to replace an export in it"
        raise ConfigError(why, key="DIR")
    if others := [name for name in names if not EXPORTED.fullmatch(name)]:
        why = f"{folder} holds {others[0]!r}, which is of no export; nothing is replaced"
        raise ConfigError(why, key="DIR")
