"""The answer of a comparison, as Python has it: a sentence, and what it says in parts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from stratune.errors import ArtifactError
from stratune.report import human

Named = tuple[str, str | None]  # strategy, backbone


@dataclass(frozen=True, repr=False)
class Verdict:
    """`str(verdict)` is the sentence. `winner` is the cheapest, in what is `prefer`red, of the rows within
    one standard error of the `best` on validation; `tied` are all that cannot be told from it.
    """

    sentence: str
    winner: Named
    best: Named
    tied: tuple[Named, ...]  # in order of rank; holds winner and best
    prefer: str
    optimism: float | None  # by how much the best validation score flatters
    visible: float | None  # the smallest difference that the test rows can show
    command: str  # asks the winner

    def __str__(self) -> str:
        return self.sentence

    def __repr__(self) -> str:
        return human.plain(self.sentence)


def verdict_of(board: dict[str, Any], where: object) -> Verdict:
    """Raises ArtifactError where leaderboard.json of `where` says none."""
    if "verdict" not in board:
        why = f"{where}: made by stratune 0.8 or before, which came to no verdict"
        raise ArtifactError(f"{why}; `stratune report {where}` makes the leaderboard again")
    found = board["verdict"]
    if found is None:
        raise ArtifactError(f"{where}: no strategy finished")
    return Verdict(
        sentence=found["sentence"],
        winner=_named(found["winner"]),
        best=_named(found["best"]),
        tied=tuple(map(_named, found["tied"])),
        prefer=found["prefer"],
        optimism=found.get("optimism"),
        visible=found.get("visible"),
        command=found["command"],
    )


def _named(row: dict[str, Any]) -> Named:
    return row["strategy"], row["backbone"]
