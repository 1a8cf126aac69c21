"""attack: a finished comparison's models on its test rows; numbers, files, the page, and what is refused."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from typer.testing import CliRunner

from stratune.cli import app
from stratune.comparison.attack import attack
from stratune.comparison.attacked import Attack, Settings, between, compared
from stratune.errors import ConfigError
from stratune.files import is_temporary
from stratune.model.answers import Scored
from stratune.perturb.substitutes import typos
from stratune.report import publish
from stratune.report.attack import marked, pieces
from stratune.watch import Progress
from tests.comparison.test_robustness import WORDS, bench
from tests.comparison.test_robustness import compared as comparison

NICE, POOR = ("superb", "funny"), ("awful", "boring")


def reviews(rows):
    """Of label `yes` a text has a nice word, of `no` a poor one, among words without a meaning."""
    draws = np.random.default_rng(0)
    for number in range(rows):
        words = list(draws.choice(WORDS, 6))
        words.insert(int(draws.integers(7)), str(draws.choice(NICE if number % 2 else POOR)))
        yield " ".join(words), "yes" if number % 2 else "no"


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Nothing in it was attacked yet."""
    return comparison(tmp_path_factory.mktemp("reviews"), list(reviews(160)))


def copied(out, place):
    """With the rows beside it, which its configuration names."""
    return Path(shutil.copytree(out.parent, place / "copy")) / "out"


@pytest.fixture(scope="module")
def out(finished, tmp_path_factory):
    return copied(finished, tmp_path_factory.mktemp("attacked"))


@pytest.fixture(scope="module")
def found(out):
    return attack(out, ["tfidf"], rows=40, queries=40)


class Keyword:
    """A predictor: `yes` where a nice word is there."""

    def __init__(self, words=NICE):
        self.words, self.asked, self.calls = words, 0, 0

    def answer(self, texts, pairs=None):
        self.asked, self.calls = self.asked + len(texts), self.calls + 1
        yes = np.array([0.9 if set(text.split()) & set(self.words) else 0.2 for text in texts])
        return Scored(np.stack([1 - yes, yes], axis=1), np.zeros(len(texts), dtype=np.int32))


def attacked(words=NICE, groups=None, rows=40, queries=50):
    made = [
        (f"river superb stone {WORDS[i % 12]}" if i % 2 else "river stone", label)
        for i, label in enumerate(["no", "yes"] * (rows // 2))
    ]
    one, _ = bench(made, groups)
    model = Keyword(words)
    return Attack.on(model, one, Settings(typos, queries, 0.5, 0)), model


def test_a_model_of_one_word_falls_with_it():
    """`yes` needs its word, so every such row falls to one typo; no typo makes `no` a nice word."""
    one, model = attacked()
    assert one.right.all()
    numbers = one.to_dict()
    assert numbers["before"]["value"] == 1.0 and numbers["after"]["value"] == 0.5
    assert numbers["success"]["value"] == 0.5 and numbers["right"] == 40
    low, high = stats.binomtest(20, 40).proportion_ci(method="wilson")
    assert (numbers["success"]["low"], numbers["success"]["high"]) == pytest.approx((low, high), abs=2e-3)
    assert numbers["changed"] == 0.25  # one word of four
    asked = sum(each.queries for each in (*one.search, *one.chance))
    assert model.asked == 40 + asked  # the rows as they are, and what is counted
    assert max(each.queries for each in (*one.search, *one.chance)) <= 50
    assert numbers["queries"] == pytest.approx(np.mean([each.queries for each in one.search]))
    for example in numbers["examples"]:
        assert example["truth"] == "yes" and example["after"] == "no"
        ((part, start, old, new),) = example["words"]
        (text,) = example["texts"]
        assert part == 0 and text[start:].startswith(old) and old in NICE and new != old


def test_rows_that_the_model_gets_wrong_are_not_attacked():
    one, _ = attacked(words=("funny",))
    assert one.right.sum() == 20 and {each.victim.row % 2 for each in one.search} == {0}
    numbers = one.to_dict()
    assert numbers["success"]["value"] == 0 and numbers["after"] == numbers["before"]
    assert numbers["changed"] is None and numbers["examples"] == []


def test_groups_make_intervals_wider():
    groups = [str(i % 2) + str(i // 20) for i in range(40)]  # all rows of a group do the same
    alone, together = attacked()[0].to_dict(), attacked(groups=groups)[0].to_dict()
    assert alone["success"]["value"] == together["success"]["value"] == 0.5
    width = [one["success"]["high"] - one["success"]["low"] for one in (alone, together)]
    assert width[0] < width[1]


def test_two_models_are_compared_on_the_rows_that_both_get_right():
    strong, weak = attacked(words=(*NICE, *WORDS))[0], attacked()[0]
    assert strong.right.sum() == 20  # it answers `yes` always: a river is nice
    success, after = between([("strong", strong), ("weak", weak)])
    assert (success["of"], success["rows"], after["rows"]) == ("success", 20, 40)
    a, b = (int(one.flips(one.search)[strong.right & weak.right].sum()) for one in (strong, weak))
    assert success["change"]["difference"] == pytest.approx((a - b) / 20) and b == 20
    assert after["change"]["difference"] == pytest.approx((strong.survives.mean()) - weak.survives.mean())


def test_the_difference_has_mcnemars_p():
    draws = np.random.default_rng(1)
    first, second, of = draws.random((3, 90)) < np.array([[0.6], [0.4], [0.8]])
    found = compared(first, second, of, None)
    only = [(first & ~second & of).sum(), (second & ~first & of).sum()]
    count = sum(only)
    mid = 2 * stats.binom.cdf(min(only), count, 0.5) - stats.binom.pmf(min(only), count, 0.5)
    assert found["p"] == pytest.approx(mid)
    assert found["difference"] == pytest.approx((only[0] - only[1]) / of.sum())
    assert compared(first, second, np.zeros(90, dtype=bool), None) is None


def test_the_files(out, found):
    kept = attack(out, ["tfidf"], rows=40, queries=40)
    assert kept == found == json.loads((out / "attack.json").read_text())  # the same seed, the same numbers
    assert attack(out, ["tfidf"], rows=40, queries=40, seed=1) != found
    assert attack(out, ["tfidf"], rows=40, queries=40) == found
    (one,) = found["strategies"]
    assert one["success"]["value"] > 0 and one["chance"]["low"] < one["success"]["high"]
    assert one["gain"]["difference"] == pytest.approx(one["success"]["value"] - one["chance"]["value"])
    assert one["gain"]["p_adjusted"] >= one["gain"]["p"]
    rows = {row["strategy"]: row for row in json.loads((out / "leaderboard.json").read_text())["rows"]}
    assert rows["tfidf"]["attack"]["success"] == one["success"] and "attack" not in rows["majority"]
    assert not any(word in json.dumps(rows["tfidf"]["attack"]) for word in WORDS)
    page = (out / "report.html").read_text()
    section = page.partition('<section id="attack">')[2].partition("</section>")[0]
    example = one["examples"][0]
    _, _, old, new = example["words"][0]
    assert f"<mark>{old}</mark>" in section and f"<mark>{new}</mark>" in section
    assert 'href="#attack"' in page


def test_both_models_of_the_default(out):
    found = attack(out, rows=20, queries=10)  # tfidf is the winner, and nothing else reads the texts
    assert [one["strategy"] for one in found["strategies"]] == ["tfidf"] and found["differences"] == []
    found = attack(out, ["tfidf", "majority"], rows=20, queries=10)
    majority = found["strategies"][1]
    assert majority["success"]["value"] == majority["chance"]["value"] == 0
    changes = [one["gain"] for one in found["strategies"]] + [one["change"] for one in found["differences"]]
    assert len(changes) == 4
    # Holm, written out
    order = sorted(range(4), key=lambda i: changes[i]["p"])
    highest = 0.0
    for rank, i in enumerate(order):
        highest = max(highest, min(1.0, (4 - rank) * changes[i]["p"]))
        assert changes[i]["p_adjusted"] == pytest.approx(highest)


def test_levels_can_be_attacked(tmp_path):
    rows = [
        (f"{text} {('dreadful', 'passable', 'splendid')[k % 3]}", k % 3 + 1)
        for k, (text, _) in enumerate(reviews(90))
    ]
    task = {"kind": "ordinal", "metric": "qwk"}
    out = made(tmp_path, rows, task, ["tfidf"])
    (one,) = attack(out, rows=36, queries=60, changes=0.5)["strategies"]
    assert one["right"] > 10 and one["success"]["value"] > 0
    for example in one["examples"]:
        assert {example["truth"], example["after"]} < {"1", "2", "3"}


def test_neighbouring_words(out):
    found = attack(out, ["tfidf"], by="words", rows=32, queries=60, changes=0.5)
    (one,) = found["strategies"]
    assert found["by"] == "words" and one["success"]["value"] > 0
    changed = {(old, new) for example in one["examples"] for *_, old, new in example["words"]}
    assert changed and all(new.isalpha() and old != new for old, new in changed)
    page = (out / "report.html").read_text()
    assert "to their neighbours in an embedding table" in page


def test_a_model_that_was_trained_anew_is_not_the_one_that_was_attacked(finished, tmp_path):
    out = copied(finished, tmp_path)
    attack(out, rows=10, queries=10)
    path = next((out / "runs").glob("tfidf*")) / "result.json"
    result = json.loads(path.read_text())
    path.write_text(json.dumps({**result, "files": {**result["files"], "predictions.parquet": "other"}}))
    publish(out)
    assert '"attack"' not in (out / "leaderboard.json").read_text()
    assert 'id="attack"' not in (out / "report.html").read_text()


def test_no_text_leaves_where_none_may(tmp_path):
    out = comparison(tmp_path, list(reviews(80)), report={"texts": 0})
    (one,) = attack(out, rows=32, queries=60, changes=0.5)["strategies"]
    kept = {"id", "truth", "after", "queries"}
    assert one["examples"] and all(set(example) == kept for example in one["examples"])
    assert not any(word in (out / "attack.json").read_text() for word in (*WORDS, *NICE, *POOR))


class Killed(Progress):
    """Stops the attack when so many answers are there."""

    def __init__(self, after):
        self.left = after

    def rows(self, count):
        self.left -= count
        if self.left < 0:
            raise KeyboardInterrupt


@pytest.mark.parametrize("after", [0, 60, 500])
def test_one_that_is_killed_leaves_the_last_one_whole(out, found, after):
    attack(out, ["tfidf"], rows=40, queries=40)
    before = {path: path.read_bytes() for path in out.iterdir() if path.is_file()}
    with pytest.raises(KeyboardInterrupt):
        attack(out, ["tfidf"], rows=40, queries=40, seed=7, progress=Killed(after))
    assert {path: path.read_bytes() for path in out.iterdir() if path.is_file()} == before
    assert not any(is_temporary(path) for path in out.iterdir())


def test_one_that_is_killed_at_first_leaves_no_file(finished, tmp_path):
    out = copied(finished, tmp_path)
    with pytest.raises(KeyboardInterrupt):
        attack(out, rows=10, queries=10, progress=Killed(20))
    assert not (out / "attack.json").exists()
    assert CliRunner().invoke(app, ["show", str(out)]).exit_code == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"strategies": ["tfid"]}, "strategies: 'tfid' is not one of tfidf, majority .did you mean 'tfidf'"),
        ({"by": "typo"}, "by: 'typo' is not one of typos, words"),
        ({"rows": 0}, "rows: 0 is below 1"),
        ({"queries": 1}, "queries: 1 is below 2: one orders words, one changes a word"),
        ({"changes": 0}, "changes: 0 is not above 0 and at most 1"),
        ({"changes": 1.5}, "changes: 1.5 is not above 0 and at most 1"),
        ({"changes": float("nan")}, "changes: nan is not above 0 and at most 1"),
        ({"max_cost": 2}, "max_cost: 2: what an answer costs is known by `remote.price`"),
    ],
)
def test_what_cannot_be(out, options, message):
    with pytest.raises(ConfigError, match=message):
        attack(out, **options)


@pytest.mark.parametrize(
    ("kind", "labels", "what"),
    [("regression", [1.5, 2.5, 3.5], "numbers"), ("multilabel", ["a", "b", "a,b"], "sets of labels")],
)
def test_only_single_labels_are_wrong(tmp_path, kind, labels, what):
    rows = [(text, labels[k % 3]) for k, (text, _) in enumerate(reviews(90))]
    data = {"kind": kind, **({"metric": "mae"} if kind == "regression" else {})}
    strategies = ["mean"] if kind == "regression" else ["majority"]
    out = made(tmp_path, rows, data, strategies)
    message = (
        f"task.kind: an answer counts as wrong where a row has one label, and these are {what}; `stratune"
    )
    with pytest.raises(ConfigError, match=message):
        attack(out)


def made(place, rows, task, strategies):
    from stratune.comparison.comparison import run_comparison
    from stratune.config import parse_config
    from stratune.engine.inline import InlineEngine

    table = [{"text": text, "label": label} for text, label in rows]
    (place / "rows.jsonl").write_text("\n".join(map(json.dumps, table)))
    data = {"source": str(place / "rows.jsonl"), "fractions": [0.4, 0.2, 0.4]}
    config = parse_config({"data": data, "strategies": strategies, "task": task})
    list(run_comparison(config, place / "out", engine=InlineEngine(), anyway=True))
    publish(place / "out")
    return place / "out"


def test_the_command(out):
    arguments = ["attack", str(out), "--strategies", "tfidf", "--rows", "30", "--queries", "30"]
    result = CliRunner().invoke(app, arguments, env={"COLUMNS": "80"})
    assert result.exit_code == 0, result.output
    lines = result.output.splitlines()
    assert lines[0].startswith("attacks by typos on 30 test rows: at most 30 answers about a row, and 20%")
    table = [line for line in lines if re.match(r"(tfidf  |\(by chance\))", line)]
    assert len(table) == 2 and max(map(len, table)) <= 80
    assert re.search(r"tfidf: row \d+, (yes -> no|no -> yes): .*\[\w+ -> \w+\]", result.output)
    assert "success is an upper bound" in result.output
    result = CliRunner().invoke(app, [*arguments, "--json", "--by", "typos", "--changes", "0.3"])
    assert json.loads(result.stdout)["changes"] == 0.3


# -- changed words in a text


def example(*texts, words):
    return {"texts": list(texts), "words": words}


def test_pieces_give_both_texts():
    one = example(
        "A superb\nfilm, so superb.", "Funny", words=[[0, 2, "superb", "sperb"], [1, 0, "Funny", "Funy"]]
    )
    first, second = pieces(one)
    assert first == [("A ", None), ("superb", "sperb"), (" film, so superb.", None)]
    assert second == [("Funny", "Funy")]
    assert marked(one) == "A [superb -> sperb] film, so superb. | [Funny -> Funy]"
    assert pieces({"id": "0"}) == []


def test_long_texts_are_shown_about_the_changed_words():
    far = "word " * 40
    shown = marked(example(f"{far}superb {far}", words=[[0, 200, "superb", "sperb"]]))
    assert "[superb -> sperb]" in shown and len(shown) < 100
    assert shown.startswith("... word") and shown.endswith("word ...") and "wor ..." not in shown
