"""Questions answered by the machines of a Ray cluster: processes there, each with a model of its own.

The model folder travels to each of them. Questions and answers travel as JSON: a node whose stratune
is another one says so. What a machine was asked that dies is asked again elsewhere.
"""

from __future__ import annotations

import contextlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from stratune.cli.batches import Batch, Question
from stratune.cli.workers import Added, Loading
from stratune.engine.parcel import packed, unpack
from stratune.engine.ray_cluster import connected, nodes, room, share_of
from stratune.engine.ray_node import Pieces, check_version, fetched, passing_folder, stand_in
from stratune.errors import StratuneError, reason
from stratune.version import __version__

AHEAD = 2  # questions of each process that are read before they are needed
TRIES = 3  # of a question whose machine or process dies
QUIET_SECONDS = 30.0  # without any process, after which it is said that there is none

Say = Callable[[str], None]


@contextlib.contextmanager
def cluster(loading: Loading, added: Added, jobs: int | None, say: Say) -> Iterator[Cluster]:
    """`jobs` processes, None: as many as there is room for; `say`: tells people that it waits."""
    with connected() as ray:
        found = nodes(ray)
        share = share_of(found, jobs)
        order = {
            "version": __version__,
            "cwd": str(Path.cwd()),
            "threads": share.cpus,
            "loading": {"device": loading.device, "allow_server": list(loading.allow_server)},
            "added": asdict(added),
        }
        pieces = [ray.put(piece) for piece in packed(loading.place)]
        needs = {"num_cpus": share.cpus, "num_gpus": 0 if loading.device == "cpu" else share.gpus}
        made = ray.remote(Answerer).options(**needs, max_restarts=0, scheduling_strategy="SPREAD")
        actors = [made.remote(json.dumps(order), pieces) for _ in range(jobs or room(found, share))]
        pool = Cluster(ray, [_Worker(actor, actor.begin.remote()) for actor in actors], say)
        try:
            yield pool
            pool.close()
        finally:  # nobody wants what is under way, or waits for room
            for actor in actors:
                ray.kill(actor)


@dataclass(eq=False)
class _Worker:
    actor: Any
    begun: Any  # ObjectRef of None, once it has its model, or why it has none
    ready: bool = False


@dataclass(frozen=True)
class _Asked:
    question: str
    answer: Any  # ObjectRef
    tries: int = 1


class Cluster:
    """See `cluster`. Which process answers what depends on who is ready first; the answers do not."""

    def __init__(self, ray: Any, workers: list[_Worker], say: Say) -> None:
        self._ray = ray
        self._workers = workers
        self._say = say
        self._under_way: dict[Any, _Worker] = {}  # by what it will give
        gone = ray.exceptions
        self._died = (
            gone.RayActorError,
            gone.WorkerCrashedError,
            gone.NodeDiedError,
            gone.OutOfMemoryError,
            gone.ObjectLostError,
        )

    @property
    def ahead(self) -> int:
        """It grows as they become ready: the first one must not get what all together could answer."""
        return AHEAD * max(1, sum(worker.ready for worker in self._workers))

    def ask(self, question: Question) -> Callable[[], Batch]:
        """The answers raise StratuneError with what a process said, or where those that were asked died."""
        asked = self._sent(json.dumps(asdict(question)), 1)
        return lambda: self._answers(asked)

    def close(self) -> None:
        """They end by themselves, so that the folders which they were sent are gone."""
        ends = [worker.actor.__ray_terminate__.remote() for worker in self._workers if worker.ready]
        if ends:
            self._ray.wait(ends, num_returns=len(ends), timeout=10)

    def _answers(self, asked: _Asked) -> Batch:
        while True:
            worker = self._under_way[asked.answer]
            try:
                found: Mapping[str, Any] = json.loads(self._ray.get(asked.answer))
            except self._died as error:
                del self._under_way[asked.answer]
                if worker in self._workers:
                    self._workers.remove(worker)
                if asked.tries == TRIES:
                    why = f"the processes that were asked died in each of {TRIES} tries ({reason(error)})"
                    raise StratuneError(why) from None
                asked = self._sent(asked.question, asked.tries + 1)
                continue
            del self._under_way[asked.answer]
            if "failed" in found:
                raise StratuneError(found["failed"])
            return dict(found["columns"])

    def _sent(self, question: str, tries: int) -> _Asked:
        worker = self._least_busy()
        asked = _Asked(question, worker.actor.answer.remote(question), tries)
        self._under_way[asked.answer] = worker
        return asked

    def _least_busy(self) -> _Worker:
        while not (ready := self._ready()):
            begun = [worker.begun for worker in self._workers]
            if not begun:
                raise StratuneError("no process of the cluster is left to answer: all have died")
            if not self._ray.wait(begun, num_returns=1, timeout=QUIET_SECONDS)[0]:
                self._say("waits: the cluster has no room for a process that answers, or is long in loading")
        answers = list(self._under_way)
        waiting = self._ray.wait(answers, num_returns=len(answers), timeout=0)[1] if answers else []
        busy = Counter(id(self._under_way[answer]) for answer in waiting)
        return min(ready, key=lambda worker: busy[id(worker)])

    def _ready(self) -> list[_Worker]:
        """Those with their model; some come later, when the cluster has grown."""
        for worker in [one for one in self._workers if not one.ready]:
            if not self._ray.wait([worker.begun], timeout=0)[0]:
                continue
            try:
                why = self._ray.get(worker.begun)
            except self._died:
                self._workers.remove(worker)
                continue
            if why is not None:
                raise StratuneError(why)
            worker.ready = True
        return [worker for worker in self._workers if worker.ready]


class Answerer:
    """In a process of its own on a machine of the cluster. `order`: JSON; `model`: of the model folder."""

    def __init__(self, order: str, model: Pieces) -> None:
        self._order = json.loads(order)
        self._model = model
        self._added = Added(**self._order["added"])
        self._open = contextlib.ExitStack()  # closed as the process ends

    def begin(self) -> str | None:
        """None once the model is loaded; otherwise why it is not."""
        from stratune.engine.threads import use_threads
        from stratune.memory import set_up_memory

        try:
            check_version(self._order["version"])
            stand_in(self._order["cwd"])
            set_up_memory()
            use_threads(self._order["threads"])
            folder = self._open.enter_context(passing_folder("model"))
            unpack(fetched(self._model), folder)
            how = self._order["loading"]
            self._predictor = Loading(folder, how["device"], tuple(how["allow_server"])).load()
        except (StratuneError, OSError) as error:
            return str(error)
        return None

    def answer(self, question: str) -> str:
        try:
            return json.dumps({"columns": self._added(self._predictor, Question(**json.loads(question)))})
        except StratuneError as error:
            return json.dumps({"failed": str(error)})
