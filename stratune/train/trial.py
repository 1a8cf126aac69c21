"""Trial: settings that were tried, and what validation says of them; a line of `trials.jsonl`.

Of a strategy these are options of its technique, recipe and readout; of a prompt search the prompts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from stratune.evaluate.selection import Selection
from stratune.train.space import Settings


@dataclass(frozen=True)
class Trial:
    settings: Settings
    val: dict[str, float]  # metrics on validation; empty where it failed
    number: int = 0  # in the order tried
    seconds: float | None = None  # of training, as `train_seconds` of a result; None: not measured alone
    error: str | None = None  # why it failed
    examples_seen: int | None = None  # rows shown to the optimiser
    price: float | None = None  # of a server's answers
    tried: dict[str, int] = field(default_factory=dict)  # what the fit itself chose one of
    prompts: tuple[Trial, ...] = ()  # those of them that were prompts, the chosen one first

    @property
    def status(self) -> Literal["ok", "failed"]:
        return "ok" if self.error is None else "failed"

    def line(self) -> dict[str, Any]:
        """JSON values; what is not known is left out."""
        known = {key: value for key, value in asdict(self).items() if value is not None and value != {}}
        known["prompts"] = [prompt.line() for prompt in self.prompts]
        kept = {key: value for key, value in known.items() if key != "prompts" or value}
        return {"number": self.number, "status": self.status, "settings": {}, "val": {}} | kept

    @classmethod
    def of_line(cls, line: dict[str, Any]) -> Trial:
        """What `line` gave; other keys are not looked at."""
        known = {key: line[key] for key in cls.__dataclass_fields__ if key in line}
        return cls(**known | {"prompts": tuple(cls.of_line(one) for one in line.get("prompts", ()))})


def outcome(trials: Sequence[Trial], selection: Selection) -> str:
    """`8 trials: validation f1_macro 0.61 to 0.72; chosen trial 5: learning_rate 0.0021, rank 8 (...)`.

    The chosen one comes first.
    """
    kept, failed = trials[0], sum(trial.error is not None for trial in trials)
    first = next(trial for trial in trials if trial.number == 0)
    values = [value for trial in trials if (value := selection.value(trial.val)) is not None]
    found = f"{min(values):.3f} to {max(values):.3f}" if values else "undefined"
    count = f"{len(trials)} trial{'s' if len(trials) > 1 else ''}{f', {failed} failed' if failed else ''}"
    if kept is first:
        chosen = "chosen the default settings"
    else:
        own = selection.value(first.val)
        given = ", ".join(f"{name} {value}" for name, value in kept.settings.items())
        default = "failed" if first.error else f"{own:.3f}" if own is not None else "undefined"
        chosen = f"chosen trial {kept.number}: {given} (the default settings: {default})"
    return f"{count}: validation {selection.metric} {found}; {chosen}"
