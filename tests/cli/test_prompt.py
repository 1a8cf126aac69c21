"""stratune prompt show, stratune list templates."""

import csv
import json

import pytest
from typer.testing import CliRunner

from stratune.cli import app
from stratune.errors import ConfigError
from stratune.prompt.template import template_names
from tests.cli.comparison import stratune, write_rows

OWN = "task: 'One of {labels}:'\nrow: '{text}'\nanswer: ': {label}'\n"


@pytest.fixture
def show(tiny, tmp_path, monkeypatch):
    """`stratune prompt show own.yaml ...` with a tiny model's tokens."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own.yaml").write_text(OWN)

    def run(*arguments, template="own.yaml"):
        options = ["prompt", "show", template, "--llm", str(tiny("gpt2")), *map(str, arguments)]
        return CliRunner().invoke(app, options)

    return run


def spelt(tiny, word):
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(tiny("gpt2"))
    return [tokenizer.decode([token]) for token in tokenizer(f" {word}")["input_ids"]]


def test_show_prints_the_prompt_and_the_tokens_of_each_word(show, tiny):
    ran = show("--labels", "dog, rain", "--text", "the cat")
    assert ran.exit_code == 0
    assert ran.stdout == (
        "One of dog, rain:\n\nthe cat\n:\n\n"
        f"dog: {' | '.join(spelt(tiny, 'dog'))}\nrain: {' | '.join(spelt(tiny, 'rain'))}\n"
    )


def test_show_gives_the_same_as_json(show, tiny):
    ran = show("--labels", "dog,rain", "--text", "the cat", "--json")
    assert json.loads(ran.stdout) == {
        "prompt": "One of dog, rain:\n\nthe cat\n:",
        "words": {"dog": spelt(tiny, "dog"), "rain": spelt(tiny, "rain")},
        "notes": [],
    }


def test_show_of_two_texts(show, tmp_path):
    (tmp_path / "pair.yaml").write_text("row: '{text} / {pair}'\nanswer: ': {label}'\n")
    ran = show("--labels", "a,b", "--text", "cat", "--pair", "dog", "--json", template="pair.yaml")
    assert json.loads(ran.stdout)["prompt"] == "cat / dog\n:"


def test_show_takes_labels_rows_and_demonstrations_from_data(show, tmp_path):
    path = write_rows(tmp_path / "reviews.csv")
    with path.open(newline="") as stream:
        mood = {" ".join(row["review"].split()[:2]): row["mood"] for row in csv.DictReader(stream)}
    columns = ["--data", path, "--text", "review", "--label", "mood", "--max-words", 2, "--json"]

    def parts(*options):
        ran = show(*columns, *options)
        assert ran.exit_code == 0, ran.output
        task, *demonstrations, question = json.loads(ran.stdout)["prompt"].split("\n\n")
        assert task == "One of animal, weather:"
        return [part.split("\n: ") for part in demonstrations], question.removesuffix("\n:")

    shown, asked = parts("--shots", 2)
    assert sorted(label for _, label in shown) == ["animal", "weather"]
    assert all(text in mood for text, _ in shown) and asked in mood
    assert parts("--shots", 2) == (shown, asked)
    assert len({str(parts("--shots", 2, "--seed", seed)[0]) for seed in range(4)}) > 1
    assert parts() == ([], asked)


def test_show_asks_for_a_number_by_the_levels_of_a_scale(show, tmp_path):
    path = tmp_path / "rated.csv"
    path.write_text("text,stars\n" + "".join(f"we saw the dog {i},{1 + i % 3}.2\n" for i in range(30)))
    options = ["--scale", "1,2.5,3", "--json"]
    alone = json.loads(show(*options, "--text", "snow").stdout)
    assert list(alone["words"]) == ["1", "2.5", "3"] and "One of 1, 2.5, 3:" in alone["prompt"]
    ran = show(*options, "--data", path, "--label", "stars", "--shots", 3)
    assert ran.exit_code == 0, ran.output
    shown = [part.split("\n: ")[1] for part in json.loads(ran.stdout)["prompt"].split("\n\n")[1:-1]]
    assert sorted(shown) == ["1", "2.5", "3"]


def test_show_says_how_many_demonstrations_do_not_fit(show, tmp_path):
    path = write_rows(tmp_path / "reviews.csv")
    ran = show("--data", path, "--text", "review", "--label", "mood", "--max-words", 3, "--shots", 20)
    _, *demonstrations, _, _ = ran.stdout.split("\n\n")  # between the task, and the question and words
    assert ran.exit_code == 0 and 0 < len(demonstrations) < 20
    assert ran.stderr == f"only {len(demonstrations)} of 20 demonstrations fit beside the text\n"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            [],
            "prompt show: name the labels with --labels, the levels of a number with --scale, or the data with --data",
        ),
        (["--scale", "1,low"], "--scale: '1,low' are not numbers with commas between"),
        (["--labels", "a,b", "--pair", "x"], "own: the task has two texts, the template's row not"),
        (["--labels", "a,a"], "task.labels: labels repeat: a, a"),
    ],
)
def test_show_of_what_cannot_be_asked_says_why(show, options, message):
    ran = show(*options)
    assert isinstance(ran.exception, ConfigError) and str(ran.exception) == message


def test_a_misspelt_template_is_one_line_and_exit_code_2(tmp_path):
    ran = stratune("prompt", "show", "basline", "--labels", "a,b", cwd=tmp_path, cache=tmp_path / "cache")
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr == (
        f"stratune: template: 'basline' is not one of {', '.join(template_names())}, a YAML file"
        " (did you mean 'baseline'?)\n"
    )


def test_list_templates_names_the_built_in_ones():
    ran = CliRunner().invoke(app, ["list", "templates", "--json"])
    assert json.loads(ran.stdout) == template_names()
    table = CliRunner().invoke(app, ["list", "templates"]).stdout
    assert all(name in table for name in template_names())
