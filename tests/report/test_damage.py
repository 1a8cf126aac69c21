"""`stratune show` and `stratune report` on damaged folders: one line that names the file, never a traceback."""

import copy
import csv
import json
import random
import shutil

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from stratune.cli import app
from stratune.errors import StratuneError
from stratune.report import html, leaderboard, publish
from stratune.report.comparison import load
from stratune.report.shapes import read_board
from stratune.report.tables import to_csv, to_markdown
from stratune.report.terminal import table
from tests.report.synthetic import make

RUN = "runs/tfidf@none#0"
STRANGE = (None, 3, -1, "text", "", [], ["x"], {}, {"x": 1}, True, 1.5, 10**400)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    out = make(tmp_path_factory.mktemp("whole") / "out", seeds=(0,), rows=40)
    publish(out)
    return out


@pytest.fixture
def out(whole, tmp_path):
    return shutil.copytree(whole, tmp_path / "out")


def refused(*arguments):
    """What a command says, in one line, when it ends with a wrong folder."""
    ran = CliRunner().invoke(app, [str(one) for one in arguments])
    assert isinstance(ran.exception, StratuneError), ran.exception
    assert "\n" not in str(ran.exception)
    return str(ran.exception)


def reported(out):
    """All that a report computes, pictures apart."""
    comparison = load(out)
    board = leaderboard.build(comparison, resamples=2)
    return to_csv(board), to_markdown(board), html.render(comparison, board, {}), table(board)


@pytest.mark.parametrize("name", ["leaderboard.json", "split.json", "data.json", f"{RUN}/result.json"])
@pytest.mark.parametrize("damage", ["", "{", "[]", "null", '{"a": ' * 5000, '{"a": NaN}', "\x00\x00", "{}"])
def test_a_file_that_is_cut_or_empty_is_named_in_one_line(out, name, damage):
    if name == "data.json" and damage == "{}":
        damage = '{"issues": {}}'  # an empty mapping is a check that found nothing
    (out / name).write_text(damage)
    command = "show" if name == "leaderboard.json" else "report"
    assert name.rsplit("/", 1)[-1] in refused(command, out)


def test_bytes_that_are_no_text_are_named(whole, out):
    for name in ("split.json", "data.json", f"{RUN}/result.json"):
        (out / name).write_bytes(b"\xff\xfe\x00{")
        assert name.rsplit("/", 1)[-1] in refused("report", out)
        shutil.copy(whole / name, out / name)
    (out / "leaderboard.json").write_bytes(b"\xff\xfe\x00{")
    assert "`stratune report" in refused("show", out)  # what makes it again


def test_missing_predictions_are_named_and_nothing_is_written(out):
    before = (out / "report.html").read_bytes()
    (out / RUN / "predictions.parquet").unlink()
    assert "predictions.parquet: not there" in refused("report", out)
    assert (out / "report.html").read_bytes() == before


def test_no_folder_is_said(tmp_path):
    assert refused("show", tmp_path / "none").endswith("none: no such folder")
    assert "no leaderboard.json" in refused("show", tmp_path)


def test_fields_of_a_later_version_are_read_over(out):
    for name in ("leaderboard.json", "split.json", "data.json"):
        found = json.loads((out / name).read_text())
        (out / name).write_text(json.dumps({**found, "later": [1, {"x": None}]}))
    board = read_board(out)
    assert board["later"] == [1, {"x": None}] and "tfidf" in str(reported(out))


def test_a_board_of_an_older_version_is_shown(out):
    board = json.loads((out / "leaderboard.json").read_text())
    del board["warnings"], board["caveats"]
    (out / "leaderboard.json").write_text(json.dumps(board))
    ran = CliRunner().invoke(app, ["show", str(out)])
    assert ran.exit_code == 0 and "tfidf" in ran.output


def test_runs_of_an_older_version_lack_metrics_that_came_later(out):
    for path in out.glob("runs/*/result.json"):
        result = json.loads(path.read_text())
        for part in ("val", "test"):
            result[part].pop("brier", None)
        path.write_text(json.dumps(result))
    publish(out)
    table = csv.DictReader((out / "leaderboard.csv").read_text().splitlines())
    rows = [row for row in table if row["status"] == "ok"]
    assert rows and all(0 <= float(row["val_brier_low"]) <= float(row["val_brier_high"]) for row in rows)


def mutated(value, draw):
    """The value with one place in it replaced by something strange, or taken away."""
    value = copy.deepcopy(value)
    place = value
    while True:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        key = draw.choice(keys)
        inner = place[key]
        if isinstance(inner, (dict, list)) and inner and draw.random() < 0.8:
            place = inner
            continue
        if draw.random() < 0.3:
            del place[key]
        else:
            place[key] = draw.choice(STRANGE)
        return value


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("name", ["leaderboard.json", "split.json", "data.json", f"{RUN}/result.json"])
def test_strange_values_are_shown_or_refused(whole, tmp_path, name, seed):
    draw = random.Random(f"{name} {seed}")  # noqa: S311
    out = shutil.copytree(whole, tmp_path / "out")
    (out / "data.json").write_text(
        json.dumps({"issues": [{"level": "warning", "code": "x", "message": "y"}], "ok": True})
    )
    original = json.loads((out / name).read_text())
    for _ in range(6):
        (out / name).write_text(json.dumps(mutated(original, draw)))
        try:
            table(read_board(out)) if name == "leaderboard.json" else reported(out)
        except StratuneError as error:
            assert "\n" not in str(error)


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("score_positive", "text"),
        ("truth", None),
        ("truth", 3),
        ("id", None),
        ("part", 1.5),
        ("tokens_cut", "many"),
        ("prediction", [["x"]]),
    ],
)
def test_a_column_of_another_type_is_named(out, column, values):
    path = out / RUN / "predictions.parquet"
    rows = pq.read_table(path)
    changed = pa.array([values] * len(rows))
    pq.write_table(rows.set_column(rows.column_names.index(column), column, changed), path)
    try:
        load(out)
    except StratuneError as error:
        assert column in str(error) or "rows that are not" in str(error) or "truth of" in str(error)
    else:
        raise AssertionError("read as if nothing were wrong")


@pytest.mark.parametrize(
    "line", ["3", '{"epoch": "one", "val": 0.5}', '{"epoch": 1, "val": NaN}', "{" * 9999]
)
def test_a_strange_line_of_history_is_named(out, line):
    path = next(out.glob("runs/lora*/history.jsonl"))
    path.write_text(f'{line}\n{{"epoch": 1.0, "val": 0.5}}\n')
    assert "history.jsonl:1: not a line" in refused("report", out)


@pytest.mark.parametrize("budget", ["[1, 2]", "{epochs: [1]}", "{epochs: .inf}", "text"])
def test_a_strange_budget_is_named(out, budget):
    (out / "config.yaml").write_text(f"budget: {budget}\n")
    assert "config.yaml: budget: expected names of settings" in refused("report", out)
