"""Run the blocks of docs/tutorial.md in their order, in an empty folder.

`python docs/tutorial_run.py` also writes what they print into the page. A block `sh` or `python` is run, one
with `title="NAME"` is written to that file, and a block `text` shows what the block before it prints.
tests/test_tutorial.py runs them and compares.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parent / "tutorial.md"
BLOCK = re.compile(r"^```(\w+)(?: title=\"([^\"]+)\")?\n(.*?)^```$", re.M | re.S)


@dataclass(frozen=True)
class Block:
    language: str
    title: str  # of a file
    text: str
    shown: str | None  # the text block that follows it


def blocks(page: str) -> list[Block]:
    found = [(match[1], match[2] or "", match[3]) for match in BLOCK.finditer(page)]
    after = [*found[1:], ("", "", "")]
    return [
        Block(*block, shown=text if language == "text" else None)
        for block, (language, _, text) in zip(found, after, strict=True)
        if block[0] != "text"
    ]


def run(page: str) -> Iterator[tuple[Block, str]]:
    """Each block with what it printed, in the current folder. Raises SystemExit when a command fails.

    Commands of stratune run in this process: to start Python and import torch for each would take longer
    than the commands.
    """
    names: dict[str, Any] = {"__name__": "tutorial"}
    for block in blocks(page):
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            if block.language == "python":
                exec(compile(block.text, "tutorial.md", "exec"), names)
            elif block.language == "sh":
                for line in block.text.splitlines():
                    _shell(line)
            else:
                Path(block.title).write_text(block.text, encoding="utf-8")
        yield block, _tidy(printed.getvalue())


def _shell(line: str) -> None:
    name, *arguments = shlex.split(line)
    if name != "stratune":
        print(subprocess.run(line, shell=True, check=True, stdout=subprocess.PIPE, text=True).stdout, end="")
        return
    from stratune.cli import main

    try:
        main(arguments)
    except SystemExit as ended:
        if ended.code:
            raise


def _tidy(printed: str) -> str:
    return "\n".join(line.rstrip() for line in printed.strip("\n").splitlines()).strip("\n") + "\n"


def filled(page: str, printed: list[tuple[Block, str]]) -> str:
    """The page with what its blocks printed."""
    outputs = iter([text for block, text in printed if block.shown is not None])
    return BLOCK.sub(lambda match: f"```text\n{next(outputs)}```" if match[1] == "text" else match[0], page)


def main() -> None:
    page = PAGE.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        os.environ.setdefault("STRATUNE_CACHE", f"{folder}/cache")
        here = Path.cwd()
        os.chdir(folder)
        try:
            printed = list(run(page))
        finally:
            os.chdir(here)
    PAGE.write_text(filled(page, printed), encoding="utf-8")


if __name__ == "__main__":
    main()
