"""stratune data check and split, through the command-line app."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from stratune.cli.data import app
from stratune.data.load import load_split
from stratune.data.read import read
from stratune.errors import DataError

HEAVY = ("torch", "transformers", "datasets", "pandas", "pyarrow", "numpy", "sklearn", "scipy", "matplotlib")


@pytest.fixture
def reviews(tmp_path):
    path = tmp_path / "reviews.csv"
    lines = [f'"review {i}, ""good""",{"no" if i % 2 else "yes"},f{i // 4}' for i in range(80)]
    path.write_text("\n".join(["review,sentiment,film", *lines, *lines[:1]]) + "\n")
    return path


def run(*arguments: object) -> object:
    return CliRunner().invoke(app, [str(a) for a in arguments])


def test_check_prints_tables_and_findings(reviews):
    result = run("check", reviews, "--text", "review", "--label", "sentiment", "--group", "film")
    assert result.exit_code == 0, result.output
    assert "Rows and labels" in result.output and "warning: 1 row repeats an earlier text" in result.output


def test_check_prints_json_only(reviews):
    result = run("check", reviews, "--text", "review", "--label", "sentiment", "--json")
    report = json.loads(result.stdout)
    # so few rows validate in folds: no part is kept for it
    assert report["rows"] == {"train": 69, "val": 69, "test": 12} and report["ok"] is True


def test_rows_without_gold_are_left_out_when_named(tmp_path):
    path, out = tmp_path / "rows.csv", tmp_path / "out"
    lines = [f"text {i},{'-' if i < 20 else ('no', 'yes')[i % 2]}" for i in range(100)]
    path.write_text("\n".join(["text,label", *lines]) + "\n")
    plain = run("check", path, "--backbone", "")
    assert "'-'; leave such rows out with --no-gold -, or" in plain.output
    asked = run("check", path, "--backbone", "", "--no-gold", "-", "--json")
    report = json.loads(asked.stdout)
    note = f"{path}: left out 20 of 100 rows: 20 without a gold label ('-' 20)"
    assert note in [issue["message"] for issue in report["issues"]]
    assert list(report["balance"]["test"]) == ["no", "yes"]
    result = run("split", path, "--out", out, "--no-gold", "-")
    assert f"note: {note}" in result.output
    assert sum(len(read(out / f"{part}.csv")) for part in ("train", "val", "test")) == 80


def test_an_error_in_the_data_is_exit_code_1(reviews):
    result = run("check", reviews, "--text", "review", "--label", "sentiment", "--test", reviews)
    assert result.exit_code == 1 and "error: " in result.output


def test_wrong_input_reaches_the_caller(reviews):
    result = run("check", reviews, "--text", "reviews", "--label", "sentiment")
    assert isinstance(result.exception, DataError) and "did you mean 'review'?" in str(result.exception)


@pytest.mark.parametrize("format", ["csv", "jsonl", "parquet"])
def test_split_writes_what_a_comparison_would_use(reviews, tmp_path, format):
    out = tmp_path / "out"
    columns = ("--text", "review", "--label", "sentiment", "--seed", 3, "--format", format)
    result = run("split", reviews, "--out", out, *columns)
    assert result.exit_code == 0, result.output
    assert sorted(p.name for p in out.iterdir()) == [
        "split.json",
        *sorted(f"{p}.{format}" for p in ("train", "val", "test")),
    ]
    saved = json.loads((out / "split.json").read_text())
    assert read(out / f"train.{format}")["id"][:] == saved["parts"]["train"]
    own = {part: out / f"{part}.{format}" for part in ("val", "test")}
    from stratune.task import Task

    again = load_split(out / f"train.{format}", Task(id="id"), seed=9, **own)
    assert again.fingerprint == saved["fingerprint"]


def test_split_leaves_nothing_half_written(reviews, tmp_path, monkeypatch):
    def fail(*_: object) -> None:
        raise RuntimeError("disk gone")

    monkeypatch.setattr("stratune.data.write.JsonlWriter.write", fail)
    out = tmp_path / "out"
    result = run(
        "split", reviews, "--out", out, "--text", "review", "--label", "sentiment", "--format", "jsonl"
    )
    assert str(result.exception) == "disk gone" and list(out.iterdir()) == []


def test_split_refuses_an_unknown_format_before_reading(tmp_path):
    result = run("split", tmp_path / "none.csv", "--out", tmp_path / "out", "--format", "xls")
    assert "output format 'xls' is not one of csv, jsonl, parquet" in str(result.exception)


def test_nothing_heavy_is_imported_before_a_command_runs():
    code = f"import sys, stratune.cli.data; print([m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
