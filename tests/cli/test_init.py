"""stratune init: a file with comments that is the configuration of the same words on the command line."""

from __future__ import annotations

import pytest
import yaml
from typer.testing import CliRunner

from stratune.cli import app
from stratune.cli.compare import configure
from stratune.cli.init import SAID
from stratune.config import Config, read_config
from stratune.errors import ConfigError, DataError


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "calls").mkdir()
    for number in range(12):
        (tmp_path / "calls" / f"call{number}.txt").write_text(f"Ann: It was {number}: {'word ' * 400}\n")
    rows = [f"call{number},{number}.5" for number in range(12)]
    (tmp_path / "scores.csv").write_text("\n".join(["document,score", *rows]) + "\n")
    (tmp_path / "sub").mkdir()
    return tmp_path


def init(*arguments):
    return CliRunner().invoke(app, ["init", *map(str, arguments)])


def test_the_file_is_the_configuration_of_the_same_words(place):
    done = init("calls", "--scores", "scores.csv", "-o", "sub/calls.yaml")
    assert done.exit_code == 0, done.exception
    assert "wrote sub/calls.yaml; then: stratune compare sub/calls.yaml" in done.output
    wanted = configure(["calls"], None, {"scores": "scores.csv"})
    read = read_config("sub/calls.yaml")
    assert (read.task, read.strategies, read.budget) == (wanted.task, wanted.strategies, wanted.budget)
    assert (
        read.data.transcripts.unit == "document" and (place / read.data.source).resolve() == place / "calls"
    )
    assert read.data.fractions == wanted.data.fractions and read.prefer == wanted.prefer


def test_every_key_has_its_comment(place):
    init("calls", "--scores", "scores.csv")
    lines = (place / "stratune.yaml").read_text().splitlines()
    assert lines[0] == "# stratune compare stratune.yaml"
    told = [line for line in lines[1:] if "  # " in line]
    assert len(told) == len(SAID)
    for (key, said), line in zip(SAID.items(), told, strict=True):
        assert line.strip().startswith(f"{key.rpartition('.')[2]}:") and line.endswith(f"  # {said}")


def test_keys_are_those_of_a_configuration():
    full = Config.model_validate({"data": {"source": "x", "transcripts": {}}}).model_dump()
    for key in SAID:
        inside = full
        for name in key.split("."):
            assert name in inside, key
            inside = inside[name]


def test_of_a_table_there_is_nothing_about_transcripts(place):
    assert init("scores.csv", "--text", "document", "--label", "score", "--kind", "regression").exit_code == 0
    fields = yaml.safe_load((place / "stratune.yaml").read_text())
    assert "transcripts" not in fields["data"] and fields["task"]["kind"] == "regression"


def test_nothing_is_written_over_a_file_or_for_data_that_are_not_there(place):
    (place / "stratune.yaml").write_text("mine")
    found = init("calls", "--scores", "scores.csv").exception
    assert isinstance(found, ConfigError) and str(found) == "--output: stratune.yaml is there already"
    assert (place / "stratune.yaml").read_text() == "mine"
    assert isinstance(init("nope.csv", "-o", "new.yaml").exception, DataError)
    assert not (place / "new.yaml").exists()
