"""stratune compare --annotations: from single ratings in a file to the line below the leaderboard."""

import json

import pyarrow as pa
import pyarrow.parquet as pq

from tests.cli.comparison import stratune


def test_ratings_reach_the_leaderboard(tmp_path):
    words = ["dull", "plain", "nice", "lovely"]
    rows = [
        {"text": f"a {words[i % 4]} day {i}", "score": i % 4 + 0.5, "a": [i % 4, i % 4 + 1], "b": [i % 5]}
        for i in range(120)
    ]
    for row in rows[::7]:
        row["b"] = []
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "days.parquet")
    options = ["--data", "days.parquet", "--label", "score", "--kind", "regression", "--annotations", "a+b"]
    options += ["--strategies", "mean,tfidf", "--out", "out"]
    ran = stratune("compare", *options, cwd=tmp_path, cache=tmp_path / "cache")
    assert ran.returncode == 0, ran.stderr
    assert "one rater against the others: r 0." in ran.stdout
    board = json.loads((tmp_path / "out" / "leaderboard.json").read_text())
    tfidf = next(row for row in board["rows"] if row["strategy"] == "tfidf")
    assert board["people"]["rows"] == board["split"]["test"]
    assert tfidf["with_people"]["others"]["pearson"]["value"] > board["people"]["ceiling"]["pearson"]["value"]
    kept = pq.read_table(tmp_path / "out" / "runs" / "tfidf@none#0" / "predictions.parquet").to_pylist()
    by_text = {f"{number + 1}": row for number, row in enumerate(rows)}
    assert all(row["annotations"] == by_text[row["id"]]["a"] + by_text[row["id"]]["b"] for row in kept)
    levels = ["--kind", "ordinal", "--bins", "low,mid,high", "--out", "bins"]
    ran = stratune("compare", *options[:4], *options[6:10], *levels, "--strategies", "majority", "--json",
                   cwd=tmp_path, cache=tmp_path / "cache")  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert set(json.loads(ran.stdout)["people"]["ceiling"]) == {"accuracy", "kappa", "qwk"}


def test_rows_without_gold_and_rows_that_raters_differ_on_are_told_on_the_board(tmp_path):
    rows = [
        {"text": f"a {'good' if i % 2 else 'bad'} day {i}", "label": "-" if i < 12 else "ab"[i % 2],
         "votes": ["ab"[i % 2]] * 2 + (["ab"[(i + 1) % 2]] if i % 4 == 0 else [])}
        for i in range(120)
    ]  # fmt: skip
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "days.parquet")
    options = ["data.agreement=0.8", "--data", "days.parquet", "--annotations", "votes", "--no-gold", "-"]
    ran = stratune("compare", *options, "--strategies", "majority", "--out", "out", "--json", cwd=tmp_path,
                   cache=tmp_path / "cache")  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    note = "left out 39 of 120 rows: 12 without a gold label ('-' 12), 27 whose raters agree by less than 0.8"
    notes = json.loads((tmp_path / "out" / "split.json").read_text())["notes"]
    assert any(one.endswith(f"days.parquet: {note}") for one in notes)
    assert note.partition("(")[0] in (tmp_path / "out" / "report.html").read_text()
    split = json.loads(ran.stdout)["split"]
    assert split["train"] + split["test"] == 81 and json.loads(ran.stdout)["task"]["labels"] == ["a", "b"]
