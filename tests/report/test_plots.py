"""Figures: there, valid, the same bytes twice, and safe with any label."""

import json
import xml.etree.ElementTree as ET

import matplotlib
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Annotation

from stratune.evaluate.expected_best import expected_best
from stratune.ownership import owned_by_us
from stratune.report import leaderboard, plots
from stratune.report.comparison import load
from stratune.report.figures.confusion import confusion_of
from stratune.report.figures.trials import by_trials
from stratune.report.labels import place_labels
from stratune.report.scene import Scene
from stratune.report.style import look, panel
from tests.report.synthetic import ODD_LABELS, make

BACKBONE = "sentence-transformers--all-MiniLM-L6-v2"


def drawn(out):
    comparison = load(out)
    return plots.draw(comparison, leaderboard.build(comparison, resamples=50))


def written(out):
    return plots.save(out, drawn(out))


def words(svg):
    return [element.text for element in ET.fromstring(svg.encode()).iter("{http://www.w3.org/2000/svg}text")]


def test_one_file_for_each_figure(two_class):
    stale, own = (two_class / "plots" / name for name in ("confusion-gone@none.svg", "mine.svg"))
    stale.parent.mkdir()
    owned_by_us(two_class).own("plots/confusion-gone@none.svg")
    stale.write_text("old")
    own.write_text("the user's")
    paths = written(two_class)
    names = {path.name for path in paths}
    assert names | {"mine.svg"} == {
        path.name for path in (two_class / "plots").iterdir()
    }  # nothing stale is left
    assert own.read_text() == "the user's"
    overview = {
        f"{name}.svg"
        for name in ("leaderboard", "cost", "learning", "roc", "risk_coverage", "balance", "slices")
    }
    entries = [f"lora@{BACKBONE}", f"full@{BACKBONE}", "tfidf@none", "majority@none"]
    assert names == overview | {
        f"{kind}-{name}.svg" for name in entries for kind in ("confusion", "reliability")
    }


def test_labels_of_any_kind_are_text_in_valid_xml(odd):
    figures = drawn(odd)
    for stem in ("balance", f"confusion-lora@{BACKBONE}"):
        assert set(ODD_LABELS) <= set(words(figures[stem])), stem
    assert not any("<b>" in svg for svg in figures.values())


def test_the_same_bytes_twice_and_no_date(two_class):
    first, second = drawn(two_class), drawn(two_class)
    assert first == second
    assert not any("<dc:date>" in svg for svg in first.values())


def test_drawing_leaves_matplotlib_as_it_was(two_class):
    before = dict(matplotlib.rcParams)
    drawn(two_class)
    assert dict(matplotlib.rcParams) == before


def test_legends_and_titles_say_what_is_shown(two_class, odd):
    figures = drawn(two_class)
    board = leaderboard.build(load(two_class), resamples=50)
    auc = next(row for row in board["rows"] if row["strategy"] == "lora")["test"]["roc_auc"]["value"]
    assert f"lora  {auc:.3f}" in [" ".join(word.split(" ")) for word in words(figures["roc"])]
    assert "ROC on test, of 'positive'" in words(figures["roc"])
    assert "ROC on test, macro, one against the rest" in words(drawn(odd)["roc"])
    assert {"lora", "full"} <= set(words(figures["learning"])) and "tfidf" not in words(figures["learning"])


def test_confusion_counts_cover_every_test_row_of_every_seed(two_class):
    entry = next(entry for entry in load(two_class).entries() if entry.strategy == "lora")
    counts, more = confusion_of(entry, range(2))
    assert counts.shape == (2, 2) and counts.sum() == 3 * 120 and more == []


def test_a_figure_without_data_is_left_out(two_class):
    for history in two_class.glob("runs/*/history.jsonl"):
        history.unlink()
    assert "learning" not in drawn(two_class)


def test_many_labels_still_draw(tmp_path):
    labels = [f"intent number {index}" for index in range(30)]
    figures = drawn(make(tmp_path / "out", labels=labels, seeds=(0,), rows=90))
    assert "intent number 29" in words(figures["confusion-tfidf@none"])


def test_names_beside_points_do_not_cover_each_other():
    figure, axes = panel(6.4, 4.2)
    points = [(10.0, 0.80), (10.5, 0.801), (11.0, 0.80), (10.2, 0.803), (10.7, 0.799)]
    axes.plot(*zip(*points, strict=True), "o")
    axes.set_xscale("log")
    axes.set_xlim(1, 100)
    axes.set_ylim(0.5, 1)
    place_labels(axes, points, ["full", "partial", "lora", "houlsby", "prefix"])
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.draw_without_rendering()
    notes = [child for child in axes.get_children() if isinstance(child, Annotation)]
    boxes = [note.get_window_extent(renderer) for note in notes]
    pairs = [(a, b) for i, a in enumerate(boxes) for b in boxes[i + 1 :]]
    assert len(boxes) == 5 and not any(a.overlaps(b) for a, b in pairs)


def test_every_strategy_looks_different():
    looks = [look(index) for index in range(24)]
    assert len({(one.color, one.dash) for one in looks}) == 24
    distance = [np.ptp([int(one.color[i : i + 2], 16) for i in (1, 3, 5)]) for one in looks[:7]]
    assert min(distance) > 40  # none of the first seven is grey


@pytest.mark.parametrize("strategy", ["a/b", "x<y>", 'say "hi"', "naïve ✓"])
def test_odd_strategy_names_make_files_that_stay_in_the_folder(tmp_path, strategy):
    out = make(tmp_path / "out", seeds=(0,))
    run = out / "runs" / "tfidf@none#0"
    text = (run / "result.json").read_text()
    fields = json.loads(text) | {"strategy": strategy}
    (run / "result.json").write_text(json.dumps(fields))
    paths = written(out)
    assert {path.parent for path in paths} == {out / "plots"} and all(path.is_file() for path in paths)
    assert len(paths) == 15


def with_trials(out, sampler, *, values=(0.5, 0.625, 0.75, 0.875), strategy="lora"):
    """Trials of the runs of one strategy, the best first, as a budget leaves them."""
    for folder in out.glob(f"runs/{strategy}@*"):
        lines = [
            {"number": i, "val": {} if value is None else {"f1_macro": value}}
            for i, value in enumerate(values)
        ]
        (folder / "trials.jsonl").write_text("".join(json.dumps(line) + "\n" for line in reversed(lines)))
        result = json.loads((folder / "result.json").read_text())
        result["identity"] = {"budget": {"epochs": 4.0, "trials": len(lines), "sampler": sampler}}
        result["tried"] = {"trials": len(lines), "settings": len(lines)}
        (folder / "result.json").write_text(json.dumps(result))
    return out


def test_the_expected_best_is_drawn_of_random_searches_alone(tmp_path):
    random = with_trials(make(tmp_path / "random", rows=60), "random 1")
    figure = drawn(random)["trials"]
    assert (
        "lora" in words(figure) and "full" not in words(figure) and "What more trials give" in words(figure)
    )
    assert "prompts" not in drawn(random)
    assert "trials" not in drawn(with_trials(make(tmp_path / "halved", rows=60), "halving 1"))
    assert "trials" not in drawn(make(tmp_path / "without", rows=60))


def test_the_curve_of_expected_bests_is_the_mean_over_seeds_of_the_trials_that_have_a_value(tmp_path):
    out = with_trials(
        make(tmp_path / "out", rows=60, seeds=(0, 1)), "random 1", values=(0.5, None, 0.75, 0.5, 1.0)
    )
    comparison = load(out)
    scene = Scene(comparison, leaderboard.build(comparison, resamples=50))
    entry = next(entry for entry in scene.entries if entry.strategy == "lora")
    wanted = expected_best([0.5, 0.5, 0.75, 1.0])
    assert by_trials(entry, scene) == pytest.approx(wanted) and wanted[[0, -1]] == pytest.approx(
        [0.6875, 1.0]
    )
    for folder in out.glob("runs/lora@*#1"):  # a seed with more trials: as far as both go
        lines = [{"val": {"f1_macro": 0.5}}] * 6
        (folder / "trials.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    entry = next(entry for entry in load(out).entries() if entry.strategy == "lora")
    assert by_trials(entry, scene) == pytest.approx((wanted + 0.5) / 2)
