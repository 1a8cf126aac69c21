"""Trackers: a comparison and its runs in MLflow, W&B, TensorBoard or trackio."""
