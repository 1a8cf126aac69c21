"""A time by which an answer has to be there: HTTP clients bound the time between two bytes only."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

ENDLESS = "EndlessAnswer"  # name of the error; its class is made of the HTTP library that `openai` uses


def ends_within(http: Any, seconds: float) -> Callable[[Any], None]:
    """A hook of `http` (httpx, or what openai has in its place): the body of each response has to end so many
    seconds after its headers.
    """
    endless = type(ENDLESS, (http.ReadTimeout,), {})

    class Bounded(http.SyncByteStream):  # type: ignore[misc]
        def __init__(self, stream: Any) -> None:
            self._stream, self._until = stream, time.monotonic() + seconds

        def __iter__(self) -> Iterator[bytes]:
            for part in self._stream:
                if time.monotonic() > self._until:
                    raise endless("the answer does not end")
                yield part

        def close(self) -> None:
            self._stream.close()

    def bound(response: Any) -> None:
        response.stream = Bounded(response.stream)

    return bound
