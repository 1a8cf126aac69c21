"""Wrong command lines (command_lines.txt), typed in a folder with sound files. Each is refused."""

from __future__ import annotations

import csv
import shlex
import shutil
from pathlib import Path
from random import Random

from fuzz.case import Case
from fuzz.material import rows_of

COMPARE = "compare --data rows.csv --text review --label mood --strategies majority --out made"


def lines() -> list[str]:
    text = Path(__file__).with_name("command_lines.txt").read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def command_lines(random: Random, folder: Path, base: Path, number: int | None = None) -> Case:
    """`number`: which line; a campaign goes through all."""
    rows = rows_of(base)
    with (folder / "rows.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(
            stream, ["review", "mood", "score", "level", "tags", "author", "part"], extrasaction="ignore"
        )
        writer.writeheader()
        writer.writerows(rows)
    (folder / "rows.docx").write_bytes(b"PK\x03\x04")
    (folder / "empty").mkdir()
    shutil.copytree(base / "models" / "new-tfidf", folder / "model")
    shutil.copytree(base / "backbones" / "bert", folder / "bert")
    shutil.copytree(base / "out", folder / "done")
    known = lines()
    line = random.choice(known) if number is None else known[number % len(known)]
    return Case(tuple(shlex.split(line.replace("$C", COMPARE))), (2,))
