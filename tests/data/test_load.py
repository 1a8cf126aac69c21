"""load_split: from files to parts, with messages that point at the right file."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import datasets
import pytest
from datasets import ClassLabel, Dataset, DatasetDict, Features, Value

from stratune.data.load import load_split
from stratune.errors import ConfigError, DataError
from stratune.task import Task

DATA = Path(__file__).parents[2].parent / "shared" / "data"


def csv(path: Path, labels: str, header: str = "text,label") -> Path:
    path.write_text(f"{header}\n" + "".join(f"text {path.stem} {i},{y}\n" for i, y in enumerate(labels)))
    return path


def test_own_files_and_sizes(tmp_path):
    train, test = csv(tmp_path / "train.csv", "ab" * 40), csv(tmp_path / "test.csv", "ab" * 10)
    split = load_split(train, seed=0, test=str(test), sizes=(20, None, 0.5))
    assert split.sizes == {"train": 20, "val": 12, "test": 10}
    assert split.test["id"][0].startswith("test:") and split.task.labels == ("a", "b")
    assert split.balance()["train"] == {"a": 10, "b": 10}


def test_the_balance_before_a_part_is_cut_is_kept(tmp_path):
    train, test = csv(tmp_path / "train.csv", "aaab" * 40), csv(tmp_path / "test.csv", "ab" * 10)
    split = load_split(train, seed=0, test=str(test), sizes=(0.5, None, None))
    whole, cut = split.whole["train"], split.balance()["train"]
    assert list(split.whole) == ["train"] and sum(whole.values()) == 160 - split.sizes["val"]
    assert whole == {
        label: 160 * share // 4 - split.balance()["val"][label] for label, share in (("a", 3), ("b", 1))
    }
    assert cut == {label: pytest.approx(count / 2, abs=1) for label, count in whole.items()}
    assert split.to_dict()["whole"] == split.whole
    assert "whole" not in load_split(train, seed=0, test=str(test)).to_dict()


def test_an_unknown_label_in_the_test_file(tmp_path):
    train, test = csv(tmp_path / "train.csv", "ab" * 10), csv(tmp_path / "test.csv", "abc")
    with pytest.raises(DataError) as caught:
        load_split(train, seed=0, test=test)
    assert str(caught.value).startswith(f"{test}:4: column 'label': 'c' is not one of a, b, the labels of")


def test_a_split_column(tmp_path):
    path = tmp_path / "a.csv"
    parts = ["train"] * 8 + ["dev"] * 2 + ["test"] * 2
    path.write_text("text,label,part\n" + "".join(f"t{i},{'ab'[i % 2]},{p}\n" for i, p in enumerate(parts)))
    assert load_split(path, seed=0, split_column="part").sizes == {"train": 8, "val": 2, "test": 2}
    with pytest.raises(ConfigError, match="split_column: a split column and own val or test files exclude"):
        load_split(path, seed=0, split_column="part", val=path)


def test_the_splits_of_a_hub_dataset(monkeypatch):
    features = Features({"text": Value("string"), "label": ClassLabel(names=["no", "yes"])})

    def part(count: int) -> Dataset:
        return Dataset.from_dict(
            {"text": [f"t{i}" for i in range(count)], "label": [0, 1] * (count // 2)}, features=features
        )

    monkeypatch.setattr(datasets, "load_dataset", lambda *_: DatasetDict(train=part(20), test=part(6)))
    split = load_split("hub:owner/name", seed=0)
    assert split.sizes == {"train": 17, "val": 3, "test": 6} and split.task.labels == ("no", "yes")


@pytest.mark.skipif(not DATA.is_dir(), reason="the development data is not here")
def test_mrpc_with_its_own_test_file():
    task = Task(text="sentence1", text_pair="sentence2")
    split = load_split(DATA / "mrpc/train.parquet", task, seed=0, test=DATA / "mrpc/test.parquet")
    assert split.sizes == {"train": 3465, "val": 611, "test": 1725}
    assert split.balance()["test"] == {"0": 578, "1": 1147}


def test_the_parts_of_a_dataset_dict_are_used():
    def part(*texts: str) -> Dataset:
        return Dataset.from_dict({"text": list(texts), "label": ["a", "b"] * (len(texts) // 2)})

    parts = DatasetDict(train=part("1", "2", "3", "4"), validation=part("5", "6"), test=part("7", "8"))
    split = load_split(parts, seed=0)
    assert {name: table["text"][:] for name, table in split.parts.items()} == {
        "train": ["1", "2", "3", "4"], "val": ["5", "6"], "test": ["7", "8"],
    }  # fmt: skip


def test_a_file_of_semicolons_is_said_in_the_split(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("text;label\n" + "".join(f"t{i};{'ab'[i % 2]}\n" for i in range(40)))
    assert load_split(path, seed=0).notes == (f"{path}: columns are separated by ';'",)


ORDERED = """
import sys
from stratune.data.folds import group_folds, random_folds
from stratune.data.load import load_split
from stratune.task import Task
for task in (Task(), Task(group="g"), Task(kind="multilabel")):
    split = load_split(sys.argv[1], task, seed=1)
    print(split.fingerprint, split.task.labels, split.notes)
print(random_folds(list("abc") * 9, 3, 0).tolist(), group_folds(list("abc") * 9, list("uvwxyzuvw") * 3, 3, 0).tolist())
"""


def test_the_same_file_gives_the_same_split_in_every_process(tmp_path):
    """Nothing comes out of a set or a hash: labels that are numbers, words and nan have one order."""
    path, labels = tmp_path / "a.csv", ["10", "9", "nan", "inf", "x", "a,b"]
    rows = [f't{i % 200},"{labels[i % 6]}",g{i % 30}' for i in range(240)]
    path.write_text("\n".join(["text,label,g", *rows]) + "\n")
    printed = {
        subprocess.run(
            [sys.executable, "-c", ORDERED, str(path)],
            env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True,
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    assert len(printed) == 1 and "('10', '9', 'a,b', 'inf', 'nan', 'x')" in printed.pop()


def test_labels_that_are_numbers_have_their_order_whatever_nan_does(tmp_path):
    path = csv(tmp_path / "a.csv", ["10", "9", "1"] * 10)
    assert load_split(path, seed=0).task.labels == ("1", "9", "10")


def test_a_seed_below_zero(tmp_path):
    with pytest.raises(ConfigError, match="data.seed: -1 is below 0"):
        load_split(csv(tmp_path / "a.csv", "ab" * 20), seed=-1)
