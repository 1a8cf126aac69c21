"""Metrics of one set of predictions, and intervals around them."""

from stratune.evaluate.metrics import register_metric

__all__ = ["register_metric"]
