"""report.html in a real browser: it opens quickly, asks for nothing, and does what its controls say."""

import json
import math
import re
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from statsmodels.stats.multitest import multipletests

from stratune.ownership import owned_by_us
from stratune.report import html, leaderboard, texts
from stratune.report.comparison import load
from tests.browser.chromium import Chromium, installed
from tests.report import synthetic
from tests.report.synthetic import LABELS_OF, make

AXE = Path(__file__).parent / "vendor" / "axe.min.js"
BACKBONE = "sentence-transformers/all-MiniLM-L6-v2"
MORE = tuple(
    (f"way{k}", BACKBONE, 0.8 + k / 8, 1000 * 4**k, 10.0 * (k + 1)) for k in range(10)
)  # 14 rows with the others
WORDS = ("film", "actor", "plot", "music", "ending", "camera", "joke", "scene")

pytestmark = pytest.mark.skipif(
    installed() is None, reason="no chromium is installed, nor could `make test` install one"
)


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    chromium = Chromium(tmp_path_factory.mktemp("profile"))
    yield chromium
    chromium.close()


def page_of(out, sentences, **options):
    """The page of a comparison whose test rows have these texts; no figures, which have tests of their own."""
    columns = {
        "id": [f"test-{k}" for k in range(len(sentences))],
        "text": [text[: texts.CHARACTERS] for text in sentences],
    }
    columns["words"] = [len(text.split()) for text in sentences]
    columns["characters"] = [len(text) for text in sentences]
    owned_by_us(out).own(texts.FILE)
    pq.write_table(pa.table(columns), out / texts.FILE)
    comparison = load(out)
    board = leaderboard.build(comparison, resamples=20)
    html.save(out, html.render(comparison, board, {}, **options))
    return out / "report.html", board, comparison


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """14 strategies, 3,000 rows of test in groups; every text of a row that `tfidf` gets wrong has `pity`."""
    out = make(
        tmp_path_factory.mktemp("large") / "out",
        labels=("bad", "fair", "good"),
        rows=3000,
        seeds=(0,),
        groups=True,
        extra=MORE,
    )
    run = next(run for run in load(out).runs if run.result.strategy == "tfidf").predictions["test"]
    wrong = run.predictions.argmax(axis=1) != run.truth
    draws = np.random.default_rng(3)
    sentences = [
        " ".join(draws.choice(WORDS, draws.integers(5, 60))) + (" pity" if off and k % 2 else "")
        for k, off in enumerate(wrong)
    ]
    return page_of(out, sentences, texts=3000)


@pytest.fixture
def page(browser, large):
    browser.open(large[0])
    return browser


def said(browser, selector):
    return browser(
        f"[...document.querySelectorAll({json.dumps(selector)})].map(one => one.textContent.trim())"
    )


def test_it_is_small_opens_quickly_without_an_error_and_asks_for_nothing(browser, large):
    seconds = browser.open(large[0])
    assert large[0].stat().st_size < 5_000_000 and seconds < 3
    assert browser.errors == [] and browser.requests == [large[0].absolute().as_uri()]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_finds_nothing(browser, large, dark):
    browser.open(large[0], dark=dark)
    browser(AXE.read_text(encoding="utf-8") + "; 0")
    browser("document.querySelectorAll('details.part').forEach((one, k) => { one.open = k < 3; })")
    found = browser(
        "axe.run(document, { runOnly: ['wcag2a', 'wcag2aa'] }).then(found => found.violations.map("
        "one => [one.id, one.nodes.map(node => node.target.join(' '))]))"
    )
    assert found == [] and browser.errors == []


def test_a_phone_scrolls_down_only(browser, large):
    browser.open(large[0], width=360, height=780)
    browser("document.querySelectorAll('details').forEach(one => { one.open = true; })")
    assert browser("document.documentElement.scrollWidth") <= 360


def test_the_first_click_puts_the_best_first_whichever_way_that_is(page, large):
    names = [row["strategy"] for row in large[1]["rows"] if row["status"] == "ok"]
    costs = {row["strategy"]: row["train_seconds"] for row in large[1]["rows"]}
    tested = {row["strategy"]: row["test"]["accuracy"]["value"] for row in large[1]["rows"] if row["test"]}

    def sort(head):
        page(
            f"[...document.querySelectorAll('#board th')].find(one => one.textContent.trim() === {head!r}).querySelector('button').click()"
        )
        return page(
            "[...document.querySelectorAll('#board tbody tr')].map(one => one.cells[1].dataset.value)"
        )

    assert [costs[name] for name in sort("train time")[:-1]] == sorted(costs[name] for name in names)
    assert [tested[name] for name in sort("test accuracy")[:-1]] == sorted(tested.values(), reverse=True)
    assert [tested[name] for name in sort("test accuracy")[:-1]] == sorted(tested.values())  # failed: last
    assert sort("rank")[: len(names)] == names


def test_columns_come_and_go(page):
    page(
        "[...document.querySelectorAll('#columns label')].find(one => one.textContent.trim() === 'test mcc').querySelector('input').click()"
    )
    assert (
        page(
            "[...document.querySelectorAll('#board th')].filter(one => !one.hidden).map(one => one.textContent.trim())"
        ).count("test mcc")
        == 1
    )


def test_differences_to_any_row_are_those_of_the_board_with_holm_over_that_family(page, large):
    pairs = [pair for pair in large[1]["pairs"]["test"] if pair["metric"] == "accuracy"]
    reference = 4
    page.set("difference-metric", "accuracy")
    page.set("reference", str(reference))
    wanted = {}
    for pair in pairs:
        if reference in (pair["a"], pair["b"]):
            other = pair["b"] if pair["a"] == reference else pair["a"]
            wanted[other] = (pair["difference"] if pair["b"] == reference else -pair["difference"], pair["p"])
    ranks = sorted(wanted)
    adjusted = dict(
        zip(ranks, multipletests([wanted[rank][1] for rank in ranks], method="holm")[1], strict=True)
    )
    lines = page(
        "[...document.querySelectorAll('#differences tbody tr')].map(one => [Number(one.dataset.rank), ...[...one.cells].map(cell => cell.textContent)])"
    )
    assert [line[0] for line in lines] == ranks
    for rank, _, difference, _, _, p, holm, verdict in lines:
        assert float(difference.replace("\u2212", "-")) == pytest.approx(wanted[rank][0], abs=6e-4)
        for text, number in ((p, wanted[rank][1]), (holm, adjusted[rank])):
            assert number < 0.001 if text == "< 0.001" else float(text) == pytest.approx(number, abs=6e-4)
        better = "better" if wanted[rank][0] > 0 else "worse"
        assert verdict == (better if adjusted[rank] < 0.05 else "not shown")


def test_the_win_matrix_says_of_two_rows_the_opposite(page):
    cells = page(
        "[...document.querySelectorAll('#wins tbody tr')].map(row => [...row.cells].slice(1).map(cell => cell.className))"
    )
    turned = {"better": "worse", "worse": "better", "": "", "self": "self"}
    assert len(cells) == 14 and "better" in {name for row in cells for name in row}
    assert all(cells[b][a] == turned[cells[a][b]] for a in range(14) for b in range(14))


def test_the_front_has_no_row_that_another_beats_in_both(page, large):
    rows = [row for row in large[1]["rows"] if row["status"] == "ok"]
    metric = page("document.getElementById('cost-metric').value")
    points = {row["strategy"]: (row["train_seconds"], -row["test"][metric]["value"]) for row in rows}
    front = [
        name
        for name, (cost, loss) in points.items()
        if not any(c <= cost and v <= loss and (c, v) != (cost, loss) for c, v in points.values())
    ]
    shown = (
        page("document.getElementById('cost-said').textContent").partition(": ")[2].rstrip(".").split(", ")
    )
    assert sorted(shown) == sorted(front)
    boxes = page(
        "[...document.querySelectorAll('#cost .name')].map(one => { const box = one.getBBox(); return [box.x, box.y + 2, box.x + box.width, box.y + box.height - 2]; })"
    )
    assert len(boxes) == 14
    for k, a in enumerate(boxes):
        for b in boxes[k + 1 :]:
            assert min(a[2], b[2]) <= max(a[0], b[0]) or min(a[3], b[3]) <= max(a[1], b[1])


def rows_of(large, name):
    run = next(run for run in large[2].runs if run.result.strategy == name).predictions["test"]
    return run.truth, run.predictions.argmax(axis=1), run.predictions


def test_filters_find_the_rows_that_they_say(page, large):
    entry = page(
        "[...document.getElementById('f-strategy').options].find(one => one.textContent === 'tfidf').value"
    )
    truth, answers, scores = rows_of(large, "tfidf")
    page.set("f-strategy", entry)
    found = lambda: int(page("document.getElementById('found').textContent").split(" ")[0].replace(",", ""))  # noqa: E731
    assert found() == (answers != truth).sum()
    page.set("f-truth", "0")
    page.set("f-said", "2")
    assert found() == ((truth == 0) & (answers == 2)).sum()
    page.set("f-sure-from", "0.6")
    sure = [float(f"{one:.4g}") >= 0.6 for one in scores.max(axis=1)]
    assert found() == ((truth == 0) & (answers == 2) & sure).sum()
    page.click("#filters button[type=reset]")
    page("new Promise(done => setTimeout(done, 20))")
    page.set("f-strategy", entry)
    page.set("f-result", "any")
    page.set("f-group", "film 7")
    assert found() == 10
    page.set("f-search", "pity")
    assert found() == sum(k // 10 == 7 and k % 2 and answers[k] != truth[k] for k in range(3000))


def test_two_strategies_side_by_side_add_up(page, large):
    page.set(
        "f-other",
        page(
            "[...document.getElementById('f-other').options].find(one => one.textContent === 'majority').value"
        ),
    )
    first = page("document.getElementById('f-strategy').selectedOptions[0].textContent")
    (truth, a, _), (_, b, _) = rows_of(large, first), rows_of(large, "majority")
    counts = [int(text.split(" ")[0].replace(",", "")) for text in said(page, "#both button")]
    a, b = a == truth, b == truth
    assert counts == [int(one.sum()) for one in (a & b, a & ~b, ~a & b, ~a & ~b)]
    page.click("#both [data-cell=only_second]")
    assert page("document.getElementById('found').textContent") == f"{counts[2]:,} of 3,000 rows"


def test_the_word_that_marks_the_errors_is_found_by_its_log_odds(page, large):
    page.set(
        "f-strategy",
        page(
            "[...document.getElementById('f-strategy').options].find(one => one.textContent === 'tfidf').value"
        ),
    )
    truth, answers, _ = rows_of(large, "tfidf")
    kept = [set(re.findall(r"\w+", text)) for text in large[2].texts.texts]
    counts = [
        Counter(word for words, k in zip(kept, answers == truth, strict=True) if k == right for word in words)
        for right in (False, True)
    ]
    (n, m), total = (sum(one.values()) for one in counts), sum(sum(one.values()) for one in counts)

    def z(word):
        y, x = counts[0][word], counts[1][word]
        prior = 500 * (y + x) / total
        odds = math.log((y + prior) / (n + 500 - y - prior)) - math.log((x + prior) / (m + 500 - x - prior))
        return odds / math.sqrt(1 / (y + prior) + 1 / (x + prior))

    first = page("(one => [one.dataset.word, one.title])(document.querySelector('#marks .chip'))")
    assert first == ["pity", f"z {z('pity'):.1f}"]
    page.click("#marks .chip")
    assert page("document.querySelector('#examples .text').textContent").endswith("pity")


def test_everything_is_reached_by_keyboard_and_focus_is_seen(page):
    seen = set()
    for _ in range(60):
        page.press("Tab", 9)
        seen.add(
            page(
                "document.activeElement.id || document.activeElement.closest('[id]')?.id || document.activeElement.tagName"
            )
        )
        assert page("getComputedStyle(document.activeElement).outlineStyle") != "none"
    assert {"board", "reference", "f-strategy", "f-search"} <= seen


def test_a_strategy_draws_its_curves_when_it_is_opened(page):
    assert page("document.querySelectorAll('details[data-entry][open]').length") == 1  # the winner's
    page("document.querySelector('details[data-entry][open]').open = false")
    page.click("details[data-entry='1'] > summary")
    page("new Promise(done => setTimeout(done, 100))")
    drawn = page(
        "[...document.querySelectorAll(\"details[data-entry='1'] [data-curve]\")].map(one => [one.dataset.curve, one.querySelectorAll('canvas').length])"
    )
    assert drawn == [[name, 1] for name in ("learning", "roc", "pr", "reliability")] and page.errors == []


def test_without_texts_no_text_is_in_the_file(large, tmp_path):
    out = shutil.copytree(large[0].parent, tmp_path / "out")
    comparison = load(out)
    page = html.render(comparison, large[1], {}, texts=0)
    assert "pity" not in page and "camera" not in page and "left out" in page


def test_a_long_text_tells_what_moved_its_prediction_and_when(browser, tmp_path):
    out = make(tmp_path / "out", rows=90, seeds=(0,))
    path = next((out / "runs").glob("lora*")) / "predictions.parquet"
    table = pq.read_table(path)
    places = [(0, 12, 0.3, 0.4), (12, 24, -0.1, 0.5), (24, 30, 0.05, 0.9)]
    course = [dict(zip(("start", "end", "score", "so_far"), one, strict=True)) for one in places]
    evidence = [{"start": 0, "end": 12, "score": 0.3, "text": "hello there"}]
    for name, lists in (("evidence", evidence), ("course", course)):
        table = table.append_column(name, pa.array([lists] * len(table)))
    pq.write_table(table, path)
    page_of(out, [f"{'hello there':<11}\x1e{'no, not I ':<11}\x1eyes  " for _ in range(90)])
    kept = pq.read_table(out / texts.FILE)
    where = [("turn 1", "ANN", 0.0), ("turn 2", "BOB", 65.0), ("turn 3", "ANN", 3700.0)]
    pieces = [dict(zip(("name", "speaker", "start"), one, strict=True)) for one in where]
    pq.write_table(kept.append_column("pieces", pa.array([pieces] * len(kept))), out / texts.FILE)
    comparison = load(out)
    html.save(out, html.render(comparison, leaderboard.build(comparison, resamples=20), {}))

    browser.open(out / "report.html")
    lora = next(
        one for one in browser("[...document.getElementById('f-strategy').options].map(o => [o.value, o.text])")
        if one[1].startswith("lora")
    )  # fmt: skip
    browser.set("f-strategy", lora[0])
    browser.set("f-result", "any")
    browser("document.querySelector('#examples details.course').open = true")
    browser("new Promise(done => setTimeout(done, 200))")
    chunks = said(browser, "#examples .chunks li")
    assert [re.sub(r"\s+", " ", one) for one in chunks[:3]] == [
        "chunk 1 · 0:00 · ANN +0.300 · so far 0.400hello there",
        "chunk 2 · 1:05 · BOB −0.100 · so far 0.500no, not I",
        "chunk 3 · 1:01:40 · ANN +0.050 · so far 0.900yes",
    ]
    assert said(browser, "#examples .speakers tr") == ["ANN+0.350", "BOB−0.100"]
    assert said(browser, "#examples .chunks mark") and browser.errors == []
    assert browser("document.querySelector('#examples .course canvas').getAttribute('aria-label')") == (
        f"the prediction so far: probability of {said(browser, '#examples .is-right bdi, #examples .is-wrong bdi')[0]} by minutes"
    )


HOSTILE = (
    "</script><script>window.hacked = 1</script>",
    "<img src=x onerror='window.hacked = 1'>",
    "\u202eright to left\u202c \u05e9\u05dc\u05d5\u05dd",
    "line\u2028separator <!-- ]]> &amp; \x00\x1b[2J",
    "x" * 1_000_000,
)


def test_a_hostile_set_is_text_and_opens_in_three_seconds(browser, tmp_path, monkeypatch):
    monkeypatch.setattr(synthetic, "STRATEGIES", synthetic.STRATEGIES[1:3])  # each scores 1,200 labels
    labels = [f"{HOSTILE[k % 3]} {k}" for k in range(1200)]
    out = make(tmp_path / "out", labels=labels, rows=240, seeds=(0,))
    path, _, _ = page_of(out, [HOSTILE[k % 5] for k in range(240)])
    assert browser.open(path) < 3
    assert browser("window.hacked") is None and browser.errors == [] and len(browser.requests) == 1
    browser.set("f-result", "any")
    browser.set("f-order", "file")
    shown = said(browser, "#examples .text")[:5]
    assert (
        shown[:2] == list(HOSTILE[:2])
        and shown[2] == "right to left  \u05e9\u05dc\u05d5\u05dd"
        and set(shown[4]) == {"x"}
    )
    assert browser("document.querySelectorAll('#examples img, #examples script').length") == 0
    assert path.stat().st_size < 5_000_000


@pytest.mark.parametrize("kind", ["multilabel", "regression", "ordinal"])
def test_every_kind_of_task_has_a_page_that_works(browser, tmp_path, kind):
    out = make(tmp_path / "out", kind=kind, labels=LABELS_OF[kind], rows=90, seeds=(0, 1))
    path, _, _ = page_of(out, [f"text {k}" for k in range(90)])
    browser.open(path)
    assert (
        browser.errors == [] and said(browser, "#examples .text") and said(browser, "#differences tbody tr")
    )
