"""docs/notebooks: every cell runs as it stands, from an empty folder, and says what the notebook shows."""

import sys
from pathlib import Path

import pytest

from tests.test_tutorial import key_lines

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "docs"))

import notebook_run  # noqa: E402

NOTEBOOKS = sorted(notebook_run.NOTEBOOKS.glob("*.ipynb"))


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_cell_runs_and_shows_what_the_notebook_shows(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STRATUNE_CACHE", str(tmp_path / "cache"))
    shown = 0
    for cell, outputs in notebook_run.run(notebook_run.read(path)):
        lines = key_lines(notebook_run.words(cell["outputs"]))
        assert lines <= key_lines(notebook_run.words(outputs)), "run `python docs/notebook_run.py`"
        assert [one["output_type"] for one in cell["outputs"]] == [one["output_type"] for one in outputs]
        shown += len(lines)
    assert shown > 10


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_is_a_notebook_that_was_run_from_top_to_bottom(path):
    notebook = notebook_run.read(path)
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    cells = notebook["cells"]
    assert len({cell["id"] for cell in cells}) == len(cells)
    counts = [cell["execution_count"] for cell in cells if cell["cell_type"] == "code"]
    assert counts == list(range(1, len(counts) + 1))


def test_what_a_cell_shows_is_what_it_prints_and_its_last_expression():
    names = {}
    assert notebook_run._outputs("print('a')\nx = 1", names, 1) == [
        {"output_type": "stream", "name": "stdout", "text": ["a\n"]}
    ]
    (found,) = notebook_run._outputs("x + 1", names, 2)
    assert found["data"] == {"text/plain": ["2"]} and found["execution_count"] == 2
    assert notebook_run._outputs("None", names, 3) == []
    with pytest.raises(ZeroDivisionError):
        notebook_run._outputs("1 / 0", names, 4)
