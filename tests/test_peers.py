"""benchmarks/peers.py: the rows that every system gets, peers on a tiny set, and the table of made predictions."""

import json
import re
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from sklearn.metrics import f1_score, root_mean_squared_error

from stratune.errors import ConfigError, DataError

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "benchmarks"))

import peers  # noqa: E402
from against import table  # noqa: E402
from against.answers import Answer, tuned  # noqa: E402
from against.kept import Kept  # noqa: E402
from against.linear import cosine, two_vectors  # noqa: E402
from against.setfit_apart import fits  # noqa: E402
from against.sets import DataSet, Draw, draws, read_sets  # noqa: E402
from against.trainer import trainer  # noqa: E402

WORDS = {"animal": "cat dog horse bird", "weather": "rain snow wind storm"}


def rows_of(count, seed=0):
    draw = np.random.default_rng(seed)
    labels = [list(WORDS)[number % 2] for number in range(count)]
    texts = [
        f"{' '.join(draw.choice(WORDS[label].split(), 3))} {number}" for number, label in enumerate(labels)
    ]
    return pd.DataFrame(
        {"what": texts, "about": labels, "who": [f"w{number // 4}" for number in range(count)]}
    )


@pytest.fixture
def data(tmp_path):
    rows_of(120).to_parquet(tmp_path / "rows.parquet")
    return tmp_path


def toy(**fields):
    return DataSet("toy", "rows.parquet", "what", "about", **{"rows": (40, 16, 30), **fields})


# -- rows


def test_all_draws_have_one_test_part_and_no_row_is_in_two_parts(data):
    found = list(draws(toy(draws=2, few=(4,)), data))
    assert [(one.case, one.number) for one in found] == [
        ("toy", 0),
        ("toy", 1),
        *(("toy@4", k) for k in range(3)),
    ]
    assert len({tuple(one.test["id"]) for one in found}) == 1
    assert len({one.fingerprint for one in found}) == 5
    for one in found:
        ids = [name for frame in one.parts.values() for name in frame["id"]]
        assert len(set(ids)) == len(ids)
    assert [len(frame) for frame in found[0].parts.values()] == [40, 16, 30]
    assert found[2].val is None and list(found[2].train["label"].value_counts()) == [4, 4]
    again = list(draws(toy(draws=2, few=(4,)), data))
    assert [one.fingerprint for one in again] == [one.fingerprint for one in found]


def test_groups_are_in_one_part_and_most_cuts_rows(data):
    (one,) = draws(toy(group="who"), data, most=(20, 9, 11))
    groups = [set(frame["group"]) for frame in one.parts.values()]
    assert not any(a & b for a, b in [groups[:2], groups[1:], groups[::2]])
    assert [len(frame) for frame in one.parts.values()] == [20, 9, 11]
    assert one.task.labels == ("animal", "weather") and one.task.group == "group"


def test_texts_of_the_test_file_are_not_trained_on_and_label_sets_are_tidied(data):
    frame = rows_of(30).assign(about="a, b,,a")
    frame.to_parquet(data / "test.parquet")
    rows_of(120).assign(about="b,a").to_parquet(data / "rows.parquet")
    (one,) = draws(toy(test="test.parquet", kind="multilabel"), data)
    assert not set(one.train["text"]) & set(frame["what"])
    assert set(one.test["label"]) == {"a,b"} and one.task.labels == ("a", "b")


def test_rows_that_are_not_there_are_told(data):
    with pytest.raises(DataError, match="90 training rows are wanted, there are 74"):
        list(draws(toy(rows=(90, 16, 30)), data))
    with pytest.raises(DataError, match="50 rows of 'animal' are wanted"):
        list(draws(toy(few=(50,)), data))


def test_a_file_of_sets_says_which_field_is_wrong(tmp_path):
    path = tmp_path / "sets.yaml"
    path.write_text("toy: {train: a.csv, texts: what}", encoding="utf-8")
    with pytest.raises(ConfigError, match="'texts' is not one of .*did you mean 'text'"):
        read_sets(path)
    path.write_text("toy: {train: a.csv, text: what}", encoding="utf-8")
    with pytest.raises(ConfigError, match="label is missing"):
        read_sets(path)
    assert {"mrpc", "snli", "unli", "imdb", "clear"} <= {one.name for one in read_sets(peers.SETS)}


# -- systems


def test_a_tiny_set_through_two_peers_and_ours_and_again(data, tiny, monkeypatch, capsys):
    (data / "sets.yaml").write_text(
        yaml.safe_dump(
            {
                "toy": {
                    "train": "rows.parquet",
                    "text": "what",
                    "label": "about",
                    "rows": [24, 12, 16],
                    "few": [4],
                }
            }
        ),
        encoding="utf-8",
    )
    out, page = data / "out", data / "peers.md"
    command = [
        "peers.py",
        "--data",
        data,
        "--sets",
        data / "sets.yaml",
        "--out",
        out,
        "--backbone",
        tiny("bert"),
    ]
    command += ["--only", "toy", "--systems", "ours,TF-IDF + LR,vectors + LR", "--strategies", "tfidf,probe"]
    monkeypatch.setattr(sys, "argv", list(map(str, command)))
    peers.main()
    told = capsys.readouterr().out
    lines = (out / "results.jsonl").read_text(encoding="utf-8").splitlines()
    assert {json.loads(line)["system"] for line in lines} == {
        "stratune:tfidf", "stratune:probe", "TF-IDF + LR", "vectors + LR",
    }  # fmt: skip
    score = r"(?:0\.\d{3}|1\.000)"
    assert re.search(
        rf"\| toy \| 24/12/16 \| f1_macro \| {score} \((?:tfidf|probe)\) \| {score}, [+-]0\.\d+ \[", told
    )
    monkeypatch.setattr(sys, "argv", [*map(str, command), "--page", str(page)])
    peers.main()
    assert (out / "results.jsonl").read_text(encoding="utf-8").splitlines() == lines
    assert "toy | 24/12/16" in page.read_text(encoding="utf-8")
    monkeypatch.setattr(sys, "argv", [*map(str, command), "--most", "20,10,10"])
    with pytest.raises(SystemExit, match=r"answered to other rows of toy, draw 0 \(24/12/16\)"):
        peers.main()


def pair_draw(kind, labels, cells):
    near = [
        ("cat dog", "cat dog"),
        ("rain wind", "rain wind"),
        ("cat dog", "snow storm"),
        ("wind", "horse bird"),
    ]
    frame = pd.DataFrame(near * 6, columns=["text", "text_pair"]).assign(label=cells * 6)
    frame.insert(0, "id", [str(number) for number in range(len(frame))])
    described = DataSet("pairs", "", "a", "b", pair="c", kind=kind)
    return Draw("pairs", 0, described.task.with_labels(labels), frame, None, frame)


@pytest.mark.parametrize("peer", [cosine, two_vectors])
def test_peers_of_pairs_see_whether_two_texts_are_alike(peer, tiny, tmp_path):
    cells = ["yes", "yes", "no", "no"]
    found = peer(pair_draw("classification", ("no", "yes"), cells), tiny("bert"), tmp_path)
    assert found.cells == cells * 6
    numbers = [1.0, 1.0, 0.0, 0.0]
    found = peer(pair_draw("regression", (), numbers), tiny("bert"), tmp_path)
    assert found.predictions.shape == (24, 1)
    assert np.abs(found.predictions[:, 0] - np.array(numbers * 6)).max() < 0.4


@pytest.mark.parametrize("kind", ["classification", "regression", "multilabel"])
def test_trainer_answers_every_kind_and_chooses_its_epoch_on_validation_rows(kind, tiny, tmp_path):
    cells = {"classification": ["yes", "no"], "regression": [1.0, 0.0], "multilabel": ["no,yes", "no"]}[kind]
    draw = pair_draw(kind, () if kind == "regression" else ("no", "yes"), cells * 2)
    found = trainer(
        replace(draw, val=draw.train.iloc[:8]), tiny("bert"), tmp_path
    )  # fewer rows than test has
    assert found.predictions.shape == (24, len(draw.task.columns)) and np.isfinite(found.predictions).all()
    if kind == "classification":
        assert np.allclose(found.predictions.sum(axis=1), 1)


def test_thresholds_of_label_sets_are_those_that_validation_chose():
    cells = ["a,b", "a", "b", ""] * 5
    draw = pair_draw("multilabel", ("a", "b"), cells[:4])
    truth = draw.truth("train")

    def predict(value, inside, outside, part):
        found = np.where(truth == 1, 0.2, 0.1) * value  # far below one half
        return found if outside is None else found[outside]

    found = tuned(draw, [1.0], predict, "C")
    assert found.cells == cells[:4] * 6 and found.chosen["thresholds"] == [0.2, 0.2]


def test_setfit_is_not_asked_for_numbers_nor_for_many_rows(data):
    assert fits(pair_draw("classification", ("no", "yes"), ["yes", "yes", "no", "no"]))
    assert not fits(pair_draw("regression", (), [1.0, 1.0, 0.0, 0.0]))


# -- the table


def made(tmp_path, kind, truths, answers, ranks=None):
    """Kept results of one case: system -> cells of each draw."""
    kept = Kept(tmp_path)
    labels = () if kind == "regression" else ("no", "yes")
    task = DataSet("made", "", "a", "b", kind=kind).task.with_labels(labels)
    test = pd.DataFrame({"id": [str(k) for k in range(len(truths))], "text": "x", "label": truths})
    for system, of_draws in answers.items():
        for number, cells in enumerate(of_draws):
            draw = Draw("made", number, task, test.iloc[: 4 + number], None, test)
            if kind == "regression":
                predictions = np.array(cells)[:, None]
            else:
                predictions = np.array([[cell != "yes", cell == "yes"] for cell in cells], dtype=float)
            kept.add(draw, system, Answer(predictions, list(cells)), 1.0, rank=(ranks or {}).get(system))
    return Kept(tmp_path)  # as it is read again


def flipped(truths, wrong):
    other = {"yes": "no", "no": "yes"}
    return [other[cell] if row in wrong else cell for row, cell in enumerate(truths)]


def test_a_difference_is_that_of_the_scores_and_behind_is_bold(tmp_path):
    truths = ["yes", "no"] * 60
    ours, peer = flipped(truths, range(40)), flipped(truths, range(4))
    ranks = {"stratune:probe": 1, "stratune:lora": 2}
    answers = {"stratune:probe": [ours], "stratune:lora": [truths], "good": [peer], "alike": [ours]}
    (case,) = table.cases(made(tmp_path, "classification", truths, answers, ranks), resamples=300)
    wanted = f1_score(truths, ours, average="macro") - f1_score(truths, peer, average="macro")
    gap = case.gaps["good"]
    assert case.winners == ("probe",) and gap.value == pytest.approx(wanted)
    assert gap.low < wanted < gap.high < 0 and gap.behind
    assert case.gaps["alike"].value == 0 and not case.gaps["alike"].behind
    page = table.markdown([case])
    assert f"**{wanted:+.3f} [" in page and "| made | 4/0/120 | f1_macro |" in page
    assert table.verdict([case]) == "Of 2 differences 0 are ahead, 1 level, 1 behind: good on made."
    assert "| made | **0.667** | 1.000 |" in table.strategies([case])


def test_of_errors_less_is_better_and_means_are_in_standard_deviations(tmp_path):
    truths = list(np.linspace(0.0, 10.0, 80))
    noise = np.random.default_rng(0).normal(size=80)
    ours, peer = list(truths + 0.5 * noise), list(truths + noise)
    answers = {"stratune:probe": [ours], "worse": [peer]}
    (case,) = table.cases(made(tmp_path, "regression", truths, answers, {"stratune:probe": 1}), resamples=300)
    wanted = root_mean_squared_error(truths, peer) - root_mean_squared_error(truths, ours)
    assert case.gaps["worse"].value == pytest.approx(wanted) and case.gaps["worse"].ahead
    mean = table.mean([case, case], "worse")
    assert mean.value == pytest.approx(wanted / np.std(truths))
    one = case.gaps["worse"].over(case.unit)
    assert mean.high - mean.value == pytest.approx((one.high - one.low) / 2 / np.sqrt(2))
    assert table.mean([case], "nobody") is None
    assert "| mean, numbers |" in table.markdown([case]) and "mean, classes" not in table.markdown([case])


def test_draws_count_as_seeds_and_a_peer_without_all_of_them_is_left_out(tmp_path):
    truths = ["yes", "no"] * 60
    of_draws = [flipped(truths, range(wrong)) for wrong in (10, 20, 60)]
    answers = {"stratune:probe": of_draws, "all": [truths] * 3, "some": [truths] * 2}
    (case,) = table.cases(
        made(tmp_path, "classification", truths, answers, {"stratune:probe": 1}), resamples=300
    )
    assert case.draws == 3 and set(case.gaps) == {"all"}
    scores = [f1_score(truths, cells, average="macro") for cells in of_draws]
    assert case.gaps["all"].value == pytest.approx(np.mean(scores) - 1)
    (first,) = table.cases(made(tmp_path / "one", "classification", truths, {"stratune:probe": of_draws[:1], "all": [truths]}, {"stratune:probe": 1}), resamples=300)  # fmt: skip
    widths = [one.gaps["all"].high - one.gaps["all"].low for one in (case, first)]
    assert widths[0] > 2 * widths[1]  # the draws are far apart


def test_results_of_peers_are_taken_from_another_folder_if_their_rows_are_the_same(tmp_path):
    truths = ["yes", "no"] * 10
    old = made(
        tmp_path / "old",
        "classification",
        truths,
        {"peer": [truths], "stratune:probe": [truths]},
        {"stratune:probe": 1},
    )
    new = made(tmp_path / "new", "classification", truths, {"stratune:lora": [truths]}, {"stratune:lora": 1})
    peers.take_peers(new, old)
    (case,) = table.cases(Kept(tmp_path / "new"), resamples=100)
    assert set(case.scores) == {table.WINNER, "stratune:lora", "peer"}
    other = made(
        tmp_path / "other", "classification", truths[::-1], {"stratune:lora": [truths]}, {"stratune:lora": 1}
    )
    with pytest.raises(ConfigError, match="stratune:lora answered to other rows of made, draw 0"):
        peers.take_peers(other, old)
