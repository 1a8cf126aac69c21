"""stratune data agree, through the command-line app."""

import json

import numpy as np
import pandas as pd
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


@pytest.fixture
def rated(tmp_path):
    """200 rows by five known raters, of whom `eve` answers at random, a gold label, and twelve rows of -."""
    draw = np.random.default_rng(0)
    truth = draw.integers(0, 2, 200)
    said = np.where(draw.random((200, 5)) < 0.85, truth[:, None], 1 - truth[:, None])
    said[:, 4] = draw.integers(0, 2, 200)
    names = np.array(["ann", "bob", "cy", "dee", "eve"])
    path = tmp_path / "rated.jsonl"
    lines = []
    for row in range(200):
        order = draw.permutation(5)[: 4 if row % 10 else 5]
        votes, who = [["no", "yes"][one] for one in said[row][order]], names[order].tolist()
        label = "-" if row < 12 else ["no", "yes"][truth[row]]
        lines.append(json.dumps({"text": f"text {row}", "votes": votes, "who": who, "label": label}))
    path.write_text("\n".join(lines) + "\n")
    return path


def test_who_is_off_is_named(rated):
    found = json.loads(run(rated, "--annotations", "votes", "--raters", "who", "--json").stdout)
    assert found["off"] == ["eve"] and found["raters"] == 5 and not found["identified"]
    eve = next(one for one in found["annotators"] if one["name"] == "eve")
    assert eve["agreement"]["high"] < eve["rest"] and eve["p"] < 1e-6 and 150 < eve["ratings"] < 200
    assert found["cohen"]["pairs"] == 10 and len(found["cohen"]["each"]) == 10
    lowest = sorted(found["cohen"]["each"], key=lambda one: one["cohen"]["value"])[:4]
    assert all("eve" in one["raters"] for one in lowest)
    assert set(found["by_label"]) == {"no", "yes"} and found["percent"]["low"] < found["percent"]["high"]
    shown = run(rated, "--annotations", "votes", "--raters", "who").stdout
    assert "off: eve (p below 0.001, adjusted for 5 raters)" in shown
    assert max(map(len, shown.splitlines())) <= 80


def test_the_rows_with_most_disagreement_are_listed_with_their_texts(rated):
    found = json.loads(run(rated, "--annotations", "votes", "--rows", "7", "--json").stdout)
    assert len(found["worst"]) == 7
    first = found["worst"][0]
    assert first["text"] == f"text {first['row'] - 1}" and sorted(first["ratings"]) == [
        "no",
        "no",
        "yes",
        "yes",
    ]
    assert found["worst"] == sorted(found["worst"], key=lambda one: -one["disagreement"])
    assert first["text"] in run(rated, "--annotations", "votes", "--rows", "1").stdout


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_what_raters_agree_on_is_written(rated, tmp_path, suffix):
    out = tmp_path / f"agreed.{suffix}"
    run(rated, "--annotations", "votes", "--write", out)
    read = pd.read_csv if suffix == "csv" else pd.read_parquet
    table = read(out)
    assert len(table) == 200 and list(table.columns) == [
        "text", "votes", "who", "label", "consensus", "consensus_share", "consensus_ratings", "share_no", "share_yes"
    ]  # fmt: skip
    ties = table["share_no"] == table["share_yes"]
    assert ties.any() and table.loc[ties, "consensus"].isna().all()
    assert (table.loc[~ties, "consensus"] == np.where(table["share_no"] > 0.5, "no", "yes")[~ties]).all()


def test_dawid_and_skene_trust_eve_less(rated, tmp_path):
    out = tmp_path / "agreed.parquet"
    with_names = ("--annotations", "votes", "--raters", "who", "--consensus", "dawid-skene")
    found = json.loads(run(rated, *with_names, "--label", "label", "--write", out, "--json").stdout)
    assert found["consensus"]["way"] == "dawid-skene" and found["consensus"]["ties"] == 0
    table = pd.read_parquet(out).iloc[12:]
    votes = table["votes"].map(lambda row: (np.asarray(row) == "yes").mean())
    right = (table["consensus"] == table["label"]).mean()
    assert right > (np.where(votes > 0.5, "yes", "no") == table["label"]).mean() and right > 0.9
    assert np.allclose(table["probability_no"] + table["probability_yes"], 1)


def test_rows_without_gold_are_dropped_when_named_and_told_otherwise(rated, tmp_path):
    out = tmp_path / "agreed.jsonl"
    arguments = (rated, "--annotations", "votes", "--label", "label", "--json")
    found = json.loads(run(*arguments).stdout)
    assert found["notes"] == ["12 rows seem to have no gold label ('-'): leave them out with --no-gold -"]
    options = ("--no-gold", "-", "--no-gold", "tie", "--least", "0.8", "--write", out)
    found = json.loads(run(*arguments, *options).stdout)
    one = found["consensus"]
    assert found["notes"] == [] and one["left_out"]["'-'"] == 12 and one["left_out"]["tie"] > 0
    assert one["kept"] + sum(one["left_out"].values()) == one["rows"] == 200
    assert one["balance"]["before"]["-"] == 12 and one["balance"]["after"]["-"] == 0
    kept = [json.loads(line) for line in out.read_text().splitlines()]
    assert len(kept) == one["kept"] and min(row["consensus_share"] for row in kept) >= 0.8
    shown = run(*arguments[:-1], *options).stdout
    assert "left out: '-'" in shown and f"wrote {one['kept']} rows" in shown.replace("\n", " ")


def test_numbers_have_errors_and_a_mean(judged, tmp_path):
    out = tmp_path / "means.csv"
    found = json.loads(run(judged, "--annotations", "a+b+c+d", "--write", out, "--json").stdout)
    assert found["percent"] is None and found["cohen"] is None and found["consensus"]["way"] == "mean"
    first = found["annotators"][0]
    assert first["name"] == "a" and first["bias"]["value"] > 2 and first["mae"]["value"] > 2
    assert pd.read_csv(out)["consensus"].tolist() == [sum(row) / 4 for row in JUDGES]
    assert "bias" in run(judged, "--annotations", "a+b+c+d").stdout


@pytest.mark.parametrize(
    "arguments, error, message",
    [
        (("--consensus", "dawid-skene"), ConfigError, "--consensus: 'dawid-skene': raters are not known; name .* --raters"),
        (("--consensus", "mean"), ConfigError, "--consensus: 'mean': labels have no mean"),
        (("--consensus", "mode"), ConfigError, "--consensus: 'mode' is not one of majority, mean, median, dawid-skene"),
        (("--least", "60"), ConfigError, "--least: 60: expected a share above 0 up to 1"),
        (("--write", "x.docx"), DataError, "x.docx: output format 'docx' is not one of csv, jsonl, parquet"),
        (("--label", "lable"), DataError, "'lable' is not one of .*did you mean 'label'"),
        (("--text", "txt"), DataError, "'txt' is not one of .*did you mean 'text'"),
    ],
)  # fmt: skip
def test_options_that_do_not_go_together(rated, arguments, error, message):
    with pytest.raises(error, match=message):
        raise run(rated, "--annotations", "votes", *arguments).exception
