"""Objectives: what training minimises, and what a net's outputs say. One file for each kind of target."""

from stratune.objective.base import Objective
from stratune.objective.choose import LOSSES, objective_of

__all__ = ["LOSSES", "Objective", "objective_of"]
