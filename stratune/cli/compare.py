"""stratune compare: from a labelled file to a leaderboard."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stratune.cli.options import (
    Bins,
    By,
    Clean,
    Corrections,
    Delimiter,
    DropLeaks,
    Encoding,
    Engine,
    Epochs,
    Fresh,
    Group,
    Id,
    Jobs,
    Kind,
    Label,
    MaxLength,
    MaxWords,
    NoGold,
    Out,
    Pair,
    Prefer,
    Quiet,
    Scores,
    Search,
    Seeds,
    Size,
    Sizes,
    SplitBy,
    SplitColumn,
    Strategies,
    Test,
    Text,
    Texts,
    Trials,
    Unit,
    Unknown,
    Unlabelled,
    Val,
    Validation,
)
from stratune.cli.output import print_json
from stratune.errors import ConfigError

if TYPE_CHECKING:
    from stratune.config import Config

Json = Annotated[bool, typer.Option("--json", help="Print the leaderboard as JSON only.")]
Anyway = Annotated[
    bool, typer.Option("--anyway", help="Go on in spite of errors in the data; the board says so.")
]
Minutes = Annotated[
    float | None,
    typer.Option(
        help="Of each run: trials are begun until they have taken so long; --trials is then the most. "
        "[default: as many trials as --trials says]"
    ),
]
Slices = Annotated[
    str | None,
    typer.Option(
        help="Columns by which the report scores test rows: domain,age=18/30/65. [default: length, label, "
        "agreement]"
    ),
]
Protected = Annotated[
    str | None, typer.Option(help="Columns whose values' error rates the report compares: gender,dialect.")
]
Transfer = Annotated[
    str | None,
    typer.Option(help="Column of sources: train on each alone, too, and test on all. [default: none]"),
]
Track = Annotated[
    str | None, typer.Option(help="Write to trackers, too: tensorboard, mlflow, wandb, trackio.")
]


def compare(
    arguments: Annotated[list[str] | None, typer.Argument(metavar="[CONFIG.yaml | DATA] [a.b=c ...]")] = None,
    data: Annotated[
        str | None,
        typer.Option(
            help="csv, tsv, json, jsonl, parquet, xlsx; hub:name/config; demo:name; a folder of transcripts"
        ),
    ] = None,
    scores: Scores = None,
    unit: Unit = None,
    by: By = None,
    clean: Clean = None,
    val: Val = None,
    test: Test = None,
    unlabelled: Unlabelled = None,
    split_column: SplitColumn = None,
    split_by: SplitBy = None,
    encoding: Encoding = None,
    delimiter: Delimiter = None,
    unknown: Unknown = None,
    drop_leaks: DropLeaks = None,
    corrections: Corrections = None,
    no_gold: NoGold = None,
    validation: Validation = None,
    text: Text = None,
    pair: Pair = None,
    label: Label = None,
    group: Group = None,
    annotations: Annotated[
        str | None,
        typer.Option(help="Column of single ratings, one or a list a row; several joined by +."),
    ] = None,
    id_: Id = None,
    kind: Kind = None,
    bins: Bins = None,
    metric: Annotated[
        str | None, typer.Option(help="Chooses on validation. [default: f1_macro, qwk or rmse, by kind]")
    ] = None,
    strategies: Strategies = None,
    backbone: Annotated[
        list[str] | None,
        typer.Option(help="Hugging Face id, folder, or embedded; repeatable. [default: minilm]"),
    ] = None,
    llm: Annotated[
        list[str] | None,
        typer.Option(help="Language model for strategies that prompt one; repeatable. [default: backbone]"),
    ] = None,
    seeds: Seeds = None,
    sizes: Sizes = None,
    transfer: Transfer = None,
    epochs: Epochs = None,
    trials: Trials = None,
    search: Search = None,
    minutes: Minutes = None,
    train_rows: Size = None,
    val_rows: Size = None,
    test_rows: Size = None,
    max_words: MaxWords = None,
    max_length: MaxLength = None,
    track: Track = None,
    prefer: Prefer = None,
    texts: Texts = None,
    slices: Slices = None,
    protected: Protected = None,
    jobs: Jobs = None,
    engine: Engine = "local",
    out: Out = None,
    fresh: Fresh = False,
    anyway: Anyway = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Train every strategy on one split, rank them on validation, report them on test.

    Interrupt it at any moment: the same command goes on where it was.
    """
    options: dict[str, Any] = {
        "val": val, "test": test, "split_column": split_column, "split_by": split_by,
        "encoding": encoding, "delimiter": delimiter,
        "scores": scores, "unit": unit, "by": by, "clean": clean,
        "unlabelled": unlabelled, "unknown": unknown, "validation": validation, "drop_leaks": drop_leaks,
        "corrections": corrections,
        "no_gold": no_gold or None,
        "train_rows": train_rows, "val_rows": val_rows, "test_rows": test_rows,
        "text": text, "pair": pair, "label": label, "group": group, "id": id_, "annotations": annotations,
        "kind": kind, "bins": bins, "metric": metric, "strategies": strategies, "backbone": backbone or None,
        "llm": llm or None, "seeds": seeds, "sizes": sizes, "transfer": transfer,
        "epochs": epochs, "trials": trials, "search": search,
        "minutes": minutes, "max_words": max_words, "max_length": max_length, "track": track,
        "prefer": prefer, "texts": texts,
        "slices": slices, "protected": protected,
    }  # fmt: skip
    config = configure(list(arguments or []), data, options, quiet=quiet)
    how: dict[str, Any] = {"fresh": fresh, "anyway": anyway, "jobs": jobs, "engine": engine}
    run(config, out, how, quiet=quiet, as_json=as_json)


def configure(
    arguments: list[str], data: str | None, options: dict[str, Any], *, quiet: bool = True
) -> Config:
    """A file, then `a.b=c` overrides, then options: a later one overrides an earlier one."""
    from stratune.comparison.calls import completed
    from stratune.config import parse_config, read_fields
    from stratune.config.given import set_options
    from stratune.options import set_key
    from stratune.report.screen import screen

    file = arguments.pop(0) if arguments and "=" not in arguments[0] else None
    if file is not None and _is_data(file):
        if data is not None:
            raise ConfigError(f"{file} is data, too; name it once", key="--data")
        file, data = None, file
    fields = read_fields(file) if file else {}
    for override in arguments:
        key, equals, _ = override.partition("=")
        if not equals:
            raise ConfigError(f"{override!r}: after the file come overrides that look like key.subkey=value")
        set_key(fields, key, override[len(key) + 1 :], parse=True)
    if data is not None:
        set_key(fields, "data.source", data)
    set_options(fields, options)
    if "data" not in fields:
        raise ConfigError("name a CONFIG.yaml, or the data with --data (try `stratune demo` for an example)")
    config = parse_config(fields, where=file or "config")
    if file is not None:
        return config
    config, notes = completed(config)
    for note in () if quiet else notes:
        screen(stderr=True).say(f"note: {note}")
    return config


def _is_data(name: str) -> bool:
    """Whether the first argument names data, as a folder, a table or a demo; JSON may be a configuration."""
    from stratune.data.read import READERS
    from stratune.transcript.read import is_of_calls

    known = name.startswith(("demo:", "hub:")) or Path(name).suffix.lower() in {*READERS} - {".json"}
    return known or is_of_calls(name)


def run(config: Config, out: Path | None, how: dict[str, Any], *, quiet: bool, as_json: bool) -> None:
    """Compare with progress, show the leaderboard, exit with 1 when a strategy failed. `how`: options of
    `run_comparison`.
    """
    from stratune.comparison.comparison import run_comparison
    from stratune.comparison.progress import Display
    from stratune.report.sizes import has_failed
    from stratune.report.transfer import has_errors

    places = [out] if out is not None else []
    try:
        with Display(shown=not quiet) as display:
            running = run_comparison(config, out, watch=display.on, placed=places.append, **how)
            results = list(running)
        failed = any(result.status == "failed" for result in results)
        if config.sizes:
            failed |= has_failed(_train_sizes(places[-1], config, how, shown=not quiet))
        if config.transfer is not None:
            failed |= has_errors(_transfer(places[-1], config.transfer, how, shown=not quiet))
    except KeyboardInterrupt:
        where = f" ({places[-1]})" if places else ""
        typer.echo(f"\nstopped; the same command goes on where it was{where}", err=True)
        raise typer.Exit(130) from None
    if as_json:
        print_json(_board(places[-1]))
    elif not quiet:
        from stratune.cli.show import print_board

        print_board(places[-1])
    if failed:
        raise typer.Exit(1)


def _train_sizes(out: Path, config: Config, how: dict[str, Any], *, shown: bool) -> dict[str, Any]:
    from stratune.comparison.sizes import train_sizes

    return train_sizes(out, config.sizes, jobs=how["jobs"], engine=how["engine"], shown=shown)


def _transfer(out: Path, column: str, how: dict[str, Any], *, shown: bool) -> dict[str, Any]:
    from stratune.comparison.transfer import transfer

    return transfer(out, column, jobs=how["jobs"], engine=how["engine"], shown=shown)


def _board(out: Path) -> Any:
    from stratune.files import read_json

    return read_json(out / "leaderboard.json")
