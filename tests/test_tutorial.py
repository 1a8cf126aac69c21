"""docs/tutorial.md: every block runs as it stands, from an empty folder, and prints what the page shows."""

import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "docs"))

import tutorial_run  # noqa: E402

PAGE = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
NUMBER = re.compile(r"-?\d[\d.,]*( ?(s|min|h|kB|MB|GB|k|M)\b)?")


def key_lines(text):
    """The lines without what another machine would print otherwise: numbers, what is drawn, blanks. Of the
    verdict only that it is there: its words depend on the numbers.
    """
    text = re.sub(r"^Use `.*?(?=\n\n|\Z|\n1 )", "Use", text, flags=re.M | re.S)
    words = (re.sub(r"[\W_]+", " ", NUMBER.sub("0", line)).strip() for line in text.splitlines())
    return {re.sub(r"\b0( 0)+\b", "0", line) for line in words if re.search(r"[a-z]", line)}


@pytest.mark.slow
def test_every_block_runs_and_prints_what_the_page_shows(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STRATUNE_CACHE", str(tmp_path / "cache"))
    shown = 0
    for block, printed in tutorial_run.run(PAGE):
        if block.shown is not None:
            assert key_lines(block.shown) <= key_lines(printed), "run `python docs/tutorial_run.py`"
            shown += len(key_lines(block.shown))
    assert shown > 20
    assert len((tmp_path / "answered.csv").read_text(encoding="utf-8").splitlines()) == 3


def test_the_page_shows_what_was_printed_and_nothing_else_moves():
    page = (
        '# A\n\n```sh\nls\n```\n\n```text\nold\n```\n\n```yaml title="a.yaml"\nx: 1\n```\n\n```sh\nls\n```\n'
    )
    found = tutorial_run.blocks(page)
    assert [(block.language, block.title, block.shown) for block in found] == [
        ("sh", "", "old\n"),
        ("yaml", "a.yaml", None),
        ("sh", "", None),
    ]
    printed = [(block, f"new {number}\n") for number, block in enumerate(found)]
    assert tutorial_run.filled(page, printed) == page.replace("old", "new 0")


def test_a_command_that_fails_is_not_passed_over(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit):
        list(tutorial_run.run("```sh\nstratune show nowhere\n```\n"))
