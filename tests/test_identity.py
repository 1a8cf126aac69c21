"""A run's identity holds all that its numbers depend on, and nothing else."""

from dataclasses import replace

import pytest

from stratune.identity import Identity, asked_by, difference, shared_by

RUN = Identity(
    data="f" * 64,
    task={"kind": "classification", "labels": ["low", "mid", "high"], "metric": "f1_macro"},
    budget={"epochs": 4.0},
    train={"precision": "auto", "class_weights": "none", "checkpoint_seconds": 60.0, "track": ()},
    strategy={"name": "lora", "rank": 8},
    backbone="minilm",
    weights="a" * 64,
    seed=0,
)
OTHERS = {
    "other data": replace(RUN, data="e" * 64),
    "another kind": replace(RUN, task=RUN.task | {"kind": "ordinal"}),
    "labels in another order": replace(RUN, task=RUN.task | {"labels": ["mid", "low", "high"]}),
    "another metric": replace(RUN, task=RUN.task | {"metric": "accuracy"}),
    "another budget": replace(RUN, budget={"epochs": 1.0}),
    "class weights": replace(RUN, train=RUN.train | {"class_weights": "balanced"}),
    "an option of the strategy": replace(RUN, strategy={"name": "lora", "rank": 16}),
    "other weights at the same path": replace(RUN, weights="b" * 64),
    "another way to decide": replace(RUN, decide={"metric": "accuracy"}),
    "another seed": replace(RUN, seed=1),
    "another member": replace(RUN, members={"full@minilm#0": "c" * 12}),
}


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
def test_what_moves_a_number_makes_another_run(other):
    assert other.digest() != RUN.digest()
    assert difference(other.to_dict(), RUN.to_dict()) is not None


def test_what_a_server_is_asked_with_makes_another_run():
    plainly = replace(RUN, asked=asked_by({"extra": {}, "thought": 2048, "tokenizer": None}))
    for more in ({"extra": {"reasoning_effort": "low"}}, {"tokenizer": "smollm2"}, {"thought": 100}):
        other = replace(RUN, asked=asked_by({"extra": {}, "thought": 2048, "tokenizer": None, **more}))
        assert difference(plainly.to_dict(), other.to_dict()) is not None
    assert difference(RUN.to_dict(), plainly.to_dict()) is not None  # as servers were asked before 0.14
    assert asked_by({"workers": 3, "price": (1.0, 2.0), "timeout": 9.0, "per_minute": 6}) == asked_by({})
    assert "asked" not in RUN.to_dict()


def test_what_moves_no_number_does_not():
    often = replace(RUN, train=RUN.train | {"checkpoint_seconds": 1.0, "track": ("mlflow",)})
    assert often.digest() == RUN.digest() and difference(often.to_dict(), RUN.to_dict()) is None


def test_the_difference_is_said_in_words():
    assert difference(OTHERS["another budget"].to_dict(), RUN.to_dict()) == "budget.epochs is 1.0, not 4.0"
    assert difference(OTHERS["other data"].to_dict(), RUN.to_dict()) == "it was made on another split"
    more = RUN.to_dict() | {"members": {"a": "b"}}
    assert difference(more, RUN.to_dict()) == "members has more keys"


def test_library_versions_are_in_it(monkeypatch):
    monkeypatch.setattr("stratune.identity.versions", lambda: {"torch": "2.99.1", "stratune": "9.9"})
    assert RUN.to_dict()["versions"]["torch"] == "2.99"  # a patch release moves no number


def test_rows_of_a_board_share_data_task_budget_and_settings():
    shared = shared_by(RUN.data, RUN.task, RUN.budget, RUN.train)
    assert set(shared) == {"data", "task", "budget", "train", "decide", "versions"}
    assert difference(replace(RUN, seed=3, backbone="smollm2").to_dict(), shared) is None
    assert difference(OTHERS["class weights"].to_dict(), shared) is not None
