"""What is told while a comparison runs."""

from stratune.comparison.plan import Planned
from stratune.comparison.progress import Bar, Display
from stratune.comparison.schedule import RunEvent
from stratune.engine.events import Reporting
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


def test_nothing_is_drawn_where_no_terminal_is(capsys):
    with Display(shown=True) as display, Bar("folds", patience=0) as bar:
        bar.stage("random folds", 3)
        bar.rows(1)
        display.on(RunEvent(PLANNED, {"event": "started"}, 0, 1))
        display.on(RunEvent(PLANNED, {"event": "done"}, 1, 1, RunResult("few_shot", "smollm2", 0)))
    assert capsys.readouterr() == ("", "")
