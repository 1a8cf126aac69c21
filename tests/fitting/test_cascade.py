"""cascade: the cheap model answers where it is sure, the dear one elsewhere; how sure is promised."""

import json
import shutil

import numpy as np
import pytest

from stratune.comparison.comparison import run_comparison
from stratune.engine.inline import InlineEngine
from stratune.errors import ArtifactError, ConfigError
from stratune.fitting.cascading import NEVER, lowest_threshold, sure_enough
from stratune.model.cascade import CascadeModel, confidence
from stratune.predictor.manifest import MANIFEST, sealed
from stratune.predictor.predictor import Predictor
from stratune.result import RunResult
from stratune.strategy import parse_strategy
from stratune.strategy.cascade import Cascade
from stratune.task import Task
from tests.cli.comparison import write_rows
from tests.fitting.test_combine import ROW, config_of, run_of
from tests.fitting.test_stack import CLASSES, VALUES, answers_of, as_pairs, split_of

SETS = Task(kind="multilabel", labels=("a", "b"))


def world(rows, seed=0):
    """Rows of two labels: the cheap model is wrong where it is unsure, the dear one is right in 95 %."""
    draw = np.random.default_rng(seed)
    truth = draw.integers(0, 2, rows)
    sure = draw.uniform(0.5, 1, rows)
    right = draw.uniform(size=rows) < sure
    said = np.where(right, truth, 1 - truth)
    cheap = as_pairs(np.where(said == 1, sure, 1 - sure))
    good = draw.uniform(size=rows) < 0.95
    dear = as_pairs(np.where(np.where(good, truth, 1 - truth) == 1, 0.9, 0.1))
    return truth, cheap, dear


def found_on(truth, cheap, dear, most_lost, groups=None):
    split = split_of(np.array(["no", "yes"])[truth], CLASSES, groups=groups)
    return sure_enough(*answers_of(np.stack([cheap, dear])), split, most_lost)


# -- how sure


def test_of_new_rows_no_more_are_lost_than_was_promised():
    """The mean over many validation parts, as conformal risk control has it; and not much less is used."""
    truth, cheap, dear = world(200_000, seed=1)
    sure = cheap.max(axis=1)
    lost = (cheap.argmax(axis=1) != truth) & (dear.argmax(axis=1) == truth)
    for most_lost in (0.02, 0.1):
        shares = []
        for seed in range(300):
            rows = np.random.default_rng(seed).integers(0, len(truth), 250)
            threshold = lowest_threshold(sure[rows], lost[rows], np.arange(250), most_lost)
            shares.append((lost & (sure >= threshold)).mean())
        assert 0.6 * most_lost < np.mean(shares) <= 1.02 * most_lost


def test_the_threshold_is_the_lowest_that_keeps_the_promise():
    truth, cheap, dear = world(400)
    found = found_on(truth, cheap, dear, 0.02)
    sure = cheap.max(axis=1)
    lost = (cheap.argmax(axis=1) != truth) & (dear.argmax(axis=1) == truth)
    assert found.threshold in sure and found.lost == (lost & (sure >= found.threshold)).sum()
    assert (found.lost + 1) / 401 <= 0.02
    lower = sure[sure < found.threshold].max()
    assert ((lost & (sure >= lower)).sum() + 1) / 401 > 0.02
    assert found.share == (sure < found.threshold).mean()
    asked = sure < found.threshold
    np.testing.assert_array_equal(found.validation.predictions[asked], dear[asked])
    np.testing.assert_array_equal(found.validation.predictions[~asked], cheap[~asked])


def test_the_more_may_be_lost_the_fewer_rows_go_to_the_dear_one():
    truth, cheap, dear = world(400)
    shares = [found_on(truth, cheap, dear, most).share for most in (0.004, 0.01, 0.05, 0.2, 0.6)]
    assert shares == sorted(shares, reverse=True) and shares[0] > 0.5 and shares[-1] == 0


def test_few_rows_or_groups_promise_nothing():
    truth, cheap, dear = world(98)
    found = found_on(truth, cheap, dear, 0.01)
    assert (found.threshold, found.share, found.lost) == (NEVER, 1.0, 0)
    assert "d answers all: 98 validation rows do not show that 1.00% are lost at most" in found.told(
        "c", "d", 0.01
    )
    np.testing.assert_array_equal(found.validation.predictions, dear)
    truth, cheap, dear = world(400)
    groups = [f"g{i // 10}" for i in range(400)]
    assert found_on(truth, cheap, dear, 0.02, groups).threshold == NEVER  # 40 groups promise 2.4 % at best


def test_a_group_counts_as_one_row():
    sure, lost = np.array([0.9, 0.8, 0.7, 0.6]), np.array([False, True, False, False])
    groups = np.array([0, 0, 0, 1])
    # at 0.8 a third of one of two groups is lost: (2 * 1/6 + 1) / 3
    for most, expected in ((4 / 9 + 1e-9, 0.6), (4 / 9 - 1e-9, 0.9)):
        assert lowest_threshold(sure, lost, groups, most) == expected


def test_a_row_without_an_answer_goes_to_the_dear_one():
    truth, cheap, dear = world(400)
    cheap[:5] = np.nan
    found = found_on(truth, cheap, dear, 0.6)
    assert found.share == 5 / 400 and found.validation.invalid is None


def test_how_sure_a_label_set_is_says_its_least_clear_label():
    found = confidence(np.array([[0.9, 0.4], [0.1, 0.05], [np.nan, 0.5]]), one_label=False)
    assert found.tolist() == [0.6, 0.9, -np.inf]
    answers = np.array([[0.9, 0.2], [0.3, 0.6]] * 60)
    split = split_of(["a", "b"] * 60, SETS)
    alike = answers_of(np.stack([answers, answers]))
    assert sure_enough(*alike, split, 0.02).share == 0  # nothing can be lost


# -- which runs


def results(**sizes):
    found = []
    for name, (size, value) in sizes.items():
        one = RunResult(name, None, 0, val={"accuracy": value}, total_params=size)
        one.floor = name == "majority"
        found.append(one)
    return found


def gain(run):
    return run.val["accuracy"]


def test_the_best_is_dear_and_the_best_of_the_much_smaller_is_cheap():
    runs = results(
        majority=(2, 0.99), tfidf=(60, 0.7), probe=(1000, 0.8), full=(1000, 0.9), few_shot=(None, 0.85)
    )
    assert [run.strategy for run in Cascade().choose(runs[1:], gain)] == ["tfidf", "full"]
    runs[-1].val["accuracy"] = 0.95
    assert [run.strategy for run in Cascade().choose(runs[1:], gain)] == ["full", "few_shot"]
    of = Cascade(of=("probe", "few_shot"))
    assert [run.strategy for run in of.choose(runs, gain)] == ["probe", "few_shot"]
    assert [run.strategy for run in Cascade(of=("full", "tfidf")).choose(runs, gain)] == ["full", "tfidf"]
    for alone in (results(probe=(1000, 0.8), full=(1500, 0.9)), results(majority=(2, 0.5), full=(1500, 0.9))):
        assert [run.strategy for run in Cascade().choose(alone, gain)] == ["full"]
    servers = results(few_shot=(None, 0.8), zero_shot=(None, 0.9))
    assert [run.strategy for run in Cascade().choose(servers, gain)] == ["zero_shot"]


def test_values_and_shares_that_are_none_are_refused():
    with pytest.raises(ConfigError, match="a value does not say how sure it is"):
        Cascade().check_data(split_of([1.0, 2.0], VALUES))
    with pytest.raises(ConfigError, match=r"strategies.cascade.most_lost: 1.0 is no share"):
        parse_strategy({"preset": "cascade", "most_lost": 1.0})


# -- in a comparison


@pytest.fixture(scope="module")
def finished(tmp_path_factory, tiny):
    folder = tmp_path_factory.mktemp("cascade")
    cascade = {"preset": "cascade", "of": ["tfidf", "lora"], "most_lost": 0.05}
    strategies = ["majority", "tfidf", "lora", cascade, {**cascade, "name": "alike", "of": ["majority"]}]
    config = config_of(write_rows(folder / "rows.csv"), tiny("bert"), strategies, seeds=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STRATUNE_CACHE", str(tmp_path_factory.mktemp("cache")))
        found = list(run_comparison(config, folder / "out", engine=InlineEngine()))
    return folder / "out", {one.run_id: one for one in found}


def test_it_answers_as_its_members_do(finished):
    out, found = finished
    run = run_of(found, "cascade")
    assert run.error is None
    predictor = Predictor.load(out / "runs" / run.run_id / "model")
    model = predictor.model
    assert isinstance(model, CascadeModel) and 0 <= model.share <= 1
    texts = [
        f"the {word} and the {other}" for word in ("cat", "rain", "snow", "dog") for other in ("sun", "fox")
    ]
    cheap, dear = (member.answer(texts, None).predictions for member in model.members)
    for threshold in (0.0, float(np.median(cheap.max(axis=1))), NEVER):
        model.threshold = threshold
        answered = cheap.max(axis=1) >= threshold
        mixed = model(texts, None).predictions
        np.testing.assert_array_equal(mixed[answered], cheap[answered])
        np.testing.assert_allclose(mixed[~answered], dear[~answered], atol=1e-6)


def test_the_row_says_what_it_does(finished):
    out, found = finished
    run = run_of(found, "cascade")
    members = run.settings["members"]
    assert [name.partition("@")[0] for name in members] == ["tfidf", "lora"]
    assert any("validation rows" in note and "lora@" in note and "tfidf@none#0" in note for note in run.notes)
    assert run.total_params == sum(found[name].total_params for name in members)
    failed = run_of(found, "alike")
    assert (
        failed.error is not None
        and "alike needs the best run and one much smaller than it of majority at least" in failed.error
    )


def test_it_is_saved_and_loaded_with_its_threshold(finished, tmp_path):
    out, found = finished
    predictor = Predictor.load(out / "runs" / run_of(found, "cascade").run_id / "model")
    again = Predictor.load(predictor.save(tmp_path / "again"))
    assert (again.model.threshold, again.model.share) == (predictor.model.threshold, predictor.model.share)
    np.testing.assert_allclose(again.predict_proba(ROW), predictor.predict_proba(ROW), atol=1e-7)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda about: about.pop("cascade"), "no 'cascade'"),
        (lambda about: about["cascade"].update(share=2), "cascade.share: should be less than or equal to 1"),
        (lambda about: about.update(members=[*about["members"], "x"]), "a cascade of 3 members, not of two"),
    ],
)
def test_what_cannot_be_is_refused(change, says, finished, tmp_path):
    out, found = finished
    made = tmp_path / "model"
    shutil.copytree(out / "runs" / run_of(found, "cascade").run_id / "model", made)
    shutil.copytree(made / "members" / "1", made / "members" / "2")
    about = json.loads((made / MANIFEST).read_text())
    change(about)
    (made / MANIFEST).write_text(json.dumps(sealed(about)))
    with pytest.raises(ArtifactError, match=says):
        Predictor.load(made)


def test_what_it_is_expected_to_cost_is_the_cheap_one_and_a_share_of_the_dear_one():
    class Asked:
        def __init__(self, cost):
            self.model = self
            self.cost = cost

        def expected_cost(self, texts, pairs, price):
            return self.cost * len(texts)

    model = CascadeModel([Asked(0.0), Asked(2.0)], 0.8, 0.25, True)
    assert model.expected_cost(["a", "b"], None, (1.0, 1.0)) == 1.0
