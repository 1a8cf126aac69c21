"""The examples of docs/extend.md, used as a user would: installed as a package, through the command line."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from stratune.readout import READOUTS
from stratune.strategy import PRESETS, TUNES
from stratune.testing import CHECKS
from tests.cli.comparison import write_rows
from tests.report.synthetic import LABELS_OF, make
from tests.report.test_html import Page
from tests.report.test_plots import words

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "extend.md").read_text(encoding="utf-8")
# what a user asks for -> the section that shows it
EXAMPLES = {
    "norms": "A strategy that unfreezes",
    "output_adapter": "A strategy that wraps",
    "partial+attention": "A readout",
}


def example(section):
    """The Python of one section of the page."""
    _, _, text = PAGE.partition(f"\n## {section}\n")
    (code,) = re.findall(r"```python\n(.*?)```", text.partition("\n## ")[0], re.S)
    return code


def installed(folder, group, **modules):
    """`modules` (name=code) in `folder`, with a package's entry points as pip would leave them."""
    about = folder / f"{group}-1.0.dist-info"
    about.mkdir(parents=True)
    for name, code in modules.items():
        (folder / f"{name}.py").write_text(code, encoding="utf-8")
    lines = [f"[{group}]", *(f"{name} = {name}" for name in modules)]
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {group}\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("\n".join(lines))
    return folder


def stratune(*arguments, path, check=True, **variables):
    where = os.pathsep.join([str(path), os.environ.get("PYTHONPATH", str(ROOT))])
    environment = {**os.environ, "PYTHONPATH": where, **variables}
    command = [sys.executable, "-m", "stratune", *map(str, arguments)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=check)


# -- a figure


@pytest.fixture
def with_figure(tmp_path):
    return installed(tmp_path / "packages", "stratune.figures", reliability=example("A figure"))


def test_the_figure_is_a_file_and_stands_on_the_page_where_its_order_says(with_figure, tmp_path):
    out = make(tmp_path / "out", seeds=(0, 1))
    stratune("report", out, path=with_figure)
    svg = (out / "plots" / "reliability.svg").read_text(encoding="utf-8")
    assert {"Reliability on test", "confidence", "lora", "tfidf"} <= set(words(svg))
    page = Page((out / "report.html").read_text(encoding="utf-8"))
    titles = [given["aria-label"] for tag, given in page.tags if tag == "figure"]
    mine = titles.index("Share of right predictions by confidence")
    assert titles[mine + 1] == "Errors among the most confident answers" and page.open == []


def test_the_figure_is_left_out_where_it_has_nothing_to_show(with_figure, tmp_path):
    out = make(tmp_path / "out", kind="regression", labels=LABELS_OF["regression"], seeds=(0,))
    stratune("report", out, path=with_figure)
    assert not (out / "plots" / "reliability.svg").exists()
    assert (out / "plots" / "leaderboard.svg").exists()


def test_a_file_without_a_package_is_named_by_the_environment(tmp_path):
    (tmp_path / "reliability.py").write_text(example("A figure"), encoding="utf-8")
    out = make(tmp_path / "out", seeds=(0,))
    stratune("report", out, path=tmp_path, STRATUNE_FIGURES="reliability")
    assert (out / "plots" / "reliability.svg").exists()


def test_a_file_that_is_not_there_is_named(tmp_path):
    out = make(tmp_path / "out", seeds=(0,))
    ran = stratune("report", out, path=tmp_path, check=False, STRATUNE_FIGURES="reliabilty")
    assert ran.returncode == 2 and ran.stderr.startswith(
        "stratune: STRATUNE_FIGURES: 'reliabilty': No module"
    )
    assert ran.stderr.count("\n") == 1


# -- strategies and readouts


@pytest.fixture
def tables():
    """What an example registers is gone after its test."""
    kept = [(table, dict(table)) for table in (TUNES, PRESETS, READOUTS)]
    yield
    for table, before in kept:
        table.clear()
        table.update(before)


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("spec", EXAMPLES)
def test_they_keep_the_contract(spec, check, tables, tiny, tmp_path):
    exec(compile(example(EXAMPLES[spec]), "extend.md", "exec"), {"__name__": "guide"})
    check(spec, tiny("bert"), tmp_path)


# -- all of them in one comparison


def test_a_comparison_has_them_all_and_is_decided_by_the_metric(tiny, tmp_path):
    packages = tmp_path / "packages"
    installed(packages, "stratune.metrics", cost=example("A metric"))
    installed(packages, "stratune.figures", reliability=example("A figure"))
    installed(packages, "stratune.readouts", attention=example("A readout"))
    unfreezes, wraps = example("A strategy that unfreezes"), example("A strategy that wraps")
    installed(packages, "stratune.strategies", norms=unfreezes, output_adapter=wraps)
    assert "Only the LayerNorms and the head are" in stratune("list", "strategies", path=packages).stdout
    assert "cost of a wrong answer, mean over rows" in stratune("list", "metrics", path=packages).stdout
    write_rows(tmp_path / "reviews.csv")
    out = tmp_path / "out"
    options = ["--data", tmp_path / "reviews.csv", "--text", "review", "--label", "mood", "--out", out]
    options += ["--backbone", tiny("bert"), "--strategies", ",".join(["majority", *EXAMPLES])]
    options += ["--metric", "cost", "--epochs", "1", "--json"]
    ran = stratune("compare", *options, path=packages, STRATUNE_CACHE=str(tmp_path / "cache"))
    board = json.loads(ran.stdout)
    rows = {row["strategy"]: row for row in board["rows"]}
    assert set(rows) == {"majority", *EXAMPLES} and {row["status"] for row in rows.values()} == {"ok"}
    assert all(rows[name]["trainable_params"] > 0 for name in EXAMPLES)
    costs = [row["val"]["cost"] for row in board["rows"]]
    assert costs == sorted(costs)
    for name, row in rows.items():
        (predictions,) = out.glob(f"runs/{name}@*/predictions.parquet")
        found = pd.read_parquet(predictions).query("part == 'test'")
        first, second = board["task"]["labels"]
        missed = ((found.truth == second) & (found.prediction == first)).mean()
        alarms = ((found.truth == first) & (found.prediction == second)).mean()
        assert row["test"]["cost"]["value"] == pytest.approx(5 * missed + alarms)
    assert (out / "plots" / "reliability.svg").exists()
