"""Templates: what a file may say, and what is said about the rest."""

import json
import re

import pytest

from stratune.errors import ConfigError
from stratune.prompt.template import Shot, built_in, find_template, parse_template, template_names
from stratune.strategy import parse_strategy
from tests.prompt.asking import LABELS

NAMES = ["baseline", "demonstrations", "entailment", "instructed", "likert", "paraphrase", "rating"]


@pytest.mark.parametrize("name", NAMES)
def test_a_built_in_template_parses_names_itself_and_says_what_it_is(name):
    template = built_in(name)
    assert template.name == name and find_template(name) == template
    assert template_names()[name] == template.about and template.about.endswith(".")
    meanings = dict.fromkeys(LABELS, "something")
    ready = find_template({"base": name, "descriptions": meanings}).for_labels(LABELS)
    assert ready.words == {"animal": ("animal",), "weather": ("weather",)}


def test_there_are_no_others():
    assert list(template_names()) == NAMES


def test_only_templates_for_two_texts_have_a_slot_for_the_second():
    assert [name for name in NAMES if built_in(name).pairs] == ["entailment", "paraphrase"]


# What is written -> what is said of it, from beginning to end.
WRONG = {
    "unknown key": (
        {"rwo": "{text}"},
        "template: 'rwo' is not one of about, answer, chat, descriptions, name, row, shots, system, task, words"
        " (did you mean 'row'?)",
    ),
    "unknown slot in the row": (
        {"row": "{text} {labels}"},
        "template: row: 'labels' is not one of text, pair",
    ),
    "unknown slot in the task": (
        {"task": "One of {label}?"},
        "template: task: 'label' is not one of labels, descriptions (did you mean 'labels'?)",
    ),
    "unknown slot in the system text": (
        {"system": "{text}"},
        "template: system: 'text' is not one of labels, descriptions",
    ),
    "slot without a name": ({"row": "{text} {}"}, "template: row: '' is not one of text, pair"),
    "no text": ({"row": "What is it?"}, "template: row: without the slot {text} every row would be the same"),
    "answer without a label": ({"answer": "Class:"}, "template: answer: it has to hold {label}, once"),
    "two labels": ({"answer": "{label} {label}"}, "template: answer: it has to hold {label}, once"),
    "a brace left open": (
        {"task": "Answer in {"},
        "template: task: 'Answer in {': Single '{' encountered in format string (write a brace that is no slot twice)",
    ),
    "demonstration without a label": (
        {"shots": [{"text": "a cat"}]},
        "template: shots: {'text': 'a cat'}: a demonstration has text, label and perhaps pair",
    ),
    "misspelt name": (
        "basline",
        f"template: 'basline' is not one of {', '.join(NAMES)}, a YAML file (did you mean 'baseline'?)",
    ),
    "misspelt base": (
        {"base": "likart"},
        f"template: 'likart' is not one of {', '.join(NAMES)}, a YAML file (did you mean 'likert'?)",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_with_a_template_is_said_with_its_place(case):
    written, message = WRONG[case]
    with pytest.raises(ConfigError) as said:
        find_template(written)
    assert str(said.value) == message


UNFIT = {
    "words of an unknown label": (
        {"words": {"animals": "beast"}},
        "template: words: 'animals' is not one of animal, weather (did you mean 'animal'?)",
    ),
    "description of an unknown label": (
        {"descriptions": {"music": "songs"}},
        "template: descriptions: 'music' is not one of animal, weather",
    ),
    "a word for two labels": (
        {"words": {"animal": ["it", "cat"], "weather": ["sky", "cat"]}},
        "template: words: 'cat' stands for animal and weather",
    ),
    "a word that is another label's name": (
        {"words": {"animal": "weather"}},
        "template: words: 'weather' stands for animal and weather",
    ),
    "no description": (
        {"task": "{descriptions}", "descriptions": {"animal": "beasts"}},
        "template: descriptions: nothing is given for 'weather'",
    ),
    "no description for the system text": (
        {"system": "{descriptions}"},
        "template: descriptions: nothing is given for 'animal'",
    ),
}


@pytest.mark.parametrize("case", UNFIT)
def test_what_does_not_fit_the_labels_is_said_with_its_place(case):
    written, message = UNFIT[case]
    template = find_template(written)
    with pytest.raises(ConfigError) as said:
        template.for_labels(LABELS)
    assert str(said.value) == message


def test_descriptions_may_be_missing_where_nobody_asks_for_them():
    assert find_template("baseline").for_labels(LABELS).descriptions == {}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "no such file"),
        (b"row: [{text}", ":1: not YAML (.*expected.*)"),
        (b"\xff\xfe\x00", "cannot be read (.*utf-8.*)"),
        (b"- row", "expected a mapping of row, answer, ..., found list"),
        (b"", "expected a mapping of row, answer, ..., found NoneType"),
        (b"raw: '{text}'", "'raw' is not one of about, .*words (did you mean 'row'?)"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_with_its_path(tmp_path, content, message):
    path = tmp_path / "own.yaml"
    if content is not None:
        path.write_bytes(content)
    pattern = message.replace("(", r"\(").replace(")", r"\)").replace("?", r"\?")
    pattern = pattern if pattern.startswith(":") else f": {pattern}"
    with pytest.raises(ConfigError, match=f"^{re.escape(str(path))}{pattern}$") as said:
        find_template(str(path))
    assert "\n" not in str(said.value)


@pytest.mark.parametrize("suffix", ["yaml", "yml"])
def test_a_file_is_called_by_its_name_unless_it_has_one(tmp_path, suffix):
    path = tmp_path / f"moods.{suffix}"
    path.write_text(
        "row: 'Zeile: {text}'\nwords: {animal: Tier, weather: [Wetter, Regen]}\n", encoding="utf-8"
    )
    template = find_template(str(path))
    assert (template.name, template.row) == ("moods", "Zeile: {text}")
    assert template.words == {"animal": ("Tier",), "weather": ("Wetter", "Regen")}
    path.write_text("name: mine\n", encoding="utf-8")
    assert find_template(str(path)).name == "mine"


def test_labels_that_yaml_reads_as_numbers_are_still_names(tmp_path):
    path = tmp_path / "stars.yaml"
    path.write_text("words: {1: bad, 2: good}\ndescriptions: {1: 0}\nshots: [{text: 7, label: 1}]\n")
    template = find_template(str(path)).for_labels(("1", "2"))
    assert template.words == {"1": ("bad",), "2": ("good",)} and template.descriptions == {"1": "0"}
    assert template.shots == (Shot("7", "1"),)


def test_a_base_gives_all_that_is_not_named(tmp_path):
    base = built_in("demonstrations")
    changed = find_template({"base": "demonstrations", "task": "Which one: {labels}?", "chat": False})
    assert (changed.task, changed.chat) == ("Which one: {labels}?", False)
    assert {**changed.to_dict(), "task": base.task, "chat": None} == base.to_dict()
    path = tmp_path / "own.yaml"
    path.write_text("row: 'Zeile: {text}'\nanswer: 'Klasse: {label}'\n", encoding="utf-8")
    again = find_template({"base": {"base": str(path), "task": "Welche?"}, "answer": "{label}"})
    assert (again.row, again.task, again.answer) == ("Zeile: {text}", "Welche?", "{label}")


def test_a_template_comes_back_from_json():
    template = find_template(
        {
            "base": "paraphrase",
            "about": "All there is.",
            "system": "Be brief.",
            "words": {"animal": ["cat", "dog"], "weather": "rain"},
            "descriptions": {"animal": "beasts", "weather": "the sky"},
            "shots": [
                {"text": "a", "label": "animal", "pair": "b"},
                {"text": "c", "label": "weather", "pair": "d"},
            ],
            "chat": True,
        }
    )
    again = parse_template(json.loads(json.dumps(template.to_dict())), "model folder")
    assert again == template
    assert again.for_labels(LABELS) == template.for_labels(LABELS)
    assert again.shots == (Shot("a", "animal", "b"), Shot("c", "weather", "d"))


TYPES = [
    ({"system": 5}, "template: system: 5 is no text"),
    ({"row": ["{text}"]}, "template: row: ['{text}'] is no text"),
    ({"row": "{text:d}"}, "template: row: {text} takes no format"),
    ({"row": "{text!r}"}, "template: row: {text} takes no format"),
    ({"chat": "maybe"}, "template: chat: 'maybe' is not one of true, false, null"),
    ({"shots": 5}, "template: shots: 5 is no list of demonstrations"),
    ({"words": ["a"]}, "template: words: ['a'] is not a mapping of labels"),
    ({"words": {"animal": True}}, "template: words: True is no text; put it in quotes"),
    ({"words": {"animal": None}}, "template: words: None is no text; put it in quotes"),
    ({"descriptions": {"animal": False}}, "template: descriptions: False is no text; put it in quotes"),
    ({"base": 5}, "template: 5 is neither a name, a YAML file nor a mapping"),
]


@pytest.mark.parametrize("given, message", TYPES, ids=lambda value: str(value)[:30])
def test_a_value_of_the_wrong_kind_is_shown(given, message):
    with pytest.raises(ConfigError) as said:
        find_template(given)
    assert str(said.value) == message


SHOTS = [
    ({"text": "a", "label": "nope"}, "template: shots: 'nope' is not one of animal, weather"),
    ({"text": "a", "label": "animal", "pair": "b"}, "'a' has a `pair`, and the row has no slot for it"),
]


@pytest.mark.parametrize("shot, message", SHOTS, ids=["label", "pair"])
def test_demonstrations_of_ones_own_must_fit_the_task(shot, message):
    with pytest.raises(ConfigError, match=re.escape(message)):
        find_template({"shots": [shot]}).for_labels(("animal", "weather"))


def test_a_file_may_change_another_template(tmp_path):
    (tmp_path / "mine.yaml").write_text("base: baseline\nanswer: 'Topic: {label}'\n")
    mine, base = find_template(str(tmp_path / "mine.yaml")), find_template("baseline")
    assert mine.answer == "Topic: {label}" and mine.task == base.task


def test_a_changed_file_is_another_strategy(tmp_path):
    path = tmp_path / "t.yaml"
    spec = {"preset": "zero_shot", "readout": {"template": str(path)}}
    found = []
    for answer in ("A: {label}", "B: {label}"):
        path.write_text(f"answer: '{answer}'\n")
        found.append(parse_strategy(spec).settings())
    assert found[0] != found[1]
    assert parse_strategy(json.loads(json.dumps(found[1]))).settings() == found[1]
