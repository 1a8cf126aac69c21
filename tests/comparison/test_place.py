"""Only our own files: what a comparison replaces and removes, and what it never touches."""

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

import stratune as st
from stratune.comparison.comparison import run_comparison
from stratune.config import parse_config
from stratune.engine.inline import InlineEngine
from stratune.errors import ArtifactError, ConfigError, DataError
from stratune.ownership import MARKER, Owned
from stratune.report import publish

# A run that fits something, and takes no time to choose.
TFIDF = {"preset": "tfidf", "least": [1], "characters": False, "strengths": [10.0]}
BACKBONE_FREE = ["majority", TFIDF]


def write_rows(path, words=("good", "bad"), rows=80):
    lines = [f"{words[n % 2]} number {n * 7919 % 1000} of {n},{words[n % 2]}" for n in range(rows)]
    path.write_text("\n".join(["text,label", *lines, ""]))
    return path


def config(data, **more):
    return parse_config(
        {"data": {"source": str(data)}, "strategies": BACKBONE_FREE, "llms": ["minilm"], **more}
    )


def noted(config, out=None, **options):
    """Compares, and what it noted meanwhile."""
    notes = []

    def watch(told):
        if told.event["event"] == "note":
            notes.append(told.event["text"])

    results = list(run_comparison(config, out, engine=InlineEngine(), watch=watch, **options))
    assert [result.status for result in results] == ["ok"] * len(results)
    return notes


def without_report(patch):
    patch.setattr("stratune.comparison.checked.data_report", lambda config, split: {"issues": []})


@pytest.fixture
def run(monkeypatch):
    without_report(monkeypatch)
    return noted


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A comparison, made once: `compared` is a copy to damage."""
    folder = tmp_path_factory.mktemp("finished")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STRATUNE_CACHE", str(folder / "cache"))
        without_report(patch)
        noted(config(write_rows(folder / "reviews.csv")), folder / "out")
    return folder


@pytest.fixture
def compared(finished, tmp_path):
    shutil.copy(finished / "reviews.csv", tmp_path)
    return Path(shutil.copytree(finished / "out", tmp_path / "out"))


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_folder_of_the_users_with_our_names_is_not_touched(tmp_path, run):
    data, thesis = write_rows(tmp_path / "reviews.csv"), tmp_path / "thesis"
    for name in ("plots/figure.svg", "runs/.keep/x", "runs/exp1/weights.bin", "config.yaml", "report.html"):
        (thesis / name).parent.mkdir(parents=True, exist_ok=True)
        (thesis / name).write_text("years of work")
    before = contents(thesis)
    for fresh in (False, True):
        with pytest.raises(ConfigError, match="holds no comparison"):
            run(config(data), thesis, fresh=fresh)
    with pytest.raises(ArtifactError):
        publish(thesis)
    assert contents(thesis) == before


def test_files_of_the_users_in_our_folder_stay(compared, tmp_path, run):
    own = {"notes.txt", "plots/mine.svg", "runs/exp1/weights.bin", "runs/.keep/x", ".hidden"}
    for name in own:
        (compared / name).parent.mkdir(exist_ok=True)
        (compared / name).write_text("mine")
    run(config(tmp_path / "reviews.csv"), compared)
    publish(compared)
    run(config(tmp_path / "reviews.csv"), compared, fresh=True)
    found = contents(compared)
    assert {name for name, data in found.items() if data == b"mine"} == own


def test_the_marker_names_all_that_is_ours(compared):
    owned = Owned.read(compared)
    files = {name for name in contents(compared) if name != MARKER}
    ours = {name for name in files if any(name == one or name.startswith(f"{one}/") for one in owned.files)}
    assert files == ours and len(owned.id) == 32


def test_a_file_of_the_users_in_the_place_of_ours_stops_before_anything_is_written(compared, tmp_path, run):
    owned = Owned.read(compared)
    owned.disown(["report.html"])
    (compared / "report.html").write_text("my own page")
    with pytest.raises(ConfigError, match="report.html is not stratune's"):
        publish(compared)
    assert (compared / "report.html").read_text() == "my own page"


def test_a_damaged_marker_stops_with_advice(compared, tmp_path, run):
    for text in ("", "{", "[]", '{"id": 1}', '{"id": "x", "files": ["../../etc/passwd"], "compares": {}}'):
        (compared / MARKER).write_text(text)
        before = contents(compared)
        with pytest.raises(ArtifactError, match=MARKER):
            run(config(tmp_path / "reviews.csv"), compared, fresh=True)
        assert contents(compared) == before


def test_a_marker_that_lost_a_name_is_damaged_and_no_file_becomes_the_users(compared, tmp_path, run):
    marker = json.loads((compared / MARKER).read_text())
    marker["files"].remove("split.json")
    (compared / MARKER).write_text(json.dumps(marker))
    before = contents(compared)
    for command in (lambda: run(config(tmp_path / "reviews.csv"), compared), lambda: publish(compared)):
        with pytest.raises(ArtifactError, match="damaged"):
            command()
    assert contents(compared) == before


@pytest.mark.parametrize("name", ["config.yaml", "split.json", "runs/tfidf@none#0/history.jsonl"])
def test_a_folder_in_the_way_of_a_file_of_ours_is_said_before_anything_is_written(
    compared, tmp_path, run, name
):
    (compared / name).unlink()
    (compared / name).mkdir()
    before = contents(compared)
    with pytest.raises(ArtifactError, match=f"{name}: a folder"):
        run(config(tmp_path / "reviews.csv"), compared)
    assert contents(compared) == before


def test_a_folder_in_the_way_of_the_page_is_said_before_the_leaderboard_is_written(compared):
    publish(compared)
    before = contents(compared)
    (compared / "report.html").unlink()
    (compared / "report.html").mkdir()
    with pytest.raises(ArtifactError, match="report.html: a folder"):
        publish(compared)
    assert contents(compared) == {name: what for name, what in before.items() if name != "report.html"}


def test_leftovers_of_killed_processes_go_and_other_dot_files_stay(compared, tmp_path, run):
    of_run = compared / "runs" / "tfidf@none#0"
    (of_run / "fold-2").mkdir()
    left = [
        of_run / ".result.json.abc123-99999999-xyz.stratune-tmp.json",
        of_run / "fold-2" / ".checkpoint-float32.safetensors.abc123-99999999-xyz.stratune-tmp.safetensors",
    ]
    for path in left:
        path.write_text("half")
    (compared / ".gitignore").write_text("*")
    run(config(tmp_path / "reviews.csv"), compared)
    assert not any(path.exists() for path in left) and (compared / ".gitignore").read_text() == "*"


# -- the default place


def test_other_data_and_another_task_have_a_place_of_their_own(tmp_path, run, monkeypatch):
    monkeypatch.chdir(tmp_path)
    one, other = tmp_path / "a" / "reviews.csv", tmp_path / "b" / "reviews.csv"
    for path in (one, other):
        path.parent.mkdir()
    write_rows(one)
    write_rows(other, words=("up", "down"))
    places = []
    for path, kind in ((one, {}), (other, {}), (one, {"task": {"metric": "accuracy"}}), (one, {})):
        run(config(path, **kind), placed=places.append)
    names = [place.name for place in places]
    assert names[0] == names[3] == "reviews" and len(set(names)) == 3
    assert all(name.startswith("reviews-") for name in names[1:3])


def test_a_second_frame_does_not_fall_into_the_first_ones_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    frames = [
        pd.DataFrame(
            {"text": [f"{w} day {n * 31 % 97} {n}" for n in range(40) for w in words], "label": words * 40}
        )
        for words in (["good", "bad"], ["up", "down"])
    ]
    boards = [st.compare(frame, strategies=["majority"], progress=False) for frame in frames]
    assert boards[0].out != boards[1].out
    assert [board.leaderboard["task"]["labels"] for board in boards] == [["bad", "good"], ["down", "up"]]
    again = st.compare(frames[0], strategies=["majority"], progress=False)
    assert again.out == boards[0].out


def test_a_frame_is_written_only_after_all_checks(tmp_path):
    users = tmp_path / "mine"
    users.mkdir()
    (users / "data.parquet").write_text("the user's rows")
    frame = pd.DataFrame({"text": ["a", "b"] * 30, "label": ["x", "y"] * 30})
    with pytest.raises(ConfigError, match="holds no comparison"):
        st.compare(frame, strategies=["majority"], out=users, progress=False)
    assert (users / "data.parquet").read_text() == "the user's rows"
    with pytest.raises(DataError):
        st.compare(frame, label="none", strategies=["majority"], out=tmp_path / "new", progress=False)
    assert not (tmp_path / "new").exists()


# -- a number belongs to its settings


@pytest.mark.parametrize(
    ("task", "said"),
    [
        ({"kind": "ordinal", "labels": ["bad", "good"]}, 'task.kind is "classification", not "ordinal"'),
        ({"labels": ["good", "bad"]}, "task.labels"),
        ({"metric": "accuracy"}, "task.metric"),
    ],
)
def test_another_task_in_the_same_folder_is_refused(compared, tmp_path, run, task, said):
    before = contents(compared)
    with pytest.raises(ArtifactError, match="holds another comparison") as error:
        run(config(tmp_path / "reviews.csv", task=task), compared)
    assert said in str(error.value) and contents(compared) == before


def test_a_run_of_another_budget_is_made_again_or_set_aside(compared, tmp_path, run):
    data = tmp_path / "reviews.csv"
    notes = run(config(data, strategies=["majority"], budget={"epochs": 1}), compared)
    assert notes == ["made under other settings (budget.epochs is null, not 1.0): it is run again"]
    board = json.loads((compared / "leaderboard.json").read_text())
    assert [row["strategy"] for row in board["rows"]] == ["majority"]
    assert board["set_aside"] == {"tfidf@none#0": "budget.epochs is null, not 1.0"}
    assert run(config(data, budget={"epochs": 1}), compared) != []
    board = json.loads((compared / "leaderboard.json").read_text())
    assert len(board["rows"]) == 2 and "set_aside" not in board


# -- a damaged folder heals


def flip(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def unknown_field(path):
    path.write_text(json.dumps(json.loads(path.read_text()) | {"from_tomorrow": 1}))


def changed(path, name):
    result = json.loads(path.read_text())
    path.write_text(json.dumps(result | {name: f"{result[name]}0"}))


RUN = "runs/tfidf@none#0"
DAMAGE = {
    "result cut": (f"{RUN}/result.json", lambda path: path.write_bytes(path.read_bytes()[:100])),
    "result empty": (f"{RUN}/result.json", lambda path: path.write_bytes(b"")),
    "result of no mapping": (f"{RUN}/result.json", lambda path: path.write_bytes(b"[]")),
    "result of a later version": (f"{RUN}/result.json", unknown_field),
    "no predictions": (f"{RUN}/predictions.parquet", lambda path: path.unlink()),
    "predictions flipped": (f"{RUN}/predictions.parquet", flip),
    "a score that is no number": (
        f"{RUN}/result.json",
        lambda path: path.write_text(path.read_text().replace('"accuracy": ', '"accuracy": "x", "f": ')),
    ),
    "history of nonsense": (f"{RUN}/history.jsonl", lambda path: path.write_text("[1]\n[2]\n")),
    "the end of the split's fingerprint": (f"{RUN}/result.json", lambda path: changed(path, "fingerprint")),
    "the strategy's name": (f"{RUN}/result.json", lambda path: changed(path, "strategy")),
    "no manifest": (f"{RUN}/model/stratune.json", lambda path: path.unlink()),
}


@pytest.mark.parametrize(("name", "damage"), DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_run_is_made_again_with_a_note(compared, tmp_path, run, name, damage):
    before = json.loads((compared / "leaderboard.json").read_text())
    damage(compared / name)
    notes = run(config(tmp_path / "reviews.csv"), compared)
    assert len(notes) == 1 and notes[0].endswith("it is run again") and len(notes[0]) < 500
    after = json.loads((compared / "leaderboard.json").read_text())
    scores = [
        [(row["strategy"], row["val"], row["test"]) for row in board["rows"]] for board in (before, after)
    ]
    assert scores[0] == scores[1]
    assert run(config(tmp_path / "reviews.csv"), compared) == []


def test_a_damaged_run_that_is_not_asked_for_is_set_aside(compared, tmp_path, run):
    (compared / RUN / "predictions.parquet").unlink()
    assert run(config(tmp_path / "reviews.csv", strategies=["majority"]), compared) == []
    board = json.loads((compared / "leaderboard.json").read_text())
    assert [row["strategy"] for row in board["rows"]] == ["majority"]
    assert "predictions.parquet" in board["set_aside"]["tfidf@none#0"]
    assert any("tfidf@none#0 is not ranked here" in one["message"] for one in board["warnings"])


@pytest.mark.parametrize("name", ["split.json", "data.json", "config.yaml", "leaderboard.json"])
@pytest.mark.parametrize("text", ["", "{", '{"fingerprint": "0"}'])
def test_damaged_files_of_the_comparison_are_written_again(compared, tmp_path, run, name, text):
    (compared / name).write_text(text)
    assert run(config(tmp_path / "reviews.csv"), compared) == []
    assert (compared / name).read_text() != text


# -- data errors


def test_an_error_in_the_data_stops_before_anything_is_written(tmp_path):
    data = write_rows(tmp_path / "reviews.csv")
    same = parse_config({"data": {"source": str(data), "test": str(data)}, "strategies": ["majority"]})
    with pytest.raises(DataError, match="--anyway"):
        list(run_comparison(same, tmp_path / "out", engine=InlineEngine()))
    assert not (tmp_path / "out").exists()
    list(run_comparison(same, tmp_path / "out", engine=InlineEngine(), anyway=True))
    assert json.loads((tmp_path / "out" / "data.json").read_text())["anyway"] is True
