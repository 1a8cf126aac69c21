"""The names of perturbations, what each does, and how strong it is where nobody says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Literal, get_args

from stratune.errors import ConfigError, choices

# What is changed: each text; the first text, with the name of a wrong label; the order of the two texts; or
# the order in which a prompt lists the labels, and no text at all.
Kind = Literal["texts", "label", "pair", "prompt"]
Change = Callable[..., str]


@dataclass(frozen=True)
class Perturbation:
    """`usual`: the strength where none is asked for. `first`: of a pair only the first text is changed."""

    name: str
    about: str
    usual: float
    change: Change
    kind: Kind = "texts"
    first: bool = False

    def __call__(self, text: str, random: Random, strength: float, label: str = "") -> str:
        """Strength 0 changes nothing. `label`: a wrong one, for those that name one."""
        if strength == 0:
            return text
        if self.kind == "label":
            return self.change(text, random, strength, label)
        return self.change(text, random, strength)


PERTURBATIONS: dict[str, Perturbation] = {}


def perturbation(
    name: str, about: str, usual: float, *, kind: Kind = "texts", first: bool = False
) -> Callable[[Change], Change]:
    """Registers `change(text, random, strength)`; of kind `label` it gets the label's name as well."""

    def register(change: Change) -> Change:
        PERTURBATIONS[name] = Perturbation(name, about, usual, change, kind, first)
        return change

    return register


def find_perturbations(names: Sequence[str] | None, *, swap: bool = False) -> list[Perturbation]:
    """Those named, by kind; None: all, and `swap` only where it is asked for.

    Raises ConfigError for a name that is none.
    """
    for name in names or ():
        if name not in PERTURBATIONS:
            raise ConfigError(choices(name, PERTURBATIONS), key="only")
        if PERTURBATIONS[name].kind == "pair" and not swap:
            raise ConfigError("only you know whether the order means nothing: say --swap", key=name)
    wanted = [one for one in PERTURBATIONS.values() if names is None or one.name in names]
    pair = [PERTURBATIONS["swap"]] if swap else []
    found = [one for one in wanted if one.kind != "pair"] + pair
    return sorted(found, key=lambda one: get_args(Kind).index(one.kind))


# Of these two there is no text to change: who asks for them does it with the rows, and with the prompt.
def _as_it_is(text: str, random: Random, strength: float) -> str:
    return text


perturbation("swap", "the two texts of a pair, the other way round (only with --swap)", 1.0, kind="pair")(
    _as_it_is
)
perturbation("label_order", "the labels in a prompt, listed from the last", 1.0, kind="prompt")(_as_it_is)
