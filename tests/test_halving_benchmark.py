"""benchmarks/halving.py: the table of two searches on a tiny set."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "benchmarks"))

import halving  # noqa: E402

WORDS = {"animal": "cat dog horse bird", "weather": "rain snow wind storm"}


@pytest.fixture
def data(tmp_path):
    draw = np.random.default_rng(0)
    labels = [list(WORDS)[number % 2] for number in range(80)]
    texts = [f"{' '.join(draw.choice(WORDS[one].split(), 3))} {number}" for number, one in enumerate(labels)]
    pd.DataFrame({"what": texts, "about": labels}).to_csv(tmp_path / "rows.csv", index=False)
    fields = "{train: rows.csv, text: what, label: about, rows: [32, 16, 16]}"
    (tmp_path / "sets.yaml").write_text(f"toy: {fields}\nother: {fields}\n", encoding="utf-8")
    return tmp_path


def test_the_table_has_what_was_chosen_and_what_it_cost(data, tiny, monkeypatch, capsys):
    given = {
        "--data": data, "--sets": data / "sets.yaml", "--only": "toy", "--out": data / "out", "--trials": 3,
        "--epochs": 2, "--backbone": tiny("bert"), "--strategies": "lora",
    }  # fmt: skip
    monkeypatch.setattr(sys, "argv", ["halving.py", *(str(part) for pair in given.items() for part in pair)])
    halving.main()
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert tuple(cells[0]) == halving.HEAD and len(cells) == 4
    random, halved = (dict(zip(cells[0], row, strict=True)) for row in cells[2:])
    assert (random["set"], random["rows"], random["search"], halved["search"]) == (
        "toy",
        "32 / 16 / 16",
        "random",
        "halving",
    )
    assert int(random["rows seen"]) == 3 * 2 * 32 and random["of random"] == "1.000"
    share = int(halved["rows seen"]) / int(random["rows seen"])
    assert float(halved["of random"]) == pytest.approx(share, abs=1e-3) and 0.3 < share < 0.75
    assert all(0 <= float(row["test"]) <= 1 and row["chosen"] in "012" for row in (random, halved))


def test_a_row_that_failed_ends_it():
    row = {"status": "failed", "error": "no room", "strategy": "partial"}
    with pytest.raises(RuntimeError, match="toy, partial, halving: no room"):
        halving.found("toy", "", "halving", row, Path(), "f1_macro")
