"""mkdocs.yml: the site's navigation has every page of docs/ once. That its links lead somewhere is seen by `make site`."""

import re
from collections import Counter
from pathlib import Path

import yaml

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"


def in_navigation(entry):
    if isinstance(entry, str):
        return [entry]
    inner = entry.values() if isinstance(entry, dict) else entry
    return [page for one in inner for page in in_navigation(one)]


def test_every_page_is_once_in_the_navigation():
    given = Counter(in_navigation(yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))["nav"]))
    beside = {"CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"}  # from beside docs/, see docs/site_hooks.py
    pages = {str(page.relative_to(DOCS)) for page in DOCS.rglob("*.md")}
    tables = {page for page in pages if re.fullmatch(r"results/[\w-]+/leaderboard[\w-]*\.md", page)}
    assert set(given) == (pages - tables) | beside
    assert set(given.values()) == {1}
