"""The other commands, through the real entry point."""

import csv
import io
import json
import os
import re
import subprocess
import sys

import pyarrow.parquet as pq
import pytest

from stratune.version import __version__
from tests.cli.comparison import stratune


@pytest.fixture
def model(finished):
    return (
        finished.out
        / "runs"
        / f"lora@{finished.options[7].as_posix().strip('/').replace('/', '--')}#0"
        / "model"
    )


@pytest.fixture
def ask(finished):
    return lambda *arguments, **options: stratune(
        *arguments, cwd=finished.folder, cache=finished.cache, **options
    )


def test_help_is_fast_and_imports_nothing_heavy():
    code = "import sys, stratune.cli; print([m for m in ('torch', 'pandas', 'datasets', 'pydantic') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"

    def seconds():
        """Of the processor: how long it waits for one is the machine's affair."""
        before = os.times()
        subprocess.run([sys.executable, "-m", "stratune", "--help"], capture_output=True, check=True)
        after = os.times()
        return sum(getattr(after, k) - getattr(before, k) for k in ("children_user", "children_system"))

    assert min(seconds() for _ in range(5)) < 0.5


def test_version(ask):
    assert ask("--version").stdout == f"stratune {__version__}\n"


def test_show_prints_the_leaderboard_again(ask, finished):
    assert json.loads(ask("show", "out", "--json").stdout) == finished.board
    shown = ask("show", "out").stdout
    assert all(name in shown for name in ("majority", "tfidf", "partial", "lora"))


def test_show_of_something_else_says_so(ask, tmp_path):
    ran = ask("show", tmp_path)
    assert ran.returncode == 2 and "no leaderboard.json in it (yet)" in ran.stderr


def test_report_is_written_again(ask, finished):
    page = finished.out / "report.html"
    page.unlink()
    assert ask("report", "out").returncode == 0
    assert "lora" in page.read_text()


@pytest.mark.parametrize("kind", ["strategies", "backbones", "metrics", "demos"])
def test_list_names_what_other_commands_take(ask, kind):
    names = json.loads(ask("list", kind, "--json").stdout)
    expected = {"strategies": "lora", "backbones": "minilm", "metrics": "f1_macro", "demos": "reviews"}
    assert expected[kind] in names and all(names.values())


def test_list_of_something_else_names_the_choices(ask):
    ran = ask("list", "strategy")
    assert (ran.returncode, ran.stderr) == (
        2,
        "stratune: list: 'strategy' is not one of strategies, backbones, templates, metrics, perturbations, demos (did you mean 'strategies'?)\n",
    )


def test_predict_keeps_rows_and_order_and_agrees_with_the_comparison(ask, finished, model, tmp_path):
    ran = ask("predict", model, "reviews.csv", "-o", tmp_path / "answers.csv")
    assert ran.returncode == 0, ran.stderr
    given, answers = read_csv(finished.folder / "reviews.csv"), read_csv(tmp_path / "answers.csv")
    assert [row["review"] for row in answers] == [row["review"] for row in given]
    stored = pq.read_table(model.parent / "predictions.parquet").to_pylist()
    for row in stored:
        if row["part"] == "val":  # the training rows, each answered by a model of the others
            continue
        assert answers[int(row["id"]) - 1]["prediction"] == row["prediction"]  # ids are 1-based row numbers


def read_csv(path):
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))


@pytest.mark.parametrize("suffix", ["jsonl", "parquet"])
def test_predict_writes_other_formats(ask, model, tmp_path, suffix):
    assert ask("predict", model, "reviews.csv", "-o", tmp_path / f"answers.{suffix}").returncode == 0
    if suffix == "parquet":
        row = pq.read_table(tmp_path / "answers.parquet").to_pylist()[0]
    else:
        row = json.loads((tmp_path / "answers.jsonl").read_text().splitlines()[0])
    scores = [value for key, value in row.items() if key.startswith("score_")]
    assert sum(scores) == pytest.approx(1, abs=1e-5) and row["tokens_cut"] == 0


def test_predict_reads_and_writes_pipes(ask, model):
    ran = ask("predict", model, "-", stdin='{"review": "the cat saw rain"}\n{"review": ""}\n')
    rows = [json.loads(line) for line in ran.stdout.splitlines()]
    assert [row["review"] for row in rows] == ["the cat saw rain", ""]
    table = list(csv.DictReader(io.StringIO(ask("predict", model, "reviews.csv").stdout)))
    assert set(table[0]) >= {"review", "mood", "prediction", "tokens_cut"}


@pytest.mark.parametrize(
    ("rows", "options", "message"),
    [
        ("text,mood\nhello,a\n", [], "no such column: 'review' is not one of text, mood"),
        (
            "review,prediction\nhello,a\n",
            [],
            "has a column 'prediction' already; choose another with --prefix",
        ),
        ("review\n", [], "rows.csv"),
    ],
)
def test_predict_on_wrong_input_writes_nothing(ask, model, tmp_path, rows, options, message):
    (tmp_path / "rows.csv").write_text(rows)
    ran = ask("predict", model, tmp_path / "rows.csv", "-o", tmp_path / "answers.csv", *options)
    assert ran.returncode == 2 and message in ran.stderr and ran.stderr.count("\n") == 1
    assert not (tmp_path / "answers.csv").exists()


def test_predict_with_something_that_is_no_model(ask, finished):
    ran = ask("predict", finished.out / "runs", "reviews.csv")
    assert ran.returncode == 2 and re.search(r"no stratune.json in it.*did you mean .*model", ran.stderr)


def test_export_gives_a_folder_that_transformers_reads(ask, model, tmp_path):
    ran = ask("export", model, tmp_path / "hf", "--to", "hf")
    assert ran.returncode == 0, ran.stderr
    assert {"config.json", "model.safetensors", "tokenizer.json"} <= {
        path.name for path in (tmp_path / "hf").iterdir()
    }
