"""Adapting a backbone to texts without labels: it goes on with what it was pretrained by, on these texts.

An encoder is asked for hidden tokens, a decoder for the next one. What comes out is a backbone of its own,
for any technique: Gururangan et al. 2020, "Don't stop pretraining" (task-adaptive pretraining).
"""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from stratune.backbone.adapted import Texts, write_read
from stratune.backbone.load import load_backbone
from stratune.backbone.locate import locate
from stratune.backbone.sentence import PROMPTS
from stratune.data.rows import text_columns
from stratune.errors import BackboneError, ConfigError
from stratune.files import replacing_folder, sha256, write_json
from stratune.fitting.local import LEAST_TO_CHOOSE, make_accelerator
from stratune.longtext.chunks import Chunker, tokens_by
from stratune.longtext.options import LongText
from stratune.longtext.reader import ChunkReader
from stratune.net.net import Net
from stratune.net.token_heads import HiddenTokens, NextTokens
from stratune.objective.token_loss import TokenLoss
from stratune.tokens.reader import TextReader
from stratune.tokens.tokens import TextLimit
from stratune.train import checkpoint
from stratune.train.course import course_of
from stratune.train.feed import Feed
from stratune.train.infer import infer
from stratune.train.loop import UNSEEN, Evaluation, Loop
from stratune.train.precision import resolve
from stratune.train.processes import is_main
from stratune.train.runtime import Runtime
from stratune.train.settings import Budget, Recipe, TrainSettings
from stratune.version import __version__
from stratune.watch import SILENT, Progress

if TYPE_CHECKING:
    from stratune.backbone.load import Backbone
    from stratune.data.split import Split
    from stratune.tokens.reader import Reader

ABOUT = "adapted.json"
WINDOW = 512  # tokens read at once; a longer text is read in several pieces
RECIPE = Recipe(learning_rate=5e-5, batch_size=32, warmup=0.06)  # Gururangan et al., table 13; smaller steps
# How vectors are made
POOLING = ("modules.json", "1_Pooling/config.json", "sentence_bert_config.json", PROMPTS)


@dataclass(frozen=True)
class Adapted:
    """`before` and `after`: perplexity on the validation texts; None without enough of them."""

    folder: Path
    texts: int
    steps: int
    seconds: float
    before: float | None
    after: float | None
    notes: tuple[str, ...] = ()


def adapt(
    backbone_id: str,
    train: Texts,
    val: Texts,
    folder: Path,
    *,
    recipe: Recipe = RECIPE,
    epochs: float | None = None,
    seed: int = 0,
    settings: TrainSettings | None = None,
    progress: Progress = SILENT,
) -> Adapted:
    """Write the adapted backbone to `folder`, which is there whole or not at all.

    The best of the steps that were looked at is kept, by the loss on `val`; with few texts there the last.
    A call that was stopped goes on from the checkpoint beside `folder`.
    Raises ConfigError for a folder that is there already, BackboneError, TrainingError.
    """
    check_new(folder)
    settings = settings or TrainSettings()
    if settings.weights not in ("auto", "float32"):
        raise ConfigError(f"{settings.weights}: all weights are trained, in float32", key="train.weights")
    torch.manual_seed(seed)  # an LM head that is new is drawn
    backbone = load_backbone(backbone_id, language_model=True, new_head=True)
    accelerator = make_accelerator()
    device = accelerator.device
    precision = resolve(settings.precision, device)
    runtime = Runtime(device, precision, settings.tokens_per_micro_batch(device.type))
    net = _net(backbone, settings).to(device)
    rows, asked = (_feed(net, texts, settings) for texts in (train, val))
    held_out = _HeldOut(net, asked, runtime)
    progress.stage("training", len(rows))
    before = held_out.perplexity()
    course = course_of(len(rows), Budget(epochs=epochs), recipe)
    recipe = replace(recipe, batch_size=course.batch_size)
    how = [asdict(recipe), asdict(course), asdict(settings), seed, precision, backbone.weight_hash]
    work = folder.with_name(f".{folder.name}.adapting")
    work.mkdir(parents=True, exist_ok=True)
    state = Loop(
        net=net,
        feed=rows,
        truth=np.zeros(len(rows)),
        evaluate=held_out,
        recipe=recipe,
        settings=settings,
        epochs=course.epochs,
        evaluate_every=course.every,
        chooses=held_out.enough,
        seed=seed,
        runtime=runtime,
        accelerator=accelerator,
        checkpoint_file=work / "checkpoint.safetensors",
        identity=sha256(json.dumps([checkpoint.LAYOUT, *how]), *_digests(train, val)),
        progress=progress,
    ).run()
    notes = [] if course.note is None else [course.note]
    if backbone.has_new_head:
        notes.append(f"{backbone_id} has no head for tokens: a new one was trained with it")
    after = float(np.exp(state.best_log_loss)) if held_out.enough else None
    seconds = state.train_seconds
    adapted = Adapted(folder, len(train[0]), state.step, seconds, before, after, tuple(notes))
    if is_main():
        _write(backbone, backbone_id, adapted, train)
        shutil.rmtree(work)
    return adapted


def check_new(folder: Path) -> None:
    """Raises ConfigError for a folder that is there already."""
    if folder.exists():
        raise ConfigError(f"{folder} is there already; name a new folder, or remove it", key="out")


def _net(backbone: Backbone, settings: TrainSettings) -> Net:
    """Every weight is trained."""
    head = NextTokens(backbone) if backbone.family.decoder else HiddenTokens(backbone)
    net = Net(backbone, head, TokenLoss())
    backbone.model.requires_grad_(True)
    if settings.gradient_checkpointing:
        net.recompute()
    return net


@dataclass(frozen=True)
class _HeldOut:
    """The validation texts: their loss chooses the step, where there are enough of them."""

    net: Net
    feed: Feed
    runtime: Runtime

    @property
    def enough(self) -> bool:
        return len(self.feed) >= LEAST_TO_CHOOSE

    def perplexity(self) -> float | None:
        return float(np.exp(self._loss())) if self.enough else None

    def __call__(self) -> Evaluation:
        if not self.enough:
            return UNSEEN
        loss = self._loss()
        return Evaluation(-loss, float(np.exp(loss)), loss)

    def _loss(self) -> float:
        return float(infer(self.net, self.feed, self.runtime).astype(np.float64).mean())


def texts_of(split: Split) -> tuple[Texts, Texts]:
    """What is learned from: training texts, and those without labels; and the validation texts, where these
    are no training texts.
    """
    train, pairs = text_columns(split.train)
    if split.unlabelled is not None:
        more, beside = text_columns(split.unlabelled)
        train, pairs = [*train, *more], None if pairs is None or beside is None else [*pairs, *beside]
    held_out = split.val.select([]) if split.cross_validated else split.val
    return (train, pairs), text_columns(held_out)


def _feed(net: Net, texts: Texts, settings: TrainSettings) -> Feed:
    """Pieces of the texts, so that all of a long one is read; a pair is read as one text, and cut."""
    tokenizer = net.backbone.tokenizer
    window = min(settings.max_length or WINDOW, net.backbone.max_length)
    reader: Reader = TextReader(net.backbone, TextLimit(window, settings.max_words, 0))
    if texts[1] is None:
        whole, special = LongText(way="chunk", window=window), int(tokenizer.num_special_tokens_to_add())
        reader = ChunkReader(reader, Chunker(whole, tokens_by(tokenizer), special))
    return Feed(reader.tokens(*texts, keep=True), net.backbone.pad)


def _digests(*parts: Texts) -> list[str]:
    return [sha256(json.dumps([list(texts), pairs and list(pairs)])) for texts, pairs in parts]


def _write(backbone: Backbone, backbone_id: str, adapted: Adapted, read: Texts) -> None:
    """A folder that transformers reads, with the files that say how vectors of texts are made, and with
    digests of the texts that were read.
    """
    assert backbone.language_model is not None
    source = locate(backbone_id)
    with replacing_folder(adapted.folder) as temporary:
        backbone.language_model.cpu().save_pretrained(temporary)
        backbone.tokenizer.save_pretrained(temporary)
        for name in POOLING:
            if (source / name).is_file():
                (temporary / name).parent.mkdir(exist_ok=True)
                shutil.copyfile(source / name, temporary / name)
        about = {
            "backbone": backbone_id,
            "weight_hash": backbone.weight_hash,
            "texts": adapted.texts,
            "steps": adapted.steps,
            "seconds": adapted.seconds,
            "perplexity": {"before": adapted.before, "after": adapted.after},
            "stratune": __version__,
        }
        write_json(temporary / ABOUT, about)
        write_read(temporary, read)
    try:
        load_backbone(str(adapted.folder))
    except BackboneError:
        shutil.rmtree(adapted.folder)
        raise
