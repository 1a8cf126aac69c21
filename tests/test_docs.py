"""Documentation that is generated is the one that the code gives; what it tells to type works."""

import dataclasses
import json
import re
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
import torch
import yaml

from tests.helpers import adapted

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "docs"))

import generate  # noqa: E402
import pictures  # noqa: E402
import results_pages  # noqa: E402
import technique_numbers  # noqa: E402
from drawing.cells import Cell, contents, paths, placed  # noqa: E402

TECHNIQUES = sorted(path for path in technique_numbers.FOLDER.glob("*.md") if path.stem != "README")


@pytest.mark.parametrize("page", generate.PAGES)
def test_the_reference_is_current(page):
    written = (ROOT / "docs" / "reference" / f"{page}.md").read_text(encoding="utf-8")
    assert written == generate.PAGES[page](), "run `make docs`"


@pytest.mark.parametrize("recipe", sorted((ROOT / "recipes").glob("*.yaml")), ids=lambda path: path.stem)
def test_recipes_are_valid_configurations(recipe):
    from stratune.comparison.comparison import plan
    from stratune.config import read_config

    assert plan(read_config(recipe))


def test_the_template_and_the_options_in_the_page_on_prompts_are_valid(tmp_path, monkeypatch):
    from stratune.comparison.comparison import plan
    from stratune.config import parse_config
    from stratune.prompt.template import find_template

    page = (ROOT / "docs" / "prompts.md").read_text(encoding="utf-8")
    template, options, *more = re.findall(r"```yaml\n(.*?)```", page, re.S)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "moods.yaml").write_text(template, encoding="utf-8")
    ready = find_template("moods.yaml").for_labels(("negative", "positive"))
    assert ready.name == "moods" and ready.words["positive"] == ("happy", "pleased")
    planned = plan(parse_config(yaml.safe_load(options)))
    assert [(run.strategy["name"], run.backbone) for run in planned] == [
        ("lora", "minilm"),
        *((name, "smollm2") for name in ("zero_shot", "moods", "moods-fixed", "instructed", "short")),
    ]
    for block in more:  # single strategies
        data = {"data": {"source": "reviews.csv"}, "strategies": yaml.safe_load(block)}
        assert [run.strategy["name"] for run in plan(parse_config(data))] == ["few_shot"]


def test_the_settings_in_the_page_on_servers_are_valid():
    from stratune.comparison.plan import plan
    from stratune.config import parse_config

    page = (ROOT / "docs" / "servers.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```yaml\n(.*?)```", page, re.S)
    configs = [parse_config({"data": {"source": "reviews.csv"}, **yaml.safe_load(block)}) for block in blocks]
    assert all(map(plan, configs)) and configs[-1].remote.price == (0.15, 0.60)
    assert configs[0].strategies[0]["readout"] == {"prompt": "query: "}
    assert configs[1].remote.extra == {"chat_template_kwargs": {"enable_thinking": False}}


def test_the_page_on_prompts_names_every_key_every_option_and_every_template():
    from stratune.prompt.template import Template, template_names
    from stratune.readout.words import Words

    page = (ROOT / "docs" / "prompts.md").read_text(encoding="utf-8")
    sections = dict(part.split("\n", 1) for part in page.split("\n## ")[1:])
    named = {title: re.findall(r"^\| `(\w+)` \|", text, re.M) for title, text in sections.items()}
    keys = [field.name for field in dataclasses.fields(Template)]
    assert named["A template"] == keys
    assert list(yaml.safe_load(re.search(r"```yaml\n(.*?)```", page, re.S).group(1))) == keys
    assert named["Options"] == [field.name for field in dataclasses.fields(Words)]
    assert set(named["The built-in templates"]) == set(template_names())


def test_links_between_pages_lead_somewhere():
    for page in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]:
        for link in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / link).exists(), f"{page.name}: {link}"


# -- docs/techniques


@pytest.fixture(scope="module")
def drawn():
    return pictures.drawn()


def test_every_technique_has_a_page_and_the_index_leads_to_it():
    from stratune.strategy import strategy_names

    wanted = {technique_numbers.page_of(name) for name in strategy_names()}
    assert {page.stem for page in TECHNIQUES} == wanted
    index = (technique_numbers.FOLDER / "README.md").read_text(encoding="utf-8")
    assert wanted <= set(re.findall(r"\]\((\w+)\.md\)", index))


def test_the_pictures_are_current(drawn):
    written = {path.stem: path.read_text(encoding="utf-8") for path in pictures.FOLDER.glob("*.svg")}
    assert set(written) == set(drawn), "run `make docs`, and delete what is drawn no more"
    assert [name for name in drawn if written[name] != drawn[name]] == [], "run `make docs`"


def test_every_picture_is_shown_by_its_page_and_small(drawn):
    shown = set()
    for page in TECHNIQUES:
        names = re.findall(r"img/techniques/([\w-]+)\.svg", page.read_text(encoding="utf-8"))
        assert names and names[0] == page.stem
        shown |= set(names)
    assert shown == set(drawn)
    for name, picture in drawn.items():
        ElementTree.fromstring(picture)
        assert len(picture.encode()) < 25_000 and "<script" not in picture, name


def test_a_picture_colours_what_learns(tiny):
    top = contents(adapted({"preset": "partial", "k": 1}, tiny("bert")))
    assert top[Cell("q", 2)] == {"weight": True, "bias": True}
    assert top[Cell("q", 1)] == {"weight": False, "bias": False}
    biases = contents(adapted("bitfit", tiny("bert")))
    assert biases[Cell("norm")] == biases[Cell("up", 0)] == {"weight": False, "bias": True}
    lora = contents(adapted({"preset": "lora", "last": 2, "targets": ["q"]}, tiny("bert")))
    with_lora = {cell for cell, parts in lora.items() if parts.get("A") and parts.get("B")}
    assert with_lora == {Cell("q", 1), Cell("q", 2)}
    shared = contents(adapted({"preset": "prefix", "reparametrise": True, "last": 2}, tiny("bert")))
    assert [cell.block for cell in shared if cell.role == "prefix"] == [1, 2]


def test_what_learns_is_never_missing_from_a_picture(tiny):
    net = adapted("probe", tiny("bert"))
    with pytest.raises(ValueError, match=r"no cell of the picture stands for model\.pooler\.dense\.weight"):
        placed("model.pooler.dense.weight", paths(net.backbone))
    net.extra = torch.nn.Parameter(torch.zeros(1))
    with pytest.raises(ValueError, match="no cell of the picture stands for extra"):
        contents(net)


@pytest.mark.parametrize("page", TECHNIQUES, ids=lambda page: page.stem)
def test_the_strategy_of_a_page_is_valid(page):
    from stratune.strategy import parse_strategy

    (block,) = re.findall(r"```yaml\n(.*?)```", page.read_text(encoding="utf-8"), re.S)
    spec = yaml.safe_load(block)
    assert parse_strategy(spec) != parse_strategy(spec["preset"])
    assert technique_numbers.page_of(spec["preset"]) == page.stem


@pytest.mark.parametrize("page", TECHNIQUES, ids=lambda page: page.stem)
def test_the_options_of_a_page_are_those_of_the_code(page):
    """None is left out: neither of the technique's own, nor of those that it trains with otherwise than most."""
    from stratune.strategy import Recipe, parse_strategy, strategy_names

    rows = re.findall(r"^\| `([\w.]+)` \| `(.*?)` \|", page.read_text(encoding="utf-8"), re.M)
    told = {name: yaml.safe_load(value) for name, value in rows}
    if "student" in told:  # a strategy: written out, as all settings are
        told["student"] = parse_strategy(told["student"]).settings()
    here = [name for name in strategy_names() if technique_numbers.page_of(name) == page.stem]
    settings = {}
    for preset in ["peft:vera"] if page.stem == "peft" else here:
        settings |= parse_strategy(preset).settings()
    settings |= {f"readout.{name}": value for name, value in settings.get("readout", {}).items()}
    usual = {field.name: field.default for field in dataclasses.fields(Recipe)}
    known = {"name", "preset", "tune", "method", "readout", "soft_labels"}  # the last is told once, of all
    own = {
        k: v for k, v in settings.items() if k not in known and "." not in k and v != usual.get(k, object())
    }
    assert told == {name: settings[name] for name in told}
    assert set(own) <= set(told)


def test_the_numbers_are_current():
    for path, text in technique_numbers.pages(technique_numbers.read_settings()).items():
        assert path.read_text(encoding="utf-8") == text, f"{path.name}: run `make docs`"


def test_results_are_those_of_the_tables_that_are_kept():
    for path, text in results_pages.pages().items():
        assert path.read_text(encoding="utf-8") == text, f"{path.name}: run `make docs`"


def test_numbers_are_sorted_by_validation_and_equal_settings_are_one(tmp_path):
    def run(spec, seed, val, test, **more):
        scores = {"accuracy": test, "f1_macro": test - 0.03, "log_loss": 0.5}
        return {"data": "mrpc", "spec": spec, "seed": seed, "val": {"f1_macro": val}, "test": scores, **more}

    top = {"preset": "lora", "last": 2, "learning_rate": 0.002}
    runs = [
        run({"preset": "lora"}, 0, 0.70, 0.80),
        run(top, 1, 0.80, 0.79, trainable_params=12345),
        run(top, 0, 0.78, 0.77, trainable_params=12345),
        run({"preset": "lora", "rank": 16, "name": "again"}, 1, 0.72, 0.82),
        run({"preset": "lora"}, 0, 0.71, 0.81),  # again: this one counts
        run({"preset": "tfidf"}, 0, 0.60, 0.70),
        run({"preset": "peft:vera", "r": 8}, 0, 0.65, 0.75),
    ]
    kept = tmp_path / "runs.jsonl"
    kept.write_text("\n".join(map(json.dumps, runs)) + "\n", encoding="utf-8")
    settings = technique_numbers.read_settings(kept)
    assert technique_numbers.page_block("lora", settings).splitlines()[-2:] == [
        "| `last: 2, learning_rate: 0.002` | 0, 1 | 0.790 | 0.780 [0.770, 0.790] | 0.750 | 12,345 |",
        "| defaults | 0, 1 | 0.715 | 0.815 [0.810, 0.820] | 0.785 | - |",
    ]
    assert "| `tfidf`, defaults | 0 |" in technique_numbers.page_block("baselines", settings)
    assert "| `peft:vera`, `options.r: 8` | 0 |" in technique_numbers.page_block("peft", settings)
    assert technique_numbers.page_block("soup", settings) == "No runs recorded yet."
    summary = technique_numbers.summary_block(settings).splitlines()[4:]
    assert [line.split(" | ")[:3] for line in summary] == [
        ["| [`lora`](lora.md)", "`last: 2, learning_rate: 0.002`", "2"],
        ["| [`peft:vera`](peft.md)", "`options.r: 8`", "1"],
        ["| [`tfidf`](baselines.md)", "defaults", "1"],
    ]


def test_a_page_without_its_markers_is_refused():
    with pytest.raises(ValueError, match="numbers:begin"):
        technique_numbers.filled("# lora\n", "No runs recorded yet.")
