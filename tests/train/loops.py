"""A Loop on a tiny net with an evaluation of the test's own, and a look at what its optimiser is given."""

import contextlib

import numpy as np
import torch
from accelerate import Accelerator
from torch.optim.optimizer import register_optimizer_step_pre_hook

from stratune.strategy import Recipe
from stratune.testing import toy_split
from stratune.train.feed import Feed
from stratune.train.loop import Evaluation, Loop
from stratune.train.runtime import Runtime
from stratune.train.settings import TrainSettings
from tests.helpers import tokens_of


def rising():
    """Evaluations that get better and better."""
    seen = []

    def evaluate():
        seen.append(1)
        return Evaluation(float(len(seen)), float(len(seen)), 1.0 / len(seen))

    return evaluate


def make_loop(net, *, recipe=None, epochs=2.0, seed=0, evaluate=None, rows=16, settings=None, **options):
    """16 rows of the toy task, 8 a step, in float32."""
    table = toy_split(rows=rows).train
    truth = np.array([{"animal": 0, "weather": 1}[label] for label in table["label"]])
    return Loop(
        net=net,
        feed=Feed(tokens_of(net, list(table["text"])), net.backbone.tokenizer.pad_token_id),
        truth=truth,
        evaluate=evaluate or rising(),
        recipe=recipe or Recipe(batch_size=8),
        settings=settings or TrainSettings(patience=100),
        epochs=epochs,
        seed=seed,
        runtime=Runtime(torch.device("cpu")),
        accelerator=Accelerator(mixed_precision="no"),
        **options,
    )


@contextlib.contextmanager
def optimiser_steps():
    """What every step starts with: parameter -> gradient (a copy), and the groups' options."""
    seen = []

    def look(optimizer, *_):
        gradients = {p: p.grad.clone() for group in optimizer.param_groups for p in group["params"]}
        groups = [
            {k: v for k, v in group.items() if k in ("lr", "weight_decay", "params")}
            for group in optimizer.param_groups
        ]
        seen.append((gradients, groups))

    handle = register_optimizer_step_pre_hook(look)
    try:
        yield seen
    finally:
        handle.remove()


def gradients_of_first_step(net, **options):
    """Name -> gradient of the first step."""
    names = {p: name for name, p in net.named_parameters()}
    with optimiser_steps() as seen:
        make_loop(net, epochs=1, **options).run()
    return {names[p]: grad for p, grad in seen[0][0].items()}


def same_tensors(found, wanted):
    return found.keys() == wanted.keys() and all(torch.equal(found[name], wanted[name]) for name in wanted)
