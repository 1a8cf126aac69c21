"""Documentation that is generated is the one that the code gives; what it tells to type works."""

import re
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "docs"))

import generate  # noqa: E402


@pytest.mark.parametrize("page", generate.PAGES)
def test_the_reference_is_current(page):
    written = (ROOT / "docs" / "reference" / f"{page}.md").read_text(encoding="utf-8")
    assert written == generate.PAGES[page](), "run `make docs`"


@pytest.mark.parametrize("recipe", sorted((ROOT / "recipes").glob("*.yaml")), ids=lambda path: path.stem)
def test_recipes_are_valid_configurations(recipe):
    from stratune.comparison import plan
    from stratune.config import read_config

    assert plan(read_config(recipe))


def test_the_configuration_in_the_tutorial_is_valid():
    from stratune.comparison import plan
    from stratune.config import parse_config

    block = re.search(r"```yaml\n(.*?)```", (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8"), re.S)
    config = parse_config(yaml.safe_load(block.group(1)))
    assert {planned.strategy["name"] for planned in plan(config)} == {
        "tfidf",
        "partial",
        "lora",
        "lora-attention",
        "full",
    }


def test_the_strategy_in_the_guide_works(tmp_path, tiny):
    from stratune.strategy import PRESETS, TUNES
    from stratune.testing import CHECKS

    text = (ROOT / "docs" / "add-a-strategy.md").read_text(encoding="utf-8")
    code = re.search(r"```python\n(.*?)```", text, re.S).group(1)
    try:
        exec(compile(code, "add-a-strategy.md", "exec"), {"__name__": "guide"})
        for check in CHECKS:
            check("norms", tiny("bert"), tmp_path)
    finally:
        TUNES.pop("norms", None), PRESETS.pop("norms", None)


def test_links_between_pages_lead_somewhere():
    for page in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]:
        for link in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / link).exists(), f"{page.name}: {link}"
