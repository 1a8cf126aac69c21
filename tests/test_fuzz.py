"""The fuzz campaign: a short one finds nothing, and it does find each fault that is planted."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from fuzz import worker
from fuzz.__main__ import table
from fuzz.campaign import Tally, campaign
from fuzz.command_lines import lines
from fuzz.kinds import KINDS, orders
from tests.planted import PLANTED, make

ROOT = Path(__file__).parents[1]


def test_damaged_files_folders_and_command_lines_are_refused_in_one_line():
    """300 cases; `make fuzz` has 10,000."""
    command = [sys.executable, "-m", "fuzz", "--cases", "300", "--seed", "0"]
    ran = subprocess.run(
        command, cwd=ROOT, env=os.environ | {"OMP_NUM_THREADS": "1"}, capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr[-2000:]


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """Planted kind -> findings, of one campaign with every planted fault."""
    folder = tmp_path_factory.mktemp("fuzz")
    planted = [(kind, 0) for kind in PLANTED]
    done = dict(campaign(planted, make, folder / "base", folder / "scratch", seconds=3, libraries=()))
    return {kind: done[kind, 0].findings for kind in PLANTED}


@pytest.mark.parametrize("kind", PLANTED)
def test_a_planted_fault_is_found(kind, found):
    expected = PLANTED[kind][1]
    assert found[kind] == ([] if expected is None else [expected])


def test_a_case_is_the_same_each_time():
    assert orders(300, 4, list(KINDS)) == orders(300, 4, list(KINDS))
    assert not set(orders(300, 4, list(KINDS))) & set(orders(300, 5, list(KINDS)))


def test_a_long_campaign_types_every_wrong_command_line():
    typed = [seed for kind, seed in orders(10_000, 0, list(KINDS)) if kind == "commands"]
    assert len(lines()) >= 150 and {seed % len(lines()) for seed in typed} == set(range(len(lines())))


def test_the_table_counts_cases_and_names_one_to_repeat():
    tally = Tally()
    tally.add(("data", 1), worker.Done(2, "", []))
    tally.add(("data", 2), worker.Done(0, "", []))
    tally.add(("data", 3), worker.Done(None, "", ["KeyError at x: y"]))
    _, data, whole, finding = table(tally, ["data"]).splitlines()
    assert data.split() == ["data", "3", "1", "1", "1", "0.00", "0.0"] and whole.split() == [
        "all",
        "3",
        "1",
        "1",
        "1",
    ]
    assert finding.endswith("(--only data:3)")
