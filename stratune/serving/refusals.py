"""What a server says no with: a status of HTTP and one line."""

from __future__ import annotations

import json
from typing import Any

from stratune.errors import StratuneError


class Refused(StratuneError):
    """A request that is not answered. `after`: seconds until another try may help."""

    def __init__(self, status: int, message: str, after: int | None = None) -> None:
        self.status, self.after = status, after
        super().__init__(message)

    @property
    def body(self) -> dict[str, Any]:
        return error_body(self.status, str(self))

    @property
    def line(self) -> bytes:
        """JSON."""
        return json.dumps(self.body, ensure_ascii=False).encode("utf-8", "backslashreplace")


def error_body(status: int, message: str) -> dict[str, Any]:
    return {"error": {"code": status, "message": message}}


def kind_of(value: Any) -> str:
    """What JSON calls a value, with a glimpse of it."""
    names = {dict: "an object", list: "an array", bool: "a truth value", type(None): "null", str: "a text"}
    name = names.get(type(value), "a number")
    return name if isinstance(value, (dict, list)) or value is None else f"{name} ({value!r:.40})"
