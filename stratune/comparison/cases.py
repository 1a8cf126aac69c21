"""Expected-change tests: cases that a user wrote down, and what each model does with them (CheckList, Ribeiro
et al. 2020).

A YAML list of mappings, or a table (csv, jsonl, ...), with these keys, of which `test`, `pair`, `changed`,
`changed_pair` and `within` may be left out:

    test: negation              # cases of one name are counted together
    text: The service was good.
    changed: The service was not good.
    expected: different

Without `changed`, `expected` is the label of the text. With it, `expected` is `same` or `different` (is the
answer to the changed text another one?), of numbers also `higher` or `lower`, or the changed text's label. Of
numbers `within` says how far apart two values may be that count as the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from stratune.errors import DataError, choices
from stratune.evaluate.intervals import Interval
from stratune.evaluate.proportions import wilson
from stratune.evaluate.scales import NORMAL
from stratune.options import parse_yaml
from stratune.target.numbers import number

if TYPE_CHECKING:
    from stratune.predictor.predictor import Predictor
    from stratune.task import Task

KEYS = ("test", "text", "pair", "changed", "changed_pair", "expected", "within")
RELATIONS, OF_NUMBERS = ("same", "different"), ("higher", "lower")
UNNAMED = "cases"


@dataclass(frozen=True)
class Case:
    """`texts`: one, or the text and its changed form; `pairs` likewise, None where the task has none."""

    test: str
    texts: tuple[str, ...]
    pairs: tuple[str, ...] | None
    expected: str
    within: float

    @property
    def relation(self) -> bool:
        """Whether the two answers are compared, and not the last one with a label."""
        return len(self.texts) == 2 and self.expected in (*RELATIONS, *OF_NUMBERS)


def read_cases(source: str | Path, task: Task) -> list[Case]:
    """Raises DataError with the number of the case, or the line of a table, and what is wrong with it."""
    path = Path(source)
    records = _of_yaml(path) if path.suffix.lower() in (".yaml", ".yml") else _of_table(path)
    if not records:
        raise DataError("no cases", path=path)
    return [_case(fields, task, path, index) for index, fields in enumerate(records)]


def _of_yaml(path: Path) -> list[dict[str, str]]:
    if not path.is_file():
        raise DataError("no such file", path=path)
    try:
        found = parse_yaml(path.read_text(encoding="utf-8"), str(path))
    except UnicodeDecodeError as error:
        raise DataError(f"not UTF-8 ({error.reason})", path=path) from error
    if not isinstance(found, list):
        raise DataError(f"expected a list of cases, found {type(found).__name__}", path=path)
    for at, fields in enumerate(found, start=1):
        if not isinstance(fields, dict):
            raise DataError(f"expected keys and values, found {type(fields).__name__}", path=path, row=at)
    return [
        {str(key): _written(value) for key, value in fields.items() if value is not None} for fields in found
    ]


def _written(value: Any) -> str:
    """`true` stands for the label of that name."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _of_table(path: Path) -> list[dict[str, str]]:
    from stratune.data.arrow import as_text
    from stratune.data.read import read

    rows = [{str(name): as_text(value) for name, value in row.items()} for row in read(str(path))]
    return [{name: text for name, text in row.items() if text} for row in rows]


def _case(fields: Mapping[str, str], task: Task, path: Path, index: int) -> Case:
    def wrong(message: str, column: str) -> DataError:
        from stratune.data.read import row_of

        return DataError(message, path=path, row=row_of(path, index), column=column)

    paired = task.text_pair is not None
    for name in fields:
        if name not in KEYS:
            raise wrong(choices(name, KEYS), name)
        if name in ("pair", "changed_pair") and not paired:
            raise wrong("the texts of this task are no pairs", name)
    for name in ("text", *(["pair"] if paired else []), "expected"):
        if name not in fields:
            raise wrong("it is missing", name)
    two = "changed" in fields or "changed_pair" in fields
    columns = [
        (fields[name], *([fields.get(other, fields[name])] if two else []))
        for name, other in (("text", "changed"), ("pair", "changed_pair"))
        if name in fields
    ]
    expected = fields["expected"].strip()
    if task.target.several_labels:
        expected = ",".join(label.strip() for label in expected.split(","))
    if (why := _no_answer(expected, task, two)) is not None:
        raise wrong(why, "expected")
    within = number(fields.get("within", "0"))
    if within is None or within < 0:
        raise wrong(f"{fields['within']!r} is no number from 0 up", "within")
    test = fields.get("test", UNNAMED)
    return Case(test, columns[0], columns[1] if paired else None, expected, within)


def _no_answer(expected: str, task: Task, two: bool) -> str | None:
    """Why it cannot be expected; None where it can."""
    numeric = task.target.is_numeric
    relations = (*RELATIONS, *(OF_NUMBERS if numeric else ())) if two else ()
    if expected in relations:
        return None
    if numeric:
        return None if number(expected) is not None else choices(expected, [*relations, "a number"])
    known = task.target.problem(expected) is None
    return None if known else choices(expected, [*relations, *task.labels])


def judged(cases: Sequence[Case], model: Predictor) -> list[dict[str, Any]]:
    """A mapping a test, in the order of the file: its cases, the share that passed, the failures."""
    texts = [text for case in cases for text in case.texts]
    pairs = [pair for case in cases for pair in case.pairs or ()]
    scored = model.answer(texts, pairs if cases[0].pairs is not None else None)
    answers = iter(scored.predicted(model.task))
    tests: dict[str, list[dict[str, Any] | None]] = {}
    for case in cases:
        found = [next(answers) for _ in case.texts]
        failure = None if _passes(case, found, model.task) else _failure(case, found)
        tests.setdefault(case.test, []).append(failure)
    return [
        {
            "test": name,
            "cases": len(each),
            "passed": _share(sum(one is None for one in each), len(each)).to_dict(),
            "failures": [one for one in each if one is not None],
        }
        for name, each in tests.items()
    ]


def _passes(case: Case, answers: Sequence[Any], task: Task) -> bool:
    """An answer that is none (invalid) passes nothing."""
    if any(one is None or one == "" for one in answers) and not task.target.several_labels:
        return False
    last = answers[-1]
    if task.target.is_numeric:
        by = float(last) - float(answers[0] if case.relation else case.expected)
        if case.relation and case.expected != "same":
            return {"different": abs(by), "higher": by, "lower": -by}[case.expected] > case.within
        return abs(by) <= case.within
    if case.relation:
        return bool((_labels(answers[0], task) == _labels(last, task)) == (case.expected == "same"))
    return _labels(last, task) == _labels(case.expected, task)


def _labels(cell: Any, task: Task) -> set[str]:
    return set(task.target.members(str(cell)))


def _failure(case: Case, answers: Sequence[Any]) -> dict[str, Any]:
    answered = [
        "" if one is None else f"{one:.4g}" if isinstance(one, float) else str(one) for one in answers
    ]
    pairs = {} if case.pairs is None else {"pairs": list(case.pairs)}
    return {"texts": list(case.texts), **pairs, "expected": case.expected, "answers": answered}


def cell_text(value: Any) -> str:
    """A label, or a value, as people read it; "" where there is no answer."""
    if value is None:
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _share(passed: int, cases: int) -> Interval:
    """Wilson's interval: what other cases of the kind would give, if they were drawn like these."""
    low, high = wilson(np.array([passed / cases]), np.array([float(cases)]), NORMAL)
    return Interval(passed / cases, float(low[0]), float(high[0]))
