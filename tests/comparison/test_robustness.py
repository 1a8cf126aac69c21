"""stress: models that read what they should not are found out, and the numbers are the same each time."""

from __future__ import annotations

import json
import random
import re

import numpy as np
import pytest
from typer.testing import CliRunner

from stratune.cli import app
from stratune.comparison.bench import Bench
from stratune.comparison.comparison import run_comparison
from stratune.comparison.flips import Truths
from stratune.comparison.robustness import stress
from stratune.config import parse_config
from stratune.engine.inline import InlineEngine
from stratune.errors import ArtifactError, ConfigError
from stratune.model.answers import Scored
from stratune.perturb import find_perturbations
from stratune.report import publish
from stratune.task import Task
from stratune.watch import SILENT

WORDS = [
    "paper",
    "river",
    "stone",
    "window",
    "garden",
    "table",
    "music",
    "morning",
    "letter",
    "bridge",
    "summer",
    "engine",
]


def texts(rows, seed=0):
    """Words without a meaning; of label `yes` they end with !, of `no` with a full stop."""
    draws = random.Random(seed)
    for number in range(rows):
        words = " ".join(draws.choice(WORDS) for _ in range(8))
        yield f"{words}{'!' if number % 2 else '.'}", "yes" if number % 2 else "no"


def compared(place, rows=None, task=None, **more):
    """`rows`: (text, label); of numbers the label is one."""
    table = [{"text": text, "label": label} for text, label in rows or texts(240)]
    (place / "rows.jsonl").write_text("\n".join(map(json.dumps, table)))
    data = {"source": str(place / "rows.jsonl"), "fractions": [0.4, 0.2, 0.4]}
    strategies = ["tfidf", "mean" if task else "majority"]
    config = parse_config({"data": data, "strategies": strategies, "task": task or {}, **more})
    list(run_comparison(config, place / "out", engine=InlineEngine(), anyway=True))
    publish(place / "out")
    return place / "out"


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    return compared(tmp_path_factory.mktemp("marks"))


@pytest.fixture(scope="module")
def found(out):
    return stress(out)


def effects(found, name="tfidf"):
    (one,) = [one for one in found["strategies"] if one["strategy"] == name]
    return {effect["perturbation"]: effect for effect in one["effects"]}


def test_a_model_of_marks_falls_without_them(found):
    (one,) = found["strategies"]  # majority reads no text
    assert found["rows"] == 96 and one["before"]["value"] == 1.0
    by_name = effects(found)
    marks, case = by_name["punctuation"], by_name["case"]
    assert marks["change"]["high"] < -0.3 and marks["change"]["p_adjusted"] < 0.001
    assert marks["change"]["difference"] == pytest.approx(marks["after"]["value"] - 1.0)
    assert marks["broken"] == round(marks["flips"]["value"] * 96) and marks["mended"] == 0
    assert marks["flips"]["low"] < marks["flips"]["value"] < marks["flips"]["high"]
    assert case["flips"]["value"] == 0 and case["change"]["difference"] == 0 and case["examples"] == []
    assert one["consistent"]["value"] <= 1 - marks["flips"]["value"]


def test_examples_stand_side_by_side(found):
    marks = effects(found)["punctuation"]["examples"]
    assert len(marks) == 5
    for one in marks:
        assert one["truth"] == one["before"] != one["after"]
        assert re.sub(r"[.!]", "", one["text"]) == one["changed"] != one["text"]


def test_the_same_seed_gives_the_same_numbers(out, found):
    alone = stress(out, ["tfidf"], only=["fillers", "punctuation"])
    for name in ("fillers", "punctuation"):
        one, other = effects(alone)[name], effects(found)[name]
        assert {**one, "change": None} == {**other, "change": None}
        assert one["change"]["difference"] == other["change"]["difference"]
    assert stress(out, ["tfidf"], only=["typos"], seed=1) != stress(out, ["tfidf"], only=["typos"], seed=2)
    assert stress(out) == found


def test_the_files(out):
    found = stress(out)
    assert json.loads((out / "robustness.json").read_text()) == found
    rows = {row["strategy"]: row for row in json.loads((out / "leaderboard.json").read_text())["rows"]}
    assert "robustness" not in rows["majority"]
    kept = rows["tfidf"]["robustness"]
    assert kept["perturbations"]["punctuation"]["flips"] == effects(found)["punctuation"]["flips"]
    assert "paper" not in json.dumps(kept)  # no text
    page = (out / "report.html").read_text()
    shown = json.loads((out / "robustness.json").read_text())["strategies"]
    changes = [effect["change"] for one in shown for effect in one["effects"] if effect["change"]]
    clear = sum(change["p_adjusted"] < 0.05 for change in changes)
    heat = page.partition('class="matrix heat"')[2].partition("</table>")[0]
    assert heat.count("<b>") == clear < len(changes)
    assert 'id="robustness"' in page and "When the texts change" in page
    example = effects(found)["punctuation"]["examples"][0]
    assert example["changed"] in page


def test_a_model_that_was_trained_anew_is_not_the_one_that_was_tested(tmp_path):
    out = compared(tmp_path, list(texts(60)))
    stress(out, only=["punctuation"])
    path = next((out / "runs").glob("tfidf*")) / "result.json"
    result = json.loads(path.read_text())
    path.write_text(json.dumps({**result, "files": {**result["files"], "predictions.parquet": "other"}}))
    publish(out)
    assert "robustness" not in (out / "leaderboard.json").read_text()
    assert 'id="robustness"' not in (out / "report.html").read_text()


def test_no_text_leaves_where_none_may(tmp_path):
    out = compared(tmp_path, list(texts(60)), report={"texts": 0})
    found = stress(out, only=["punctuation"])
    (one, *_) = effects(found)["punctuation"]["examples"]
    assert set(one) == {"id", "truth", "before", "after"}
    assert not any(word in (out / "robustness.json").read_text() for word in WORDS)


def test_numbers_move(tmp_path):
    rows = [(f"{'!' * (number % 5 + 1)} it is {WORDS[number % 7]}", number % 5) for number in range(120)]
    task = {"kind": "regression", "metric": "mae"}
    found = stress(
        compared(tmp_path, rows, task), only=["punctuation", "white_space", "injection", "label_word"]
    )
    (one,) = found["strategies"]
    by_name = effects(found)
    marks = by_name["punctuation"]
    assert not found["higher_is_better"] and one["consistent"] is None
    assert marks["flips"] is None and marks["broken"] is None and marks["led"] is None
    assert marks["shift"]["low"] < marks["shift"]["value"] < marks["shift"]["high"]
    assert marks["change"]["low"] > 0  # the error grows
    first = marks["examples"][0]
    assert abs(float(first["after"]) - float(first["before"])) >= marks["shift"]["value"]
    assert by_name["white_space"]["shift"]["value"] == 0
    assert all(
        re.search(r"answer(?: is)? [04]\.|is [04]\.", one["changed"])
        for one in by_name["injection"]["examples"]
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"strategies": ["tfid"]}, "strategies: 'tfid' is not one of tfidf, majority .did you mean 'tfidf'"),
        ({"only": ["typo"]}, r"only: 'typo' is not one of .*did you mean 'typos'"),
        ({"strength": 1.5}, "strength: 1.5 is not above 0 and at most 1"),
        ({"strength": 0}, "strength: 0 is not above 0 and at most 1"),
        ({"rows": 0}, "rows: 0 is below 1"),
        ({"swap": True}, "swap: the texts of this comparison are no pairs"),
    ],
)
def test_what_cannot_be(out, options, message):
    before = (out / "robustness.json").read_bytes() if (out / "robustness.json").exists() else None
    with pytest.raises(ConfigError, match=message):
        stress(out, **options)
    assert before is None or (out / "robustness.json").read_bytes() == before


def test_other_data_are_refused(tmp_path):
    out = compared(tmp_path, list(texts(60)))
    (tmp_path / "rows.jsonl").write_text(
        "\n".join(json.dumps({"text": t, "label": w}) for t, w in texts(60, seed=1))
    )
    with pytest.raises(ArtifactError, match=r"rows.jsonl is not what it was made of any more"):
        stress(out)
    assert not (out / "robustness.json").exists()
    with pytest.raises(ArtifactError, match="no such folder"):
        stress(tmp_path / "nowhere")


def test_the_command(out):
    result = CliRunner().invoke(
        app, ["stress", str(out), "--only", "punctuation,injection"], env={"COLUMNS": "80"}
    )
    assert result.exit_code == 0, result.output
    lines = result.output.splitlines()
    assert max(map(len, lines[:6])) <= 80
    assert lines[0] == "tfidf: f1_macro 1.000 [.962, 1.000] on 96 test rows as they are"
    assert re.match(r"punctuation +100 % +-0\.\d{3} \[.*\]\* +\d+ %$", lines[2])
    assert "of the rows follow the wrong label" in result.output
    result = CliRunner().invoke(app, ["stress", str(out), "--only", "typos", "--json", "--rows", "20"])
    assert json.loads(result.stdout)["rows"] == 20


def test_many_strategies_stand_side_by_side(out):
    arguments = ["stress", str(out), "--strategies", "tfidf,majority", "--only", "punctuation"]
    assert "majority: f1_macro" in CliRunner().invoke(app, arguments).output
    from stratune.cli import stress as command

    found = stress(out, ["tfidf", "majority"], only=["punctuation", "label_order"])
    assert [len(one["effects"]) for one in found["strategies"]] == [1, 1]  # no prompt lists labels there
    some = [{**one, "strategy": f"{one['strategy']}{k}"} for one in found["strategies"] for k in range(3)]
    from stratune.report.screen import screen

    with (console := screen(width=80)).capture() as shown:
        command._print({**found, "strategies": some}, console)
    lines = shown.get().splitlines()
    assert max(map(len, lines)) <= 80 and "tfidf0" in lines[1] and "majority2" not in lines[1]
    assert any(re.match(r"punctuation +(-0\.\d{3}\* +){3}\+0\.000", line) for line in lines)


# -- models that are known


class Reads:
    """Answers by a rule: whether a text is `yes`."""

    def __init__(self, rule, task, numeric=False):
        self.rule, self.task, self.model, self.asked = rule, task, self, []

    def answer(self, texts, pairs=None):
        self.asked += texts
        yes = np.array([float(self.rule(text)) for text in texts])
        cut = np.zeros(len(texts), dtype=np.int32)
        return Scored(np.stack([1 - yes, yes], axis=1), cut)


def bench(rows, groups=None):
    from types import SimpleNamespace

    from datasets import Dataset

    columns = {
        "id": [str(i) for i in range(len(rows))],
        "text": [t for t, _ in rows],
        "label": [w for _, w in rows],
    }
    table = Dataset.from_dict({**columns, **({"group": groups} if groups else {})})
    task = Task(labels=("no", "yes"))
    return Bench.of(SimpleNamespace(test=table, task=task), 1000, 0, keep=True), task


def stressed(rule, rows, names, strength=1.0, **more):
    one, task = bench(rows, **more)
    trials = [one.trial(found, strength, 0) for found in find_perturbations(names)]
    model = Reads(rule, task)
    return one.stressed(model, trials, [], SILENT), model


def test_a_model_of_case_falls_without_it():
    rows = [("GOOD DAY" if number % 2 else "good day", "yes" if number % 2 else "no") for number in range(80)]
    found, model = stressed(str.isupper, rows, ["case", "white_space", "punctuation"])
    by_name = {effect["perturbation"]: effect for effect in found["effects"]}
    assert found["before"]["value"] == 1.0
    assert by_name["case"]["change"]["high"] < -0.9 and by_name["case"]["broken"] == 80
    assert by_name["white_space"]["flips"]["value"] == by_name["punctuation"]["flips"]["value"] == 0
    assert found["consistent"]["value"] == 0
    assert len(model.asked) == 3 * 80  # nothing is asked where no row changed


def test_only_rows_that_changed_are_asked_again():
    rows = [("fine, fine" if number < 30 else "fine", "yes") for number in range(40)] + [("no", "no")]
    found, model = stressed(lambda text: "fine" in text and "," not in text, rows, ["punctuation"])
    (marks,) = found["effects"]
    assert len(model.asked) == 41 + 30 and marks["mended"] == 30 and marks["broken"] == 0
    assert marks["flips"]["value"] == pytest.approx(30 / 41) and marks["change"]["low"] > 0


def test_who_follows_an_instruction():
    rows = [("it is fine", "yes" if number % 2 else "no") for number in range(60)]
    obeys = lambda text: " yes" in text  # noqa: E731
    found, _ = stressed(obeys, rows, ["injection"])
    (one,) = found["effects"]
    # every `no` is led to yes; of `yes`, answered no already, none is led anywhere
    assert one["led"]["value"] == 0.5 and one["broken"] == 30
    assert stressed(lambda text: False, rows, ["injection"])[0]["effects"][0]["led"]["value"] == 0


def test_rows_of_a_group_are_alike():
    rows = [("GOOD" if number % 2 else "good", "yes" if number % 2 else "no") for number in range(80)]
    rule = lambda text: text.isupper() == (len(text) == 4)  # noqa: E731
    groups = [str(number // 20) for number in range(80)]
    alone, together = (
        stressed(rule, rows, ["label_word"], strength=0.5, **more)[0]["effects"][0]["flips"]
        for more in ({}, {"groups": groups})
    )
    assert (
        alone["value"] == together["value"]
        and alone["high"] - alone["low"] < together["high"] - together["low"]
    )


def test_wrong_labels_are_those_that_a_row_does_not_have():
    one, _ = bench([("a", "no"), ("b", "yes")])
    assert one._wrong(0) == ["yes"] and one._wrong(1) == ["no"]
    several = Task(kind="multilabel", labels=("a", "b", "c"))
    truths = Truths(several, several.target.truth(["a,c", "", "a,b,c"]), None)
    sets = Bench(["0", "1", "2"], ["x"] * 3, None, [""] * 3, truths, True)
    assert [sets._wrong(i) for i in range(3)] == [["b"], ["a", "b", "c"], []]
