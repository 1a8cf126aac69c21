"""Text of strangers in the terminal: shown as it is, on one line, never obeyed."""

import ast
import io
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

import stratune
from stratune.cli import app
from stratune.comparison.bar import Bar
from stratune.comparison.plan import Planned
from stratune.comparison.progress import Display
from stratune.comparison.schedule import RunEvent
from stratune.report.screen import Table, bars, screen, stacked, text
from stratune.result import RunResult
from stratune.strategy import parse_strategy

PACKAGE = Path(stratune.__file__).parent
HOSTILE = [
    "[/b]",
    "[red]no colour[/red]",
    "[link=http://example.org]click[/link]",
    ":smiley: \\[x]",
    "\x1b[2J\x1b]0;title\x07gone",
    "one\ntwo\r\nthree",
    "\x9b31mC1",
    "\u202egnp.exe",
]


def shown(*things, width=200):
    """What a terminal gets, colours of ours left out."""
    page = io.StringIO()
    console = screen(file=page, width=width, color_system=None, force_terminal=True)
    for thing in things:
        console.print(thing)
    return page.getvalue()


def harmless(page):
    return not any(one in page for one in ("\x1b[2J", "\x1b]", "\x07", "\r", "\x9b", "\u202e"))


def test_one_module_knows_rich():
    """So nobody can make a console, a table or a bar that takes brackets for markup."""
    found = []
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
            if any(name.split(".")[0] == "rich" for name in names):
                found.append(path.relative_to(PACKAGE).as_posix())
    assert set(found) == {"report/screen.py"}


@pytest.mark.parametrize("word", HOSTILE)
def test_words_of_strangers_are_shown_as_they_are(word):
    table = Table("part", word, title=word, caption=word)
    table.add_row(word, text(word))
    page = shown(word, table, text("note: ", (word, "red")), stacked([text(word), text("below")]))
    assert harmless(page)
    visible = " ".join(word.split()) if word.isprintable() else word[-3:]
    assert page.count(visible) >= 6


@pytest.mark.parametrize("word", HOSTILE)
def test_bars_of_progress_are_called_by_any_name(word):
    page = io.StringIO()
    console = screen(file=page, width=200, force_terminal=True, color_system=None)
    with bars(console, shown=True) as shown_bars:
        shown_bars.add_task(word, total=3, note=word)
    drawn = page.getvalue().replace("\r", "")  # rich's own, to draw the line again
    assert harmless(drawn) and word.splitlines()[0][-2:] in drawn


def test_a_run_called_like_markup_does_not_end_a_comparison(capsys):
    planned = Planned(parse_strategy({"preset": "tfidf", "name": "[/b]"}), None, 0)
    failed = RunResult("[/b]", None, 0, status="failed", error="the server said [/red]\x1b[2J")
    with Display(shown=False) as display, Bar("[/b]", patience=0) as bar:
        bar.stage("[/i]", 3)
        display.on(RunEvent(planned, {"event": "started"}, 0, 1))
        display.on(RunEvent(planned, {"event": "stage", "name": "[/u]", "total": 3}, 0, 1))
        display.on(RunEvent(planned, {"event": "note", "text": "label '[/b]' is rare"}, 0, 1))
        display.on(RunEvent(planned, {"event": "done"}, 1, 1, failed))
    said = capsys.readouterr().err
    assert "note [--b]@none#0: label '[/b]' is rare" in said
    assert "failed [--b]@none#0: the server said [/red]" in said and "\x1b[2J" not in said


def test_labels_like_markup_are_shown_by_data_check(tmp_path):
    rows = [f"a text of number {row},{label}" for row in range(30) for label in ("[/b]", "[red]x", "\x1b[2J")]
    (tmp_path / "data.csv").write_text("text,label\n" + "\n".join(rows) + "\n")
    ran = CliRunner().invoke(app, ["data", "check", str(tmp_path / "data.csv"), "--backbone", ""])
    assert ran.exit_code in (0, 1) and ran.exception is None or isinstance(ran.exception, SystemExit)
    assert "[/b]" in ran.output and "[red]x" in ran.output and "\x1b" not in ran.output


def test_sections_and_speakers_like_markup_are_shown(tmp_path):
    lines = "[/b]\n\nANN: [red]hello\x1b[2J there\n\nBOB: um, good morning\n"
    (tmp_path / "[red].txt").write_text(lines)
    arguments = ["data", "clean", str(tmp_path / "[red].txt"), "--steps", "fillers", "--diff"]
    ran = CliRunner().invoke(app, arguments)
    assert ran.exit_code == 0, ran.output
    assert "[red], turn 3" in ran.output and "\x1b" not in ran.output


def test_json_is_the_same_text_and_moves_no_cursor(capsys):
    from stratune.cli.output import print_json

    value = {"label\x9b": "\u202ea\nb\x7f ü 中"}
    print_json(value)
    printed = capsys.readouterr().out
    assert json.loads(printed) == value and "ü 中" in printed
    assert not any(one in printed for one in "\x9b\u202e\x7f")
