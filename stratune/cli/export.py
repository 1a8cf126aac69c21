"""stratune export: a model folder in a format that other programs run."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stratune.errors import ConfigError, UnsupportedError, choices
from stratune.printable import printable

if TYPE_CHECKING:
    from stratune.predictor.predictor import Predictor

FORMATS = ("hf", "onnx", "sklearn", "mlflow")
# What an export consists of: another file in its folder is the user's.
EXPORTED = re.compile(
    r"README\.md|(\w*config|tokenizer|\w+_map|vocab|added_tokens)\.json|model[\w.-]*\.(safetensors|index\.json)"
    r"|(vocab|merges)\.txt|[\w.]+\.model|chat_template\.jinja|model\.onnx(\.data)?|model\.skops"
    r"|MLmodel|(conda|python_env)\.yaml|requirements\.txt|data|(serving_)?input_example\.json"
)


def export(
    model_dir: Annotated[Path, typer.Argument(help="Model folder (OUT/runs/<run>/model).")],
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder to write.")],
    to: Annotated[
        str,
        typer.Option(
            help="hf: what transformers' pipeline and from_pretrained read; onnx: one graph for onnxruntime; "
            "sklearn: `tfidf` as a Pipeline of scikit-learn, in a file of skops; mlflow: what "
            "`mlflow models serve` runs, with stratune."
        ),
    ] = "hf",
    int8: Annotated[
        bool,
        typer.Option("--int8", help="Of onnx: matrix products in int8, where --data shows that it may be."),
    ] = False,
    data: Annotated[
        str | None,
        typer.Option(help="Labelled rows that training has not seen, to measure what int8 loses: a file."),
    ] = None,
    margin: Annotated[
        float | None, typer.Option(help="Points of the task's metric that int8 may lose. [default: 0.5]")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace an export in DIR.")] = False,
) -> None:
    """Write the model for other programs: same answers, same label names, no stratune needed but for MLflow.

    The folder is read again by the library it is for, and compared; what would answer otherwise is refused.
    """
    from stratune.export.extra import need_libraries

    if to not in FORMATS:
        raise ConfigError(choices(to, FORMATS), key="--to")
    need_libraries(to)
    _check_int8(to, int8, data, margin)
    _check_target(model_dir, folder, force)
    from stratune.export.card import notes_in
    from stratune.predictor.manifest import read_manifest
    from stratune.predictor.predictor import Predictor
    from stratune.remote.address import is_remote

    backbone = read_manifest(model_dir).fields.backbone
    if backbone is not None and is_remote(backbone.id):
        why = f"{backbone.id} is on a server; its weights are not here"
        raise UnsupportedError(f"export to {to}", str(model_dir), why)
    predictor = Predictor.load(model_dir, device="cpu")
    written = _write(predictor, folder, to, data if int8 else None, margin)
    for note in notes_in(written):
        typer.echo(f"note: {printable(note)}", err=True)
    typer.echo(printable(written))


def _write(predictor: Predictor, folder: Path, to: str, data: str | None, margin: float | None) -> Path:
    """`data`: rows for int8; None: float32."""
    if to == "sklearn":
        from stratune.export.sklearn import export_sklearn

        return export_sklearn(predictor, folder)
    if to == "mlflow":
        from stratune.export.mlflow_model import export_mlflow

        return export_mlflow(predictor, folder)
    if to == "onnx":
        from stratune.export.int8 import MARGIN, Int8
        from stratune.export.onnx import export_onnx

        int8 = None if data is None else Int8(data, MARGIN if margin is None else margin)
        return export_onnx(predictor, folder, int8)
    from stratune.export import export_hf

    return export_hf(predictor, folder)


def _check_int8(to: str, int8: bool, data: str | None, margin: float | None) -> None:
    """Raises ConfigError for options that do not go together."""
    if int8 and to != "onnx":
        raise ConfigError("it goes with --to onnx", key="--int8")
    if int8 and data is None:
        why = "what it loses is measured on labelled rows that training has not seen: name them by --data"
        raise ConfigError(why, key="--int8")
    for key, given in (("--data", data), ("--margin", margin)):
        if given is not None and not int8:
            raise ConfigError("it goes with --int8", key=key)


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
