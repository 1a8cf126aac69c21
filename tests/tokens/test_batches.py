"""Batches: every row exactly once, little padding, the same share for every process."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from stratune.tokens.batches import (
    by_budget,
    collate,
    micro_batches,
    padding_share,
    sorted_batches,
    training_steps,
)
from stratune.tokens.tokens import Tokens

some_lengths = st.lists(st.integers(1, 512), min_size=1, max_size=300).map(np.array)
budgets = st.integers(1, 5000)


def flat(parts):
    return sorted(int(row) for part in parts for row in part)


@settings(deadline=None)
@given(some_lengths, budgets)
def test_inference_batches_hold_every_row_once_within_the_budget(lengths, budget):
    batches = sorted_batches(lengths, budget)
    assert flat(batches) == list(range(len(lengths)))
    assert all(len(rows) == 1 or len(rows) * lengths[rows].max() <= budget for rows in batches)
    longest = [int(lengths[rows].max()) for rows in batches]
    assert longest == sorted(longest, reverse=True)


@settings(deadline=None)
@given(some_lengths, st.integers(1, 64), st.integers(0, 2**32), st.integers(0, 20))
def test_an_epoch_holds_every_row_once(lengths, batch_size, seed, epoch):
    steps = training_steps(lengths, batch_size, seed, epoch)
    assert flat(steps) == list(range(len(lengths)))
    again = training_steps(lengths, batch_size, seed, epoch)
    assert all(np.array_equal(a, b) for a, b in zip(steps, again, strict=True))


def test_epochs_and_seeds_differ():
    lengths = np.random.default_rng(0).integers(5, 60, 500)
    orders = [
        [row for step in training_steps(lengths, 32, seed, epoch) for row in step]
        for seed in (0, 1)
        for epoch in (0, 1)
    ]
    assert len({tuple(order) for order in orders}) == 4


# Token counts of MRPC's pairs and of IMDB's reviews, as their means and spreads have them.
REALISTIC = {"mrpc": (3.95, 0.25, 512), "imdb": (5.5, 0.65, 512)}


@pytest.mark.parametrize("name", REALISTIC)
@pytest.mark.parametrize("seed", range(3))
def test_realistic_lengths_waste_less_than_5_percent_on_padding(name, seed):
    mean, spread, most = REALISTIC[name]
    drawn = np.random.default_rng(seed).lognormal(mean, spread, 3000).astype(np.int64)
    lengths = np.clip(drawn, 4, most)
    steps = training_steps(lengths, 32, seed, 0)
    assert padding_share(steps, lengths) < 0.05
    assert padding_share(sorted_batches(lengths, 4096), lengths) < 0.05
    assert 28 <= 3000 / len(steps) <= 33  # rows a step: what the recipe asked for
    in_file_order = [np.arange(i, i + 30) for i in range(0, 3000, 30)]
    assert padding_share(in_file_order, lengths) > 0.2  # what this is for


def test_steps_are_shuffled_by_length():
    """Were they sorted, the last updates would all be of long texts."""
    lengths = np.random.default_rng(0).lognormal(3.95, 0.25, 3000).astype(np.int64)
    means = [float(lengths[step].mean()) for step in training_steps(lengths, 32, 0, 0)]
    rank = np.corrcoef(np.arange(len(means)), np.argsort(np.argsort(means)))[0, 1]
    assert abs(rank) < 0.3


def test_padding_share_by_hand():
    lengths = np.array([4, 2, 3, 3])
    assert padding_share([np.array([0, 1]), np.array([2, 3])], lengths) == pytest.approx(2 / 14)


@settings(deadline=None)
@given(some_lengths, budgets, st.integers(1, 5), st.data())
def test_processes_make_the_same_number_of_passes_and_share_every_row(lengths, budget, world, data):
    rows = data.draw(st.lists(st.integers(0, len(lengths) - 1), min_size=1, max_size=64, unique=True))
    step = np.array(rows)
    shares = [micro_batches(step, lengths, budget, rank, world) for rank in range(world)]
    assert len({len(share) for share in shares}) == 1
    counted = [part for share in shares for part, count in share if count]
    assert flat(counted) == sorted(rows)
    for share in shares:
        assert all(len(part) >= 1 and count in (0, len(part)) for part, count in share)


def test_one_process_keeps_to_the_budget():
    lengths = np.array([10, 10, 10, 30, 30])
    parts = micro_batches(np.arange(5), lengths, 30, 0, 1)
    assert [(rows.tolist(), count) for rows, count in parts] == [([0, 1, 2], 3), ([3], 1), ([4], 1)]


def test_a_row_longer_than_the_budget_goes_alone():
    lengths = np.array([100, 5, 5])
    assert [rows.tolist() for rows in by_budget(np.arange(3), lengths, 10)] == [[0], [1, 2]]


def test_collate_pads_on_the_right_and_masks_what_it_pads():
    ids, kinds = np.array([7, 8, 9, 5], np.int32), np.array([0, 0, 1, 0], np.uint8)
    tokens = Tokens(ids, np.array([0, 3, 4]), kinds, np.zeros(2, np.int32))
    batch = collate(tokens, [1, 0], pad=99)
    assert batch.ids.tolist() == [[5, 99, 99], [7, 8, 9]]
    assert batch.mask.tolist() == [[1, 0, 0], [1, 1, 1]]
    assert batch.types.tolist() == [[0, 0, 0], [0, 0, 1]]
    assert len(batch) == 2 and batch.ids.dtype == torch.int64
