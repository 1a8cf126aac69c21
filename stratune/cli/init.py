"""stratune init: the configuration that `stratune compare` would use, as a file with comments."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from stratune.cli.compare import configure
from stratune.cli.options import (
    Bins,
    By,
    Clean,
    Group,
    Kind,
    Label,
    Pair,
    Scores,
    Strategies,
    Text,
    Unit,
)
from stratune.errors import ConfigError

# What is written, in this order, and what is said of it; the reference has every key.
SAID: Mapping[str, str] = {
    "data.source": "a table, a folder of transcripts, hub:name/config or demo:name",
    "data.transcripts.unit": "what gets a row: document, speaker or segment",
    "data.transcripts.by": "how a text is cut: turn, exchange, minutes:5, section, speaker, document",
    "data.transcripts.clean": "noise, fillers, repeats, timestamps, speakers, no_speakers, boilerplate",
    "data.transcripts.labels": "table with a row for each text",
    "data.transcripts.ratings": "of several raters: mean, median or majority; null: by their kind",
    "data.transcripts.min_words": "shorter texts are left out",
    "data.fractions": "of the rows, for train, val and test",
    "data.seed": "of the split",
    "task.text": "column of the text",
    "task.text_pair": "column of the second text of a pair",
    "task.label": "column of the label",
    "task.kind": "classification, ordinal, multilabel or regression",
    "task.bins": "of a score: names, edges or a number of quantiles make levels",
    "task.group": "column of groups that stay on one side of the split",
    "task.metric": "chooses on validation; null: f1_macro, qwk or rmse, by kind",
    "strategies": "names, or mappings with options: stratune list strategies",
    "backbones": "models that are tuned: embedded, a folder, or a name of the hub",
    "seeds": "runs of each strategy",
    "budget.epochs": "passes over the training rows; null: 4, more where rows are few",
    "budget.trials": "settings of each strategy that validation chooses among",
    "train.max_words": "words read of a text; null: all",
    "prefer": "of ways that are nearly the best, the cheapest in: seconds, memory, bytes, price; or best",
}


def init_command(
    data: Annotated[str, typer.Argument(metavar="DATA", help="A table, or a folder of transcripts.")],
    output: Annotated[
        Path, typer.Option("-o", "--output", help="File that is written; it must not be there yet.")
    ] = Path("stratune.yaml"),
    scores: Scores = None,
    unit: Unit = None,
    by: By = None,
    clean: Clean = None,
    text: Text = None,
    pair: Pair = None,
    label: Label = None,
    group: Group = None,
    kind: Kind = None,
    bins: Bins = None,
    strategies: Strategies = None,
) -> None:
    """Write the configuration of a comparison, with what follows from the data, and a comment on each key."""
    from stratune.config.paths import stored_in
    from stratune.data.text_files import require_file
    from stratune.files import write_text

    if not data.startswith(("demo:", "hub:")) and not Path(data).is_dir():
        require_file(Path(data))
    if output.exists():
        raise ConfigError(f"{output} is there already", key="--output")
    options = {
        "scores": scores, "unit": unit, "by": by, "clean": clean, "text": text, "pair": pair, "label": label,
        "group": group, "kind": kind, "bins": bins, "strategies": strategies,
    }  # fmt: skip
    config = configure([], data, options, quiet=False)
    fields = stored_in(config.model_dump(mode="json"), output.parent)
    write_text(output, "\n".join(lines_of(fields, f"stratune compare {output}")) + "\n")
    typer.echo(f"wrote {output}; then: stratune compare {output}")


def lines_of(fields: Mapping[str, Any], command: str) -> Iterator[str]:
    """The keys of SAID that the configuration has, as YAML with comments."""
    yield f"# {command}"
    opened: list[str] = []
    for key, said in SAID.items():
        *sections, name = key.split(".")
        inside: Any = fields
        for section in sections:
            inside = (inside or {}).get(section)
        if not isinstance(inside, Mapping) or name not in inside:
            continue
        for depth, section in enumerate(sections):
            if opened[: depth + 1] != sections[: depth + 1]:
                yield f"{'  ' * depth}{section}:"
                opened = sections[: depth + 1]
        opened = sections
        yield from _entry(name, inside[name], said, "  " * len(sections))


def _entry(name: str, value: Any, said: str, indent: str) -> Iterator[str]:
    if isinstance(value, list) and any(isinstance(one, Mapping) for one in value):
        yield f"{indent}{name}:  # {said}"
        yield from (f"{indent}  - {_flow(one)}" for one in value)
    else:
        yield f"{indent}{name}: {_flow(value)}  # {said}"


def _flow(value: Any) -> str:
    """YAML on one line."""
    import yaml

    text = yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, sort_keys=False, width=10**6)
    return text.removesuffix("\n").removesuffix("\n...")
