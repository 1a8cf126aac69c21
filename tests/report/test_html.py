"""report.html: whole, offline, escaped; and `publish`, which writes everything."""

import re
import subprocess
import sys
from html.parser import HTMLParser

import pytest

from stratune.errors import ArtifactError
from stratune.report import html, leaderboard, plots, publish
from stratune.report.comparison import load
from stratune.result import RunResult

VOID = {"meta", "link", "br", "img", "hr", "input"}


class Page(HTMLParser):
    """Text, and the tags that were opened; fails on a tag closed out of order."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.words = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


def page_of(out, **options):
    comparison = load(out)
    board = leaderboard.build(comparison, resamples=50)
    return html.render(comparison, board, plots.draw(comparison, board), **options)


@pytest.fixture
def page(odd):
    return Page(page_of(odd))


def test_the_page_is_well_formed_and_has_every_part(page):
    text = " ".join(" ".join(page.words).split())
    assert page.open == []
    for part in (
        "Leaderboard",
        "Failed runs",
        "In pictures",
        "Each strategy",
        "What the data check found",
        "How to read this",
        "How it was made",
        "How to reproduce it",
        "Ranked by validation f1_macro; test opened once; means over 3 seeds",
        "out of memory: 5.1 GB wanted, 3.9 GB <free> [now]",
        "3 duplicate <texts>",
        "f" * 64,
        "epochs: 4",
        "Note: a note.",
        "whole groups of film drawn together",
    ):
        assert part in text, part
    assert sum(tag == "svg" for tag, _ in page.tags) == 4


def test_user_text_is_escaped(page):
    assert not any(tag in ("b", "free", "texts") and attributes for tag, attributes in page.tags)
    assert "free" not in {tag for tag, _ in page.tags} and "texts" not in {tag for tag, _ in page.tags}
    assert any('it\'s <b>good</b> & "new"' in words for words in page.words)


def test_nothing_is_fetched(odd):
    text = page_of(odd)
    links = re.findall(r"""(?:src|href|action)\s*=\s*["']([^"']*)""", text)
    assert all(link.startswith("#") for link in links)  # only an SVG's own parts
    assert not re.search(r"url\((?!['\"]?#)|@import", text)
    assert "default-src 'none'" in text


def test_ids_of_two_figures_do_not_meet(odd):
    text = page_of(odd)
    paths = re.findall(r'<clipPath id="([^"]+)"', text)
    assert paths and len(paths) == len(set(paths))


def test_colours_follow_the_theme_and_odd_ends_do_not_break(odd):
    assert "fill: var(--ink)" in page_of(odd)
    (odd / "data.json").unlink()
    for result in odd.glob("runs/*/result.json"):
        fields = RunResult.load(result)
        if fields.strategy != "tfidf":
            RunResult(fields.strategy, fields.backbone, fields.seed, status="failed", error="x").save(result)
    text = page_of(odd)
    assert "What the data check found" not in text and "tfidf" in text


def test_a_comparison_in_which_everything_failed_still_reports(two_class):
    for result in two_class.glob("runs/*/result.json"):
        fields = RunResult.load(result)
        RunResult(fields.strategy, fields.backbone, fields.seed, status="failed", error="no memory").save(
            result
        )
    board = publish(two_class)
    assert all(row["status"] == "failed" for row in board["rows"])
    assert "no memory" in (two_class / "report.html").read_text()


def test_publish_writes_everything_and_the_same_twice(two_class):
    names = ("leaderboard.json", "leaderboard.csv", "leaderboard.md", "report.html", "plots/roc.svg")
    board = publish(two_class)
    first = [(two_class / name).read_bytes() for name in names]
    assert publish(two_class) == board
    assert [(two_class / name).read_bytes() for name in names] == first
    assert not list(two_class.rglob("*.tmp*"))


def test_publish_writes_nothing_for_a_damaged_folder(two_class):
    (two_class / "split.json").unlink()
    before = sorted(two_class.rglob("*"))
    with pytest.raises(ArtifactError, match=r"has no split\.json"):
        publish(two_class)
    assert sorted(two_class.rglob("*")) == before


def test_reporting_never_loads_a_model_library(two_class):
    code = "import sys; from stratune.report import publish; publish(sys.argv[1]); print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code, two_class], capture_output=True, text=True, check=True)
    assert not {"torch", "transformers", "datasets", "sklearn", "matplotlib.pyplot"} & set(ran.stdout.split())


def test_importing_the_report_is_light():
    code = "import sys, stratune.report, stratune.evaluate.metrics; print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"matplotlib", "scipy", "pandas", "pyarrow", "jinja2"} & set(ran.stdout.split())
