"""Fitting a prompt-only strategy on a server's model: choose and calibrate the prompt, train nothing."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stratune.backbone.tokenizer import load_tokenizer
from stratune.data.rows import text_columns
from stratune.errors import RemoteError, UnsupportedError
from stratune.fitting.trained import Trained, predictor_of
from stratune.readout.base import by_chunks
from stratune.readout.proposing import sample
from stratune.readout.search import choose
from stratune.readout.words import Words
from stratune.remote.estimate import Estimate, estimate, in_words
from stratune.remote.exchanges import NAME, Exchanges
from stratune.remote.language_model import ServerLanguageModel, open_server
from stratune.remote.named import Servers
from stratune.remote.reader import remote_reader
from stratune.remote.settings import Remote
from stratune.remote.tokenized_reader import TokenizedReader
from stratune.tokens.tokens import TextLimit
from stratune.train.processes import is_main

if TYPE_CHECKING:
    from pathlib import Path

    from datasets import Dataset

    from stratune.data.split import Split
    from stratune.longtext.chunks import Chunker
    from stratune.model.prompted import PromptedModel
    from stratune.prompt.asking import Asking
    from stratune.remote.request import Body
    from stratune.strategy import Strategy
    from stratune.task import Task
    from stratune.train.settings import TrainSettings
    from stratune.watch import Progress

    Columns = tuple[list[str], list[str] | None]


def ask(
    strategy: Strategy,
    backbone: str,
    task: Task,
    split: Split,
    seed: int,
    settings: TrainSettings,
    remote: Remote,
    servers: Servers,
    progress: Progress,
    *,
    work: Path | None = None,
) -> Trained:
    """Choose and calibrate the prompt on validation. What is asked and answered is kept in the folder `work`.

    Raises UnsupportedError for a strategy that would train, RemoteError when the server does not answer.
    """
    readout = strategy.readout
    if not isinstance(readout, Words) or strategy.trains:
        why = "a server's weights cannot be trained; use zero_shot or few_shot, with `words` or `generate`"
        raise UnsupportedError(strategy.name, backbone, why)
    limit = TextLimit(settings.max_length, settings.max_words)
    tokenizer = load_tokenizer(remote.tokenizer) if remote.tokenizer is not None else None

    def reader_of(words: Words, draw: int, train: Dataset) -> Asking:
        if tokenizer is not None:
            return TokenizedReader(words.reader(tokenizer, split.task, limit, train, seed, draw))
        shown = words.shown(split.task, limit.max_words, train, seed, draw)
        return remote_reader(limit, words.asked(task), shown)

    server = open_server(
        backbone,
        servers,
        remote.retry_policy(),
        extra=remote.extra,
        price=remote.price,
        tokenizer=remote.tokenizer,
        only=remote.way,
    )
    if work is not None and remote.prompts and is_main():
        server.server.exchanges = Exchanges(work / NAME)
    prompted = readout.prompted(server, reader_of(readout, 0, split.train), readout.objective(task), seed)
    chunker = readout.chunker(None)
    model = by_chunks(prompted, chunker, readout.aggregate(task))
    expected = _expected(server, prompted, chunker, readout, reader_of, split, remote)
    said = f"asks {in_words(expected)}"
    progress.note(said)
    if remote.max_cost is not None and expected.cost is not None and expected.cost > remote.max_cost:
        raise RemoteError(f"{said}: more than remote.max_cost, {remote.max_cost:,.2f}; nothing was asked")
    started = time.perf_counter()
    prompts = choose(prompted, model, readout, reader_of, split, progress)
    server_model = ServerModel(backbone)
    trained = Trained(predictor_of(strategy, server_model, task, model, split, seed), total_params=None)
    trained.predictor.servers = servers
    trained.is_main_process = is_main()
    trained.prompts, trained.notes = prompts, [said, *prompted.reader.notes()]
    trained.price = expected.cost
    trained.train_seconds = time.perf_counter() - started if prompts else 0.0
    return trained


@dataclass(frozen=True)
class ServerModel:
    """A server's model, as a manifest names it."""

    id: str
    revision: None = None
    weight_hash: None = None
    held: None = None


def _expected(
    server: ServerLanguageModel,
    prompted: PromptedModel,
    chunker: Chunker | None,
    readout: Words,
    reader_of: Callable[[Words, int, Dataset], Asking],
    split: Split,
    remote: Remote,
) -> Estimate:
    """Of the requests that validation (for every prompt), instructions to be written and test will send. One
    row is asked about, as the server has not yet shown what it offers.
    """

    def bodies(reader: Asking, texts: Columns) -> list[Body]:
        rows = (chunker(*texts)[1], None) if chunker is not None else texts
        return server.bodies(reader.read(*rows)[0], prompted.writing, prompted.otherwise)

    val, test = text_columns(split.val), text_columns(split.test)
    readers = [reader_of(words, draw, split.train) for words, draw in readout.prompts()]
    asked = [body for reader in readers for body in bodies(reader, val)]
    for number in range(1, readout.propose + 1):
        rows, _ = sample(split.train, prompted.otherwise.seed, number)
        asked += [body for one in (val, text_columns(rows)) for body in bodies(readers[0], one)]
    return estimate(server.server, [*asked, *bodies(readers[-1], test)], remote.price)
