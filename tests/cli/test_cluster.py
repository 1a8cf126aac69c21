"""stratune predict --engine ray: on a cluster of two machines the answers are those of one process."""

from __future__ import annotations

import os
import sys

import pytest

from stratune.cli import cluster as module
from stratune.cli.batches import Question
from stratune.cli.cluster import Answerer, cluster
from stratune.cli.workers import Added, Here, Loading
from stratune.engine.ray_cluster import Share
from stratune.errors import ConfigError, StratuneError
from stratune.testing import toy_split
from tests.cli.test_parts import file, in_parts, models, predict, refused, whole  # noqa: F401  fixtures

CPUS = 1


def machine(folder):
    own = {"STRATUNE_CACHE": str(folder), "OMP_NUM_THREADS": "1"}
    return {"num_cpus": CPUS, "object_store_memory": 100 << 20, "env_vars": own}


@pytest.fixture(scope="module")
def machines(tmp_path_factory):
    from ray.cluster_utils import Cluster

    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    # 15 by default: beside other tests they would hardly move. Ray's own spelling.
    os.environ["RAY_worker_niceness"] = "0"  # noqa: SIM112
    caches = [tmp_path_factory.mktemp(name) for name in ("first", "second")]
    made = Cluster(initialize_head=True, head_node_args={**machine(caches[0]), "include_dashboard": False})
    made.caches = caches
    yield made
    made.shutdown()


@pytest.fixture(scope="module")
def two(machines):
    """Connected to both, as somebody is who uses Ray already."""
    import ray

    second = machines.add_node(**machine(machines.caches[1]))
    ray.init(address=machines.address, log_to_driver=False, logging_level="ERROR")
    yield second
    ray.shutdown()


@pytest.fixture(autouse=True)
def threads(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.delenv("RAY_ADDRESS", raising=False)


def questions(count, rows=300):
    texts = list(toy_split().test["text"])
    return [Question([f"{text} {k}" for text in texts * (rows // len(texts))]) for k in range(count)]


def asked(pool, count):
    answers = [pool.ask(question) for question in questions(count)]
    return [one() for one in answers]


def silent(line):
    raise AssertionError(line)


def test_an_engine_that_cannot(models, file, tmp_path, monkeypatch):  # noqa: F811
    out = tmp_path / "answers.csv"
    said = refused(predict(models / "tfidf", file, out, "--engine", "slurm"))
    assert said == "engine: 'slurm' is not one of local, ray"
    monkeypatch.setitem(sys.modules, "ray", None)
    said = refused(predict(models / "tfidf", file, out, "--engine", "ray"))
    assert said == "engine: --engine ray needs one more package: pip install 'stratune[ray]'"
    assert not out.exists()


def test_an_address_that_leads_nowhere_is_one_line(models, file, tmp_path, monkeypatch):  # noqa: F811
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")
    done = predict(models / "tfidf", file, tmp_path / "one.csv", "--engine", "ray")
    assert isinstance(done.exception, ConfigError)
    assert str(done.exception).startswith("engine: RAY_ADDRESS '127.0.0.1:1': nothing answers (")
    assert not (tmp_path / "one.csv").exists()


def test_as_many_questions_wait_as_those_that_are_ready_can_take():
    """Else the first of many processes would get what is for all of them, and hold up the rest."""
    import ray

    workers = [module._Worker(None, None) for _ in range(100)]
    pool = module.Cluster(ray, workers, silent)
    assert pool.ahead == module.AHEAD
    for worker in workers[:3]:
        worker.ready = True
    assert pool.ahead == 3 * module.AHEAD


def test_parts_are_the_whole(two, models, file, tmp_path):  # noqa: F811
    out = f"{tmp_path / 'answers'}/"
    done = predict(models / "tfidf", file, out, "--engine", "ray", "--jobs", "5")
    assert done.exit_code == 0, done.exception  # two of the five find room, and answer all
    parts = in_parts(tmp_path / "answers")
    assert [len(part) for part in parts] == [10, 10, 10, 7]
    assert [row for part in parts for row in part] == whole(models, file)


def test_what_is_wrong_is_said_as_by_one_process(two, models, file, tmp_path):  # noqa: F811
    here = refused(predict(models / "tfidf", file, tmp_path / "one.csv", "--explain"))
    there = refused(predict(models / "tfidf", file, tmp_path / "two.csv", "--explain", "--engine", "ray"))
    assert there == here and "reads texts whole" in here
    assert not (tmp_path / "two.csv").exists()


def test_a_machine_with_another_stratune_says_so(two, models, monkeypatch):  # noqa: F811
    monkeypatch.setattr(module, "__version__", "0.0.1")
    with (
        pytest.raises(StratuneError, match=r"engine ray: this node has stratune .*, the command is of 0.0.1"),
        cluster(Loading(models / "tfidf"), Added(), 1, silent) as pool,
    ):
        asked(pool, 1)


def test_a_process_that_dies_every_time_is_said(two, models, monkeypatch):  # noqa: F811
    class Dies(Answerer):
        def answer(self, question):
            os._exit(9)

    monkeypatch.setattr(module, "Answerer", Dies)
    monkeypatch.setattr(module, "TRIES", 1)
    with cluster(Loading(models / "tfidf"), Added(), 1, silent) as pool:
        with pytest.raises(StratuneError, match="the processes that were asked died in each of 1 tries"):
            asked(pool, 1)
        with pytest.raises(StratuneError, match="no process of the cluster is left to answer: all have died"):
            asked(pool, 1)


def test_without_room_it_says_that_it_waits(two, models, monkeypatch):  # noqa: F811
    class Heard(Exception):
        pass

    def hear(line):
        raise Heard(line)

    monkeypatch.setattr(module, "QUIET_SECONDS", 0.5)
    monkeypatch.setattr(module, "share_of", lambda nodes, jobs: Share(64, 0.0))
    with (
        pytest.raises(Heard, match="waits: the cluster has no room for a process that answers"),
        cluster(Loading(models / "tfidf"), Added(), 1, hear) as pool,
    ):
        asked(pool, 1)


def test_the_answers_are_all_there_where_a_machine_dies(two, machines, models):  # noqa: F811
    """Last: the second machine is gone then."""
    with cluster(Loading(models / "tfidf"), Added(), 2, silent) as pool:
        first = asked(pool, 1)
        while len(pool._ready()) < 2:
            pass
        before = [pool.ask(question) for question in questions(4, rows=3000)]
        machines.remove_node(two, allow_graceful=False)
        after = [pool.ask(question) for question in questions(4)]
        found = [one() for one in (*before, *after)]
        assert len(pool._workers) == 1
    assert not list((machines.caches[0] / "ray").iterdir())  # the model that was sent is gone
    here = Here(Loading(models / "tfidf").load(), Added())
    asked_too = [*questions(4, rows=3000), *questions(4)]
    assert found == [here.ask(question)() for question in asked_too] and first == found[4:5]
