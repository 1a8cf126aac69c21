"""Texts changed as they change in use: typos, no case, a filler. The label of a row stays what it was.

Each perturbation is a function (text, random generator, strength) -> text in a file of its kind; importing
this package registers them all.
"""

from stratune.perturb import letters, sentences, words
from stratune.perturb.registry import (
    PERTURBATIONS,
    Kind,
    Perturbation,
    find_perturbations,
    perturbation,
)

__all__ = [
    "PERTURBATIONS",
    "Kind",
    "Perturbation",
    "find_perturbations",
    "letters",
    "perturbation",
    "sentences",
    "words",
]
