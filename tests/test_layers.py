"""The house: a room imports only what stands below it, and no two modules import each other."""

from pathlib import Path

import pytest

import stratune
from tests.imports import circles, imports_of, modules_of, room_of, upward

PACKAGE = Path(stratune.__file__).parent

# From the ground up; a room is a folder or a file at the top of the package. The last two are the facade.
ROOMS = (
    "printable", "errors", "files", "cache", "cores", "version", "ownership", "memory", "options", "watch", "plugins",
    "evaluate", "objective", "target", "task", "identity", "result",
    "data", "transcript", "perturb",
    "backbone", "tokens", "longtext",
    "net", "train",
    "prompt", "model", "readout", "strategy", "remote",
    "predictor", "fitting", "engine",
    "config", "report", "tracking", "comparison", "export", "serving",
    "api", "sklearn", "cli", "testing",
    "stratune", "__main__",
)  # fmt: skip
# `report` draws pages from files alone: nothing of a finished comparison is loaded again.
FILES_ONLY = {
    "printable", "errors", "files", "cores", "version", "options", "ownership", "identity", "plugins", "evaluate", "objective",
    "target", "task", "result", "data", "transcript", "report",
}  # fmt: skip
LINES = 350  # a file that is longer has two ideas


@pytest.fixture(scope="module")
def imports():
    return imports_of(PACKAGE)


def listed(imports):
    return "".join(f"\n  {one}" for one in imports)


def test_no_modules_import_each_other_in_a_circle(imports):
    found = circles(imports)
    assert not found, "".join(f"\na circle:{listed(circle)}" for circle in found)


def test_every_room_has_its_place():
    rooms = {room_of(module) for module in modules_of(PACKAGE)}
    assert not rooms - set(ROOMS), "give them a place in ROOMS"


def test_a_room_imports_only_rooms_below_it(imports):
    found = upward(imports, ROOMS)
    assert not found, f"what stands below imports what stands above:{listed(found)}"


def test_reports_are_made_of_files(imports):
    found = [
        one for one in imports if room_of(one.module) == "report" and room_of(one.imported) not in FILES_ONLY
    ]
    assert not found, f"a report reads files only:{listed(found)}"


def test_no_file_is_long():
    long = {
        module: count
        for module, path in modules_of(PACKAGE).items()
        if (count := len(path.read_text(encoding="utf-8").splitlines())) > LINES
    }
    assert not long, f"files of more than {LINES} lines: {long}"


# -- the checker, on a package of its own


@pytest.fixture
def house(tmp_path):
    """`house({"net/net.py": "import ...", ...})` is the folder of a package."""

    def build(files):
        folder = tmp_path / "house"
        for name, text in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)
        return folder

    return build


SOUND = {
    "__init__.py": "",
    "errors.py": "import os\nimport elsewhere.errors\n",
    "net/__init__.py": "",
    "net/head.py": "from house.errors import HouseError\n",
    "net/net.py": "from house import errors\nfrom house.net import head\n",
    "train.py": "import house.net.net as n\nfrom house.net.head import Head\n",
}
ORDER = ("errors", "net", "train", "house")


def test_a_sound_house_passes(house):
    imports = imports_of(house(SOUND))
    edges = {(one.module, one.imported) for one in imports}
    assert edges == {
        ("house.net.head", "house.errors"),
        ("house.net.net", "house.errors"),
        ("house.net.net", "house.net.head"),
        ("house.train", "house.net.net"),
        ("house.train", "house.net.head"),
    }
    assert circles(imports) == [] and upward(imports, ORDER) == []


@pytest.mark.parametrize(
    ("text", "line", "statement"),
    [
        ("\nfrom house.train import fit\n", 2, "from house.train import fit"),
        ("def f():\n    from house import train\n", 2, "from house import train"),
        ("if TYPE_CHECKING:\n    import house.train\n", 2, "import house.train"),
        ("class A:\n    def f(self):\n        from ..train import fit\n", 3, "from ..train import fit"),
    ],
    ids=["module", "function", "typing", "relative"],
)
def test_an_import_from_above_is_named(text, line, statement, house):
    """Wherever it stands: the two files, the line, and the import itself."""
    found = upward(imports_of(house({**SOUND, "net/head.py": text})), ORDER)
    assert listed(found) == f"\n  house/net/head.py:{line} imports house/train.py ({statement})"


def test_a_circle_is_named_import_by_import(house):
    """A long one through three rooms and a short one within a room are two groups, each shown once."""
    files = {
        **SOUND,
        "errors.py": "def f():\n    import house.train\n",
        "net/pool.py": "import house.net.mask",
        "net/mask.py": "if 1:\n    from . import pool\n",
    }
    long, short = sorted(circles(imports_of(house(files))), key=len, reverse=True)
    assert sorted(map(str, short)) == [
        "house/net/mask.py:2 imports house/net/pool.py (from . import pool)",
        "house/net/pool.py:1 imports house/net/mask.py (import house.net.mask)",
    ]
    assert [one.module for one in long] == [one.imported for one in (long[-1], *long[:-1])]
    assert "house/errors.py:2 imports house/train.py (import house.train)" in map(str, long)


def test_of_a_tangle_the_shortest_circle_is_shown(house):
    names = ("a", "b", "c", "d")
    files = {f"{name}.py": f"from house import {after}" for name, after in zip(names, "bcda", strict=True)}
    files["c.py"] += ", b"
    assert [len(circle) for circle in circles(imports_of(house(files)))] == [2]
