"""Vectors of texts by a server's /embeddings: many texts in one request, and each text asked about once.

What is stored is the vector of a text, whatever other texts it was asked about with. How many texts a server
takes at once is learned from its refusals: a request that is refused is halved, down to the text that is to
blame. That text is cut where it is too long, and else has no vector.
"""

from __future__ import annotations

import itertools
import threading
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from stratune.backbone.embed import Embedded
from stratune.errors import MissingEndpoint, RemoteError
from stratune.remote.client import Fault
from stratune.remote.pool import as_completed
from stratune.remote.reader import shortened
from stratune.remote.request import Body
from stratune.remote.row_fault import Answer, no_answer
from stratune.remote.server import ALL_REFUSED, Server
from stratune.remote.vector import Vector, in_order, stored, tokens_of, vector_of
from stratune.watch import SILENT, Progress

ABSENT = (404, 405, 501)  # HTTP statuses of a server without the endpoint
ONE_BY_ONE = "ask about one text at a time: remote.batch: 1"

Item = tuple[str, str]  # an answer's key, and the text


@dataclass
class Embeddings:
    """`width` C of the vectors; 0: the first answer says it. Implements Embed (backbone/embed.py)."""

    server: Server
    dimensions: int | None = None
    price: tuple[float, float] | None = None
    width: int = 0
    _most: int = field(default=0, init=False, repr=False)  # texts in one request
    _answered: bool = field(default=False, init=False, repr=False)
    _refused: dict[str, Answer] = field(default_factory=dict, init=False, repr=False)  # by key

    def __post_init__(self) -> None:
        self._most = self.server.retry_policy.batch

    def __call__(self, texts: Sequence[str], prompt: str = "", progress: Progress = SILENT) -> Embedded:
        """Stored answers and duplicates are not requested, and what arrives is stored at once. Raises
        RemoteError for what is no text's fault.
        """
        bodies = self.bodies(texts, prompt)
        keys = [self.server.key("embeddings", body) for body in bodies]
        rows, found, missing = Counter(keys), dict[str, Answer](), dict[str, str]()
        for key, text in zip(keys, texts, strict=True):
            if key not in found and key not in missing:
                answer = self._known(key)
                if answer is None:
                    missing[key] = text
                else:
                    found[key] = answer
        progress.rows(sum(rows[key] for key in found))
        self._answered |= any(answer.response is not None for answer in found.values())
        with closing(self._ask(list(missing.items()), prompt)) as arriving:
            for key, answer in arriving:
                found[key] = answer
                progress.rows(rows[key])
        vectors = {key: self._vector(answer) for key, answer in found.items()}
        for key, body in zip(keys, bodies, strict=True):
            self.server.used.count(key, body, found[key])
        out = np.full((len(texts), self.width), np.nan, dtype=np.float32)
        for row, key in enumerate(keys):
            if (vector := vectors[key]) is not None:
                out[row] = vector
        why = ["" if vectors[key] is not None else found[key].why for key in keys]
        cut = [(found[key].response or {}).get("cut", 0) for key in keys]
        return Embedded(out, why, np.array(cut, dtype=np.int32))

    def begin(self, texts: Sequence[str], prompt: str = "") -> None:
        """Ask about one text after the other until one is answered: that shows how long vectors are, and what
        is wrong with server, key or model. Raises RemoteError where none is answered.
        """
        bodies = {self.server.key("embeddings", body): body for body in self.bodies(texts, prompt)}
        items = dict(zip(bodies, dict.fromkeys(texts), strict=True))
        known = ((key, answer) for key in items if (answer := self._known(key)) is not None)
        last = ""
        with closing(self._ask(list(items.items()), prompt)) as arriving:
            for key, answer in itertools.chain(known, arriving):
                last = answer.why
                if self._vector(answer) is not None:
                    self.server.used.count(key, bodies[key], answer)
                    return
        raise self._error(last)

    def bodies(self, texts: Sequence[str], prompt: str) -> list[Body]:
        """The request about each text, as if it were asked about alone."""
        return [self._body(prompt + text) for text in texts]

    def state(self) -> dict[str, Any]:
        about = {"retry_policy": asdict(self.server.retry_policy), "extra": self.server.extra}
        return {"server": {**about, "dimensions": self.dimensions, "width": self.width}}

    def remarks(self) -> list[str]:
        used, cut = self.server.used.in_words(self.price, "texts"), self.server.used.cut_at()
        remarks = [f"the server counted {used}"] if used else []
        if cut is not None:
            remarks.append(f"the server reads only some {cut:,} tokens of a text, and does not say so")
        return remarks

    # -- helpers

    def _body(self, given: str | list[str]) -> Body:
        dimensions = {} if self.dimensions is None else {"dimensions": self.dimensions}
        return {"model": self.server.address.model, "input": given, **dimensions}

    def _known(self, key: str) -> Answer | None:
        kept = self.server.answers.get(key)
        return self._refused.get(key) if kept is None else Answer(kept)

    def _vector(self, answer: Answer) -> Vector | None:
        """Raises RemoteError for vectors of two lengths: they are of two models."""
        if answer.response is None:
            return None
        vector = vector_of(answer.response["data"][0]["embedding"])
        self._check_width(len(vector))
        return vector

    def _check_width(self, found: int) -> None:
        self.width = self.width or found
        if self.dimensions not in (None, found):
            why = f"asked for vectors of {self.dimensions:,} numbers, it gives {found:,}"
            raise self._error(f"{why}: it does not shorten them; leave out remote.dimensions")
        if found != self.width:
            why = f"a vector of {found:,} numbers, where others have {self.width:,}"
            raise self._error(f"{why}: another model answers under this name")

    def _ask(self, items: list[Item], prompt: str) -> Any:
        """(key, answer) as they arrive. As long as nothing was answered, texts are asked about one by one, so
        that what is wrong with server, key or model shows at the first.
        """
        refused = 0
        while items and not self._answered:
            item = items.pop(0)
            answer = self._alone(item, prompt, threading.Event())
            self._answered |= answer.response is not None
            refused += not answer.sure
            if not answer.sure and (refused >= ALL_REFUSED or not items):
                raise self._error(answer.why)
            yield item[0], answer
        groups = [items[start : start + self._most] for start in range(0, len(items), self._most)]
        workers = self.server.retry_policy.workers
        with closing(
            as_completed(lambda group, stop: self._together(group, prompt, stop), groups, workers)
        ) as arriving:
            for group, answers in arriving:
                for (key, _), answer in zip(group, answers, strict=True):
                    yield key, answer

    def _together(self, group: Sequence[Item], prompt: str, stop: threading.Event) -> list[Answer]:
        """The answers about these texts. A request that is refused is halved; where both halves are answered,
        and no text was cut, there were too many texts in it, and later ones have fewer.
        """
        if len(group) == 1:
            return [self._alone(group[0], prompt, stop)]
        if len(group) > self._most:
            parts = [group[start : start + self._most] for start in range(0, len(group), self._most)]
            return [answer for part in parts for answer in self._together(part, prompt, stop)]
        try:
            return self._posted(group, prompt, stop)
        except Fault as fault:
            if no_answer(fault) is None:
                raise self._explained(fault) from None
        half = len(group) // 2
        answers = [one for part in (group[:half], group[half:]) for one in self._together(part, prompt, stop)]
        if all(answer.response is not None and "cut" not in answer.response for answer in answers):
            self._most = min(self._most, max(1, half))
        return answers

    def _alone(self, item: Item, prompt: str, stop: threading.Event) -> Answer:
        """The answer about one text, which is cut where it is too long."""
        (key, text), cut = item, 0
        while True:
            try:
                return self._posted([(key, text)], prompt, stop, cut)[0]
            except Fault as fault:
                answer = no_answer(fault)
                if answer is None:
                    raise self._explained(fault) from None
            if answer.share is not None:
                (shorter,), fewer = shortened((text,), len(prompt) + len(text), answer.share)
                if fewer:
                    text, cut = shorter, cut + fewer
                    continue
            self._refused[key] = answer
            return answer

    def _posted(
        self, group: Sequence[Item], prompt: str, stop: threading.Event, cut: int = 0
    ) -> list[Answer]:
        """One request; what it answers is stored. Raises Fault."""
        texts = [prompt + text for _, text in group]
        response = self.server.send("embeddings", self._body(texts), stop)
        try:
            given = in_order(response, len(group))
        except ValueError as error:
            raise self._error(f"{error}; {ONE_BY_ONE}" if len(group) > 1 else str(error)) from None
        tokens, kept = tokens_of(response, texts), dict[str, dict[str, Any]]()
        for (key, _), one, count in zip(group, given, tokens, strict=True):
            try:
                vector = vector_of(one)
            except ValueError as error:
                self._refused[key] = Answer(None, str(error), sure=False)
                continue
            self._check_width(len(vector))
            kept[key] = stored(vector, count, cut)
        kept = self.server.answers.keep_all(kept)
        return [Answer(kept[key]) if key in kept else self._refused[key] for key, _ in group]

    def _explained(self, fault: Fault) -> RemoteError:
        model = self.server.address.model
        if fault.status not in ABSENT or model not in (self.server.models() or [model]):
            return self.server.explained(fault)
        why = f"{fault.why}; it has no /embeddings, so that no vectors can be had of {model}"
        return MissingEndpoint(f"{self.server.address.url}: {why}")

    def _error(self, why: str) -> RemoteError:
        return RemoteError(f"{self.server.address.url}: {why}")
