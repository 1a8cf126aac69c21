"""Run the cells of docs/notebooks/*.ipynb in their order, each notebook in an empty folder.

`python docs/notebook_run.py` also writes into the notebooks what their cells print and show.
tests/test_notebooks.py runs them and compares. The cells are plain Python, so no kernel is needed; a cell
shows what it does in Jupyter: what it printed, and its last expression.
"""

from __future__ import annotations

import ast
import contextlib
import io
import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

NOTEBOOKS = Path(__file__).parent / "notebooks"
SHOWN = {"text/html": "_repr_html_", "image/svg+xml": "_repr_svg_"}  # beside text/plain

Cell = dict[str, Any]
Output = dict[str, Any]


def read(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_text(encoding="utf-8")))


def run(notebook: dict[str, Any]) -> Iterator[tuple[Cell, list[Output]]]:
    """Each cell of code with its outputs, in the current folder. Raises what a cell raises."""
    names: dict[str, Any] = {"__name__": "__main__"}
    for number, cell in enumerate(cell for cell in notebook["cells"] if cell["cell_type"] == "code"):
        yield cell, _outputs("".join(cell["source"]), names, number + 1)


def _outputs(source: str, names: dict[str, Any], number: int) -> list[Output]:
    tree = ast.parse(source)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(tree, f"cell {number}", "exec"), names)
        value = None
        if isinstance(last, ast.Expr):
            value = eval(compile(ast.Expression(last.value), f"cell {number}", "eval"), names)
    found: list[Output] = []
    if text := printed.getvalue():
        found.append({"output_type": "stream", "name": "stdout", "text": _lines(text)})
    if value is not None:
        data = {"text/plain": _lines(repr(value))}
        data |= {kind: _lines(getattr(value, name)()) for kind, name in SHOWN.items() if hasattr(value, name)}
        found.append(
            {"output_type": "execute_result", "execution_count": number, "metadata": {}, "data": data}
        )
    return found


def _lines(text: str) -> list[str]:
    """As notebooks keep texts."""
    return text.splitlines(keepends=True)


def words(outputs: list[Output]) -> str:
    """What the outputs say, without pictures."""
    found = (one.get("text") or one["data"]["text/plain"] for one in outputs)
    return "\n".join("".join(lines) for lines in found)


def main() -> None:
    here = Path.cwd()
    for path in sorted(NOTEBOOKS.glob("*.ipynb")):
        notebook = read(path)
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            try:
                for number, (cell, outputs) in enumerate(run(notebook), start=1):
                    cell["outputs"], cell["execution_count"] = outputs, number
            finally:
                os.chdir(here)
        path.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
