"""stratune data agree, through the command-line app."""

import json

import pytest
from typer.testing import CliRunner

from stratune.cli import app
from stratune.errors import ConfigError, DataError

JUDGES = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]


@pytest.fixture
def judged(tmp_path):
    """Shrout and Fleiss's table, a column for each judge and a list of all."""
    path = tmp_path / "judged.csv"
    lines = [f'{",".join(map(str, row))},"{row}",{"yes" if row[0] > 7 else "no"}' for row in JUDGES]
    path.write_text("\n".join(["a,b,c,d,all,high", *lines]) + "\n")
    return path


def run(*arguments):
    return CliRunner().invoke(app, ["data", "agree", *map(str, arguments)])


def test_raters_in_columns_have_every_coefficient(judged):
    found = json.loads(run(judged, "--annotations", "a+b+c+d", "--json").stdout)
    rounded = {name: round(one["value"], 2) for name, one in found["icc"].items()}
    assert rounded == {"icc1": 0.17, "icc1k": 0.44, "icc2": 0.29, "icc2k": 0.62, "icc3": 0.71, "icc3k": 0.91}
    assert found["identified"] and found["kind"] == "regression" and found["rows"] == 6
    assert set(found["ceiling"]) == {"pearson", "spearman", "mae", "rmse", "icc2", "icc3"}


def test_lists_have_the_one_way_forms(judged):
    found = json.loads(run(judged, "--annotations", "all", "--json").stdout)
    assert not found["identified"] and set(found["icc"]) == {"icc1", "icc1k"}


def test_a_table_for_people(judged):
    shown = run(judged, "--annotations", "a+b+c+d")
    assert shown.exit_code == 0
    for words in ("taken as", "icc2: one rater of many such", "alpha (interval)", "against the others: r"):
        assert words in shown.stdout


def test_labels_and_levels(tmp_path):
    path = tmp_path / "votes.jsonl"
    rows = [["no", "no", "yes"], ["yes", "yes"], ["no", "no", "no"], [], ["yes", "no", "yes"]]
    path.write_text("".join(json.dumps({"votes": votes}) + "\n" for votes in rows))
    found = json.loads(run(path, "--annotations", "votes", "--json").stdout)
    assert found["kind"] == "classification" and found["labels"] == ["no", "yes"]
    assert found["rows"] == 4 and found["per_row"] == {"least": 2, "mean": 2.75, "most": 3}
    assert set(found["ceiling"]) == {"accuracy", "kappa"} and found["alpha"]["level"] == "nominal"
    levels = run(path, "--annotations", "votes", "--kind", "ordinal", "--labels", "no, yes", "--json")
    assert "qwk" in json.loads(levels.stdout)["ceiling"]


@pytest.mark.parametrize(
    "arguments, error, message",
    [
        (("--annotations", "alll"), DataError, "'alll' is not one of a, b, c, d, all, high .did you mean 'all'"),
        (("--annotations", "high", "--kind", "regression"), DataError, r"csv:2: column 'high': rating 'yes' is not"),
        (("--annotations", "high", "--labels", "no"), DataError, r"csv:2: column 'high': rating 'yes' is not one of no"),
        (("--annotations", "a", "--kind", "rank"), ConfigError, "'rank' is not one of classification"),
    ],
)  # fmt: skip
def test_wrong_input_reaches_the_caller(judged, arguments, error, message):
    with pytest.raises(error, match=message):
        raise run(judged, *arguments).exception
