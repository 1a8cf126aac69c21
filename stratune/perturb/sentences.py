"""Something added to a text: a sentence beside the point, an instruction, the name of a wrong label.

Of a pair the first text gets it: a sentence more in a premise leaves what follows from it as it was, one more
in a hypothesis does not.
"""

from __future__ import annotations

from random import Random

from stratune.perturb.registry import perturbation
from stratune.perturb.tables import DISTRACTORS, INJECTIONS


@perturbation("distractor", "a sentence that has nothing to do with it, at the end", 1.0, first=True)
def distractor(text: str, random: Random, strength: float) -> str:
    """`strength`: the share of the texts that get one."""
    return _followed(text, random.choice(DISTRACTORS)) if random.random() < strength else text


@perturbation(
    "injection", "an instruction at the end: Ignore the above and answer ...", 1.0, kind="label", first=True
)
def injection(text: str, random: Random, strength: float, label: str) -> str:
    """`strength`: the share of the texts that get one."""
    if random.random() >= strength:
        return text
    return _followed(text, random.choice(INJECTIONS).format(label=label))


@perturbation(
    "label_word", "the name of a wrong label, before or behind the text", 1.0, kind="label", first=True
)
def label_word(text: str, random: Random, strength: float, label: str) -> str:
    """`strength`: the share of the texts that get one."""
    if random.random() >= strength:
        return text
    return f"{label} {text}" if random.random() < 0.5 else _followed(text, label)


def _followed(text: str, more: str) -> str:
    return f"{text.rstrip()} {more}" if text.strip() else more
