"""The examples of docs/extend.md, installed as a user's own package and used through the command line."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.report.synthetic import LABELS_OF, make
from tests.report.test_html import Page
from tests.report.test_plots import words

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "extend.md").read_text(encoding="utf-8")


def example(section):
    """The Python of one section of the page."""
    _, _, text = PAGE.partition(f"\n## {section}\n")
    (code,) = re.findall(r"```python\n(.*?)```", text.partition("\n## ")[0], re.S)
    return code


def installed(folder, module, code, group):
    """A package of one module, with an entry point, as pip would leave it in `folder`."""
    (folder / f"{module}.py").write_text(code, encoding="utf-8")
    about = folder / "own-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: own\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(f"[{group}]\n{module} = {module}\n")
    return folder


def stratune(*arguments, packages):
    path = os.pathsep.join([str(packages), *filter(None, [os.environ.get("PYTHONPATH", str(ROOT))])])
    environment = {**os.environ, "PYTHONPATH": path}
    command = [sys.executable, "-m", "stratune", *map(str, arguments)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout


@pytest.fixture
def with_figure(tmp_path):
    (tmp_path / "packages").mkdir()
    return installed(tmp_path / "packages", "reliability", example("A figure"), "stratune.figures")


def test_the_figure_is_a_file_and_stands_on_the_page_where_its_order_says(with_figure, tmp_path):
    out = make(tmp_path / "out", seeds=(0, 1))
    stratune("report", out, packages=with_figure)
    svg = (out / "plots" / "reliability.svg").read_text(encoding="utf-8")
    assert {"Reliability on test", "confidence", "lora", "tfidf"} <= set(words(svg))
    page = Page((out / "report.html").read_text(encoding="utf-8"))
    titles = [given["aria-label"] for tag, given in page.tags if tag == "figure"]
    assert titles[3:5] == ["ROC curves", "Share of right predictions by confidence"]
    assert titles[5] == "Rows of each label in each part" and page.open == []


def test_the_figure_is_left_out_where_it_has_nothing_to_show(with_figure, tmp_path):
    out = make(tmp_path / "out", kind="regression", labels=LABELS_OF["regression"], seeds=(0,))
    stratune("report", out, packages=with_figure)
    assert not (out / "plots" / "reliability.svg").exists()
    assert (out / "plots" / "leaderboard.svg").exists()
