"""stratune predict into a folder of parts, and by several processes: the same answers, whatever happens between."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from stratune.cli import app
from stratune.cli.batches import Question
from stratune.cli.parts import NOTE
from stratune.cli.processes import processes
from stratune.cli.workers import Added, Loading
from stratune.errors import ConfigError, DataError, StratuneError
from stratune.predictor.predictor import Predictor
from stratune.testing import toy_split
from tests.helpers import trained


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STRATUNE_CACHE", str(tmp_path_factory.mktemp("cache")))
        folder = tmp_path_factory.mktemp("models")
        for name in ("tfidf", "majority"):
            trained(name, None, split=toy_split()).predictor.save(folder / name)
        return folder


@pytest.fixture
def file(tmp_path, monkeypatch):
    """37 rows, five of them answered at a time, ten or a few more a part."""
    monkeypatch.setattr("stratune.cli.predict.BATCH_ROWS", 5)
    monkeypatch.setattr("stratune.cli.parts.PART_ROWS", 10)
    texts = (list(toy_split().test["text"]) * 4)[:37]
    lines = [json.dumps({"number": k, "text": f"{text} {k}"}) for k, text in enumerate(texts)]
    (tmp_path / "rows.jsonl").write_text("\n".join(lines) + "\n")
    return tmp_path / "rows.jsonl"


def predict(model, source, out, *options):
    return CliRunner().invoke(app, ["predict", str(model), str(source), "-o", str(out), "-q", *options])


def whole(models, file):
    done = predict(models / "tfidf", file, file.parent / "whole.parquet")
    assert done.exit_code == 0, done.exception
    return pq.read_table(file.parent / "whole.parquet").to_pylist()


def in_parts(folder):
    paths = sorted(folder.glob("part-*.parquet"))
    return [pq.read_table(path).to_pylist() for path in paths]


def test_parts_are_the_whole(models, file, tmp_path):
    done = predict(models / "tfidf", file, f"{tmp_path / 'answers'}/")
    assert done.exit_code == 0, done.exception
    parts = in_parts(tmp_path / "answers")
    assert [len(part) for part in parts] == [10, 10, 10, 7]
    assert [row for part in parts for row in part] == whole(models, file)
    assert pq.read_table(tmp_path / "answers").num_rows == 37  # as a folder: the note is passed over


def test_it_goes_on_behind_the_last_whole_part(models, file, tmp_path, monkeypatch):
    answer, rows, limit = Predictor.answer, [], [23]

    def until(self, texts, *more):
        if sum(rows) + len(texts) > limit[0]:
            raise DataError("the power is gone")
        rows.append(len(texts))
        return answer(self, texts, *more)

    monkeypatch.setattr(Predictor, "answer", until)
    out = tmp_path / "answers"
    assert isinstance(predict(models / "tfidf", file, f"{out}/").exception, DataError)
    assert [len(part) for part in in_parts(out)] == [10, 10]
    assert {path.name for path in out.iterdir()} == {NOTE, "part-00000.parquet", "part-00001.parquet"}
    rows.clear()
    limit[0] = 1000
    done = predict(models / "tfidf", file, out)
    assert done.exit_code == 0 and sum(rows) == 17
    assert [row for part in in_parts(out) for row in part] == whole(models, file)

    rows.clear()
    done = predict(models / "tfidf", file, out)
    assert done.exit_code == 0 and not rows and "all 37 rows are answered" in done.stderr


def test_a_part_that_was_not_noted_is_written_again(models, file, tmp_path):
    out = tmp_path / "answers"
    assert predict(models / "tfidf", file, f"{out}/").exit_code == 0
    note = json.loads((out / NOTE).read_text())
    (out / NOTE).write_text(json.dumps({**note, "rows": note["rows"][:2], "ended": False}))
    (out / "part-00003.parquet").write_text("cut sho")
    assert predict(models / "tfidf", file, out).exit_code == 0
    assert [row for part in in_parts(out) for row in part] == whole(models, file)


def test_a_command_that_was_wrong_leaves_the_folder_free(models, file, tmp_path):
    out = f"{tmp_path / 'answers'}/"
    assert "'nowhere'" in refused(predict(models / "tfidf", file, out, "--text", "nowhere"))
    assert predict(models / "tfidf", file, out).exit_code == 0
    assert [len(part) for part in in_parts(tmp_path / "answers")] == [10, 10, 10, 7]


def refused(done):
    assert isinstance(done.exception, StratuneError), done.exception
    return str(done.exception)


def test_answers_of_something_else_are_left_alone(models, file, tmp_path):
    out = tmp_path / "answers"
    assert predict(models / "tfidf", file, f"{out}/").exit_code == 0
    before = {path: path.read_bytes() for path in out.iterdir()}
    assert "another run (model)" in refused(predict(models / "majority", file, out))
    assert "another run (prefix)" in refused(predict(models / "tfidf", file, out, "--prefix", "p_"))
    assert "another run (format)" in refused(predict(models / "tfidf", file, out, "--format", "csv"))
    file.write_text(file.read_text() + '{"number": 37, "text": "one more"}\n')
    assert "another run (bytes, changed)" in refused(predict(models / "tfidf", file, out))
    assert {path: path.read_bytes() for path in out.iterdir()} == before


def test_a_folder_of_the_users_is_not_written_into(models, file, tmp_path):
    out = tmp_path / "mine"
    out.mkdir()
    (out / "letter.txt").write_text("dear")
    done = predict(models / "tfidf", file, out)
    assert isinstance(done.exception, ConfigError) and "holds other files" in str(done.exception)
    assert [path.name for path in out.iterdir()] == ["letter.txt"]


def test_what_is_damaged_is_said(models, file, tmp_path):
    out = tmp_path / "answers"
    assert predict(models / "tfidf", file, f"{out}/").exit_code == 0
    (out / "part-00001.parquet").unlink()
    assert "part-00001.parquet: gone" in refused(predict(models / "tfidf", file, out))
    (out / NOTE).write_text("{")
    assert f"{NOTE}: damaged" in refused(predict(models / "tfidf", file, out))
    done = CliRunner().invoke(
        app, ["predict", str(models / "tfidf"), "-", "-o", f"{tmp_path / 'x'}/"], input="{}"
    )
    assert "cannot be read again" in refused(done)


def test_two_processes_answer_as_one_in_order(models, file, tmp_path):
    done = predict(models / "tfidf", file, f"{tmp_path / 'answers'}/", "--jobs", "2")
    assert done.exit_code == 0, done.exception
    assert [row for part in in_parts(tmp_path / "answers") for row in part] == whole(models, file)
    alone = refused(predict(models / "tfidf", file, tmp_path / "one.csv", "--explain"))
    together = refused(predict(models / "tfidf", file, tmp_path / "two.csv", "--explain", "--jobs", "2"))
    assert together == alone and "reads texts whole" in alone
    assert not (tmp_path / "two.csv").exists()


@dataclass(frozen=True)
class Killed(Added):
    def __call__(self, predictor, question):
        os._exit(9)


def test_a_process_that_is_killed_is_said(models):
    with (
        pytest.raises(StratuneError, match="was killed, or ran out of memory: fewer --jobs"),
        processes(Loading(models / "tfidf"), Killed(), 1) as pool,
    ):
        pool.ask(Question(["a"]))()
