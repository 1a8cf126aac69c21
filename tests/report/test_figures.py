"""Registering a figure: its place on the page, its name, and whom it replaces."""

import pytest

from stratune.report import figure as registry
from stratune.report.figures import figure, figures_of, panel, to_svg
from tests.report.synthetic import make
from tests.report.test_html import Page, page_of
from tests.report.test_plots import drawn, words


@pytest.fixture
def own(monkeypatch):
    """What a test registers is gone after it."""
    monkeypatch.setattr(registry, "_FIGURES", dict(registry._FIGURES))


def plain(text):
    drawing, axes = panel(3.0, 2.0)
    axes.set_title(text)
    return to_svg(drawing)


def titles(out):
    """Of the figures above the slices, which have a part of their own."""
    page = Page(page_of(out).partition('<section id="slices">')[0])
    return [given["aria-label"] for tag, given in page.tags if tag == "figure"]


def test_ours_stand_in_the_order_of_the_page():
    assert [one.name for one in figures_of("overview")] == [
        "leaderboard", "cost", "learning", "roc", "risk_coverage", "labels", "prompts", "trials", "parts", "balance",
    ]  # fmt: skip
    assert [one.name for one in figures_of("people")] == ["people"]
    assert [one.name for one in figures_of("slices")] == ["slices", "confidence"]
    assert [one.name for one in figures_of("entry")] == ["confusion", "predicted", "residuals", "reliability"]


def test_a_figure_stands_where_its_order_says(own, two_class):
    figure("first", title="Before all others", order=1)(lambda scene: plain("a"))
    figure("last", title="Behind all others", order=1000)(lambda scene: plain("b"))
    figure("nothing", title="Has nothing to show", order=2)(lambda scene: None)
    shown = titles(two_class)
    assert (shown[0], shown[-1]) == ("Before all others", "Behind all others")
    assert "Has nothing to show" not in shown


def test_a_figure_of_each_entry_is_a_file_of_each_and_stands_in_its_section(own, two_class):
    @figure("rows", title="Rows scored", order=5, section="entry")
    def rows(scene, entry):
        return plain(f"{scene.name_of(entry)} scored {len(entry.ok[0].predictions['test'].truth)} rows")

    assert "tfidf scored 120 rows" in words(drawn(two_class)["rows-tfidf@none"])
    section = page_of(two_class).partition("1. full@")[2].partition("</details>")[0]
    assert section.index("columns: prediction") < section.index("full scored 120 rows")  # behind the matrix


def test_a_figure_with_the_name_of_another_takes_its_place(own, tmp_path):
    figure("balance", title="Own balance", order=80)(lambda scene: plain("mine"))
    out = make(tmp_path / "out", seeds=(0,))
    shown = words(drawn(out)["balance"])
    assert "mine" in shown and "Class balance" not in shown
    assert titles(out)[-1] == "Own balance"


@pytest.mark.parametrize("name", ["", "a/b", "..", "a b", "confusion-lora@minilm"])
def test_a_name_that_is_no_file_name_is_refused(name):
    with pytest.raises(ValueError, match="names a file"):
        figure(name, title="", order=1)
