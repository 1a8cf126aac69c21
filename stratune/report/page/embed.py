"""Data and scripts inside a page: no text can end the block it stands in, and no other script runs."""

from __future__ import annotations

import base64
import hashlib
import json
import math
from importlib.resources import files
from typing import Any

from markupsafe import Markup

# Of JSON these only stand in strings, where an escape means the same character.
_ESCAPES = {ord(one): f"\\u{ord(one):04x}" for one in "<>&\u2028\u2029"}
SCRIPTS = (
    "base", "holm", "charts", "board", "differences", "cost",
    "rows", "filters", "words", "course", "examples", "strategies",
)  # fmt: skip


def as_json(value: Any) -> Markup:
    """For `<script type="application/json">`; numbers that are not finite are null."""
    text = json.dumps(_finite(value), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return Markup(text.translate(_ESCAPES))


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(inner) for inner in value]
    return value


def asset(name: str) -> str:
    """The text of a file beside this module."""
    return (files("stratune.report.page") / name).read_text(encoding="utf-8")


def scripts() -> list[Markup]:
    """The library and ours, as the page runs them."""
    ours = "\n".join(asset(f"scripts/{name}.js") for name in SCRIPTS)
    return [Markup(asset("vendor/uPlot.iife.min.js")), Markup(f'(() => {{\n"use strict";\n{ours}\n}})();')]


def source_of(script: str) -> str:
    """What a content security policy calls it: only a script with this hash runs."""
    digest = hashlib.sha256(script.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
