"""Ratings with who gave them: columns, lists, and lists beside lists of names."""

import numpy as np
import pytest
from datasets import Dataset

from stratune.data.rated import NOBODY, read_rated
from stratune.errors import ConfigError, DataError

LISTS = Dataset.from_dict(
    {
        "said": [["yes", "no"], ["no"], [], ["yes", None, "no"]],
        "who": [["ann", "bob"], ["cy"], [], ["cy", "bob", "ann"]],
        "more": [["no"], [], [], []],
        "else": [["dee"], [], [], []],
    }
)


def test_lists_with_names():
    rated = read_rated(LISTS, "x", "said", "who")
    assert rated.names == ("ann", "bob", "cy") and not rated.ratings.identified and rated.label_count == 2
    assert rated.who.tolist() == [[0, 1], [2, NOBODY], [NOBODY, NOBODY], [2, 0]]  # bob skipped the last
    assert np.nan_to_num(rated.ratings.values, nan=9).tolist() == [[1, 0], [0, 9], [9, 9], [1, 0]]


def test_several_columns_of_lists_go_together():
    rated = read_rated(LISTS, "x", "said+more", "who+else")
    assert rated.names == ("ann", "bob", "dee", "cy") and rated.who[0].tolist() == [0, 1, 2]


def test_lists_alone_are_of_nobody_and_columns_are_raters():
    assert read_rated(LISTS, "x", "said").who is None
    columns = Dataset.from_dict({"a": [1, 2, None], "b": [3, None, 2]})
    rated = read_rated(columns, "x", "a+b")
    assert rated.names == ("a", "b") and rated.ratings.identified and rated.label_count is None
    assert rated.who.tolist() == [[0, 1], [0, NOBODY], [NOBODY, 1]]


def test_csv_cells_hold_lists_as_text():
    table = Dataset.from_dict({"said": ["[1, 0]", "0,1"], "who": ['["a", "b"]', "b, c"]})
    rated = read_rated(table, "x", "said", "who")
    assert rated.names == ("a", "b", "c") and rated.who.tolist() == [[0, 1], [1, 2]]


@pytest.mark.parametrize(
    ("said", "who", "message"),
    [
        ([["yes", "no"]], [["ann"]], "x:1: column 'who': 1 raters of 2 ratings in 'said'"),
        ([["yes", "no"]], [["ann", ""]], "x:1: column 'who': a rating in 'said' has no rater"),
    ],
)
def test_lists_that_do_not_match_are_named(said, who, message):
    with pytest.raises(DataError, match=message):
        read_rated(Dataset.from_dict({"said": said, "who": who}), "x", "said", "who")


def test_columns_that_do_not_match_are_named():
    with pytest.raises(ConfigError, match="--raters: 1 columns of raters for 2 of ratings"):
        read_rated(LISTS, "x", "said+more", "who")
    with pytest.raises(DataError, match="no such column: 'whom' is not one of"):
        read_rated(LISTS, "x", "said", "whom")
