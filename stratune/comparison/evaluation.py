"""evaluate: what the models of a finished comparison answer to other labelled rows.

Nothing is trained. OUT/evaluations/NAME is a comparison of the same models whose test part is these rows
(`data.other_test`): its board, page, slices and all else are made as ever. evaluations.json has each model's
score there beside the one on the comparison's own test rows.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stratune.comparison.checked import data_report
from stratune.comparison.place import locked, prepare
from stratune.comparison.slices import Slicing
from stratune.comparison.source import split_again, split_of
from stratune.config import read_config
from stratune.data.other_test import OtherTest
from stratune.data.raters import COLUMN
from stratune.errors import ArtifactError, ConfigError, choices
from stratune.evaluate.multiple import holm
from stratune.files import file_sha256, read_json, write_json
from stratune.identity import shared_by
from stratune.ownership import owned_by_us
from stratune.remote.address import base_url, is_remote
from stratune.remote.named import allowed_servers
from stratune.report import publish
from stratune.report.comparison import Comparison, Entry, Run, load
from stratune.report.evaluations import FILE, FOLDER
from stratune.report.measured import measure
from stratune.report.shapes import read_board
from stratune.report.slices import compared, files_of
from stratune.watch import SILENT, Progress

if TYPE_CHECKING:
    import pyarrow as pa

    from stratune.config import Config
    from stratune.data.split import Split
    from stratune.predictor.predictor import Predictor
    from stratune.remote.named import Servers

RESAMPLES = 1000
Found = dict[str, Any]


@dataclass(frozen=True)
class Evaluation:
    """Other rows for one comparison: all that is known before a model answers. `out` is its own folder."""

    name: str
    out: Path
    config: Config
    split: Split
    slicing: Slicing
    notes: list[str]  # what became of its rows

    @property
    def shared(self) -> dict[str, Any]:
        """What all rows of its board have in common."""
        sections = self.config.model_dump(mode="json")
        moving = (sections["budget"], sections["train"], sections["decide"])
        return shared_by(self.split.fingerprint, self.split.task.to_dict(), *moving)


def evaluate(
    out: str | Path,
    data: Any,
    *,
    name: str | None = None,
    strategies: Sequence[str] | None = None,
    slices: Sequence[str] = (),
    allow_server: str | Sequence[str] | Servers = (),
    progress: Progress = SILENT,
    **columns: Any,
) -> Found:
    """Score the models of the comparison in `out` on `data`, a file or rows in memory.

    `name`: of the evaluation, None: of the file. `strategies`: rows of its leaderboard, None: all.
    `columns`: fields of OtherTest, such as `label="gold"`. `slices`: columns of the rows by which the report
    scores them. Writes a comparison in OUT/evaluations/NAME, the report of OUT anew, and
    OUT/evaluations.json, whose entry is returned.

    Raises ArtifactError where there is no comparison, or its data are others now; DataError for wrong rows;
    ConfigError for a row that is not there, or a server that nobody allowed.
    """
    from stratune.predictor.predictor import Predictor

    out = Path(out)
    whole, servers = load(out), allowed_servers(allow_server)
    entries = _entries(whole, strategies)
    one = _evaluation(whole, entries, data, name, slices, columns)
    runs = [run for entry in entries for run in entry.ok]
    for run in runs:
        if run.result.backbone is not None and is_remote(run.result.backbone):
            servers.variable(base_url(run.result.backbone), run.folder.name)
    owned_by_us(out).own(FILE, FOLDER)
    with locked(one.out):
        about = {**data_report(one.config, one.split), "anyway": False}
        ids = [run.folder.name for run in runs]
        prepare(one.out, one.config, one.split, one.shared, about, {}, ids, fresh=True)
        one.slicing.keep(one.out)
        for run in runs:
            _answer(one, run, Predictor.load(run.folder / "model", allow_server=servers), progress)
        publish(one.out, ids)
    found = _scores(one, whole, load(one.out))
    _keep(out, whole, found)
    publish(out)
    return found


def _entries(whole: Comparison, strategies: Sequence[str] | None) -> list[Entry]:
    done = [entry for entry in whole.entries() if entry.ok]
    if strategies is None:
        return done
    for name in strategies:
        if not any(name in (entry.strategy, entry.name) for entry in done):
            raise ConfigError(
                choices(name, dict.fromkeys(entry.strategy for entry in done)), key="strategies"
            )
    return [entry for entry in done if {entry.strategy, entry.name} & set(strategies)]


def _evaluation(
    whole: Comparison,
    entries: Sequence[Entry],
    data: Any,
    name: str | None,
    slices: Sequence[str],
    columns: Mapping[str, Any],
) -> Evaluation:
    """All that can be wrong is, before anything is written (but rows in memory, which need a file)."""
    config = read_config(whole.out / "config.yaml")
    own = split_again(whole.out, config, whole.fingerprint)
    named = name or _name_of(data)
    if not named or named != Path(named).name or named.startswith("."):
        raise ConfigError(f"{named!r} is no name of a folder", key="name")
    source = data if isinstance(data, (str, Path)) else _kept(data, whole.out / FOLDER / f"{named}.parquet")
    other = OtherTest(str(source), **columns)
    changed = {
        "data": config.data.model_copy(update={"other_test": other}),
        "report": config.report.model_copy(update={"slices": tuple(slices), "protected": ()}),
        "sizes": (),
        "transfer": None,
        "strategies": _specs(config, {entry.strategy for entry in entries}),
    }
    config = config.model_copy(update=changed)
    split, known = split_of(config), {*own.notes, *own.warnings}
    notes = [note for note in (*split.notes, *split.warnings) if note not in known]
    return Evaluation(named, whole.out / FOLDER / named, config, split, Slicing(config, split), notes)


def _specs(config: Config, names: Collection[str]) -> tuple[str | dict[str, Any], ...]:
    """Those of the configuration that are scored."""
    from stratune.strategy import parse_strategy

    return tuple(spec for spec in config.strategies if parse_strategy(spec).name in names)


def _name_of(data: Any) -> str:
    if not isinstance(data, (str, Path)):
        raise ConfigError("rows in memory need a name", key="name")
    return str(data).replace(":", "-").replace("/", "-") if ":" in str(data) else Path(data).stem


def _kept(data: Any, path: Path) -> Path:
    """Rows in memory as a file, which the evaluation is then of."""
    import pyarrow.parquet as pq

    from stratune.data.arrow import to_arrow
    from stratune.data.read import read
    from stratune.files import replacing

    table = to_arrow(read(data))
    owned_by_us(path.parents[1]).own(FOLDER)
    with replacing(path) as temporary:
        pq.write_table(table, temporary)
    return path


def _answer(one: Evaluation, run: Run, model: Predictor, progress: Progress) -> None:
    """The folder of a run: its answers to validation as they are, and those to the other rows."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    from stratune.engine.run import note_answers, predictions_table, timed_answers, write_tables
    from stratune.fitting.answer_remarks import remarks_on
    from stratune.fitting.trained import metrics_of

    folder = one.out / "runs" / run.folder.name
    folder.mkdir(parents=True, exist_ok=True)
    result = replace(run.result, identity={**run.result.identity, **one.shared})
    result.fingerprint = one.split.fingerprint
    raw, seconds = timed_answers(model.model, one.split.test, progress, f"{run.folder.name}: answering")
    answers = model.post(raw, one.split.task.target, one.split.wrong)
    result.test = metrics_of(answers, one.split, "test")
    note_answers(result, answers, seconds)
    result.notes = [*run.result.notes, *remarks_on(answers)]
    written = pq.read_table(run.folder / "predictions.parquet")
    val = written.filter(pc.equal(written.column("part"), "val"))
    write_tables(
        folder / "predictions.parquet", _same_ratings(val, predictions_table(one.split, "test", answers))
    )
    (folder / "history.jsonl").write_bytes((run.folder / "history.jsonl").read_bytes())
    result.files = {name: file_sha256(folder / name) for name in ("predictions.parquet", "history.jsonl")}
    _link(run.folder / "model", folder / "model")
    result.save(folder / "result.json")


def _same_ratings(val: pa.Table, test: pa.Table) -> list[pa.Table]:
    """Only one of the parts may have raters: the rows of the other one have no ratings then."""
    import pyarrow as pa

    found = []
    for table, other in ((val, test), (test, val)):
        if COLUMN in other.column_names and COLUMN not in table.column_names:
            kind = other.schema.field(COLUMN).type
            table = table.append_column(COLUMN, pa.array([[]] * len(table), kind))  # noqa: PLW2901
        found.append(table)
    return found


def _link(model: Path, place: Path) -> None:
    """The model's folder is the comparison's: both can be moved together. Where no link can be made, there is
    no model here, and whoever asks for it is told so.
    """
    try:
        place.symlink_to(os.path.relpath(model, place.parent), target_is_directory=True)
    except OSError as error:
        if os.name != "nt":  # there it takes a right that few have
            raise ArtifactError(f"{place}: {error.strerror}") from error


def _scores(one: Evaluation, whole: Comparison, there: Comparison) -> Found:
    """An entry of evaluations.json."""
    metric = whole.task.selection.metric
    own = {(entry.strategy, entry.backbone): entry for entry in whole.entries()}
    lines = []
    for entry in there.entries():
        before = own[entry.strategy, entry.backbone]
        drawn = [
            measure(some, "test", comparison, RESAMPLES, [metric]).measured.replicates
            for some, comparison in ((entry, there), (before, whole))
        ]
        cell = compared(drawn[0], drawn[1], metric)
        lines.append(
            {
                "strategy": entry.strategy,
                "backbone": entry.backbone,
                "files": files_of(before),
                "floor": any(run.result.floor for run in before.ok),
                "own": compared(drawn[1], None, metric)["estimate"],
                "here": cell["estimate"],
                "change": cell["difference"],
            }
        )
    known = [line["change"] for line in lines if line["change"] is not None]
    for change, p in zip(known, holm([change["p"] for change in known]), strict=True):
        change["p_adjusted"] = p
    order = [(row["strategy"], row["backbone"]) for row in read_board(one.out)["rows"]]
    lines.sort(key=lambda line: order.index((line["strategy"], line["backbone"])))
    other = one.config.data.other_test
    assert other is not None
    return {
        "name": one.name,
        "data": other.source,
        "rows": len(one.split.test),
        "metric": metric,
        "higher_is_better": whole.task.selection.higher_is_better,
        "strategies": lines,
        "notes": one.notes,
    }


def _keep(out: Path, whole: Comparison, found: Found) -> None:
    """Evaluations of before stay, as long as the comparison is the same."""
    path = out / FILE
    before = read_json(path) if path.is_file() else {}
    same = before.get("fingerprint") == whole.fingerprint
    others = [one for one in before["evaluations"] if one["name"] != found["name"]] if same else []
    write_json(path, {"fingerprint": whole.fingerprint, "evaluations": [*others, found]})
