"""Parameters that a server does not take: learned from its refusals, and then left out or renamed."""

from __future__ import annotations

import re
from collections.abc import Mapping

from stratune.remote.client import Fault
from stratune.remote.request import Body

REFUSING = (400, 403, 404, 422)  # HTTP statuses of servers that name a parameter
# What can be renamed, or (None) left out, without changing what is asked. All others are what a way of asking
# stands on, or the user's own: a refusal of those is told.
SPARED: Mapping[str, str | None] = {
    "max_tokens": "max_completion_tokens",
    "seed": None,
    "temperature": None,
}


class Parameters:
    """What one server takes. Threads may share it: a change is made once and never undone."""

    def __init__(self) -> None:
        self.changed: dict[str, str | None] = {}

    def fitted(self, body: Body) -> Body:
        found = dict(body)
        for name, other in list(self.changed.items()):
            if name in found:
                value = found.pop(name)
                if other is not None:
                    found[other] = value
        return found

    def learn(self, fault: Fault, sent: Body) -> bool:
        """Whether the refusal is of a parameter in `sent` that later requests will do without."""
        if fault.status not in REFUSING:
            return False
        names = [name for name in SPARED if name in sent]
        named = [name for name in names if name == fault.parameter]
        named = named or [name for name in names if re.search(rf"\b{name}\b", fault.message)]
        if named:
            self.changed[named[0]] = SPARED[named[0]]
        return bool(named)
