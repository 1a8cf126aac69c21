"""What is told while a comparison runs."""

import io
import time

import pytest

from stratune.comparison.bar import Bar
from stratune.comparison.plan import Planned
from stratune.comparison.progress import Display
from stratune.comparison.schedule import RunEvent
from stratune.comparison.so_far import MOST, SoFar
from stratune.engine.events import Reporting
from stratune.evaluate.selection import Selection
from stratune.report.screen import screen
from stratune.result import RunResult
from stratune.strategy import parse_strategy

PLANNED = Planned(parse_strategy("few_shot"), "smollm2", 0)


def test_a_note_is_told_at_once_and_only_once(capsys):
    result = RunResult("few_shot", "smollm2", 0, notes=["asks 40 rows", "12 prompts tried"])
    with Display(shown=False) as display:
        display.on(RunEvent(PLANNED, {"event": "started"}, 0, 1))
        display.on(RunEvent(PLANNED, {"event": "note", "text": "asks 40 rows"}, 0, 1))
        early = capsys.readouterr().err
        display.on(RunEvent(PLANNED, {"event": "done"}, 1, 1, result))
    assert "note few_shot@smollm2#0: asks 40 rows" in early
    late = capsys.readouterr().err
    assert "note few_shot@smollm2#0: 12 prompts tried" in late and "asks 40 rows" not in late


def test_notes_pass_through_the_pipe_as_they_come():
    events = []
    Reporting(events.append).note("asks 40 rows")
    assert events == [{"event": "note", "text": "asks 40 rows"}]


class Terminal:
    """What a terminal would show: the lines of the bars."""

    def __init__(self, display):
        self.display = display

    def lines(self):
        return [
            (task.description, task.completed, task.total, task.fields["note"])
            for task in self.display.bars.tasks
        ]


def test_each_run_under_way_has_a_line_of_its_own():
    runs = [Planned(parse_strategy("lora"), "minilm", seed) for seed in range(3)]

    def tell(run, ended, result=None, **event):
        display.on(RunEvent(runs[run], event, ended, 3, result))

    with Display(shown=False) as display:
        shown = Terminal(display)
        tell(0, 0, event="started")
        tell(1, 0, event="started")
        tell(1, 0, event="step", step=3, steps=8, epoch=0.5)
        tell(0, 0, event="stage", name="frozen activations", total=600)
        tell(0, 0, event="rows", count=64)
        assert shown.lines() == [
            ("runs", 0, 3, ""),
            ("lora@minilm#0", 64, 600, "frozen activations"),
            ("lora@minilm#1", 3, 8, "training"),
        ]
        tell(1, 1, RunResult("lora", "minilm", 1), event="done")
        tell(2, 1, event="started")
        assert shown.lines() == [
            ("runs", 1, 3, ""),
            ("lora@minilm#0", 64, 600, "frozen activations"),
            ("lora@minilm#2", 0, None, "loading"),
        ]


SELECTION = Selection("f1_macro")


def told(name, ended, result=None, total=3, **event):
    return RunEvent(Planned(parse_strategy(name), "minilm", 0), event, ended, total, result, SELECTION)


def test_where_no_terminal_is_a_line_tells_each_run_that_starts_or_ends(capsys):
    with Display(shown=True) as display, Bar("folds", patience=0) as bar:
        bar.stage("random folds", 3)
        bar.rows(1)
        display.on(told("lora", 0, event="started"))
        display.on(
            told(
                "lora",
                1,
                RunResult("lora", "minilm", 0, val={"f1_macro": 0.7}, train_seconds=81),
                event="done",
            )
        )
        display.on(told("probe", 1, event="started"))
        display.on(
            told(
                "probe",
                2,
                RunResult("probe", "minilm", 0, val={"f1_macro": 0.6}, train_seconds=3),
                event="done",
            )
        )
    out, err = capsys.readouterr()
    assert out == ""
    lines = err.splitlines()
    assert lines[0] == "lora@minilm#0: started, 0 of 3 runs done" and len(lines) == 4
    assert lines[3].startswith(
        "probe@minilm#0: done, val f1_macro 0.600 in 3.0 s; 2 of 3 runs done; best so far lora@minilm, val f1_macro 0.700"
    )


def test_a_long_run_is_told_of_again_and_again(capsys):
    with Display(shown=True, every=0.04) as display:
        display.on(told("lora", 0, event="started"))
        display.on(told("lora", 0, event="step", step=3, steps=8, epoch=0.5))
        time.sleep(0.3)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) > 2 and lines[-1].startswith("lora@minilm#0: training, 3 of 8; 0 of 3 runs done")


def test_quiet_has_no_lines(capsys):
    with Display(shown=False, every=0.01) as display:
        display.on(told("lora", 0, event="started"))
        time.sleep(0.05)
        display.on(told("lora", 1, RunResult("lora", "minilm", 0, val={"f1_macro": 0.7}), event="done"))
    assert capsys.readouterr() == ("", "")


def test_a_terminal_shows_the_leaderboard_so_far_above_the_bars():
    with Display(shown=False) as display:
        for place, (name, value) in enumerate({"lora": 0.7, "probe": 0.8}.items(), start=1):
            display.on(told(name, place - 1, event="started"))
            done = RunResult(name, "minilm", 0, val={"f1_macro": value}, train_seconds=60)
            display.on(told(name, place, done, event="done"))
        display.on(told("full", 2, event="started"))
        page = io.StringIO()
        screen(file=page, width=80, force_terminal=True, color_system=None).print(display._picture())
    words = page.getvalue()
    assert words.index("probe@minilm") < words.index("lora@minilm") < words.index("2 of 3 runs done")
    assert "val f1_macro" in words and "0.800" in words and "full@minilm#0" in words


def test_the_time_left_goes_by_the_pace_of_runs_that_have_a_model():
    now = 0.0
    so_far = SoFar(clock=lambda: now)
    floor = Planned(parse_strategy("tfidf"), None, 0)
    so_far.on(RunEvent(floor, {"event": "started"}, 0, 5, None, SELECTION))
    so_far.on(RunEvent(floor, {"event": "done"}, 1, 5, RunResult("tfidf", None, 0), SELECTION))
    assert so_far.seconds_left() is None
    so_far.on(told("lora", 1, total=5, event="started"))
    now = 60.0
    so_far.on(told("lora", 2, RunResult("lora", "minilm", 0), total=5, event="done"))
    assert so_far.seconds_left() == 180
    so_far.on(told("probe", 2, total=5, event="started"))
    now = 90.0
    so_far.on(told("probe", 2, total=5, event="step", step=4, steps=8, epoch=0.5))
    half = 0.5 * MOST
    assert so_far.seconds_left() == pytest.approx(90 / (1 + half) * (3 - half))
    assert so_far.summary().endswith("; about 2.6 min left")


def test_what_was_done_before_says_nothing_of_the_pace():
    so_far = SoFar(clock=lambda: 0.0)
    so_far.on(told("lora", 1, RunResult("lora", "minilm", 0, val={"f1_macro": 0.5}), event="done"))
    assert so_far.seconds_left() is None and so_far.standings()[0].val == 0.5
