"""Commands, Python and YAML in the pages of docs/ are right: options exist, names exist, configurations are valid."""

import ast
import re
import shlex
import sys
from pathlib import Path

import pytest
import typer
import yaml

import stratune
from stratune.cli import app
from stratune.comparison.board import Board
from stratune.comparison.comparison import plan
from stratune.config import parse_config
from stratune.predictor.predictor import Predictor

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "docs"))

import demo_page  # noqa: E402

PAGES = [
    ROOT / "README.md",
    *(ROOT / "docs" / f"{n}.md" for n in ("index", "tutorial")),
    *(ROOT / "docs" / "guides").glob("*.md"),
]
# pages about one thing, whose examples are mostly fragments: their commands alone
MORE = [
    ROOT / "docs" / f"{n}.md"
    for n in ("agreement", "data", "long-texts", "prompts", "servers", "targets", "transcripts")
]
LINE = re.compile(r"^(?: {4})?(stratune [a-z][^\n`]*)$", re.M)
INLINE = re.compile(r"(?<!`)`(stratune [a-z][^`]*)`")


def named(path):
    return str(path.relative_to(ROOT))


def parsed(line):
    """Raises typer's usage errors for a command or an option that is not there."""
    words = shlex.split(line, comments=False)[1:]
    words = words[: words.index("#")] if "#" in words else words  # a comment, not a run's seed
    command = typer.main.get_command(app)
    context = command.context_class(command, info_name="stratune")
    while hasattr(command, "commands"):
        found = command.get_command(context, words[0])
        assert found is not None, line
        command, words = found, words[1:]
    command.make_parser(command.context_class(command)).parse_args(
        [word for word in words if word not in ("…", "...")]
    )
    return True


@pytest.mark.parametrize("page", [*PAGES, *MORE], ids=named)
def test_commands_have_the_options_that_a_page_gives_them(page):
    text = page.read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line.split(" | ")[0].replace("\n", " ") for line in LINE.findall(text) + INLINE.findall(text)]
    assert all(parsed(line) for line in lines)


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_python_uses_names_that_are_there(page):
    known = {"st": stratune, "board": Board, "model": Predictor}
    for block in re.findall(r"^```python\n(.*?)^```", page.read_text(encoding="utf-8"), re.M | re.S):
        for node in ast.walk(ast.parse(block)):
            if (
                isinstance(node, ast.Attribute)
                and isinstance(node.value, ast.Name)
                and node.value.id in known
            ):
                assert hasattr(known[node.value.id], node.attr) or node.attr in ("out", "leaderboard"), (
                    node.attr
                )


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_configurations_are_valid(page):
    for block in re.findall(r"^```yaml[^\n]*\n(.*?)^```", page.read_text(encoding="utf-8"), re.M | re.S):
        assert plan(parse_config(yaml.safe_load(block)))


def test_the_sentence_of_a_demo_is_taken_over():
    page = "a\n<!-- verdict:begin -->\n> Use `x`.\n<!-- verdict:end -->\nb\n"
    assert demo_page.filled(page, "Use `y`.") == page.replace("`x`", "`y`")
    with pytest.raises(ValueError, match="expected one block"):
        demo_page.filled("no block", "Use `y`.")
    said = [demo_page.BLOCK.search(path.read_text(encoding="utf-8"))[0] for path in demo_page.SAID]
    assert said[0] == said[1] and "> Use `" in said[0]
