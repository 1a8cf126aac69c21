"""stratune prompt: look at the prompts that a model gets."""

from __future__ import annotations

import json
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stratune.cli.options import MaxWords
from stratune.cli.output import print_json
from stratune.errors import ArtifactError, ConfigError
from stratune.printable import escaped, printable

if TYPE_CHECKING:
    from stratune.evaluate.kinds import Kind

app = typer.Typer(rich_markup_mode=None, help="Look at the prompts that a model gets.")
Labels = Annotated[str | None, typer.Option(help="Comma-separated; without --data.")]


@app.command()
def show(
    template: Annotated[
        str,
        typer.Argument(help="See `stratune list templates`; a YAML file; or the folder of a comparison."),
    ],
    data: Annotated[
        str | None, typer.Option(help="Where labels, demonstrations and the row are from.")
    ] = None,
    text: Annotated[str | None, typer.Option(help="The text asked about; with --data, its column.")] = None,
    pair: Annotated[str | None, typer.Option(help="The second text; with --data, its column.")] = None,
    label: Annotated[str | None, typer.Option(help="With --data: column of the label.")] = None,
    labels: Labels = None,
    scale: Annotated[
        str | None, typer.Option(help="Comma-separated levels, where the target is a number.")
    ] = None,
    word: Annotated[list[str] | None, typer.Option(help="LABEL=WORD; repeatable.")] = None,
    describe: Annotated[list[str] | None, typer.Option(help="LABEL=WHAT IT MEANS; repeatable.")] = None,
    shots: Annotated[int, typer.Option(min=0, help="Demonstrations, from the training part of --data.")] = 0,
    seed: Annotated[
        int, typer.Option(min=0, max=2**32 - 1, help="Which demonstrations, in which order.")
    ] = 0,
    max_words: MaxWords = None,
    llm: Annotated[str, typer.Option(help="Whose chat template and tokens.")] = "smollm2",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Print one prompt as the model gets it, and the tokens of each label.

    Of a comparison's folder: one prompt of each run, with a server's answer.
    """
    from stratune.readout.words import Words

    if _is_folder(template):
        _print_asked(Path(template), as_json)
        return

    if shots and data is None:
        raise ConfigError("demonstrations come from --data", key="--shots")
    words_, meanings = _named(word, "--word"), _named(describe, "--describe")
    levels = _levels(scale)
    readout = Words(template=template, shots=shots, words=words_, descriptions=meanings, scale=levels)
    split, row = _rows(data, text, pair, label, labels, levels)
    reader = _reader(llm, readout, split, max_words, seed)
    rendered = reader.rendered(row["text"], row.get("text_pair"))
    words = reader.words_as_tokens()
    if as_json:
        print_json({"prompt": rendered, "words": words, "notes": reader.notes()})
        return
    for line in [*rendered.split("\n"), ""]:
        typer.echo(escaped(line))
    for one, tokens in words.items():
        typer.echo(escaped(f"{one}: {' | '.join(tokens)}"))
    for note in reader.notes():
        typer.echo(printable(note), err=True)


def _is_folder(name: str) -> bool:
    try:
        return Path(name).is_dir()
    except OSError:  # longer than a path can be
        return False


def _print_asked(out: Path, as_json: bool) -> None:
    """One prompt of each run of a comparison. Raises ArtifactError where none asked anything."""
    found = {path.parent.name: _asked(path.parent) for path in sorted(out.glob("runs/*/prompt.txt"))}
    if not found:
        raise ArtifactError(f"{out}: no run of a comparison in it asked a language model")
    if as_json:
        print_json(found)
        return
    for name, asked in found.items():
        typer.echo(escaped(f"== {name}"))
        for key, text in asked.items():
            for line in f"{key}: {text}".split("\n"):
                typer.echo(escaped(line))
        typer.echo("")


def _asked(run: Path) -> dict[str, str]:
    """Of a run on a server its last request with the answer, where they were kept; else its first prompt.

    The first requests of a server see what it offers.
    """
    line = _last_line(run / "prompts.jsonl")
    if line is None:
        return {"prompt": (run / "prompt.txt").read_text(encoding="utf-8")}
    exchange = json.loads(line)
    asked = exchange["asked"]
    turns = asked.get("messages", [])
    said = "\n\n".join(f"{turn['role']}: {turn['content']}" for turn in turns)
    answer = exchange.get("answer", exchange.get("no_answer"))
    return {"prompt": said or asked["prompt"], "answer": str(answer)}


def _last_line(path: Path) -> str | None:
    if not path.is_file():
        return None
    with path.open(encoding="utf-8") as lines:
        return next(iter(deque(lines, maxlen=1)), None)


def _named(given: list[str] | None, option: str) -> dict[str, Any]:
    """`--word 0=negative`; one label may be named several times."""
    found: dict[str, Any] = {}
    for one in given or []:
        label, equals, value = one.partition("=")
        if not equals:
            raise ConfigError(f"{one!r} is not LABEL=TEXT", key=option)
        found[label] = value if label not in found else [*_as_list(found[label]), value]
    return found


def _levels(scale: str | None) -> tuple[float, ...]:
    try:
        return tuple(float(level) for level in scale.split(",")) if scale else ()
    except ValueError as error:
        raise ConfigError(f"{scale!r} are not numbers with commas between", key="--scale") from error


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _rows(
    data: str | None,
    text: str | None,
    pair: str | None,
    label: str | None,
    labels: str | None,
    levels: tuple[float, ...],
) -> tuple[Any, dict[str, str]]:
    """(split, the row in the prompt). Without data: the labels and texts that were typed."""
    kind: Kind = "regression" if levels else "classification"
    if data is not None:
        from stratune.comparison.source import split_of
        from stratune.config import parse_config

        task = {k: v for k, v in {"text": text, "text_pair": pair, "label": label}.items() if v is not None}
        split = split_of(parse_config({"data": {"source": data}, "task": {**task, "kind": kind}}))
        return split, dict(split.val[0])
    if labels is None and not levels:
        why = "name the labels with --labels, the levels of a number with --scale, or the data with --data"
        raise ConfigError(why, key="prompt show")
    from datasets import Dataset

    from stratune.data.split import assemble
    from stratune.task import Task

    names = tuple(name.strip() for name in labels.split(",")) if labels and not levels else ()
    row = {"id": "0", "text": text or "(the text)", "label": names[0] if names else str(levels[0])}
    row |= {"text_pair": pair} if pair is not None else {}
    task_ = Task(kind=kind, labels=names, text_pair="text_pair" if pair is not None else None)
    table = Dataset.from_list([row])
    return assemble({"train": table, "val": table, "test": table}, task_), row


def _reader(llm: str, readout: Any, split: Any, max_words: int | None, seed: int) -> Any:
    """Loads the tokenizer and the configuration, for the context length; no weights."""
    from stratune.backbone.tokenizer import load_tokenizer
    from stratune.tokens.tokens import TextLimit

    limit = TextLimit(max_words=max_words)
    return readout.reader(load_tokenizer(llm), split.task, limit, split.train, seed)
