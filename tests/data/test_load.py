"""load_split: from files to parts, with messages that point at the right file."""

from __future__ import annotations

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


def test_an_unknown_label_in_the_test_file(tmp_path):
    train, test = csv(tmp_path / "train.csv", "ab" * 10), csv(tmp_path / "test.csv", "abc")
    with pytest.raises(DataError) as caught:
        load_split(train, seed=0, test=test)
    assert str(caught.value) == f"{test}:4: column 'label': 'c' is not one of a, b"


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
        return Dataset.from_dict({"text": ["t"] * count, "label": [0, 1] * (count // 2)}, features=features)

    monkeypatch.setattr(datasets, "load_dataset", lambda *_: DatasetDict(train=part(20), test=part(6)))
    split = load_split("hub:owner/name", seed=0)
    assert split.sizes == {"train": 17, "val": 3, "test": 6} and split.task.labels == ("no", "yes")


@pytest.mark.skipif(not DATA.is_dir(), reason="the development data is not here")
def test_mrpc_with_its_own_test_file():
    task = Task(text="sentence1", text_pair="sentence2")
    split = load_split(DATA / "mrpc/train.parquet", task, seed=0, test=DATA / "mrpc/test.parquet")
    assert split.sizes == {"train": 3465, "val": 611, "test": 1725}
    assert split.balance()["test"] == {"0": 578, "1": 1147}
