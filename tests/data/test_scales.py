"""Levels in an order that their numbers or words contradict."""

import pytest

from stratune.data.scales import in_usual_order


@pytest.mark.parametrize(
    ("given", "better"),
    [
        (["1", "10", "2"], ("1", "2", "10")),
        (["low", "high", "medium"], ("low", "medium", "high")),
        (["High", "LOW", "Medium"], ("LOW", "Medium", "High")),
        (["1 star", "3 stars", "2 stars"], ("1 star", "2 stars", "3 stars")),
        (["good", "bad", "very_good"], ("bad", "good", "very_good")),
        (
            ["disagree", "neutral", "agree", "strongly disagree"],
            ("strongly disagree", "disagree", "neutral", "agree"),
        ),
        (["-1", "1", "0"], ("-1", "0", "1")),
        (["1-2", "5-6", "3-4"], ("1-2", "3-4", "5-6")),
    ],
)
def test_an_order_that_is_contradicted(given, better):
    assert in_usual_order(given) == better


@pytest.mark.parametrize(
    "given",
    [
        ["1", "2", "10"], ["3", "2", "1"], ["low", "medium", "high"], ["high", "medium", "low"],
        ["a", "c", "b"], ["low", "banana", "high"], ["under 18", "18-25", "18 or so"], ["poor", "fair", "good", "superb"],
        ["low", "small", "high"],
    ],
)  # fmt: skip
def test_an_order_that_nothing_contradicts(given):
    """In order either way, of no scale that is known, or with two levels of one rank."""
    assert in_usual_order(given) is None
