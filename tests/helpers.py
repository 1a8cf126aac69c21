"""Short ways to tiny nets, batches and trainings, for the tests of the model side."""

from dataclasses import replace
from pathlib import Path

import torch

from stratune.backbone.load import load_backbone
from stratune.data.store import store_split
from stratune.engine.job import Job, Place
from stratune.engine.run import execute
from stratune.fitting.fit import train
from stratune.objective.classes import CrossEntropy
from stratune.strategy import Strategy, parse_strategy
from stratune.testing import toy_split
from stratune.testing.nets import fresh_net, net_of
from stratune.tokens.batches import collate
from stratune.tokens.tokens import TextLimit, tokenise
from stratune.train.feed import Feed
from stratune.train.infer import infer
from stratune.train.settings import Budget, TrainSettings
from stratune.watch import SILENT, Progress

# Every size between a word and a paragraph: batches of these have padding.
TEXTS = [
    "the cat saw rain near the old house and then it was quiet for a long time",
    "we heard the choir",
    "snow",
    "they talked about the horse and the dog and the sheep again",
]


def adapted(spec, folder, *, outputs=2, seed=0):
    """A net as training starts with it."""
    strategy = parse_strategy(spec)
    torch.manual_seed(seed)
    net = fresh_net(load_backbone(str(folder)), strategy.readout, CrossEntropy(outputs), seed)
    strategy.tune.adapt(net)
    return net.eval()


def tokens_of(net, texts=TEXTS, pairs=None, **limit):
    return tokenise(net.backbone, texts, pairs, TextLimit(**limit))


def batch_of(net, texts=TEXTS, pairs=None):
    tokens = tokens_of(net, texts, pairs)
    return collate(tokens, range(len(tokens)), net.backbone.tokenizer.pad_token_id)


def inputs_of(batch) -> dict[str, torch.Tensor]:
    """A batch as transformers' own forward takes it."""
    types = {"token_type_ids": batch.types} if batch.types is not None else {}
    return {"input_ids": batch.ids, "attention_mask": batch.mask, **types}


def feed_of(net, texts=TEXTS):
    return Feed(tokens_of(net, texts), net.backbone.tokenizer.pad_token_id)


def trained(spec, folder, *, split=None, epochs=2, seed=0, work=None, progress=SILENT, **settings):
    """`stratune.fitting.fit.train` in float32 on the toy task, 8 rows a step."""
    strategy = parse_strategy(spec)
    if isinstance(strategy, Strategy):
        strategy = replace(strategy, recipe=replace(strategy.recipe, batch_size=8))
    split = split or toy_split()
    options = TrainSettings(**{"precision": "float32", "patience": 100, **settings})
    backbone = str(folder) if isinstance(folder, Path) else folder
    return train(
        strategy,
        backbone,
        split.task,
        split,
        Budget(epochs=epochs),
        seed,
        settings=options,
        work=work,
        progress=progress,
    )


def executed(spec, backbone, split, out, *, seed=0, epochs=1.0, remote=None, **settings):
    """A run as an engine does it: (its result, its folder below `out`)."""
    job = Job(
        store_split(split).name, split.fingerprint, parse_strategy(spec).settings(), str(backbone), seed,
        {"epochs": epochs}, settings, remote or {},
    )  # fmt: skip
    place = Place.here(out)
    return execute(job, place), place.run(job.run_id)


def learned(run):
    """Name -> trained tensor."""
    return {name: p.detach().clone() for name, p in net_of(run.predictor.model).trainable().items()}


def logits_of(run, texts=TEXTS):
    model = run.predictor.model
    net = net_of(model)
    runtime = getattr(model, "language_model", model).runtime
    return infer(net, feed_of(net, texts), runtime)


class Callbacks(Progress):
    """What a run tells, to functions: `Callbacks(rows=counts.append)`."""

    def __init__(self, **functions):
        for name, function in functions.items():
            assert hasattr(Progress, name)
            setattr(self, name, function)
