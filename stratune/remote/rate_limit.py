"""When the next request may start: a spacing that all threads share, and how long to stand back."""

from __future__ import annotations

import random
import threading
import time

LONGEST_BACK_OFF = 60.0  # seconds


class Stopped(Exception):
    """Raised in a worker whose result is no longer wanted."""


class Pace:
    """At most `per_minute` starts a minute, evenly spaced (None: no limit); none while `hold` lasts."""

    def __init__(self, per_minute: int | None) -> None:
        self._gap = 60 / per_minute if per_minute else 0.0  # seconds
        self._next = 0.0  # on the monotonic clock
        self._lock = threading.Lock()

    def turn(self, stop: threading.Event) -> None:
        """Return when it is this thread's turn. Raises Stopped."""
        while (seconds := self._claim()) > 0:
            if stop.wait(seconds):
                raise Stopped
        if stop.is_set():
            raise Stopped

    def hold(self, seconds: float) -> None:
        with self._lock:
            self._next = max(self._next, time.monotonic() + seconds)

    def _claim(self) -> float:
        """0 when the turn is taken, else the seconds until there may be one."""
        with self._lock:
            now = time.monotonic()
            if now < self._next:
                return self._next - now
            self._next = now + self._gap
            return 0.0


def back_off(pause: float, attempt: int) -> float:
    """Seconds before attempt `attempt` + 1: twice as long each time, jittered so that threads part.

    Unseeded: it moves requests in time and changes no number.
    """
    return min(LONGEST_BACK_OFF, pause * 2.0 ** (attempt - 1)) * random.uniform(0.5, 1.5)
