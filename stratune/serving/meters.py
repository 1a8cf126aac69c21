"""What a server counts, in a registry of its own: Prometheus' text format at /metrics."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
ROWS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 4096)


class Meters:
    """Names begin with `stratune_`; labels are models, routes and codes, nothing of a request."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        of_model: dict[str, Any] = {"labelnames": ["model"], "registry": self.registry}
        of_route: dict[str, Any] = {"labelnames": ["route"], "registry": self.registry}
        self.requests = Counter(
            "stratune_requests", "Requests, by route and status.", ["route", "code"], registry=self.registry
        )
        self.seconds = Histogram(
            "stratune_request_seconds",
            "From a request to the end of its answer.",
            buckets=SECONDS,
            **of_route,
        )
        self.rows = Counter("stratune_rows", "Rows that were answered.", **of_model)
        self.batch_rows = Histogram(
            "stratune_batch_rows", "Rows answered in one call of a model.", buckets=ROWS, **of_model
        )
        self.batch_seconds = Histogram(
            "stratune_batch_seconds", "How long such a call took.", buckets=SECONDS, **of_model
        )
        self.queue = Gauge("stratune_queue_rows", "Rows that wait for a model.", **of_model)

    def watch_queue(self, model: str, rows: Callable[[], int]) -> None:
        self.queue.labels(model).set_function(rows)

    def batch(self, model: str, rows: int, seconds: float) -> None:
        self.rows.labels(model).inc(rows)
        self.batch_rows.labels(model).observe(rows)
        self.batch_seconds.labels(model).observe(seconds)

    def request(self, route: str, code: int, seconds: float) -> None:
        self.requests.labels(route, str(code)).inc()
        self.seconds.labels(route).observe(seconds)

    def text(self) -> bytes:
        return generate_latest(self.registry)
