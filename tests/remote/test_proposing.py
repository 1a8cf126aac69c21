"""Instructions that the model writes: from its mistakes, tried like any prompt, kept if validation says so."""

import json
import re

import pytest

from stratune.errors import UnsupportedError
from stratune.predictor.predictor import Predictor
from stratune.prompt.template import Template
from stratune.readout import proposing
from stratune.readout.proposing import SAMPLE, Case, instruction_in, material, proposer, sample
from stratune.testing import save_tiny, toy_split
from tests.helpers import trained
from tests.remote.scripted import listed, prompt_of, written
from tests.remote.test_asking import REFUSAL, TEMPLATE, run, sure

HINT = "Horses and hens are an animal, rain and snow are weather"


def learner(body):
    """It knows the classes only where its instruction holds the hint, and writes that when asked for one."""
    prompt = prompt_of(body)
    if "Write a better instruction" in str(body):
        return written(f' **Instruction:** "{HINT}."\n\nThis is better because {{it}} is.')
    if HINT in str(body):
        return sure(body)
    if any(name in body for name in ("echo", "prompt_logprobs")):
        return REFUSAL
    return listed(body, {" animal": -0.2, " weather": -1.8}) if "Text:" in prompt else REFUSAL


def test_an_instruction_that_helps_is_kept_with_the_model(scripted, tmp_path):
    server = scripted(learner)
    result, folder = run(server, tmp_path, {"preset": "zero_shot", "readout": {"propose": 2}})
    assert result.error is None and result.test["accuracy"] == 1.0
    lines = [json.loads(line) for line in (folder / "trials.jsonl").read_text().splitlines()]
    assert lines[0]["settings"]["instruction"] == f"{HINT}." and len(lines) == 2  # the second wrote it again
    assert any(HINT in note for note in result.notes)
    address = json.loads((folder / "model" / "stratune.json").read_text())["backbone"]["id"]
    loaded = Predictor.load(folder / "model", allow_server=address)
    assert HINT in loaded.model.reader.rendered("the horse", None)
    requests = [str(body) for body in server.bodies if "Write a better instruction" in str(body)]
    assert len(requests) == 2
    split = toy_split()
    held = [*split.val["text"], *split.test["text"]]
    assert not any(
        text in request for request in requests for text in held if text not in split.train["text"]
    )
    # The first was written from mistakes, the second, whose prompt made none, from rows that were right.
    assert ("Answered wrong" in requests[0], "Answered wrong" in requests[1]) == (True, False)


def test_one_that_does_not_help_changes_nothing(scripted, tmp_path):
    def stubborn(body):
        if "Write a better instruction" in str(body):
            return written("Answer always with the word weather, whatever animal there is.")
        if "whatever animal" in str(body) and "echo" not in body and "prompt_logprobs" not in body:
            return listed(body, {" animal": -4.0, " weather": -0.1})
        return sure(body)

    result, folder = run(scripted(stubborn), tmp_path, {"preset": "zero_shot", "readout": {"propose": 1}})
    lines = [json.loads(line) for line in (folder / "trials.jsonl").read_text().splitlines()]
    assert result.test["accuracy"] == 1.0 and len(lines) == 2
    assert lines[0]["settings"]["template"] == TEMPLATE["name"]
    assert lines[1]["settings"]["template"] == "proposed-1"


@pytest.mark.parametrize("said", ["", "   \n\n ", "…", "word " * 200])
def test_a_model_that_writes_none_is_left_as_it_was(said, scripted, tmp_path):
    def silent(body):
        return written(said) if "Write a better instruction" in str(body) else sure(body)

    result, folder = run(scripted(silent), tmp_path, {"preset": "zero_shot", "readout": {"propose": 2}})
    assert result.error is None and result.test["accuracy"] == 1.0
    assert len((folder / "trials.jsonl").read_text().splitlines()) == 1


def test_the_estimate_knows_of_the_requests_for_it(scripted, tmp_path):
    def rows_told(propose):
        server = scripted(sure)
        place = tmp_path / str(propose)
        result, _ = run(server, place, {"preset": "zero_shot", "readout": {"propose": propose}})
        (note,) = [note for note in result.notes if note.startswith("asks ")]
        return int(re.search(r"asks ([\d,]+) rows", note)[1].replace(",", ""))

    split = toy_split()
    assert rows_told(2) - rows_told(0) == 2 * (len(split.val) + min(SAMPLE, len(split.train) // 2))


def test_a_local_model_writes_and_its_folder_holds_the_chosen_prompt(tiny, tmp_path, monkeypatch):
    template = {"name": "one", "row": "{text}", "answer": "= {label}", "chat": False}
    spec = {"preset": "few_shot", "readout": {"template": template, "propose": 3, "shots": 1}}
    monkeypatch.setattr(proposing, "NEW_TOKENS", 8)  # a tiny model has room for few
    first, again = (trained(spec, tiny("llama"), epochs=1) for _ in range(2))
    assert [one.settings for one in first.prompts] == [one.settings for one in again.prompts]
    assert len(first.prompts) > 1  # which of them is best is chance
    loaded = Predictor.load(first.predictor.save(tmp_path / "model"))
    prompt = first.predictor.model.reader.rendered("the cat", None)
    assert loaded.model.reader.rendered("the cat", None) == prompt


def test_who_cannot_write_or_trains_is_refused(tiny, tmp_path):
    with pytest.raises(UnsupportedError, match="it is an encoder and writes no instructions"):
        folder = save_tiny("bert", tmp_path / "bert", masked=True)
        trained({"preset": "zero_shot", "readout": {"propose": 1, "template": TEMPLATE}}, folder, epochs=1)
    with pytest.raises(UnsupportedError, match="training takes one prompt"):
        trained(
            {"preset": "completion", "readout": {"propose": 1, "template": TEMPLATE}}, tiny("llama"), epochs=1
        )


def test_rows_that_are_asked_about_are_no_demonstrations():
    train = toy_split().train
    asked, others = sample(train, 0, 1)
    assert len(asked) == min(SAMPLE, len(train) // 2) and len(asked) + len(others) == len(train)
    assert sorted([*asked["text"], *others["text"]]) == sorted(train["text"])
    assert list(sample(train, 0, 2)[0]["text"]) != list(asked["text"])
    assert list(sample(train, 0, 1)[0]["text"]) == list(asked["text"])


@pytest.mark.parametrize(
    "written, instruction",
    [
        ("Sort by tone.", "Sort by tone."),
        ('New instruction: "Sort by tone."', "Sort by tone."),
        ("**Instruction**: Sort by tone.\n\nI changed the wording.", "Sort by tone."),
        ("\n\n Sort by\ntone. ", "Sort by\ntone."),
        ("***", ""),
    ],
)
def test_of_what_is_written_the_instruction_is_taken(written, instruction):
    assert instruction_in(written) == instruction


def test_the_model_sees_its_mistakes_as_answers_are_written():
    rows = [
        Case("a\nb " + "word " * 60, None, "good", "bad"),
        Case("fine", "film", "good", "good"),
        Case("mute", None, "bad", ""),
    ]
    shown = material("Sort.", rows)
    assert '- "a b ' in shown and 'is "good", not "bad"' in shown and '"fine / film" is "good"\n' in shown
    assert shown.count("word") < 45 and '"mute" is "bad"\n' in shown
    asked = proposer(Template("t", words={"x": ("good",)}, row="{text} {pair}"))
    assert not asked.pairs and asked.words == {"x": ("good",)}
