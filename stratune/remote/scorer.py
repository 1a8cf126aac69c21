"""Labels and scores from a server: log-probabilities where it gives them, answers in writing where not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from stratune.model.answers import Scored, answered
from stratune.objective.classes import softmax
from stratune.prompt.match import Matcher
from stratune.prompt.render import Renderer
from stratune.prompt.shots import shown_by
from stratune.readout.generate import Generate
from stratune.readout.words import Words
from stratune.remote.address import parse_address
from stratune.remote.answers import Answers
from stratune.remote.label_words import RemoteWords
from stratune.remote.question import Body, Question
from stratune.remote.reader import RemoteReader
from stratune.remote.server import RetryPolicy, Server
from stratune.remote.writing import generate, writing_bodies
from stratune.tokens.tokens import TextLimit
from stratune.watch import SILENT, Progress

if TYPE_CHECKING:
    from stratune.objective import Objective
    from stratune.remote.forms import Way
    from stratune.strategy import Strategy
    from stratune.task import Task


ANSWER_TOKENS = 16  # of an answer in writing, unless `max_new_tokens` says otherwise


@dataclass
class ServerModel:
    """`writes`: readout `generate`; else `words`, which falls back on writing where the server offers nothing
    better. `way`: how it was found to answer, of a model folder; it is then asked in that way only.
    """

    server: Server
    reader: RemoteReader
    objective: Objective
    writes: bool = False
    sample: float = 0.0
    max_new_tokens: int = ANSWER_TOKENS
    seed: int = 0
    way: Way | None = None
    bias: NDArray[np.float64] | None = None  # (K,), and one over the temperature: calibration
    scale: float = 1.0
    _asked: dict[Any, RemoteWords] = field(default_factory=dict, repr=False)  # by words

    def __call__(
        self, texts: Sequence[str], pairs: Sequence[str] | None, progress: Progress = SILENT
    ) -> Scored:
        questions, words_cut = self.reader.questions(texts, pairs)
        cut = np.asarray(words_cut, dtype=np.int32)
        scores = None if self.writes else self._words.log_probs(questions, progress)
        if scores is None:
            answers = generate(self.server, questions, **self._writing, progress=progress)
            said, invalid = Matcher(self.reader.words)(answers)
            return answered(self.objective, said, cut, invalid=invalid, answers=answers)
        log_probs, invalid = scores
        said = self._calibrated(self._by_label(log_probs))
        return answered(self.objective, said, cut, invalid=invalid)

    def calibrate(self, bias: NDArray[np.float64], scale: float) -> None:
        self.bias, self.scale = bias, scale

    def bodies(self, texts: Sequence[str], pairs: Sequence[str] | None) -> list[Body]:
        """What would be sent about these rows."""
        questions: list[Question] = self.reader.questions(texts, pairs)[0]
        bodies = [] if self.writes else self._words.bodies(questions)
        return bodies or writing_bodies(self.server, questions, **self._writing)

    def state(self) -> dict[str, Any]:
        """What a model folder holds beside the prompt."""
        calibration = {"bias": self.bias.tolist(), "scale": self.scale} if self.bias is not None else {}
        return {"way": None if self.writes else self._words.way, **calibration}

    @property
    def _words(self) -> RemoteWords:
        """For the words of the reader there is now."""
        words = self.reader.words
        key = tuple(words.items())
        if key not in self._asked:
            self._asked[key] = RemoteWords(self.server, words, self.way)
        return self._asked[key]

    @property
    def _writing(self) -> dict[str, Any]:
        return {"max_tokens": self.max_new_tokens, "temperature": self.sample, "seed": self.seed}

    def _by_label(self, log_probs: NDArray[np.float64]) -> NDArray[np.float64]:
        """(N, W) -> (N, K): a label's words added up. NaN rows stay NaN."""
        ends = np.cumsum([len(words) for words in self.reader.words.values()])[:-1]
        parts = np.split(log_probs, ends, axis=1)
        return np.stack([logsumexp(part, axis=1) for part in parts], axis=1)

    def _calibrated(self, said: NDArray[np.float64]) -> NDArray[np.float64]:
        moved = said if self.bias is None else (said - self.bias) * self.scale
        return softmax(moved)


def restore(strategy: Strategy, task: Task, manifest: Mapping[str, Any]) -> ServerModel:
    """The scorer that a model folder describes; it asks in the way that the folder's numbers were made by."""
    assert isinstance(strategy.readout, Words)
    limit = TextLimit(**manifest["limit"])
    server = Server(parse_address(manifest["backbone"]["id"]), RetryPolicy(), Answers())
    labels = strategy.readout.asked(task)
    reader = _reader(limit, labels, shown_by(manifest["prompt"], labels))
    scorer = _scorer(strategy.readout, task, server, reader, manifest["seed"])
    kept = manifest["remote"]
    scorer.way = kept["way"]
    if "bias" in kept:
        scorer.calibrate(np.asarray(kept["bias"]), kept["scale"])
    return scorer


def _scorer(readout: Words, task: Task, server: Server, reader: RemoteReader, seed: int) -> ServerModel:
    objective = readout.objective(task)
    if not isinstance(readout, Generate):
        return ServerModel(server, reader, objective, seed=seed)
    most = readout.max_new_tokens or ANSWER_TOKENS
    return ServerModel(server, reader, objective, True, readout.sample, most, seed)


def _reader(limit: TextLimit, labels: tuple[str, ...], shown: Any) -> RemoteReader:
    template, shots, nearest = shown
    return RemoteReader(Renderer(template, labels, None, shots), limit, nearest)
