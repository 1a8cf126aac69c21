"""clean(transcripts, steps): the steps that were asked for, in their order, and what they changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from stratune.transcript.steps import Spec, parse_step, written_out
from stratune.transcript.turn import Transcript, Turn


@dataclass(frozen=True)
class Changed:
    """A turn before and after, and the steps that changed it; `after` is None where it became empty."""

    before: Turn
    after: Turn | None
    steps: tuple[str, ...]


@dataclass(frozen=True)
class Cleaned:
    """What was changed. Documents without changes are in `counts` and `dropped` with zeros."""

    steps: tuple[str, ...]  # in the order they were done
    counts: Mapping[str, Mapping[str, int]]  # document -> step -> changes
    dropped: Mapping[str, int]  # document -> turns that became empty
    turns: int  # how many changed, those dropped among them
    examples: tuple[Changed, ...]  # the first of them
    written_out: tuple[Spec, ...] = ()  # the steps as they clean other documents alike

    def total(self, step: str) -> int:
        return sum(counts[step] for counts in self.counts.values())

    def to_dict(self) -> dict[str, Any]:
        """For JSON; the examples as texts."""
        examples = [
            {
                "document": changed.before.document,
                "turn": changed.before.index + 1,
                "steps": list(changed.steps),
                "before": changed.before.line,
                "after": None if changed.after is None else changed.after.line,
            }
            for changed in self.examples
        ]
        return {
            "steps": list(self.steps),
            "total": {step: self.total(step) for step in self.steps},
            "documents": {document: dict(counts) for document, counts in self.counts.items()},
            "dropped": dict(self.dropped),
            "turns_changed": self.turns,
            "examples": examples,
        }


def clean(
    transcripts: Sequence[Transcript],
    steps: Sequence[Spec],
    *,
    examples: int = 20,
    watch: Callable[[int], None] | None = None,
) -> tuple[list[Transcript], Cleaned]:
    """The transcripts after `steps`, and what was changed; turns that became empty are left out.

    A step is its name or {"step": name, option: value}, see steps.STEPS. Turns keep the index that they had.
    `watch` gets the number of turns done, each turn once a step. ConfigError for an unknown step.
    """
    parsed = [parse_step(spec) for spec in steps]
    names = tuple(dict.fromkeys(name for name, _ in parsed))
    counts = {t.document: dict.fromkeys(names, 0) for t in transcripts}
    now, alike = list(transcripts), list[Spec]()
    touched: dict[int, dict[str, None]] = {}  # position of a turn among all -> the steps that changed it
    for spec, (name, step) in zip(steps, parsed, strict=True):
        alike += written_out(spec, now)
        change = step.prepare(now)
        position, after = 0, []
        for transcript in now:
            turns = []
            for turn in transcript.turns:
                turn, count = change(turn)
                turns.append(turn)
                if count:
                    counts[turn.document][name] += count
                    touched.setdefault(position, {})[name] = None
                position += 1
            after.append(replace(transcript, turns=tuple(turns)))
            if watch is not None:
                watch(len(turns))
        now = after
    cleaned = Cleaned(names, counts, {}, len(touched), (), tuple(alike))
    return _without_empty(transcripts, now, cleaned, touched, examples)


def _without_empty(
    before: Sequence[Transcript],
    after: Sequence[Transcript],
    cleaned: Cleaned,
    touched: Mapping[int, Mapping[str, None]],
    examples: int,
) -> tuple[list[Transcript], Cleaned]:
    """Drop turns that became empty, and keep the first changes as examples."""
    dropped = Counter({transcript.document: 0 for transcript in before})
    kept, shown, position = list[Transcript](), list[Changed](), 0
    for old, new in zip(before, after, strict=True):
        left = tuple(turn for turn in new.turns if turn.text.strip())
        dropped[old.document] += len(new.turns) - len(left)
        kept.append(replace(new, turns=left))
        for one, other in zip(old.turns, new.turns, strict=True):
            if position in touched and len(shown) < examples:
                shown.append(Changed(one, other if other.text.strip() else None, tuple(touched[position])))
            position += 1
    return kept, replace(cleaned, dropped=dict(dropped), examples=tuple(shown))
