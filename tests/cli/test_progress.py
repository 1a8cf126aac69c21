"""What is told while a comparison runs."""

from stratune.comparison.comparison import Progress
from stratune.comparison.plan import Planned
from stratune.comparison.progress import Display
from stratune.engine.events import Reporting
from stratune.result import RunResult
from stratune.strategy import parse_strategy

PLANNED = Planned(parse_strategy("few_shot"), "smollm2", 0)


def test_a_note_is_told_at_once_and_only_once(capsys):
    result = RunResult("few_shot", "smollm2", 0, notes=["asks 40 rows", "12 prompts tried"])
    with Display(shown=False) as display:
        display.on(Progress(0, 1, PLANNED, {"event": "started"}))
        display.on(Progress(0, 1, PLANNED, {"event": "note", "text": "asks 40 rows"}))
        early = capsys.readouterr().err
        display.on(Progress(0, 1, PLANNED, {"event": "done"}, result))
    assert "note few_shot@smollm2#0: asks 40 rows" in early
    late = capsys.readouterr().err
    assert "note few_shot@smollm2#0: 12 prompts tried" in late and "asks 40 rows" not in late


def test_notes_pass_through_the_pipe_as_they_come():
    events = []
    Reporting(events.append).note("asks 40 rows")
    assert events == [{"event": "note", "text": "asks 40 rows"}]
