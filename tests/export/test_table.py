"""docs/exports.md: each strategy in each format gives what the table says."""

import sys
from pathlib import Path

import pytest
import torch

from stratune.testing.exports import FORMATS, YES, cases, exported, trained

DOCS = Path(__file__).parents[2] / "docs"
sys.path.insert(0, str(DOCS))

import exports_page  # noqa: E402
from exports_table import read_rows  # noqa: E402

# Of MLflow alone, as in test_mlflow.py.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore:.*Any type hint:UserWarning")

ROWS = read_rows()
CELLS = [(name, to) for name in cases() for to in FORMATS]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    torch.set_num_threads(1)  # a second thread costs these models more than it gives
    return tmp_path_factory.mktemp("exports")


@pytest.mark.parametrize("name, to", CELLS)
def test_a_cell(name, to, place, tmp_path):
    found = exported(trained(cases()[name], place), to, tmp_path / "out")
    assert found == ROWS[name][to]
    assert (tmp_path / "out").is_dir() == (found == YES)


def test_the_table_has_every_strategy_and_something_of_each_format():
    assert list(ROWS) == list(cases())
    for to in FORMATS:
        some = {True} if to == "mlflow" else {True, False}  # it has stratune inside
        assert {row[to] == YES for row in ROWS.values()} == some


def test_the_page_is_of_the_table():
    assert (DOCS / "exports.md").read_text(encoding="utf-8") == exports_page.page()
