"""Wrong command lines: exit code 2, one line on standard error, nothing written."""

import contextlib
import json
from pathlib import Path

import pytest

from stratune.api import compare
from stratune.cli import main
from stratune.testing import toy_split

EMPTY, HALF = "", "\udcff"
MODEL = "done/runs/tfidf@none#0/model"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with data, configurations that are none, a finished comparison and its model."""
    folder = tmp_path_factory.mktemp("wrong")
    rows = [
        {"text": text, "label": label}
        for part in toy_split().parts.values()
        for text, label in zip(part["text"], part["label"], strict=True)
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STRATUNE_CACHE", str(folder.parent / "cache-of-wrong"))
        compare(rows, strategies=["tfidf"], out=folder / "done", progress=False)
    lines = ["text,label", *(f"{row['text']},{row['label']}" for row in rows)]
    (folder / "rows.csv").write_text("\n".join(lines) + "\n")
    (folder / "rows.txt").write_text("a\n")
    (folder / "latin.csv").write_bytes("text,label\nété,a\n".encode("latin-1"))
    (folder / "empty.csv").write_text("")
    (folder / "head.csv").write_text("text,label\n")
    (folder / "one.jsonl").write_text('{"text": "a", "label": ')
    (folder / "no.parquet").write_text("no parquet")
    (folder / "ok.yaml").write_text("data: rows.csv\nstrategies: [tfidf]\n")
    (folder / "list.yaml").write_text("- 1\n")
    (folder / "broken.yaml").write_text("data: [")
    (folder / "date.yaml").write_text("data: rows.csv\nseeds: 2024-99-99\n")
    (folder / "deep.yaml").write_text("[" * 3000)
    (folder / "twice.yaml").write_text("data: rows.csv\ndata: rows.csv\n")
    (folder / "binary.yaml").write_bytes(b"\xff\x00\xfe")
    (folder / "singular.yaml").write_text("data: rows.csv\nstrategy: tfidf\n")
    (folder / "folder").mkdir()
    (folder / "folder" / "mine.txt").write_text("mine")
    return folder


def everything(folder):
    return {path: path.stat().st_size for path in folder.rglob("*")}


@pytest.fixture
def ask(place, monkeypatch, capsys):
    def ask(*arguments):
        monkeypatch.chdir(place)
        before = everything(place)
        with pytest.raises(SystemExit) as stopped:
            main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        assert everything(place) == before
        return stopped.value.code, out, err

    return ask


DATA = ("compare", "--data", "rows.csv", "--strategies", "tfidf", "--quiet", "--out", "new")
FILE = ("compare", "ok.yaml", "--quiet", "--out", "new")
WRONG = [
    # no command, no such command
    *[[one] for one in ("nope", "Compare", "compar", "data", "prompt", "--nope", "-x", "data nope", HALF, EMPTY)],
    ["data", "nope"], ["data", "chek"], ["prompt", "nope"], ["data", "--nope"], ["--version=1"],
    # options that are not there, or lack their value
    *[[command, "--nope"] for command in ("demo", "compare", "show", "report", "ablate", "stress", "attack", "predict", "list", "export")],
    *[["data", command, "--nope"] for command in ("check", "split", "turns", "clean", "agree", "texts", "gap")],
    *[["compare", f"--{option}"] for option in ("data", "seeds", "out", "backbone", "llm", "metric", "kind", "jobs")],
    ["predict", MODEL, "rows.csv", "-o"], ["data", "check", "rows.csv", "--label"], ["export", MODEL, "x", "--to"],
    ["compare", "--quiet=1"], ["compare", "--fresh=yes"],
    # arguments that are missing, or too many
    *[[command] for command in ("show", "report", "ablate", "stress", "attack", "predict", "list", "export", "compare")],
    *[["data", command] for command in ("check", "split", "turns", "clean", "agree", "texts", "gap")],
    ["prompt", "show"], ["predict", MODEL], ["export", MODEL], ["show", "done", "done"], ["list", "metrics", "more"],
    ["data", "agree", "rows.csv"], ["data", "split", "rows.csv"], ["data", "clean", "rows.csv"],
    # values of the wrong type
    *[[*DATA, option, value] for option, value in (
        ("--seeds", "many"), ("--seeds", "0"), ("--seeds", "-1"), ("--seeds", "1.5"), ("--seeds", "1000000000"),
        ("--epochs", "many"), ("--epochs", "inf"), ("--epochs", "nan"), ("--epochs", "0"), ("--epochs", "-1"),
        ("--epochs", "1e9"), ("--jobs", "0"), ("--jobs", "-1"), ("--jobs", "two"), ("--jobs", "1000000"),
        ("--max-words", "0"), ("--max-length", "-5"), ("--max-length", "x"), ("--max-length", str(10**30)),
        ("--train-rows", "many"), ("--train-rows", "0"), ("--val-rows", "-1"), ("--test-rows", "1.5"),
        ("--train-rows", "nan"), ("--test-rows", "inf"), ("--kind", "ordinl"), ("--kind", "3"),
        ("--metric", "f1_maco"), ("--metric", "rmse"), ("--track", "nope"), ("--strategies", "lorra"),
        ("--strategies", "tfidf,tfidf"), ("--strategies", ","), ("--bins", "a,b"), ("--text", "nope"),
        ("--label", "nope"), ("--group", "nope"), ("--id", "nope"), ("--split-column", "nope"), ("--pair", "nope"),
        ("--val", "nope.csv"), ("--test", "nope.csv"), ("--val", "folder"), ("--text", HALF), ("--out", "rows.csv"),
        ("--out", "folder"), ("--out", "rows.csv/new"), ("--out", "x\0y"), ("--out", "n" * 5000),
        ("--llm", "http://me:s3cret@host/v1#m"), ("--llm", "http://host/v1"), ("--llm", "http://host:x/v1#m"),
        ("--llm", "https://host/v1?api_key=s3cret#m"), ("--annotations", "nope"),
    )],
    *[[*DATA, f"{option}="] for option in ("--out", "--data", "--text", "--metric", "--llm", "--backbone=")],
    *[[*DATA, option, EMPTY] for option in ("--out", "--data", "--label", "--kind", "--strategies", "--val")],
    # data that are none
    *[["compare", "--data", source, "--out", "new", "--quiet"] for source in (
        "nope.csv", "folder", "rows.txt", "empty.csv", "head.csv", "one.jsonl", "no.parquet", "latin.csv", "hub:",
        "demo:nope", "demo:", "x\0.csv", HALF, "n" * 5000, "http://host/rows.csv",
    )],
    *[["data", command, source] for command in ("check", "turns", "texts") for source in ("nope.csv", "no.parquet")],
    ["data", "check", "rows.csv", "--encoding", "hex"], ["data", "check", "rows.csv", "--encoding", "nope"],
    ["data", "check", "rows.csv", "--seed", "-1"], ["data", "check", "rows.csv", "--backbone", "nope/nope"],
    ["data", "split", "rows.csv", "--out", "new", "--format", "xls"], ["data", "split", "rows.csv", "--out", EMPTY],
    ["data", "split", "rows.csv", "--out", "rows.csv"], ["data", "split", "rows.csv", "--out", "rows.csv/new"],
    ["data", "gap", "rows.csv"], ["data", "gap", "rows.csv", "--group", "nope"],
    ["data", "gap", "rows.csv", "--group", "text", "--folds", "0"],
    ["data", "gap", "rows.csv", "--group", "text", "--strategy", "{preset: ["],
    ["data", "gap", "rows.csv", "--group", "text", "--epochs", "inf"],
    ["data", "agree", "rows.csv", "--annotations", "nope"],
    ["data", "texts", "rows.csv", "--unit", "nope"], ["data", "texts", "rows.csv", "--keep", "x"],
    ["data", "clean", "rows.csv", "--steps", "nope"],
    # configurations and overrides
    *[["compare", file, "--out", "new", "--quiet"] for file in (
        "nope.yaml", "folder", "list.yaml", "broken.yaml", "date.yaml", "deep.yaml", "twice.yaml", "binary.yaml",
        "singular.yaml", "n" * 5000, "x\0.yaml",
    )],
    *[[*FILE, override] for override in (
        "nope", "nope=1", "seeds=many", "seeds=1e9", "seeds=[", "seeds=2024-99-99", "=1", "a..b=1", "data.x=1",
        "train.checkpoint_seconds=.nan", "train.checkpoint_seconds=-1", "data.seed=-1", "data.encoding=hex",
        "data.fractions=[1,1,1]", "task.labels=[true]", "task.metric=nope", "budget.epochs=.inf", "remote.workers=0",
        "remote.price=3", f"{'.'.join('a' * 500)}=1", "strategies=[[]]", "strategies=[{}]", "strategies=3",
        "strategies=[{preset: 3}]", "strategies=[{preset: lora, rank: many}]", f"task.text={HALF}",
        "seeds=&a [*a]", "strategies=[{preset: lora, learning_rate: .nan}]", "backbones=[http://host/v1?k=s3cret]",
        "strategies=[{preset: zero_shot, readout: {template: nope.yaml}}]",
        "strategies=[{preset: zero_shot, readout: 3}]", "data=", "data=null", "task=3", "seeds.a=1",
    )],
    # models and finished comparisons
    *[[command, folder] for command in ("show", "report", "ablate", "stress", "attack") for folder in ("nope", "folder", "rows.csv")],
    *[["stress", "done", *more] for more in (
        ["--only", "typo"], ["--strategies", "nope"], ["--strength", "2"], ["--strength", "0"], ["--strength", "nan"],
        ["--rows", "0"], ["--swap"], ["--cases", "nope.yaml"], ["--cases", "rows.csv"], ["--cases", "broken.yaml"],
        ["--only", "swap"], ["--seed", "-1"],
    )],
    *[["evaluate", folder, "rows.csv"] for folder in ("nope", "folder", "rows.csv")],
    *[["evaluate", "done", *more] for more in (
        [], ["nope.csv"], ["folder"], ["latin.csv"], ["rows.csv", "--label", "nope"], ["rows.csv", "--name", "../up"],
        ["rows.csv", "--unknown", "wrong"], ["rows.csv", "--strategies", "nope"], ["rows.csv", "--pair", "text"],
        ["rows.csv", "--agreement", "2"], ["rows.csv", "--slices", "nope"], ["rows.csv", "--encoding", "hex"],
    )],
    *[["attack", "done", *more] for more in (
        ["--by", "typo"], ["--strategies", "nope"], ["--changes", "2"], ["--changes", "0"], ["--changes", "nan"],
        ["--rows", "0"], ["--queries", "1"], ["--max-cost", "-1"], ["--max-cost", "2"], ["--seed", "-1"],
    )],
    ["predict", "nope", "rows.csv"], ["predict", "folder", "rows.csv"], ["predict", "rows.csv", "rows.csv"],
    ["predict", MODEL, "nope.csv"], ["predict", MODEL, "folder"], ["predict", MODEL, "latin.csv"],
    ["predict", MODEL, "rows.csv", "-o", "nope/x/y.txt"], ["predict", MODEL, "rows.csv", "-o", "folder"],
    ["predict", MODEL, "rows.csv", "-o", "rows.csv/x.csv"], ["predict", MODEL, "rows.csv", "-o", "x.xls"],
    ["predict", MODEL, "rows.csv", "--text", "nope"], ["predict", MODEL, "rows.csv", "--device", "nope"],
    ["predict", MODEL, "rows.csv", "--encoding", "hex"], ["predict", MODEL, "rows.csv", "--format", "xls"],
    ["predict", MODEL, "rows.csv", "--allow-server", "host"], ["predict", MODEL, "rows.csv", "--explain"],
    ["export", "nope", "new"], ["export", MODEL, "new", "--to", "nope"], ["export", MODEL, "rows.csv"],
    ["export", MODEL, "folder"], ["export", MODEL, "new"], ["list", "nope"], ["list", HALF], ["demo", "nope"],
    ["demo", "--seeds", "0"], ["demo", "--epochs", "inf"], ["prompt", "show", "nope", "--labels", "a,b"],
    ["prompt", "show", "broken.yaml", "--labels", "a,b"], ["prompt", "show", "plain", "--shots", "-1"],
]  # fmt: skip


@pytest.mark.parametrize("arguments", WRONG, ids=lambda arguments: repr(" ".join(arguments))[1:60])
def test_a_wrong_command_line_is_one_line_and_writes_nothing(arguments, ask):
    code, _, err = ask(*arguments)
    assert code == 2, err
    assert err.startswith("stratune: ") and err.count("\n") == 1 and err.endswith("\n")
    assert len(err) <= 500 and "Traceback" not in err and "s3cret" not in err


def test_there_are_at_least_150():
    assert len({tuple(arguments) for arguments in WRONG}) >= 150


def test_a_closed_standard_output_is_said(place, monkeypatch, capsys):
    monkeypatch.chdir(place)
    monkeypatch.setattr("sys.stdout", None)
    with pytest.raises(SystemExit) as stopped:
        main(["list", "metrics"])
    assert stopped.value.code == 2 and "standard output is closed" in capsys.readouterr().err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
def test_a_full_disk_behind_standard_output_is_said(place, monkeypatch, capsys):
    monkeypatch.chdir(place)
    full = Path("/dev/full").open("w")  # noqa: SIM115  closing it fails, too
    monkeypatch.setattr("sys.stdout", full)
    with pytest.raises(SystemExit) as stopped:
        main(["list", "metrics", "--json"])
    with contextlib.suppress(OSError):
        full.close()
    assert stopped.value.code == 2 and capsys.readouterr().err == "stratune: No space left on device\n"


def test_an_interruption_is_130(monkeypatch, capsys):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("stratune.cli.listing._names", interrupted)
    with pytest.raises(SystemExit) as stopped:
        main(["list", "metrics"])
    assert stopped.value.code == 130 and capsys.readouterr().err == "stratune: interrupted\n"


def test_help_shows_square_brackets(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["compare", "--help"])
    said = "".join(capsys.readouterr().out.split())
    assert (stopped.value.code or 0) == 0
    assert "[default:stratune-out/NAME]" in said and "[CONFIG.yaml|DATA][a.b=c...]" in said
    assert "[default:f1_macro,qwkorrmse,bykind]" in said


def test_what_is_right_still_works(place, monkeypatch, capsys):
    monkeypatch.chdir(place)
    with pytest.raises(SystemExit) as stopped:
        main(["list", "metrics", "--json"])
    assert (stopped.value.code or 0) == 0 and "f1_macro" in json.loads(capsys.readouterr().out)
