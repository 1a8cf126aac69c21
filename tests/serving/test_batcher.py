"""The queue of a model: what is answered together, what is refused, and what leaves it."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from stratune.serving.batcher import Batcher, Turn
from stratune.serving.limits import Limits
from stratune.serving.refusals import Refused


class Model:
    """Answers a text with itself, once the gate is open; `calls` are the batches that it was asked."""

    def __init__(self):
        self.gate, self.began, self.calls = threading.Event(), threading.Event(), []
        self.gate.set()

    def __call__(self, texts, pairs):
        self.calls.append(list(texts))
        self.began.set()
        assert self.gate.wait(20)
        if "wrong" in texts:
            raise ValueError("a wrong text")
        beside = pairs or [None] * len(texts)
        return [{"prediction": text, "pair": pair} for text, pair in zip(texts, beside, strict=True)]

    def close(self):
        """Only the batch that is asked next begins."""
        self.gate.clear()
        self.began.clear()


def run(test, model=None, **limits):
    """`test(batcher, model)` beside a running batcher."""
    model = model or Model()

    async def main():
        with ThreadPoolExecutor(1) as worker:
            batcher = Batcher(model, Limits(**limits), Turn(worker, asyncio.Lock()))
            task = asyncio.create_task(batcher.run())
            try:
                await asyncio.wait_for(test(batcher, model), 30)
            finally:
                model.gate.set()
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    asyncio.run(main())


async def under_way(batcher, model, text="first"):
    """A request whose batch has begun, and does not end before the gate opens."""
    model.close()
    first = asyncio.create_task(batcher.answer([text]))
    await asyncio.to_thread(model.began.wait, 20)
    return first


def said(answers):
    return [one["prediction"] for one in answers]


def test_what_comes_while_the_model_computes_is_answered_together():
    async def test(batcher, model):
        first = await under_way(batcher, model)
        others = [asyncio.create_task(batcher.answer([f"{k}", f"{k} more"])) for k in range(5)]
        await asyncio.sleep(0)
        assert batcher.rows == 10
        model.gate.set()
        assert [said(one) for one in await asyncio.gather(*others)] == [
            [f"{k}", f"{k} more"] for k in range(5)
        ]
        assert said(await first) == ["first"] and [len(call) for call in model.calls] == [1, 10]
        assert batcher.rows == 0

    run(test)


def test_a_lone_request_waits_for_nobody():
    async def test(batcher, model):
        await asyncio.wait_for(batcher.answer(["a"]), 5)
        await asyncio.wait_for(batcher.answer(["b"]), 5)

    run(test, wait_ms=3_600_000)


def test_after_a_shared_batch_the_next_one_waits_until_it_is_full():
    async def test(batcher, model):
        first = await under_way(batcher, model)
        two = [asyncio.create_task(batcher.answer([text])) for text in "ab"]
        await asyncio.sleep(0)
        model.gate.set()
        await asyncio.gather(first, *two)
        third = asyncio.create_task(batcher.answer(["c"]))
        await asyncio.sleep(0.1)
        assert not third.done()
        await asyncio.wait_for(asyncio.gather(third, batcher.answer(["d"] * 3)), 5)
        assert model.calls[-1] == ["c", "d", "d", "d"]

    run(test, wait_ms=3_600_000, batch_rows=4)


def test_exact_batches_hold_one_request():
    async def test(batcher, model):
        first = await under_way(batcher, model)
        others = [asyncio.create_task(batcher.answer([f"{k}"] * 300)) for k in range(3)]
        await asyncio.sleep(0)
        model.gate.set()
        await asyncio.gather(first, *others)
        assert [len(call) for call in model.calls] == [1, 300, 300, 300]

    run(test, exact=True)


@pytest.mark.parametrize(
    ("limits", "sizes"), [({"batch_rows": 3}, [3, 3, 1]), ({"batch_tokens": 20}, [2, 2, 2, 1])]
)
def test_a_long_request_is_cut_and_lets_short_ones_in_between(limits, sizes):
    texts = [f"{k:036d}" for k in range(7)]  # ten tokens each

    async def test(batcher, model):
        assert said(await batcher.answer(texts, texts[::-1] if "batch_rows" in limits else None)) == texts
        assert [len(call) for call in model.calls] == sizes

    run(test, **limits)


def test_pairs_stay_beside_their_texts():
    async def test(batcher, model):
        first = await under_way(batcher, model)
        several = [asyncio.create_task(batcher.answer([f"{k}"] * 2, [f"p{k}", f"q{k}"])) for k in range(4)]
        model.gate.set()
        found = await asyncio.gather(*several)
        assert [[one["pair"] for one in answers] for answers in found] == [
            [f"p{k}", f"q{k}"] for k in range(4)
        ]
        await first

    run(test)


def test_a_full_queue_refuses_and_says_when_to_come_again():
    async def test(batcher, model):
        assert said(await batcher.answer(["a"] * 4)) == ["a"] * 4  # the rate is known
        first = await under_way(batcher, model)
        waiting = asyncio.create_task(batcher.answer(["b"] * 4))
        await asyncio.sleep(0)
        with pytest.raises(Refused, match="4 rows wait already, of at most 5") as refused:
            await batcher.answer(["c"] * 2)
        assert refused.value.status == 429 and 1 <= refused.value.after <= 60
        patient = asyncio.create_task(batcher.answer(["d"] * 2, patient=True))
        await asyncio.sleep(0.05)
        assert not patient.done() and batcher.rows == 4
        model.gate.set()
        assert said(await patient) == ["d"] * 2
        await asyncio.gather(first, waiting)

    run(test, queue=5, most_rows=5)


def test_a_cancelled_request_leaves_the_queue():
    async def test(batcher, model):
        first = await under_way(batcher, model)
        gone, stays = (asyncio.create_task(batcher.answer([text] * 3)) for text in ("gone", "stays"))
        await asyncio.sleep(0)
        gone.cancel()
        await asyncio.gather(gone, return_exceptions=True)
        assert batcher.rows == 3
        model.gate.set()
        await asyncio.gather(first, stays)
        assert model.calls == [["first"], ["stays"] * 3]

    run(test)


def test_a_request_that_is_cancelled_while_it_is_computed_disturbs_nobody():
    async def test(batcher, model):
        first = await under_way(batcher, model)
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        model.gate.set()
        assert said(await batcher.answer(["next"])) == ["next"]

    run(test)


def test_what_one_request_breaks_the_others_get():
    async def test(batcher, model):
        first = await under_way(batcher, model)
        good, bad = (asyncio.create_task(batcher.answer([text])) for text in ("good", "wrong"))
        await asyncio.sleep(0)
        model.gate.set()
        assert said(await good) == ["good"]
        with pytest.raises(ValueError, match="a wrong text"):
            await bad
        await first

    run(test)


def test_closed_it_answers_what_waits_and_refuses_what_comes():
    async def test(batcher, model):
        first = await under_way(batcher, model)
        waiting = asyncio.create_task(batcher.answer(["waits"]))
        await asyncio.sleep(0)
        batcher.close()
        with pytest.raises(Refused, match="stopping") as refused:
            await batcher.answer(["new"])
        assert refused.value.status == 503
        model.gate.set()
        assert said(await waiting) == ["waits"] and said(await first) == ["first"]

    run(test)


def test_no_text_is_no_answer():
    async def test(batcher, model):
        assert await batcher.answer([]) == [] and model.calls == []

    run(test)
