"""Plain text as programs and people export it: the form that explains most lines, and its turns."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from stratune.transcript.exports.labelled import is_own_form, labelled, own_form
from stratune.transcript.exports.marks import Marks, openings
from stratune.transcript.exports.own_line import own_line
from stratune.transcript.exports.stamped import bracketed, stamped, tabbed, timed

Form = Callable[[Sequence[str]], Marks]

FORMS: dict[str, Form] = {
    "names before the text": labelled,
    "names and times above the text": stamped,
    "names in brackets": bracketed,
    "names before a tab": tabbed,
    "names above the text": own_line,
}


def marks_of(lines: Sequence[str]) -> tuple[str, Marks]:
    """(form, mark of each line): the form with the most turns, the first of equals; "" where none fits."""
    if not any(line.strip() for line in lines):
        return "", [None] * len(lines)
    if is_own_form(lines):
        return "", own_form(lines)
    found = {name: form(lines) for name, form in FORMS.items()}
    best = max(found, key=lambda name: openings(found[name]))
    if openings(found[best]):
        return best, found[best]
    marks = timed(lines)
    return ("times without names" if openings(marks) else ""), marks
