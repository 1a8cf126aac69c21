"""ablate: a model scored, and trained, without a part of the transcripts."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from stratune.cli import app
from stratune.comparison.ablation import ablate
from stratune.comparison.board import Board
from stratune.comparison.comparison import run_comparison
from stratune.config import parse_config, read_config
from stratune.engine.inline import InlineEngine
from stratune.errors import ArtifactError, ConfigError

HINTS = {"yes": "wonderful splendid", "no": "dreadful horrid"}


def compared(place, opening="opening", verdict="verdict", **data):
    """Sixty calls: what ANN says at the end tells the label, the opening does not; in six she says all."""
    lines = []
    for number in range(60):
        label = "yes" if number % 2 else "no"
        turns = [(opening, "agent", "BOB", f"Hello and welcome to call {number % 7}, dear friend.")] * (
            number % 10 > 0
        )
        turns.append((verdict, "client", "ANN", f"It was {HINTS[label]} today, case {number}."))
        for turn, (section, role, speaker, text) in enumerate(turns):
            row = {"document": f"call{number}", "turn": turn, "section": section, "role": role}
            lines.append(json.dumps({**row, "speaker": speaker, "text": text}))
    (place / "turns.jsonl").write_text("\n".join(lines))
    rows = [f"call{number},{'yes' if number % 2 else 'no'}" for number in range(60)]
    (place / "labels.csv").write_text("\n".join(["document,label", *rows]))
    data = {
        "source": str(place / "turns.jsonl"),
        "fractions": [0.4, 0.2, 0.4],
        "transcripts": {"labels": str(place / "labels.csv"), "no_speakers": True},
        **data,
    }
    config = parse_config({"data": data, "strategies": ["tfidf", "majority"], "task": {"label": "label"}})
    list(run_comparison(config, place / "out", engine=InlineEngine(), anyway=True))
    return place / "out"


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    return compared(tmp_path_factory.mktemp("calls"))


def parts_of(out):
    return {name: set(ids) for name, ids in json.loads((out / "split.json").read_text())["parts"].items()}


def test_what_a_section_is_worth(out):
    found = ablate(out, "tfidf")
    opening, verdict = found.parts
    assert found.rows == 24 and found.whole.value == 1.0
    assert (opening.part, verdict.part, found.metric) == ("section opening", "section verdict", "f1_macro")
    assert opening.whole.value == opening.without.value == 1.0 and opening.change.value == 0.0
    assert opening.rows == 24 and opening.lost == 0
    assert verdict.whole.value == 1.0 and verdict.without.value < 0.7
    assert verdict.change.value == pytest.approx(verdict.without.value - 1.0)
    assert verdict.change.high < 0
    assert verdict.rows + verdict.lost == 24 and verdict.lost > 0
    assert opening.words + verdict.words == pytest.approx(1.0, abs=0.1)
    assert json.loads((out / "ablation.json").read_text())["parts"][1]["part"] == "section verdict"
    assert verdict.trained is None
    figure = (out / "plots" / "parts.svg").read_text()
    assert "section verdict" in figure and "the same model" in figure and "trained without it" not in figure
    assert (
        'aria-label="Change of the test metric without each part of the texts"'
        in (out / "report.html").read_text()
    )


def test_trained_without_it(out):
    found = ablate(out, "tfidf", sections=["opening"], retrain=True)
    (opening,) = found.parts
    assert opening.trained.value == 1.0 and opening.trained_change.value == 0.0
    board = Board.load(out / "ablation" / "section-opening")
    assert parts_of(board.out) == parts_of(out)
    assert "trained without it" in (out / "plots" / "parts.svg").read_text()
    again = ablate(out, "tfidf", sections=["opening"], retrain=True)  # goes on from what is there
    assert again == found


def test_fewer_rows_are_taken_once(tmp_path):
    """The retrained model's split is the comparison's, which was drawn already."""
    out = compared(tmp_path, train_rows=12, val_rows=8, test_rows=20)
    ablate(out, "tfidf", sections=["opening"], retrain=True)
    assert {name: len(ids) for name, ids in parts_of(out).items()} == {"train": 12, "val": 8, "test": 20}
    assert parts_of(out / "ablation" / "section-opening") == parts_of(out)


def test_sections_of_any_name(tmp_path):
    """Names that a file system takes for the same one, or for another folder, are kept apart."""
    out = compared(tmp_path, opening="../Q&A", verdict="../Q A")
    ablate(out, "tfidf", retrain=True)
    folders = sorted(path.name for path in (out / "ablation").iterdir())
    assert len(folders) == 2 and all(name.startswith("section--Q-A-") for name in folders)
    config = read_config(out / "config.yaml")
    list(run_comparison(config, out, engine=InlineEngine(), fresh=True, anyway=True))
    assert not (out / "ablation").exists() and not (out / "ablation.json").exists()


def test_roles(out):
    found = ablate(out, "tfidf", roles=["client"])
    (client,) = found.parts
    assert client.part == "role client" and client.change.high < 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"strategy": "tfid"}, "strategy: 'tfid' is not one of tfidf, majority"),
        ({"sections": ["closing"]}, "sections: 'closing' is not one of opening, verdict"),
        ({"roles": ["judge"]}, "roles: 'judge' is not one of agent, client"),
    ],
)
def test_what_is_not_there(out, options, message):
    with pytest.raises(ConfigError) as caught:
        ablate(out, **options)
    assert str(caught.value).startswith(message)


def test_a_comparison_of_plain_texts(tmp_path):
    rows = [{"text": f"a {word} day {day}", "label": word} for day in range(20) for word in ("good", "bad")]
    (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)))
    config = parse_config({"data": {"source": str(tmp_path / "rows.jsonl")}, "strategies": ["majority"]})
    list(run_comparison(config, tmp_path / "out", engine=InlineEngine(), anyway=True))
    with pytest.raises(ConfigError, match="is not of transcripts"):
        ablate(tmp_path / "out")
    with pytest.raises(ArtifactError, match="no leaderboard.json"):
        ablate(tmp_path)


def test_on_the_command_line(out):
    result = CliRunner().invoke(app, ["ablate", str(out), "--sections", "verdict", "--strategy", "tfidf"])
    assert result.exit_code == 0, result.output
    assert (
        "section verdict" in result.output and "test texts have nothing but section verdict" in result.output
    )
    result = CliRunner().invoke(app, ["ablate", str(out), "--json"])
    assert [one["part"] for one in json.loads(result.output)["parts"]] == [
        "section opening",
        "section verdict",
    ]


def test_remarks_against_questions_of_plain_captions(tmp_path):
    """Nothing in the files names a section: the operator's first question does. The sheet stands beside them."""
    folder = tmp_path / "calls"
    folder.mkdir()
    for number in range(60):
        said = [
            ("CEO", f"Hello and welcome to call {number % 7}, dear friends."),
            ("Operator", "Our first question comes from Lee Moss."),
            ("Lee Moss", f"It was {HINTS['yes' if number % 2 else 'no']}, case {number}. Why?"),
        ]
        cues = [
            f"00:0{n}:00.000 --> 00:0{n}:09.000\n<v {who}>{text}</v>\n" for n, (who, text) in enumerate(said)
        ]
        (folder / f"call{number:02}.vtt").write_text("\n".join(["WEBVTT\n", *cues]))
    rows = [f"Call{number:02}.vtt,{'yes' if number % 2 else 'no'}" for number in range(60)]
    (folder / "scores.csv").write_text("\n".join(["file,label", *rows]))
    data = {"source": str(folder), "fractions": [0.4, 0.2, 0.4], "transcripts": {"no_speakers": True}}
    config = parse_config({"data": data, "strategies": ["tfidf", "majority"], "task": {"label": "label"}})
    list(run_comparison(config, tmp_path / "out", engine=InlineEngine(), anyway=True))
    found = ablate(tmp_path / "out", "tfidf")
    assert [part.part for part in found.parts] == [
        "section Prepared Remarks",
        "section Questions and Answers",
    ]
    remarks, questions = found.parts
    assert remarks.without.value == found.whole.value == 1.0 and questions.without.value < 0.7
