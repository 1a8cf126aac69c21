"""ablate: how much a part of the transcripts (a section, the turns of a role) adds to a model's score.

The same model answers the test texts with the part and without it. A model that is trained without it, too,
says whether the part holds something that the rest does not: the first one may only miss what it is used to.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from stratune.comparison.board import Board
from stratune.comparison.comparison import run_comparison
from stratune.comparison.source import KEPT_ROWS, read_texts_of, split_of
from stratune.config import Config, DataConfig, TaskConfig, read_config
from stratune.data.arrow import as_text
from stratune.data.rows import group_numbers
from stratune.errors import ArtifactError, ConfigError, DataError, TrainingError, choices
from stratune.evaluate.intervals import Interval, bootstrap
from stratune.evaluate.scoring import Scorer
from stratune.files import sha256, write_json
from stratune.ownership import owned_by_us
from stratune.report import publish
from stratune.strategy import parse_strategy
from stratune.transcript.read import read_transcripts
from stratune.transcript.sections import sectioned
from stratune.watch import SILENT, Progress

if TYPE_CHECKING:
    from datasets import Dataset

    from stratune.data.split import Split
    from stratune.model.answers import Scored
    from stratune.predictor.predictor import Predictor
    from stratune.task import Task

    Floats = NDArray[np.float64]

FIELDS: tuple[Literal["section", "role"], ...] = ("section", "role")
MOST_PARTS = 20  # that are tried without having been named
CHANGE = "change"  # no metric: it has no ends, and may be below zero
FOLDER, FILE = "ablation", "ablation.json"
COLUMN = "stratune_part"  # the part of the split, in the tables that models are trained on without a part


@dataclass(frozen=True)
class Part:
    """All turns of a section, or of a role."""

    field: Literal["section", "role"]
    name: str

    def __str__(self) -> str:
        return f"{self.field} {self.name}"

    @property
    def folder(self) -> str:
        """A name for the file system; where it is not the part's own, no other part has it."""
        plain = re.sub(r"[^0-9A-Za-z_-]+", "-", self.name)
        return f"{self.field}-{plain}" + (f"-{sha256(self.name)[:8]}" if plain != self.name else "")


@dataclass(frozen=True)
class Removed:
    """What happens without one part, in the task's metric on the test texts that are left without it.

    `whole`: the model on the texts as they are; `without`: on the same texts without the part; `trained`: a
    model trained without it, on texts without it. Changes are paired: to `whole`, row by row.
    """

    part: str
    rows: int
    lost: int  # test texts that have nothing else
    words: float  # share of the test texts' words that are the part's
    whole: Interval
    without: Interval
    change: Interval
    trained: Interval | None = None
    trained_change: Interval | None = None


@dataclass(frozen=True)
class Ablation:
    strategy: str
    backbone: str | None
    metric: str
    rows: int
    whole: Interval  # on all test texts as they are
    parts: tuple[Removed, ...]

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def ablate(
    out: str | Path,
    strategy: str | None = None,
    backbone: str | None = None,
    *,
    sections: Sequence[str] | None = None,
    roles: Sequence[str] | None = None,
    retrain: bool = False,
    allow_server: str | Sequence[str] = (),
    progress: Progress = SILENT,
) -> Ablation:
    """Of a finished comparison of transcripts in `out`; without a `strategy` of its winner.

    Without names all sections are tried or, where there are none, all roles. `retrain` trains the strategy
    once more without each part, in `out`/ablation. Writes ablation.json, and the report anew.
    ArtifactError where there is no comparison, ConfigError where it is not of transcripts or a name is wrong.
    """
    out = Path(out)
    board = Board.load(out, allow_server=allow_server)
    config = read_config(out / "config.yaml")
    transcripts = config.data.transcripts
    if transcripts is None:
        raise ConfigError(f"{out}: is not of transcripts, so it has no sections and no roles", key="data")
    if transcripts.unit == "segment":
        raise ConfigError("segments are counted anew without a part; take documents or speakers", key="unit")
    row = _row(board, strategy, backbone)
    spec = _spec(config, row["strategy"]) if retrain else None
    parts = _parts(config, sections, roles)
    owned_by_us(out).own(FILE, *([FOLDER] if spec is not None else []))
    split = split_of(config)
    if split.fingerprint != board.leaderboard["split"]["fingerprint"]:
        raise ArtifactError(f"{out}: the transcripts are not those that it was made of any more")
    steps = [(part, what) for part in parts for what in ("answers", *(["training"] if retrain else []))]

    def tell(part: Part, what: str) -> None:
        progress.stage(f"{what} without {part}", 1 + len(steps))
        progress.rows(1 + steps.index((part, what)))

    progress.stage("answers", 1 + len(steps))
    model = board.model(row["strategy"], row["backbone"])
    test = _Test(split.test, split.task, model.answer(split.test["text"][:], None))
    found = []
    for part in parts:
        tell(part, "answers")
        less = _without(config, part)
        texts, task = _texts(less, split)
        trained = None
        if spec is not None:
            tell(part, "training")
            place = out / FOLDER / part.folder
            trained = _trained(place, less, texts, task, spec, row["backbone"])
        left = dict(zip(_ids(texts, task), texts["text"], strict=True))
        found.append(test.without(part, left, model, trained))
    about = (row["strategy"], row["backbone"], split.task.metric)
    ablation = Ablation(*about, len(split.test), test.whole(), tuple(found))
    write_json(out / FILE, ablation.to_dict())
    publish(out)
    return ablation


def _row(board: Board, strategy: str | None, backbone: str | None) -> dict[str, Any]:
    """The winner's row, or that of a strategy."""
    done = [row for row in board.rows if row["status"] == "ok"]
    rows = [row for row in done if strategy is None or row["strategy"] == strategy]
    rows = [row for row in rows if backbone is None or row["backbone"] == backbone]
    if not rows:
        names = [row["strategy"] for row in done]
        raise ConfigError(choices(strategy or str(backbone), names), key="strategy")
    return rows[0]


def _spec(config: Config, name: str) -> dict[str, Any]:
    """The settings of a strategy that can be trained by itself."""
    for spec in config.strategies:
        strategy = parse_strategy(spec)
        if strategy.name == name:
            if strategy.made_of_runs:
                raise ConfigError(f"{name} is made of others and cannot be trained by itself", key="retrain")
            return strategy.settings()
    raise ConfigError(
        choices(name, [parse_strategy(spec).name for spec in config.strategies]), key="strategy"
    )


def _parts(config: Config, sections: Sequence[str] | None, roles: Sequence[str] | None) -> list[Part]:
    """Those that were named, or all of the first field that has any to tell apart."""
    transcripts = config.data.transcripts
    assert transcripts is not None
    read, _ = sectioned(
        read_transcripts(config.data.source, transcripts.columns, encoding=config.data.encoding)
    )
    known = {
        field: sorted({getattr(turn, field) for one in read for turn in one.turns} - {""}) for field in FIELDS
    }
    named = {"section": sections, "role": roles}
    for field in FIELDS:
        for name in named[field] or ():
            if name not in known[field]:
                raise ConfigError(choices(name, known[field]), key=f"{field}s")
    if sections is not None or roles is not None:
        return [Part(field, name) for field in FIELDS for name in named[field] or ()]
    for field in FIELDS:
        if len(names := known[field]) > MOST_PARTS:
            raise ConfigError(f"{len(names)} are many: name some, such as {names[0]!r}", key=f"{field}s")
        if len(names) > 1:
            return [Part(field, name) for name in names]
    raise ConfigError(
        f"the transcripts of {config.data.source} name no sections and no roles", key="sections"
    )


def _without(config: Config, part: Part) -> Config:
    """The same transcripts without a part; also texts that get short are read."""
    transcripts = config.data.transcripts
    assert transcripts is not None
    key = f"without_{part.field}s"
    options: dict[str, Any] = {key: (*getattr(transcripts, key), part.name), "min_words": 0}
    less = replace(transcripts, **options)
    return config.model_copy(update={"data": config.data.model_copy(update={"transcripts": less})})


def _texts(config: Config, split: Split) -> tuple[Dataset, TaskConfig]:
    """The comparison's texts that are left, with the part of the split that each is in, and their task."""
    fields = config.task.model_dump()
    table = read_texts_of(config.data, fields)[0].train
    task = TaskConfig(**fields)
    # Where the training rows are validation too, they are train: it comes last.
    parts = {name: part for part, rows in reversed(split.parts.items()) for name in rows["id"][:]}
    table = table.select([row for row, name in enumerate(_ids(table, task)) if name in parts])
    return table.add_column(COLUMN, [parts[name] for name in _ids(table, task)]), task


def _ids(texts: Dataset, task: TaskConfig) -> list[str]:
    """As the split names its rows."""
    return [as_text(one) or "" for one in texts[task.id]]


def _trained(
    place: Path, config: Config, texts: Dataset, task: TaskConfig, spec: dict[str, Any], backbone: str | None
) -> Predictor:
    """The strategy trained on the texts that are left, in a comparison of its own."""
    data = DataConfig(
        source=KEPT_ROWS["source"],
        split_column=COLUMN,
        seed=config.data.seed,
        validation="auto" if "val" in texts.unique(COLUMN) else "folds",  # as the comparison has it
    )
    where = {"backbones": (backbone,), "llms": ()} if backbone is not None else {}
    alone = {"data": data, "task": task, "strategies": (spec,), **where}
    less = config.model_copy(update=alone)
    for result in run_comparison(less, place, rows={"source": texts}, anyway=True):
        if result.status == "failed":
            raise TrainingError(f"{place}: {result.error}")
    return Board.load(place, allow_server=config.servers).best


@dataclass
class _Test:
    """The test texts, and the model's predictions for them as they are."""

    rows: Dataset
    task: Task
    answers: Scored

    def whole(self) -> Interval:
        return self._interval(self.rows, self._scorer(self.rows, self.answers))

    def without(
        self, part: Part, left: Mapping[str, str], model: Predictor, trained: Predictor | None
    ) -> Removed:
        """`left`: id -> what is left of a text without the part."""
        kept = [row for row, name in enumerate(self.rows["id"][:]) if name in left]
        if not kept:
            raise DataError(f"no test text has words without {part}")
        rows = self.rows.select(kept)
        short = [left[name] for name in rows["id"][:]]
        whole = self._scorer(rows, self.answers, kept)

        def scored(one: Predictor) -> tuple[Interval, Interval]:
            """In the metric, and the change."""
            without = self._scorer(rows, one.answer(short, None))
            change = _Change(without, whole, self.task.metric)
            return self._interval(rows, without), self._interval(rows, change, CHANGE)

        words = [sum(len(text.split()) for text in some) for some in (rows["text"], short)]
        return Removed(
            str(part),
            len(rows),
            len(self.rows) - len(rows),
            1 - words[1] / words[0],
            self._interval(rows, whole),
            *scored(model),
            *(scored(trained) if trained is not None else ()),
        )

    def _scorer(self, rows: Dataset, answers: Scored, kept: Sequence[int] | None = None) -> Scorer:
        """`kept`: the answers that are of the rows; None: all."""
        which = slice(None) if kept is None else kept
        invalid = None if answers.invalid is None else answers.invalid[which]
        target = self.task.target
        decided = answers.decided[which]
        return target.scorer(target.truth(rows["label"][:]), answers.predictions[which], invalid, decided)

    def _interval(self, rows: Dataset, scored: Scorer, name: str | None = None) -> Interval:
        """Of the task's metric; `name`: of another value."""
        groups = group_numbers(rows["group"][:]) if "group" in rows.column_names else None
        found = bootstrap([scored], len(rows), groups=groups)
        if (wanted := name or self.task.metric) not in found:
            raise TrainingError(f"{self.task.metric} is undefined on the {len(rows)} test texts")
        return found[wanted]


@dataclass
class _Change:
    """One scorer's metric less another's, on the same rows."""

    one: Scorer
    other: Scorer
    metric: str

    def values(self, weights: Floats) -> dict[str, Floats]:
        one, other = (scored.values(weights)[self.metric] for scored in (self.one, self.other))
        return {CHANGE: one - other}
