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
class Reached:
    """The end of a rung (halving.py)."""

    share: float  # of a whole training's steps
    val: dict[str, float]  # metrics on validation, of the best step so far


@dataclass(frozen=True)
class Trial:
    settings: Settings
    val: dict[str, float]  # metrics on validation; empty where it failed
    number: int = 0  # in the order tried
    seconds: float | None = None  # of training, as `train_seconds` of a result; None: not measured alone
    took: float = 0.0  # seconds by the clock, with answers to validation
    error: str | None = None  # why it failed
    examples_seen: int | None = None  # rows shown to the optimiser
    price: float | None = None  # of a server's answers
    tried: dict[str, int] = field(default_factory=dict)  # what the fit itself chose one of
    prompts: tuple[Trial, ...] = ()  # those of them that were prompts, the chosen one first
    share: float | None = None  # of a whole training's steps that were done, where trials are halved
    rungs: tuple[Reached, ...] = ()  # that were reached; all of them by a training that was finished early

    @property
    def status(self) -> Literal["ok", "failed"]:
        return "ok" if self.error is None else "failed"

    def line(self) -> dict[str, Any]:
        """JSON values; what is not known is left out."""
        known = {key: value for key, value in asdict(self).items() if value is not None and value != {}}
        known["prompts"] = [prompt.line() for prompt in self.prompts]
        kept = {key: value for key, value in known.items() if key not in ("prompts", "rungs") or value}
        return {"number": self.number, "status": self.status, "settings": {}, "val": {}} | kept

    @classmethod
    def of_line(cls, line: dict[str, Any]) -> Trial:
        """What `line` gave; other keys are not looked at."""
        known = {key: line[key] for key in cls.__dataclass_fields__ if key in line}
        prompts = tuple(cls.of_line(one) for one in line.get("prompts", ()))
        rungs = tuple(Reached(**one) for one in line.get("rungs", ()))
        return cls(**known | {"prompts": prompts, "rungs": rungs})


def outcome(trials: Sequence[Trial], selection: Selection) -> str:
    """`8 trials: validation f1_macro 0.61 to 0.72; chosen trial 5: learning_rate 0.0021, rank 8 (...)`.

    The chosen one comes first. Of halved trials with what they cost, and each by the last rung it reached.
    """
    kept, failed = trials[0], sum(trial.error is not None for trial in trials)
    first = next(trial for trial in trials if trial.number == 0)
    values = [value for trial in trials if (value := selection.value(trial.val)) is not None]
    found = f"{min(values):.3f} to {max(values):.3f}" if values else "undefined"
    count = f"{len(trials)} trial{'s' if len(trials) > 1 else ''}{_halved(trials)}"
    count += f", {failed} failed" if failed else ""
    if kept is first:
        chosen = "chosen the default settings"
    else:
        own = selection.value(first.val)
        given = ", ".join(f"{name} {value}" for name, value in kept.settings.items())
        default = "failed" if first.error else f"{own:.3f}" if own is not None else "undefined"
        if first.rungs and len(first.rungs) < len(kept.rungs):
            default += f" at {first.rungs[-1].share:.0%} of the steps"
        chosen = f"chosen trial {kept.number}: {given} (the default settings: {default})"
    return f"{count}: validation {selection.metric} {found}; {chosen}"


def _halved(trials: Sequence[Trial]) -> str:
    """What halving did; nothing of trials that were not halved."""
    if not any(trial.rungs for trial in trials):
        return ""
    shares = [trial.share for trial in trials if trial.share is not None]
    if not shares:
        return " of whole fits, which have no steps that halving could cut"
    return f" by halving, {sum(shares):.1f} full trainings"
