"""Runs at once: what waits for what, and that no number depends on who ends first."""

import pytest

from stratune.comparison.plan import plan
from stratune.comparison.schedule import Schedule
from stratune.config import parse_config
from stratune.engine.job import Place
from stratune.result import RunResult
from stratune.task import Task

ENSEMBLE = {"preset": "ensemble", "best": 2}
NAMED = {"preset": "ensemble", "name": "two", "of": ["probe", "lora"], "best": 4}
STRATEGIES = [
    "tfidf",
    {"preset": "probe", "solved": False},
    "lora",
    ENSEMBLE,
    NAMED,
    {"preset": "soup", "of": ["lora"]},
]
VALUES = {"tfidf": 0.5, "probe": 0.7, "lora": 0.6}  # lora's second seed ties with its first
TASK = Task(labels=("a", "b"), metric="f1_macro")


class Engine:
    """Takes `jobs` at once; the run that began last ends first."""

    def __init__(self, jobs):
        self.jobs, self.under_way, self.began, self.at_once = jobs, [], [], 0

    def submit(self, job, on_event):
        assert len(self.under_way) < self.jobs
        self.began.append((job.run_id, len(self.under_way)))
        self.under_way.append(job)
        on_event({"event": "note", "text": "began"})

    def wait(self):
        job = self.under_way.pop()
        value = VALUES.get(job.strategy["name"], 0.0)
        result = RunResult(
            job.strategy["name"], job.backbone, job.seed, val={"f1_macro": value}, trainable_params=5,
            settings=job.settings(),
        )  # fmt: skip
        if job.run_id == "tfidf@none#0":
            result.status, result.val = "failed", {}
        return job, result


def scheduled(jobs, out, told=None):
    config = parse_config({"data": {"source": "demo:reviews"}, "strategies": STRATEGIES, "seeds": 2})
    engine, place = Engine(jobs), Place("splits", str(out))
    watch = told.append if told is not None else lambda event: None
    schedule = Schedule(plan(config), config, place, "split", "print", TASK, engine, watch)
    return list(schedule.results()), engine


def test_one_at_a_time_they_come_in_the_order_of_the_plan(tmp_path):
    results, engine = scheduled(1, tmp_path)
    assert [result.run_id for result in results] == [
        "tfidf@none#0", "probe@minilm#0", "lora@minilm#0", "probe@minilm#1", "lora@minilm#1",
        "ensemble@none#0", "two@none#0", "soup@minilm#0",
    ]  # fmt: skip
    assert all(before == 0 for _, before in engine.began)


@pytest.mark.parametrize("jobs", [2, 3, 50])
def test_a_combination_waits_for_its_members_and_takes_the_same_ones(jobs, tmp_path):
    alone, _ = scheduled(1, tmp_path)
    results, engine = scheduled(jobs, tmp_path)
    assert {result.run_id: result.settings for result in results} == {
        result.run_id: result.settings for result in alone
    }
    ended = [result.run_id for result in results]
    assert set(ended[:5]) == {run for run, _ in engine.began[:5]}  # the rest is made of these
    assert max(before for _, before in engine.began) == min(jobs, 5) - 1
    of = {result.run_id: list(result.settings.get("members", ())) for result in results}
    assert of["ensemble@none#0"] == ["probe@minilm#0", "probe@minilm#1"]  # the failed one is no member
    assert of["two@none#0"] == ["probe@minilm#0", "probe@minilm#1", "lora@minilm#0", "lora@minilm#1"]


def test_whoever_watches_hears_which_run_it_is_and_how_many_have_ended(tmp_path):
    told = []
    results, _ = scheduled(2, tmp_path, told)
    done = [event for event in told if event.event["event"] == "done"]
    assert [event.ended for event in done] == list(range(1, 9)) and {event.total for event in told} == {8}
    assert [event.planned.run_id for event in done] == [result.run_id for result in results]
    assert [e.planned.run_id for e in told if e.event["event"] == "started"] == [
        e.planned.run_id for e in told if e.event["event"] == "note"
    ]
