"""A strategy that only asks, on a server's model: what `train` does for weights that are here."""

from __future__ import annotations

import time
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from stratune.data.rows import sample_rows, text_columns
from stratune.errors import UnsupportedError
from stratune.predictor.predictor import Predictor
from stratune.readout.search import choose
from stratune.readout.words import Words
from stratune.remote.address import parse_address
from stratune.remote.answers import Answers
from stratune.remote.estimate import estimate, in_words
from stratune.remote.reader import RemoteReader
from stratune.remote.scorer import ServerModel, _reader, _scorer
from stratune.remote.server import Server
from stratune.remote.settings import Remote
from stratune.tokens.tokens import TextLimit
from stratune.train.processes import is_main

if TYPE_CHECKING:
    from stratune.data.split import Split
    from stratune.fitting.trained import Trained
    from stratune.strategy import Strategy
    from stratune.task import Task
    from stratune.train.settings import TrainSettings
    from stratune.watch import Progress


def ask(
    strategy: Strategy,
    backbone: str,
    task: Task,
    split: Split,
    seed: int,
    settings: TrainSettings,
    remote: Remote,
    progress: Progress,
) -> Trained:
    """Choose and calibrate the prompt on validation.

    Raises UnsupportedError for a strategy that would learn, RemoteError when the server does not answer.
    """
    from stratune.fitting.trained import Trained

    readout = strategy.readout
    if not isinstance(readout, Words) or strategy.trains:
        why = "its weights are the server's; zero_shot and few_shot, with `words` or `generate`, can ask it"
        raise UnsupportedError(strategy.name, backbone, why)
    if readout.long.in_chunks:
        why = "documents in chunks are asked of local models only, as yet"
        raise UnsupportedError(f"long text by {readout.long.way}", backbone, why)
    limit = TextLimit(settings.max_length, settings.max_words)

    def reader_of(words: Words, draw: int) -> RemoteReader:
        return _reader(
            limit, words.asked(task), words.shown(split.task, limit.max_words, split.train, seed, draw)
        )

    server = Server(parse_address(backbone), remote.retry_policy(), Answers())
    scorer = _scorer(readout, task, server, reader_of(readout, 0), seed)
    expected = _expected(scorer, readout, reader_of, split, remote)
    progress.note(expected)
    started = time.perf_counter()
    trials = choose(scorer, readout, reader_of, split, progress)
    about = {
        "strategy": strategy.settings(),
        "backbone": {"id": backbone, "revision": None, "weight_hash": None},
        "limit": asdict(limit),
        "seed": seed,
        "fingerprint": split.fingerprint,
        "prompt": scorer.reader.state(),
    }
    predictor = Predictor(replace(task), scorer, about, sample=sample_rows(split.val))
    trained = Trained(predictor, total_params=None, is_main_process=is_main())
    trained.trials, trained.notes = trials, [expected, *scorer.reader.notes()]
    trained.train_seconds = time.perf_counter() - started if trials else 0.0
    return trained


def _expected(scorer: ServerModel, readout: Words, reader_of: Any, split: Split, remote: Remote) -> str:
    """What validation, for every prompt, and test will ask: told before anything is asked."""
    val, test = text_columns(split.val), text_columns(split.test)
    bodies = []
    for words, draw in readout.prompts():
        scorer.reader = reader_of(words, draw)
        bodies += scorer.bodies(*val)
    return "asks " + in_words(estimate(scorer.server, [*bodies, *scorer.bodies(*test)], remote.price))
