"""sizes: the same comparison on fewer training rows, and what is said of it."""

from __future__ import annotations

import json
import random
import shutil

import numpy as np
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from stratune.cli import app, main
from stratune.comparison import sizes as module
from stratune.comparison.comparison import run_comparison
from stratune.comparison.crossings import crossings
from stratune.comparison.learning_curves import Size, _compared, first_from
from stratune.comparison.sizes import train_sizes
from stratune.comparison.smaller import counts, halves
from stratune.config import parse_config, read_config
from stratune.engine.inline import InlineEngine
from stratune.errors import ArtifactError, ConfigError
from stratune.evaluate.confidence_set import ALPHA, confidence_set
from stratune.evaluate.intervals import intervals
from stratune.evaluate.metrics import METRICS
from stratune.evaluate.multiple import holm
from stratune.evaluate.paired import measured
from stratune.evaluate.replicates import replicates
from stratune.evaluate.selection import Selection
from stratune.report import publish
from stratune.report.comparison import load
from stratune.report.measured import Part
from stratune.report.sizes import failures, sentence

GOOD = ["bright", "lovely", "warm", "clever", "funny", "gentle", "moving", "rich", "fresh", "strong"]
BAD = ["dull", "weak", "cold", "stale", "empty", "slow", "loud", "thin", "vague", "flat"]
OTHER = ["film", "plot", "scene", "actor", "music", "light", "story", "end", "start", "word", "line", "part"]


def rows(count, seed=0, grouped=False):
    """Texts of which one or two words say the label, and one in six says the wrong one."""
    draws = random.Random(seed)
    for number in range(count):
        label = ("bad", "good")[number % 2]
        wanted = GOOD if (label == "good") != (draws.random() < 1 / 6) else BAD
        words = [draws.choice(OTHER) for _ in range(6)] + [draws.choice(wanted) for _ in range(2)]
        draws.shuffle(words)
        group = {"film": f"f{number // 4}"} if grouped else {}
        yield {"key": f"r{number}", "text": f"{' '.join(words)} {number}", "label": label, **group}


def compared(place, table, seeds=1, task=None, **more):
    place.mkdir(exist_ok=True)
    (place / "rows.jsonl").write_text("\n".join(map(json.dumps, table)))
    data = {"source": str(place / "rows.jsonl"), "fractions": [0.5, 0.2, 0.3], "validation": "rows"}
    fields = {"strategies": ["tfidf", "majority"], "seeds": seeds, "task": {"id": "key", **(task or {})}}
    config = parse_config({"data": {**data, **more.pop("data", {})}, **fields, **more})
    list(run_comparison(config, place / "out", engine=InlineEngine(), anyway=True))
    publish(place / "out")
    return place / "out"


@pytest.fixture(autouse=True)
def here(monkeypatch):
    """Runs are made in this process."""
    monkeypatch.setattr(module, "run_comparison", inline)


def inline(config, out, **how):
    yield from run_comparison(config, out, **{**how, "engine": InlineEngine()})


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """(folder, what `sizes` found in it)"""
    out = compared(tmp_path_factory.mktemp("whole"), rows(400))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "run_comparison", inline)
        return out, train_sizes(out, [20, 60, 0.5], shown=False)


def points(found, name="tfidf"):
    (one,) = [one for one in found["strategies"] if one["strategy"] == name]
    return {point["rows"]: point for point in one["points"]}


def test_every_strategy_has_a_value_at_every_size(whole):
    out, found = whole
    assert found["sizes"] == [20, 60, 100, 200] and found["test"] == 120 and found["draws"] == 1
    board = json.loads((out / "leaderboard.json").read_text())
    for row in board["rows"]:
        mine = points(found, row["strategy"])
        assert sorted(mine) == found["sizes"]
        assert mine[200]["test"] == row["test"]["f1_macro"]
    assert board["sizes"] == json.loads((out / "sizes.json").read_text()) == found


def test_the_rows_of_a_size_hold_those_of_smaller_ones_and_all_else_is_the_same(whole):
    out, found = whole
    splits = [json.loads((out / "sizes" / str(n) / "split.json").read_text()) for n in (20, 60, 100)]
    splits.append(json.loads((out / "split.json").read_text()))
    for small, large in zip(splits, splits[1:], strict=False):
        assert set(small["parts"]["train"]) < set(large["parts"]["train"])
        assert small["parts"]["val"] == large["parts"]["val"]
        assert small["parts"]["test"] == large["parts"]["test"]
        assert small["task"] == large["task"]


def test_the_numbers_of_a_size_are_those_of_a_plain_comparison_on_its_rows(whole, tmp_path):
    out, found = whole
    split = json.loads((out / "sizes" / "60" / "split.json").read_text())
    part_of = {name: part for part, names in split["parts"].items() for name in names}
    table = [{**row, "part": part_of[row["key"]]} for row in rows(400) if row["key"] in part_of]
    plain = compared(tmp_path, table, data={"split_column": "part"})
    board = json.loads((plain / "leaderboard.json").read_text())
    for row in board["rows"]:
        assert points(found, row["strategy"])[60]["test"] == row["test"]["f1_macro"]
        runs = [folder / "runs" / f"{row['strategy']}@none#0" for folder in (plain, out / "sizes" / "60")]
        answers = [pq.read_table(run / "predictions.parquet").to_pandas() for run in runs]
        assert answers[0].equals(answers[1])


def test_a_second_call_trains_nothing_and_a_new_size_alone(whole, monkeypatch):
    out, found = whole
    began = []
    monkeypatch.setattr(InlineEngine, "submit", lambda self, job, tell: began.append(job.run_id))
    assert train_sizes(out, [20], shown=False) == found and not began
    monkeypatch.undo()
    monkeypatch.setattr(module, "run_comparison", inline)
    submit = InlineEngine.submit

    def counted(self, job, tell):
        began.append(job.run_id)
        return submit(self, job, tell)

    monkeypatch.setattr(InlineEngine, "submit", counted)
    assert train_sizes(out, [150], shown=False)["sizes"] == [20, 60, 100, 150, 200]
    assert sorted(began) == ["majority@none#0", "tfidf@none#0"]


def test_ties_and_differences_are_those_of_the_predictions(whole):
    out, found = whole
    task = load(out).task
    scorers = {}
    for name in ("tfidf", "majority"):
        run = next(one for one in load(out / "sizes" / "60").runs if one.result.strategy == name)
        part = run.predictions["test"]
        scorers[name] = task.target.scorer(part.truth, part.predictions, part.invalid, part.decided)
    drawn = {name: replicates([one], 120) for name, one in scorers.items()}
    values = np.array([one.value("f1_macro") for one in drawn.values()])
    p = confidence_set(values, np.stack([one.over_seeds("f1_macro") for one in drawn.values()]), 120)
    for name, value, own in zip(drawn, values, p, strict=True):
        point = points(found, name)[60]
        assert point["test"]["value"] == pytest.approx(value)
        assert point["tied"] == (own >= ALPHA) and point["first"] == (value == max(values))
    behind = points(found, "majority")[60]["to_first"]
    assert behind["difference"] == pytest.approx(values[1] - values[0])
    assert behind["p_adjusted"] == behind["p"] < 0.001  # a family of one


def test_the_sentence_says_from_when_on_and_what_more_would_bring(whole):
    said = whole[1]["sentence"]
    assert said.startswith("`tfidf` is first or ties with the first at every size. Another 200 labels would")
    (tfidf,) = [one for one in whole[1]["strategies"] if one["strategy"] == "tfidf"]
    gain = tfidf["curve"]["gain"]
    assert f"about {100 * gain['value']:.1f} points ({100 * gain['low']:.1f} to" in said
    last = tfidf["curve"]["points"][-1]
    assert last["rows"] == 400  # twice the largest size, at most
    a, b, c = (tfidf["curve"][name] for name in "abc")
    assert last["value"] == pytest.approx(1 - (a + b * 400**-c))
    assert gain["value"] == pytest.approx(b * 200**-c - b * 400**-c)


def test_a_floor_has_no_curve_and_is_not_named(whole):
    (majority,) = [one for one in whole[1]["strategies"] if one["strategy"] == "majority"]
    assert majority["curve"] is None and majority["floor"] and "majority" not in whole[1]["sentence"]


def test_the_page_and_the_figure_have_it(whole):
    out, found = whole
    page = (out / "report.html").read_text()
    assert "How many labels" in page and '<section id="sizes">' in page
    assert "training rows (log scale)" in (out / "plots" / "sizes.svg").read_text()
    section = page.split('<section id="sizes">')[1].split("</section>")[0]
    assert '<th scope="col">60</th>' in section and 'class="words">tfidf</th>' in section
    best = points(found)[60]["test"]["value"]
    assert f"{best:.3f}" in section and "400?" in section


def test_several_seeds_are_several_draws(tmp_path):
    out = compared(tmp_path, rows(200), seeds=2, strategies=["tfidf", "majority", "soup"])
    found = train_sizes(out, [20, 50], shown=False)
    assert found["draws"] == 2 and points(found)[20]["draws"] == 2
    splits = [
        set(json.loads((out / "sizes" / name / "split.json").read_text())["parts"]["train"])
        for name in ("20", "20-draw-1", "50-draw-1")
    ]
    assert splits[0] != splits[1] and splits[1] < splits[2]
    each = [
        json.loads((out / "sizes" / name / "runs" / "tfidf@none#0" / "result.json").read_text())["test"]
        for name in ("20", "20-draw-1")
    ]
    mean = np.mean([one["f1_macro"] for one in each])
    assert points(found)[20]["test"]["value"] == pytest.approx(mean)
    assert "soup averages over seeds, and is left out" in found["notes"]
    assert any("2 draws" in note for note in found["notes"])


def test_a_size_that_cannot_be_is_told_and_stops_nothing(tmp_path):
    out = compared(tmp_path, rows(120), data={"validation": "folds"})
    found = train_sizes(out, [2, 30], shown=False)
    assert found["sizes"] == [30, len(load(out).ids["train"])]
    why = "too few rows of each label for 3 folds"
    assert points(found)[2]["test"] is None and why in points(found)[2]["error"]
    assert failures(found)[0].startswith(f"tfidf at 2: {why}")
    assert any("takes 3 sizes" in note for note in found["notes"])
    assert any("folds of their own" in note for note in found["notes"])
    assert all(one["curve"] is None for one in found["strategies"])


def test_a_strategy_that_fails_at_a_size_is_a_row_with_its_reason(whole, tmp_path, monkeypatch):
    out = compared(tmp_path, rows(200))
    submit = InlineEngine.submit

    def fails(self, job, tell):
        if job.run_id.startswith("tfidf"):
            job.strategy["ngrams"] = "nonsense"
        return submit(self, job, tell)

    monkeypatch.setattr(InlineEngine, "submit", fails)
    found = train_sizes(out, [40], shown=False)
    assert points(found)[40]["test"] is None and "ngrams" in points(found)[40]["error"]
    assert points(found, "majority")[40]["first"]
    assert points(found)[100]["test"] is not None


def test_numbers_that_are_of_other_models_are_not_shown(tmp_path):
    out = compared(tmp_path, rows(200))
    train_sizes(out, [40], shown=False)
    assert publish(out)["sizes"]["sizes"] == [40, 100]
    config = read_config(out / "config.yaml")
    other = config.model_copy(update={"strategies": ("majority", {"preset": "tfidf", "max_features": 40})})
    list(run_comparison(other, out, engine=InlineEngine(), anyway=True))
    assert "sizes" not in publish(out)
    assert publish(out, prefer="best").get("sizes") is None


def test_a_damaged_file_is_one_line(whole, tmp_path):
    out = shutil.copytree(whole[0], tmp_path / "out")
    found = json.loads((out / "sizes.json").read_text())
    for damaged in ('{"sizes": [', json.dumps({**found, "strategies": [{"strategy": "tfidf"}]})):
        (out / "sizes.json").write_text(damaged)
        with pytest.raises(ArtifactError, match=r"sizes\.json: (cannot be read|has no 'strategies.0)"):
            publish(out)


def test_other_data_are_refused(tmp_path):
    out = compared(tmp_path, rows(200))
    (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, rows(200, seed=1))))
    with pytest.raises(ArtifactError, match="is not what it was made of any more"):
        train_sizes(out, [40], shown=False)
    assert not (out / "sizes").exists()


def test_the_command_prints_the_table_or_json(whole):
    out, _ = whole
    done = CliRunner().invoke(app, ["sizes", str(out), "--sizes", "20", "--quiet", "--json"])
    assert done.exit_code == 0 and json.loads(done.output)["sizes"][0] == 20
    done = CliRunner().invoke(app, ["show", str(out)])
    assert "f1_macro on 120 test rows, by training rows" in done.output
    assert json.loads(CliRunner().invoke(app, ["show", str(out), "--json"]).output)["sizes"]["metric"]


WRONG = [
    ("0", "stratune: sizes: 0: expected counts of training rows (200), or shares of them (0.5)"),
    ("-3", "stratune: sizes: -3: expected counts of training rows (200), or shares of them (0.5)"),
    ("1.5", "stratune: sizes: 1.5: expected counts of training rows (200), or shares of them (0.5)"),
    (
        "20,900",
        "stratune: sizes: 900 of 200 training rows; expected counts below 200, or shares of them (0.5)",
    ),
    ("many", "stratune: sizes: 'many' is neither a count (600) nor a share (0.5)"),
]


@pytest.mark.parametrize(("wanted", "line"), WRONG)
def test_wrong_sizes_are_one_line_and_nothing_is_written(whole, tmp_path, wanted, line, capsys):
    out, _ = whole
    for arguments in (
        ["sizes", str(out), f"--sizes={wanted}"],
        [
            "compare", f"--data={out.parent / 'rows.jsonl'}", f"--sizes={wanted}", "--train-rows=200",
            "--strategies=majority", f"--out={tmp_path / 'new'}", "data.fractions=[0.5,0.2,0.3]",
        ],
    ):  # fmt: skip
        with pytest.raises(SystemExit) as stopped:
            main(arguments if arguments[0] == "sizes" else [arguments[0], *arguments[-1:], *arguments[1:-1]])
        assert stopped.value.code == 2
        assert capsys.readouterr().err.strip() == line
    assert not (tmp_path / "new").exists()


def test_counts_and_halves():
    assert counts([0.5, 30, 100, 1.0, 30], 100) == [30, 50]
    assert counts([0.001], 100) == [1]
    assert halves(400) == [50, 100, 200] and halves(60) == [30] and halves(30) == []
    with pytest.raises(ConfigError, match="101 of 100 training rows"):
        counts([101], 100)


# -- what is said of sizes, on right and wrong answers that are made up


class Right:
    """A scorer of rows that are right (1) or wrong (0), (N,)."""

    def __init__(self, right):
        self.right = right

    def values(self, weights):
        return {"accuracy": self.right @ weights / weights.sum(axis=0)}


def accurate(share, seed, rows=300):
    """The same rows are hard for everybody."""
    draws = np.random.default_rng(seed)
    hard = np.random.default_rng(0).random(rows)
    order = np.argsort(0.6 * hard + 0.4 * draws.random(rows))
    right = np.zeros(rows)
    right[order[: round(share * rows)]] = 1.0
    scorer = Right(right)
    return measured([scorer], [0], replicates([scorer], rows), ["accuracy"], rows)


SELECTION = Selection("accuracy")


def planted(shares):
    """{size: {name: share}} -> what crossings takes"""
    return {
        size: {(name, None): accurate(share, [size, i]) for i, (name, share) in enumerate(at.items())}
        for size, at in shares.items()
    }


def test_a_crossing_is_found_where_it_was_planted():
    made = planted(
        {
            50: {"a": 0.60, "b": 0.40, "c": 0.2},
            200: {"a": 0.62, "b": 0.52, "c": 0.2},
            800: {"a": 0.63, "b": 0.80, "c": 0.2},
        }
    )
    (found,) = crossings(made, SELECTION)
    assert (found["a"]["strategy"], found["b"]["strategy"]) == ("a", "b")
    assert (found["after"], found["before"]) == (200, 800)
    assert found["small"]["rows"] == 50 and found["large"]["rows"] == 800
    assert found["small"]["low"] > 0 > found["large"]["high"]
    assert max(found[end]["p_adjusted"] for end in ("small", "large")) < 0.05
    turned = crossings({n: dict(reversed(at.items())) for n, at in made.items()}, SELECTION)
    assert [one["b"]["strategy"] for one in turned] == ["b"]
    for end in ("small", "large"):
        assert turned[0][end] == pytest.approx(found[end])


def test_an_order_that_is_not_clear_at_an_end_is_no_crossing():
    assert crossings(planted({50: {"a": 0.6, "b": 0.58}, 800: {"a": 0.6, "b": 0.8}}), SELECTION) == []
    assert crossings(planted({50: {"a": 0.6, "b": 0.4}, 800: {"a": 0.7, "b": 0.6}}), SELECTION) == []
    assert crossings(planted({50: {"a": 0.6}, 800: {"a": 0.6, "b": 0.8}}), SELECTION) == []


def test_equal_strategies_hardly_ever_cross():
    """Each has 60 % of all rows that there are right, of which a test part has 80."""
    found, draws = 0, np.random.default_rng(5)
    for _ in range(100):
        made = {}
        for size in (50, 800):
            right = [Right((draws.random(80) < 0.6).astype(float)) for _ in "abc"]
            made[size] = {
                (name, None): measured([one], [0], replicates([one], 80), ["accuracy"], 80)
                for name, one in zip("abc", right, strict=True)
            }
        found += bool(crossings(made, SELECTION))
    assert found <= 5


def test_an_error_crosses_the_other_way():
    made = planted({50: {"a": 0.6, "b": 0.4}, 800: {"a": 0.6, "b": 0.8}})
    (found,) = crossings(made, Selection("accuracy", higher_is_better=False))
    assert (found["a"]["strategy"], found["small"]["difference"] < 0) == ("b", True)


def test_the_family_is_all_pairs_at_both_ends():
    made = planted({50: {"a": 0.6, "b": 0.4, "c": 0.5}, 800: {"a": 0.6, "b": 0.8, "c": 0.7}})
    from stratune.evaluate.paired import differences

    p = []
    for size in (50, 800):
        at = list(made[size].values())
        pairs = [(at[0], at[1]), (at[0], at[2]), (at[1], at[2])]
        p += [one.p for one in differences(pairs, "accuracy")]
    adjusted = holm(p)
    for one in crossings(made, SELECTION):
        names = [one["a"]["strategy"], one["b"]["strategy"]]
        k = [("a", "b"), ("a", "c"), ("b", "c")].index(tuple(sorted(names)))
        assert one["small"]["p_adjusted"] == pytest.approx(adjusted[k])
        assert one["large"]["p_adjusted"] == pytest.approx(adjusted[3 + k])


def test_of_few_draws_only_a_clear_difference_is_behind():
    """Resamples of three draws leave b out; its difference from a has an interval that holds zero."""

    def part(shares):
        rights = [Right((np.arange(300) < round(300 * share)).astype(float)) for share in shares]
        drawn = replicates(rights, 300)
        return Part(intervals(drawn), measured(rights, [0, 1, 2], drawn, ["accuracy"], 300))

    parts = {("a", None): part([0.64, 0.62, 0.60]), ("b", None): part([0.50, 0.60, 0.51])}
    drawn = np.stack([one.measured.replicates.over_seeds("accuracy") for one in parts.values()])
    assert confidence_set(np.array([0.62, 0.5366667]), drawn, 300)[1] < ALPHA
    found = _compared(Size(50, {}, parts), SELECTION)["b", None]
    assert found["to_first"]["low"] < 0 < found["to_first"]["high"] and found["tied"]
    parts["b", None] = part([0.40, 0.42, 0.41])
    assert not _compared(Size(50, {}, parts), SELECTION)["b", None]["tied"]


def test_first_from_is_the_smallest_size_with_no_gap_above_it():
    def at(*tied):
        return [{"rows": n, "tied": one} for n, one in zip((50, 200, 800), tied, strict=True)]

    assert first_from(at(True, True, True)) == 50
    assert first_from(at(True, False, True)) == 800
    assert first_from(at(False, True, True)) == 200
    assert first_from(at(True, True, False)) is None


def test_a_sentence_names_who_ties_who_crosses_and_nothing_where_nobody_does():
    def one(name, since, curve=None, floor=False):
        return {"strategy": name, "backbone": None, "first_from": since, "floor": floor, "curve": curve}

    curve = {"more": 1000, "gain": {"value": 0.0123, "low": 0.003, "high": 0.0241}}
    found = {
        "metric": "f1_macro",
        "sizes": [50, 200, 800],
        "strategies": [one("lora", 200, curve), one("full", 800), one("probe", None)],
        "crossings": [
            {
                "a": {"strategy": "probe", "backbone": None},
                "b": {"strategy": "lora", "backbone": None},
                "after": 50,
                "before": 200,
            }
        ],
    }
    assert sentence(found) == (
        "From 200 labels on `lora` is first or ties with the first; so does `full` from 800 on. `probe` is better "
        "than `lora` with few labels; between 50 and 200 labels it turns. Another 1,000 labels would bring `lora` "
        "about 1.2 points (0.3 to 2.4), if its curve goes on as it has."
    )
    assert "rmse" in METRICS
    of_values = {**found, "metric": "rmse", "crossings": []}
    assert "about 0.012 in rmse (0.003 to 0.024)" in sentence(of_values)
    none = {**found, "strategies": [one("majority", 50, floor=True)], "crossings": []}
    assert sentence(none) == "No strategy that reads the texts is first at the largest size."
