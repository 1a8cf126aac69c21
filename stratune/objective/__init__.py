"""Objectives: what training minimises, and what a net's outputs mean. One file for each kind of target."""

from stratune.objective.base import Objective

__all__ = ["Objective"]
