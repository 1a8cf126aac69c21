"""docs/house.md names every room of the package, once, and no file that is not there."""

import re
from pathlib import Path

import pytest

import stratune
from tests import test_layers

ROOT = Path(__file__).parent.parent
PACKAGE = Path(stratune.__file__).parent
PAGE = (ROOT / "docs" / "house.md").read_text(encoding="utf-8")
ROOMS = sorted(
    f"{path.name}/" if path.is_dir() else path.name
    for path in PACKAGE.iterdir()
    if path.name != "__pycache__"
)


def named():
    """The rooms of the tables, in the page's order."""
    cells = re.findall(r"^\| (`.*?) \|", PAGE, re.M)
    return [room for cell in cells for room in re.findall(r"`([\w.]+/?)`", cell)]


@pytest.mark.parametrize("room", ROOMS)
def test_every_room_has_a_line(room):
    assert named().count(room) == 1


def test_rooms_stand_in_the_order_of_their_imports():
    """The page's order, from the bottom, is the one that tests/test_layers.py holds."""
    modules = [re.sub(r"\.py$|/$", "", room) for room in named() if room != "py.typed"]
    there = [room for room in test_layers.ROOMS if room not in ("stratune", "__main__")]
    assert modules[:2] == ["__init__", "__main__"] and modules[:1:-1] == there


def test_every_file_on_the_page_is_there():
    files = re.findall(r"`((?:\w+/)+\w+\.\w+)`", PAGE)
    assert len(files) > 15
    assert [file for file in files if not (PACKAGE / file).exists() and not (ROOT / file).exists()] == []


def test_the_picture_has_the_rooms_of_the_page():
    picture = (ROOT / "docs" / "img" / "house.svg").read_text(encoding="utf-8")
    drawn = set(re.findall(r">(?:\d+ · )?([\w]+)</text>", picture))
    hidden = {"__init__", "__main__", "py"}  # the facade, and a marker for type checkers
    assert {re.sub(r"\.\w+$|/$", "", room) for room in named()} - hidden <= drawn
