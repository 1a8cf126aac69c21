"""OtherTest: which rows take the place of the test part once all else is split (unseen.py)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from stratune.errors import ConfigError, choices
from stratune.task import Task


@dataclass(frozen=True)
class OtherTest:
    """Where the rows are, and what their columns are called where that is not as the task has it."""

    source: str  # a file, or hub:name/config; of transcripts also a folder
    scores: str | None = None  # table of the labels of transcripts
    text: str | None = None  # their column of the text; None, here and below: as the task calls it
    text_pair: str | None = None  # of the second text
    label: str | None = None  # of the label
    group: str | None = None  # of groups
    id: str | None = None  # of unique row ids
    annotations: str | None = None  # of single ratings, which the other parts need not have
    encoding: str | None = None  # of a text file
    delimiter: str | None = None  # between the columns of a csv file; None: found out
    unknown: Literal["refuse", "drop"] = "refuse"  # of labels that the task does not have
    no_gold: tuple[str, ...] = ()  # labels of rows without a gold label, which are left out
    agreement: float | None = None  # rows whose raters give the majority in a smaller share are left out

    def __post_init__(self) -> None:
        if self.unknown not in ("refuse", "drop"):
            raise ConfigError(choices(self.unknown, ("refuse", "drop")), key="data.other_test.unknown")
        object.__setattr__(self, "no_gold", tuple(self.no_gold))

    def task(self, task: Task) -> Task:
        """The task as it is of these rows. Their ratings are those of the task where nobody names others."""
        return replace(task, annotations=self.annotations or task.annotations)
