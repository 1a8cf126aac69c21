"""stratune predict --watch."""

from __future__ import annotations

import json
import random

import pytest
from typer.testing import CliRunner

import stratune as st
from stratune.cli import app
from stratune.cli.drifting import told
from stratune.comparison import drift as module
from stratune.comparison.drift import Change, Drift
from stratune.errors import ConfigError, DataError
from stratune.evaluate.intervals import Interval


@pytest.fixture
def cheap(monkeypatch):
    """A probe takes seconds; tests/comparison/test_drift.py has it."""
    alike = Change("probe", 0.5, 0.5, Interval(0.5, 0.4, 0.6), same=0.5)
    monkeypatch.setattr(module, "_told_apart", lambda reference, new, progress: (alike, [0, 1, 2]))


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A comparison of one row, its source, and other rows."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("drift")
        patch.setenv("STRATUNE_CACHE", str(folder / "cache"))
        drawn = random.Random(0)
        words = [f"word{k}" for k in range(200)]
        texts = [" ".join(drawn.choices(words, k=12)) for _ in range(300)]
        lines = [
            json.dumps({"text": f"{text} {'ab'[k % 2]}", "label": "ab"[k % 2]})
            for k, text in enumerate(texts)
        ]
        (folder / "rows.jsonl").write_text("\n".join(lines))
        st.compare(
            str(folder / "rows.jsonl"), text="text", label="label", strategies=["tfidf"], out=folder / "out",
            progress=False, anyway=True,
        )  # fmt: skip
        other = [
            json.dumps({"text": f"wholly unheard of {k} things, said at much greater length than ever"})
            for k in range(50)
        ]
        (folder / "other.jsonl").write_text("\n".join(other))
        return folder


def predict(place, source, *options):
    out = place / "answers.jsonl"
    return CliRunner().invoke(
        app, ["predict", str(place / "out"), str(source), "-o", str(out), "-q", *options]
    )


def test_texts_that_are_trained_on_have_not_left(place, cheap):
    done = predict(place, place / "rows.jsonl", "--watch", str(place / "out"), "--json")
    assert done.exit_code == 0, done.exception
    found = json.loads(done.stdout)
    assert found["left"] is False, found["changes"]
    assert found["reference"]["name"] == str(place / "out")
    assert [one["measure"] for one in found["changes"]] == ["length", "words", "probe", "answers", "answers"]
    done = predict(place, place / "rows.jsonl", "--watch", str(place / "out"))
    assert "drift: none seen in length, words, vectors and answers" in done.stderr and not done.stdout


@pytest.mark.parametrize("reference", ["out", "rows.jsonl"])
def test_texts_that_have_left_are_told(place, cheap, reference):
    done = predict(place, place / "other.jsonl", "--watch", str(place / reference))
    assert done.exit_code == 0, done.exception
    line, *examples = done.stderr.strip().splitlines()
    assert line.startswith("drift: these texts are not like the reference: ")
    assert "times as long" in line and "% of their words are not in it" in line
    assert len(examples) == 3 and "least like it: wholly unheard of" in examples[0]
    assert len((place / "answers.jsonl").read_text().splitlines()) == 50


def test_a_file_that_was_answered_is_a_reference(place, cheap):
    (place / "before.jsonl").write_text((place / "other.jsonl").read_text())
    assert predict(place, place / "before.jsonl").exit_code == 0
    (place / "answered.jsonl").write_text((place / "answers.jsonl").read_text())
    done = predict(place, place / "other.jsonl", "--watch", str(place / "answered.jsonl"), "--json")
    assert done.exit_code == 0, done.exception
    assert json.loads(done.stdout)["left"] is False


def test_of_parts_those_are_compared_that_are_answered_now(place, cheap, tmp_path):
    options = [
        str(place / "other.jsonl"),
        "-o",
        f"{tmp_path / 'parts'}/",
        "-q",
        "--watch",
        str(place / "out"),
    ]
    done = CliRunner().invoke(app, ["predict", str(place / "out"), *options])
    assert done.exit_code == 0 and "drift: these texts are not like" in done.stderr
    done = CliRunner().invoke(app, ["predict", str(place / "out"), *options])
    assert (
        done.exit_code == 0
        and "all 50 rows are answered" in done.stderr
        and "none is compared" in done.stderr
    )


def test_a_comparison_of_pairs_is_no_reference_for_single_texts(place, tmp_path):
    rows = [{"a": f"one {k}", "b": f"two {k}", "label": "xy"[k % 2]} for k in range(60)]
    st.compare(
        rows, text="a", pair="b", label="label", strategies=["majority"], out=tmp_path / "pairs",
        progress=False, anyway=True,
    )  # fmt: skip
    done = predict(place, place / "other.jsonl", "--watch", str(tmp_path / "pairs"))
    assert isinstance(done.exception, ConfigError)
    assert str(done.exception).endswith("pairs is of pairs, the model reads single texts")


def test_what_cannot_be_compared_is_one_line_and_nothing_is_written(place):
    (place / "answers.jsonl").unlink(missing_ok=True)
    done = predict(place, place / "other.jsonl", "--watch", "nowhere.csv")
    assert isinstance(done.exception, DataError) and "nowhere.csv" in str(done.exception)
    done = predict(place, place / "other.jsonl", "--json")
    assert isinstance(done.exception, ConfigError) and "with --watch and --output" in str(done.exception)
    done = CliRunner().invoke(app, ["predict", str(place / "out"), "a text", "--watch", "x.csv"])
    assert isinstance(done.exception, ConfigError) and "goes with a file of texts" in str(done.exception)
    assert not (place / "answers.jsonl").exists()


def test_the_words_of_each_measure():
    values = Change("answers", 2.0, 3.5, Interval(1.5, 1.0, 2.0))
    area = Change("probe", 0.5, 0.93, Interval(0.93, 0.9, 0.95), same=0.5)
    line, example = told(Drift("ref.csv", 40, 1000, 9000, [values, area], ["like nothing else"]))
    assert line == (
        "drift: these texts are not like the reference: the mean answer is 3.500, not 2.000; a probe tells them apart"
        " with an area of 0.93 (0.90 to 0.95) (1,000 of 9,000 rows, 40 of ref.csv)"
    )
    assert example == "least like it: like nothing else"
    (few,) = told(Drift("ref.csv", 40, 3, 3, [], []))
    assert few == "drift: too few rows to say (3 rows, 40 of ref.csv; 30 of each are needed)"
