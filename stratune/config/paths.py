"""Paths in a configuration. In a file they start at its folder, so that it means the same from everywhere."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from stratune.remote.address import is_remote

Change = Callable[[str], str]
NO_FILES = ("hub:", "demo:")
TEMPLATES = (".yaml", ".yml")
TEMPLATE_KEYS = ("template", "base")


def read_from(fields: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """The fields of a file in `folder`, with its paths as they are found from here.

    A path that is not there may be meant from here, as users of older versions had it.
    """

    def found(named: str) -> str:
        there = folder / Path(named).expanduser()
        return _from_here(there) if _exists(there) and not Path(named).is_absolute() else named

    return _changed(fields, found)


def stored_in(fields: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """The fields for a file in `folder`: what stands near it by its way from there, so that both can be moved
    together; else absolute.
    """
    here = _whole(folder)
    near = here.parent.parent  # stratune-out/NAME stands beside the data

    def stored(named: str) -> str:
        if not _exists(path := Path(named)):
            return named
        whole = _whole(path)
        return os.path.relpath(whole, here) if whole.is_relative_to(near) else str(whole)

    return _changed(fields, stored)


def _whole(path: Path) -> Path:
    """Absolute, without `..`; links stay as they are named."""
    return Path(os.path.abspath(path))  # noqa: PTH100  resolve() would follow links


def _from_here(path: Path) -> str:
    whole = _whole(path)
    return os.path.relpath(whole) if whole.is_relative_to(Path.cwd()) else str(whole)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # a name that no file can have
        return False


def _changed(fields: Mapping[str, Any], change: Change) -> dict[str, Any]:
    changed = dict(fields)
    if isinstance(changed.get("data"), str):
        changed["data"] = {"source": changed["data"]}
    if isinstance(data := changed.get("data"), Mapping):
        changed["data"] = _data(data, change)
    for key in ("backbones", "llms"):
        value = changed.get(key)
        if isinstance(value, str):
            value = value.split(",")
        if isinstance(value, (list, tuple)):
            changed[key] = [_model(one, change) for one in value]
    if isinstance(strategies := changed.get("strategies"), (list, tuple)):
        changed["strategies"] = [_templates(one, change) for one in strategies]
    return changed


def _data(data: Mapping[str, Any], change: Change) -> dict[str, Any]:
    changed = {**data}
    for key in ("source", "val", "test", "unlabelled", "corrections", "scores"):
        if isinstance(named := changed.get(key), str) and not named.startswith(NO_FILES):
            changed[key] = change(named)
    if isinstance(other := changed.get("other_test"), Mapping):
        changed["other_test"] = _data(other, change)
    if isinstance(transcripts := changed.get("transcripts"), Mapping):
        changed["transcripts"] = texts = {**transcripts}
        if isinstance(labels := texts.get("labels"), str):
            texts["labels"] = change(labels)
        if isinstance(steps := texts.get("clean"), (list, tuple)):
            texts["clean"] = [_step(step, change) for step in steps]
    return changed


def _step(step: Any, change: Change) -> Any:
    if isinstance(step, Mapping) and isinstance(file := step.get("file"), str):
        return {**step, "file": change(file)}
    return step


def _model(named: Any, change: Change) -> Any:
    """A local folder or file. A name alone is that of an embedded model, or on the hub, unless it is one."""
    from stratune.backbone.embedded import EMBEDDED

    if not isinstance(named, str) or is_remote(named.strip()) or named.strip() in EMBEDDED:
        return named
    return change(named.strip())


def _templates(spec: Any, change: Change) -> Any:
    """Wherever a strategy names a template's file."""
    if isinstance(spec, Mapping):
        return {
            key: _template_files(value, change) if key in TEMPLATE_KEYS else _templates(value, change)
            for key, value in spec.items()
        }
    return [_templates(one, change) for one in spec] if isinstance(spec, (list, tuple)) else spec


def _template_files(named: Any, change: Change) -> Any:
    if isinstance(named, str):
        return change(named) if named.endswith(TEMPLATES) else named
    if isinstance(named, (list, tuple)):
        return [_template_files(one, change) for one in named]
    return _templates(named, change)
