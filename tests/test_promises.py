"""docs/promises.md: each promise names a test, and the test is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "promises.md").read_text(encoding="utf-8")
PROMISES = [line for line in PAGE.splitlines() if line.startswith("- ")]
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


@pytest.mark.parametrize("promise", PROMISES, ids=range(len(PROMISES)))
def test_a_promise_names_a_test_that_is_there(promise):
    named = NAMED.findall(promise)
    assert named, f"names no test: {promise}"
    for file, name in named:
        source = (ROOT / file).read_text(encoding="utf-8")
        assert re.search(rf"^def {name}\(", source, re.M), f"{file} has no test {name}"


def test_there_are_promises_of_every_kind():
    heads = re.findall(r"^## (.+)$", PAGE, re.M)
    assert len(heads) >= 5 and len(PROMISES) > 50
