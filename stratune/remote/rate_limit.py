"""When the next request may start: a rate limit that all threads share, and exponential back-off."""

from __future__ import annotations

import random
import threading
import time

LONGEST_BACK_OFF = 60.0  # seconds


class Stopped(Exception):
    """Raised in a worker whose result is no longer wanted."""


class RateLimit:
    """At most `per_minute` starts a minute, evenly spaced (None: no limit), and none during a `hold`."""

    def __init__(self, per_minute: int | None) -> None:
        self._gap = 60 / per_minute if per_minute else 0.0  # seconds
        self._next = 0.0  # on the monotonic clock
        self._lock = threading.Lock()

    def acquire(self, stop: threading.Event) -> None:
        """Wait until this thread may start a request. Raises Stopped when `stop` is set meanwhile."""
        while (seconds := self._claim()) > 0:
            if stop.wait(seconds):
                raise Stopped
        if stop.is_set():
            raise Stopped

    def hold(self, seconds: float) -> None:
        """No thread starts a request for so many seconds."""
        with self._lock:
            self._next = max(self._next, time.monotonic() + seconds)

    def _claim(self) -> float:
        """0 when this thread may start now, else the seconds to wait before it asks again."""
        with self._lock:
            now = time.monotonic()
            if now < self._next:
                return self._next - now
            self._next = now + self._gap
            return 0.0


def back_off(pause: float, attempt: int) -> float:
    """Seconds before attempt `attempt` + 1: doubled each time, with jitter to spread the threads.

    The jitter has no seed: it changes when requests are sent, and no number.
    """
    return min(LONGEST_BACK_OFF, pause * 2.0 ** (attempt - 1)) * random.uniform(0.5, 1.5)
