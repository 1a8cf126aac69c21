"""Take over a finished `make demo`: `python docs/demo_page.py stratune-out/demo-reviews`.

The sentence goes into README.md and docs/index.md, the table into docs/results/demo, the picture into
docs/img.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
from pathlib import Path

HERE = Path(__file__).parent
SAID = (HERE.parent / "README.md", HERE / "index.md")
BLOCK = re.compile(r"(<!-- verdict:begin -->\n).*?(<!-- verdict:end -->)", re.S)


def filled(page: str, sentence: str) -> str:
    if len(BLOCK.findall(page)) != 1:
        raise ValueError("expected one block from <!-- verdict:begin --> to <!-- verdict:end -->")
    return BLOCK.sub(lambda match: f"{match[1]}> {sentence}\n{match[2]}", page)


def main(out: Path) -> None:
    sentence = json.loads((out / "leaderboard.json").read_text(encoding="utf-8"))["verdict"]["sentence"]
    for path in SAID:
        path.write_text(filled(path.read_text(encoding="utf-8"), sentence), encoding="utf-8")
    shutil.copy(out / "leaderboard.md", HERE / "results" / "demo" / "leaderboard.md")
    shutil.copy(out / "plots" / "leaderboard.svg", HERE / "img" / "leaderboard.svg")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
