"""What is installed, and what a wheel holds."""

import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PIN = re.compile(r"^([\w.-]+)==([^\s\\;]+)", re.MULTILINE)


def pins(name):
    """Package -> version, of a file of requirements."""
    return dict(PIN.findall((ROOT / name).read_text(encoding="utf-8")))


def normal(names):
    return {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in names.items()}


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-embedded.txt", "requirements-site.txt"])
def test_every_pinned_package_has_a_hash(name):
    text = (ROOT / name).read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert len(lines) == len(pins(name)) > 2
    assert [line for line in lines if not re.search(r" --hash=sha256:[0-9a-f]{64}\b", line)] == []


def test_all_but_torch_is_installed_by_its_hash():
    wanted = normal(pins("constraints.txt"))
    del wanted["torch"]
    assert normal(pins("requirements.txt")) == wanted, "run `make lock`"


def test_what_the_project_needs_is_pinned():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"].values()
    needed = [*project["dependencies"], *(one for extra in extras for one in extra)]
    names = {re.match(r"[\w.-]+", one)[0]: "" for one in needed}
    assert set(normal(names)) <= set(normal(pins("constraints.txt")))


def test_no_requirement_names_an_index_or_an_address():
    for path in (*ROOT.glob("requirements*.txt"), ROOT / "constraints.txt"):
        assert not re.search(
            r"://|^ *-(i|f|-index|-extra|-find)", path.read_text(encoding="utf-8"), re.MULTILINE
        ), path.name


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """(names of the files in it, its metadata), built in a copy so that nothing is left here."""
    folder = tmp_path_factory.mktemp("wheel")
    for name in ("pyproject.toml", "README.md", "LICENSE", "SECURITY.md"):
        shutil.copy(ROOT / name, folder / name)
    shutil.copytree(ROOT / "stratune", folder / "stratune", ignore=shutil.ignore_patterns("__pycache__"))
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        ".",
        "--no-deps",
        "--no-build-isolation",
        "--wheel-dir",
        "made",
    ]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    with zipfile.ZipFile(next((folder / "made").glob("*.whl"))) as archive:
        names = archive.namelist()
        metadata = next(name for name in names if name.endswith("dist-info/METADATA"))
        return names, Parser().parsestr(archive.read(metadata).decode())


def test_the_wheel_has_license_and_security_promises(wheel):
    names, metadata = wheel
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata.get_all("License-File") == ["LICENSE", "SECURITY.md"]
    assert {Path(name).name for name in names if "dist-info/licenses/" in name} == {"LICENSE", "SECURITY.md"}
    assert "Apache License" in (ROOT / "LICENSE").read_text(encoding="utf-8")


def test_the_wheel_says_what_it_is(wheel):
    _, metadata = wheel
    assert metadata["Author"] == "stratune developers"
    assert metadata["Keywords"] and metadata["Requires-Python"] == ">=3.11"
    assert "Programming Language :: Python :: 3.13" in metadata.get_all("Classifier")


def test_the_wheel_has_the_package_and_nothing_else(wheel):
    names, _ = wheel
    assert {name.split("/")[0].partition("-")[0] for name in names} == {"stratune"}
    package = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "stratune").rglob("*")
        if path.suffix in (".py", ".html", ".css", ".js", ".yaml", ".typed")
    }
    assert package <= set(names)
