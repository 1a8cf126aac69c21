"""What `import stratune as st` offers: compare (which gives a Board), split, adapt and drift."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from stratune.comparison.bar import StepBar
from stratune.comparison.board import Board
from stratune.comparison.calls import completed
from stratune.comparison.comparison import run_comparison
from stratune.comparison.drift import Drift, Sample
from stratune.comparison.drift import drift as compared
from stratune.comparison.progress import Display
from stratune.comparison.sizes import train_sizes
from stratune.comparison.source import KEPT_ROWS, read_split
from stratune.comparison.transfer import transfer
from stratune.config import Config, parse_config, read_fields
from stratune.config.given import Options, set_options
from stratune.predictor.inputs import texts_of

if TYPE_CHECKING:
    from datasets import Dataset

    from stratune.data.split import Split
    from stratune.fitting.adapting import Adapted
    from stratune.predictor.predictor import Predictor


def compare(
    source: Any,
    *,
    out: str | Path | None = None,
    fresh: bool = False,
    anyway: bool = False,
    jobs: int | None = None,
    engine: str = "local",
    progress: bool = True,
    **options: Unpack[Options],
) -> Board:
    """Compare strategies on a file, a pandas frame, a list of dicts, `hub:name/config` or `demo:name`.

    A `source` that ends in .yaml is a whole configuration, which the options change. They are those of
    `stratune compare`, where each is explained:

        text, pair, label, group, id, annotations      columns
        kind, bins, metric                             what is predicted, and what chooses on validation
        val, test, split_column                        parts of your own
        split_by                                       a column of dates: train, val, test in that order
        validation                                     what chooses: rows, folds, or auto by their number
        unlabelled                                     texts without labels, which `distil` learns from
        train_rows, val_rows, test_rows                so many rows (600), or such a share (0.5)
        encoding, delimiter, unknown                   how files are read
        scores, unit, by, clean                        of transcripts: a table of scores, how they are cut
        drop_leaks                                     rows that stand in two parts stay in one
        corrections                                    labels by row id, in the place of the data's
        no_gold                                        labels of rows without a gold label: "-", "-1"
        strategies, backbone(s), llm(s)                one, several, or text with commas between them
        seeds, epochs, trials, search, minutes, max_words, max_length, track    how they are trained
        sizes                                          fewer training rows, too: [50, 200], or shares
        transfer                                       column of sources: trained on each alone, too
        prefer                                         what decides: seconds, memory, bytes, price, best
        texts                                          test rows whose texts report.html shows; 0 for none
        slices, protected                              columns by which the report scores test rows

    and the configuration's sections data={...}, task={...}, budget={...}, train={...}, decide={...},
    remote={...}, report={...}. `jobs` runs are under way at once and share cores and GPU (None: one); with
    `engine="ray"` on the machines of a cluster (None: as many as there is room for), with `engine="slurm"`
    as jobs in its queue (None: 100; `out` must be on a disk that all nodes share). `out` None:
    stratune-out/NAME, or a folder beside it where other data or another task is compared there. Errors that
    `stratune data check` finds stop the comparison; `anyway` goes on and marks the board. Failed strategies
    are rows; wrong input raises a StratuneError.
    """
    config, rows = _configured(source, options)
    places = [Path(out)] if out is not None else []
    how: dict[str, Any] = {"rows": rows, "fresh": fresh, "anyway": anyway}
    how |= {"jobs": jobs, "engine": engine}
    with Display(shown=progress) as display:
        for _ in run_comparison(config, *places, watch=display.on, placed=places.append, **how):
            pass
    if config.sizes:
        train_sizes(places[-1], config.sizes, jobs=jobs, engine=engine, shown=progress)
    if config.transfer is not None:
        transfer(places[-1], config.transfer, jobs=jobs, engine=engine, shown=progress)
    return Board.load(places[-1], allow_server=config.servers)


def split(source: Any, **options: Unpack[Options]) -> Split:
    """The Split that `compare` makes of the same source and options: what `fit` takes."""
    config, rows = _configured(source, options)
    return read_split(config, rows)[0]


def drift(model: Predictor, reference: Any, rows: Any) -> Drift:
    """Whether `rows` are still like `reference`: in length, words, vectors, and in what the model answers.

    Both as `Predictor.predict` takes them. `left` of what is returned says it, `changes` have the measures
    with their intervals, `examples` the texts that are least like the reference (comparison/drift.py). The
    best reference is rows that the model was not trained on, such as last month's: to those that it was, its
    answers are not what they are elsewhere. Raises DataError as `predict`.
    """
    sides = []
    for given in (reference, rows):
        sample = Sample()
        sample.add(*texts_of(given, model.task))
        if sample.texts:
            answers = model.answer(sample.texts, sample.pairs or None)
            sample.said = answers.predicted(model.task)
        sides.append(sample)
    return compared(model.task, *sides)


def adapt(
    source: Any,
    out: str | Path,
    *,
    learning_rate: float | None = None,
    batch_size: int | None = None,
    progress: bool = True,
    **options: Unpack[Options],
) -> Adapted:
    """Let a backbone read your texts before it learns a label: it goes on as it was pretrained (TAPT).

    Read are the training texts that `compare` has with the same source and options, and those without labels
    (`unlabelled`); none of validation or test. `out` becomes a folder that any `backbone=` takes. Other
    options: `backbone`, `epochs`. Wrong input raises a StratuneError.
    """
    from stratune.comparison.adaptation import adapted_backbone

    config, rows = _configured(source, options)
    with StepBar("reading", shown=progress) as bar:
        how: dict[str, Any] = {"learning_rate": learning_rate, "batch_size": batch_size, "rows": rows}
        return adapted_backbone(config, Path(out), **how, progress=bar)


def _configured(source: Any, options: Mapping[str, Any]) -> tuple[Config, dict[str, Dataset]]:
    """The configuration, and the rows of parts that are in memory."""
    fields, where = _whole(source)
    own = {part: options[part] for part in ("val", "test", "unlabelled") if options.get(part) is not None}
    if not fields:
        own["source"] = source
    files, rows = _sources(own)
    set_options(fields, {name: value for name, value in options.items() if name not in own})
    fields["data"] = {**fields.get("data", {}), **files}
    config = parse_config(fields, where=where)
    return (completed(config)[0] if "source" in files else config), rows


def _whole(source: Any) -> tuple[dict[str, Any], str]:
    """(fields, its name) of a source that is a whole configuration; no fields of data."""
    if hasattr(source, "model_dump"):  # a Config
        return source.model_dump(mode="json"), "config"
    if isinstance(source, (str, Path)) and str(source).endswith((".yaml", ".yml")):
        return read_fields(source), str(source)
    return {}, "config"


def _sources(own: Mapping[str, Any]) -> tuple[dict[str, str], dict[str, Dataset]]:
    """(names of sources, rows of those in memory), which become files of these names beside the results."""
    from stratune.data.read import read_tables

    named: dict[str, str] = {}
    rows: dict[str, Dataset] = {}
    for part, source in own.items():
        if isinstance(source, (str, Path)):
            named[part] = str(source)
        else:
            tables = read_tables(source)
            rows[part] = tables.train
            if part == "source":  # a DatasetDict has parts of its own
                given = {"val": tables.val, "test": tables.test}
                rows |= {key: table for key, table in given.items() if table is not None and key not in own}
    return named | {part: KEPT_ROWS[part] for part in rows}, rows
