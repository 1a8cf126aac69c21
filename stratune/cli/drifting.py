"""stratune predict --watch REF: what is answered is compared with what the model was made for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from stratune.cli.batches import BATCH_ROWS, Batch, Pool, Question
from stratune.cli.output import print_json
from stratune.cli.reading import Reading, table_types
from stratune.comparison.bar import Bar
from stratune.comparison.drift import LEAST, Change, Drift, Sample, drift
from stratune.data.rows import text_columns
from stratune.errors import ConfigError
from stratune.ownership import MARKER
from stratune.report import human
from stratune.report.screen import screen

if TYPE_CHECKING:
    from stratune.data.split import Split
    from stratune.task import Task


LABELS = 3  # that are named


@dataclass
class Watched:
    """A pool of whose questions some rows are kept, where they are to be, with what was answered.
    `prediction`: that column's name.
    """

    pool: Pool
    prediction: str
    kept: bool = True
    sample: Sample = field(default_factory=Sample)

    @property
    def ahead(self) -> int:
        return self.pool.ahead

    def ask(self, question: Question) -> Callable[[], Batch]:
        answers = self.pool.ask(question)
        if not self.kept:
            return answers

        def kept() -> Batch:
            found = answers()
            self.sample.add(question.texts, question.pairs, found[self.prediction])
            return found

        return kept


@dataclass(frozen=True)
class Reference:
    """Texts to compare with, and those of them, or beside them, that are to be answered: a model's answers to
    the rows that it was trained on are not what they are elsewhere.
    """

    name: str
    texts: Sample
    asked: Sample

    def ask(self, watched: Watched) -> Sample:
        """The answers to what is to be asked about, from the pool behind it."""
        answered = Sample()
        question = Question(self.asked.texts, self.asked.pairs or None)
        if question.texts:
            answered.add(question.texts, question.pairs, watched.pool.ask(question)()[watched.prediction])
        return answered

    def compared(self, task: Task, new: Sample, answered: Sample, *, shown: bool) -> Drift:
        with Bar("comparing texts", shown=shown) as bar:
            return drift(task, self.texts, new, answered=answered, name=self.name, progress=bar)


def reference_of(place: str, reading: Reading) -> Reference:
    """Of a comparison its training rows; its test rows are asked about. Of a file all rows, for both.

    Raises as `split_again`, and what reading a file raises; ConfigError for pairs where the model reads
    single texts, or the other way round.
    """
    if not (Path(place) / MARKER).is_file():
        known = table_types(place, reading.encoding, reading.delimiter)
        rows, _, answering = reading.of(place, known)
        sample, first = Sample(), 0
        for batch in rows.batches(BATCH_ROWS):
            # A file that was answered before is a reference, too.
            own = {name: cells for name, cells in batch.items() if name not in answering.added}
            question = answering.question(own, first)
            first += len(question.texts)
            sample.add(question.texts, question.pairs)
        return Reference(place, sample, sample)
    from stratune.comparison.board import Board
    from stratune.comparison.source import split_again
    from stratune.config import read_config

    out = Path(place)
    fingerprint = Board.load(out).leaderboard["split"]["fingerprint"]
    split = split_again(out, read_config(out / "config.yaml"), fingerprint)
    single, reads_single = (task.text_pair is None for task in (split.task, reading.task))
    if single != reads_single:
        has, reads = ("single texts", "pairs") if single else ("pairs", "single texts")
        raise ConfigError(f"{place} is of {has}, the model reads {reads}", key="--watch")
    return Reference(place, _sample_of(split, "train"), _sample_of(split, "test"))


def tell(found: Drift, *, as_json: bool) -> None:
    """On standard output as JSON, otherwise in words on standard error, beside the progress."""
    if as_json:
        print_json(found.to_dict())
        return
    for line in told(found):
        screen(stderr=True).say(line, "yellow" if found.left else "")


def told(found: Drift) -> list[str]:
    """A line, and, where texts have left the reference, some of them."""
    some = found.new_rows < found.seen
    new = f"{found.new_rows:,} of {found.seen:,} rows" if some else f"{found.seen:,} rows"
    sides = f"{new}, {found.rows:,} of {found.reference}"
    if found.left is None:
        return [f"drift: too few rows to say ({sides}; {LEAST} of each are needed)"]
    if not found.left:
        return [f"drift: none seen in length, words, vectors and answers ({sides})"]
    said = "; ".join(_said(change) for change in _worth_saying(found.changes))
    examples = [f"least like it: {human.short(one, 100)}" for one in found.examples]
    return [f"drift: these texts are not like the reference: {said} ({sides})", *examples]


def _worth_saying(changes: Sequence[Change]) -> list[Change]:
    """Those that have left; of labels the three that changed most, and of two labels one."""
    left = [change for change in changes if change.left]
    labels = sorted((one for one in left if one.name), key=lambda one: -abs(one.change.value))
    shown = labels[:1] if sum(bool(one.name) for one in changes) == 2 else labels[:LABELS]
    return [one for one in left if not one.name or one in shown]


def _said(change: Change) -> str:
    before, after, measured = change.before, change.after, change.change
    match change.measure:
        case "length":
            ends = f"{measured.low:.2f} to {measured.high:.2f}"
            return f"{measured.value:.2f} times as long ({ends})"
        case "words":
            return f"{after:.1%} of their words are not in it, {before:.1%} of its own"
        case "probe":
            ends = f"{measured.low:.2f} to {measured.high:.2f}"
            return f"a probe tells them apart with an area of {after:.2f} ({ends})"
        case "answers" if change.name:
            return f"{change.name!r} is {after:.0%} of the answers, not {before:.0%}"
        case "answers":
            return f"the mean answer is {human.score(after)}, not {human.score(before)}"


def _sample_of(split: Split, part: str) -> Sample:
    sample = Sample()
    sample.add(*text_columns(split.parts[part]))
    return sample
