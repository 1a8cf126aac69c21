"""What fits into memory: planned before a training, and halved once it does not fit."""

import numpy as np
import pytest
import torch

from stratune.errors import UnsupportedError
from stratune.testing import toy_split
from stratune.testing.nets import net_of
from stratune.train import memory_plan
from stratune.train.loop import Loop
from stratune.train.memory_plan import by_halves, planned
from tests.helpers import trained

FULL = {"preset": "full", "learning_rate": 3e-3, "epochs": 2}


def tensors(run):
    return run.predictor.predict_proba(["the cat saw the house", "rain"])


def test_half_of_the_batch_where_memory_does_not_do_for_the_whole(tiny, monkeypatch):
    wanted = trained(FULL, tiny("bert", hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0))
    plain, failed = Loop._backward, []

    def scarce(self, step):
        if self.runtime.micro_batch_tokens > 100:
            self.loss_sum += 5.0  # what was added before it failed is not counted
            failed.append(self.runtime.micro_batch_tokens)
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return plain(self, step)

    monkeypatch.setattr(Loop, "_backward", scarce)
    found = trained(FULL, tiny("bert", hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0))
    assert failed == [4096, 2048, 1024, 512, 256, 128], "once for all steps"
    np.testing.assert_allclose(tensors(found), tensors(wanted), atol=1e-4)
    assert [line["loss"] for line in found.history] == pytest.approx(
        [line["loss"] for line in wanted.history], abs=1e-3
    )
    assert "micro-batches of 64 tokens: memory did not do for more" in found.notes


def test_blocks_run_again_where_single_rows_do_not_fit_and_then_it_is_an_error(tiny, monkeypatch):
    plain = Loop._backward

    def scarce(self, step, enough=False):
        if not (self.net.recomputes and enough):
            raise RuntimeError(
                "[enforce fail at alloc_cpu.cpp:123] DefaultCPUAllocator: can't allocate memory"
            )
        return plain(self, step)

    monkeypatch.setattr(Loop, "_backward", lambda self, step: scarce(self, step, enough=True))
    run = trained(FULL, tiny("bert"))
    assert net_of(run.predictor.model).recomputes
    assert "blocks ran again in the backward pass: memory did not do without" in run.notes
    monkeypatch.setattr(Loop, "_backward", scarce)
    with pytest.raises(UnsupportedError, match=r"one row of \d+ tokens does not fit into memory; read fewer"):
        trained(FULL, tiny("bert"))


def test_another_error_is_not_taken_for_a_lack_of_memory(tiny, monkeypatch):
    def broken(self, step):
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    monkeypatch.setattr(Loop, "_backward", broken)
    with pytest.raises(RuntimeError, match="cannot be multiplied"):
        trained(FULL, tiny("bert"))


@pytest.mark.parametrize("spec", [FULL, "lora", "houlsby", "partial"])
def test_what_is_expected_of_one_and_two_rows_is_found_of_eight(spec, tiny, monkeypatch):
    seen = []

    def looked_at(net, feed, runtime):
        row = int(np.argmax(feed.lengths))
        one, two, eight = (
            memory_plan._kept_bytes(net, feed, np.array([row] * n), runtime) for n in (1, 2, 8)
        )
        seen.append((one + 7 * (two - one), eight, two - one))
        return planned(net, feed, runtime)

    monkeypatch.setattr("stratune.fitting.local.planned", looked_at)
    trained(spec, tiny("llama"))
    ((expected, found, of_row),) = seen
    assert of_row > 0 and expected == pytest.approx(found, rel=0.05)


def test_a_training_is_planned_into_what_is_free(tiny, monkeypatch):
    plain = trained(FULL, tiny("bert"))
    assert not any("micro-batches" in note for note in plain.notes)
    monkeypatch.setattr(memory_plan, "available_memory", lambda: 30_000_000)
    run = trained(FULL, tiny("bert"))
    (note,) = (note for note in run.notes if "micro-batches" in note)
    assert "4,096 would take 0." in note and "GB are there for it" in note
    monkeypatch.setattr(memory_plan, "available_memory", lambda: 1000)
    run = trained(FULL, tiny("bert"))
    (note,) = (note for note in run.notes if "micro-batches" in note)
    assert note.endswith("blocks run again in the backward pass") and net_of(run.predictor.model).recomputes
    run = trained(FULL, tiny("bert"), micro_batch_tokens=4096)
    assert not any("micro-batches" in note for note in run.notes), "as the user has set them"


def test_rows_are_answered_in_halves_and_in_their_order():
    asked = []

    def answer(rows):
        asked.append(len(rows))
        if len(rows) > 3:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return rows * 2

    rows = np.arange(11)
    assert np.concatenate(by_halves(rows, answer)).tolist() == (rows * 2).tolist()
    assert asked[0] == 11 and max(asked[1:]) < 11

    def never(rows):
        raise torch.OutOfMemoryError("CUDA out of memory")

    with pytest.raises(torch.OutOfMemoryError):
        by_halves(rows, never)


def test_predictions_go_on_in_halves(tiny, monkeypatch):
    split = toy_split()
    run = trained("lora", tiny("bert"), split=split)
    wanted = run.predictor.predict_proba(split.test)
    net = net_of(run.predictor.model)
    plain, failed = type(net).forward, []

    def scarce(self, batch):
        if len(batch) > 2:
            failed.append(len(batch))
            raise torch.OutOfMemoryError("CUDA out of memory")
        return plain(self, batch)

    monkeypatch.setattr(type(net), "forward", scarce)
    np.testing.assert_allclose(run.predictor.predict_proba(split.test), wanted, atol=1e-5)
    assert failed
