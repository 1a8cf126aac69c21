"""OUT/trials.parquet: one table of all trials."""

import json

import pandas as pd
import pytest

from stratune.comparison.board import Board
from stratune.errors import ArtifactError, ConfigError
from stratune.ownership import Owned
from stratune.report import publish
from stratune.report.trials import FILE
from tests.report.synthetic import make

CHOSEN = {"learning_rate": 0.002, "rank": 8, "readout.pool": "mean", "freeze": False}


def line(number, value, settings, **more):
    val = {} if value is None else {"f1_macro": value, "log_loss": 1 - value}
    return {"run": "of this", "number": number, "status": "ok", "settings": settings, "val": val, **more}


def with_lines(out, strategy, lines, *, tried=True):
    """trials.jsonl of the runs of one strategy, as fitting/trials.py leaves them: the chosen first."""
    for folder in out.glob(f"runs/{strategy}@*"):
        (folder / "trials.jsonl").write_text("".join(json.dumps(one) + "\n" for one in lines))
        result = json.loads((folder / "result.json").read_text())
        result["tried"] = {"trials": len(lines)} if tried else {"prompts": len(lines)}
        (folder / "result.json").write_text(json.dumps(result))


@pytest.fixture
def searched(tmp_path):
    out = make(tmp_path / "out", rows=60, seeds=(0, 1))
    rungs = [{"share": 0.3, "val": {"f1_macro": 0.5}}, {"share": 1.0, "val": {"f1_macro": 0.75}}]
    lora = [
        line(2, 0.75, CHOSEN, seconds=3.5, examples_seen=640, share=1.0, rungs=rungs),
        line(0, 0.5, {"learning_rate": 1, "rank": 4, "targets": ["q", "v"]}, seconds=2.0),
        line(1, None, {"learning_rate": 9.5, "targets": "all"}, status="failed", error="<nan>\nloss"),
    ]
    with_lines(out, "lora", lora)
    with_lines(out, "full", [line(0, 0.25, {"template": "é, b"}), line(1, 0.125, {})], tried=False)
    publish(out)
    return out


def test_every_trial_of_every_run_is_a_row(searched):
    found = pd.read_parquet(searched / FILE)
    assert found.groupby(["strategy", "seed"]).size().to_dict() == {
        ("full", 0): 2, ("full", 1): 2, ("lora", 0): 3, ("lora", 1): 3,
    }  # fmt: skip
    assert found.groupby(["strategy", "seed"])["chosen"].sum().tolist() == [1, 1, 1, 1]
    lora = found[(found["strategy"] == "lora") & (found["seed"] == 1)].set_index("number")
    kept = lora.loc[2]
    assert kept["chosen"] and kept["kind"] == "settings" and kept["val_f1_macro"] == 0.75
    assert json.loads(kept["settings"]) == CHOSEN
    assert (kept["setting_learning_rate"], kept["setting_rank"]) == (0.002, 8)
    assert kept["setting_readout.pool"] == "mean" and not kept["setting_freeze"]
    assert (kept["seconds"], kept["examples_seen"], kept["share"]) == (3.5, 640, 1.0)
    assert [one["share"] for one in json.loads(kept["rungs"])] == [0.3, 1.0]
    failed = lora.loc[1]
    assert failed["status"] == "failed" and failed["error"] == "<nan>\nloss" and not failed["chosen"]
    assert pd.isna(failed["val_f1_macro"]) and pd.isna(failed["setting_rank"])
    assert (failed["setting_targets"], lora.loc[0]["setting_targets"]) == ("all", '["q", "v"]')
    prompts = found[found["kind"] == "prompt"]
    assert set(prompts["strategy"]) == {"full"} and "é, b" in set(prompts["setting_template"])


def test_the_board_has_them_as_a_frame_also_where_no_file_was_written(searched):
    written = pd.read_parquet(searched / FILE)
    (searched / FILE).unlink()
    pd.testing.assert_frame_equal(Board.load(searched).trials(), written)
    for path in searched.glob("runs/*/trials.jsonl"):
        path.unlink()
    empty = Board.load(searched).trials()
    assert len(empty) == 0 and {"strategy", "number", "chosen", "settings"} <= set(empty.columns)


def test_trials_of_a_run_that_failed_are_rows_of_which_none_is_chosen(searched):
    for folder in searched.glob("runs/lora@*#0"):
        result = json.loads((folder / "result.json").read_text())
        result |= {"status": "failed", "error": "all of 3 trials failed", "tried": {}}
        (folder / "result.json").write_text(json.dumps(result))
    publish(searched)
    found = pd.read_parquet(searched / FILE)
    failed = found[(found["strategy"] == "lora") & (found["seed"] == 0)]
    assert len(failed) == 3 and not failed["chosen"].any() and set(failed["kind"]) == {"settings"}


def test_it_is_ours_and_goes_with_the_trials(searched):
    assert FILE in Owned.read(searched).files
    for path in searched.glob("runs/*/trials.jsonl"):
        path.unlink()
    publish(searched)
    assert not (searched / FILE).exists() and FILE not in Owned.read(searched).files


def test_a_file_of_the_users_is_not_replaced(searched):
    owned = Owned.read(searched)
    owned.files.discard(FILE)
    owned.save()
    (searched / FILE).write_text("mine")
    with pytest.raises(ConfigError, match=f"{FILE} is not stratune's"):
        publish(searched)
    assert (searched / FILE).read_text() == "mine"


def test_a_line_that_is_no_trial_is_an_error_that_names_it(searched):
    path = next(searched.glob("runs/lora@*#0/trials.jsonl"))
    path.write_text(path.read_text().replace('"number": 2', '"number": "two"'))
    with pytest.raises(ArtifactError, match=r"trials\.jsonl:1: .*number"):
        publish(searched)
