"""The task of a source: a demo's own or the default one, with the fields that the user set."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from stratune.task import Bins, Task


def task_of(source: Any, **fields: Any) -> Task:
    """`fields` are Task's; None or empty keeps the source's own. Raises ConfigError as Task does."""
    from stratune.data.demo import TASKS

    named = isinstance(source, str) and source.startswith("demo:")
    base = TASKS.get(source.removeprefix("demo:"), Task()) if named else Task()
    if bins := fields.get("bins"):
        fields["bins"] = Bins.from_dict(bins)
    named_fields = {name: value for name, value in fields.items() if value}
    if named_fields.get("kind", base.kind) != base.kind:
        named_fields.setdefault("metric", "")  # another kind has another default
    return replace(base, **named_fields)
