"""export --to hf: a folder that transformers runs by itself, same predictions, no code of ours."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from stratune.errors import ArtifactError, UnsupportedError
from stratune.export.answers import answers_of
from stratune.export.card import thresholds_of, write_card
from stratune.export.exportable import exportable
from stratune.export.merged import merged
from stratune.export.native import EXPORT, native_head, write_head
from stratune.export.norm_block import Numbers, numbers_for, write_norm_block
from stratune.export.tokenizer import exported_tokenizer
from stratune.export.verify import verify
from stratune.files import replacing_folder
from stratune.model.base import INSTEAD
from stratune.net.pooled_head import PooledHead

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from stratune.backbone.load import Backbone
    from stratune.export.native import NativeHead
    from stratune.net.net import Net
    from stratune.predictor.predictor import Predictor


def export_hf(predictor: Predictor, folder: Path) -> Path:
    """Write the model as a plain Hugging Face folder, reload it, compare; only then does `folder` appear.

    The predictor stays as it is. Raises UnsupportedError when the family's own class cannot compute it,
    ArtifactError when the reloaded folder does not give the same logits.
    """
    scorer = exportable(predictor)
    backbone = scorer.net.backbone
    tokenizer = exported_tokenizer(backbone, scorer.limit)
    best, *others = numbers_for(scorer.net)
    model, written = _classifier(
        scorer.net, predictor.task.columns, best
    )  # refused before anything is written
    _fit_vocabulary(model, tokenizer)
    with replacing_folder(folder) as temporary:
        tokenizer.save_pretrained(temporary)
        try:
            _write(predictor, model, written, temporary)
        except ArtifactError:
            if not others or written is others[0]:
                raise
            model, written = _classifier(scorer.net, predictor.task.columns, others[0])
            _fit_vocabulary(model, tokenizer)
            _write(predictor, model, written, temporary)
    return folder


def _write(predictor: Predictor, model: PreTrainedModel, numbers: Numbers, folder: Path) -> None:
    """The weights and the card, compared with the predictor; the tokenizer is there."""
    scorer = exportable(predictor)
    if thresholds := thresholds_of(predictor):
        model.config.thresholds = thresholds
    model.save_pretrained(folder)
    write_card(predictor, folder, small=numbers is Numbers.SMALL and scorer.net.head.pool == "mean")
    verify(predictor, scorer, folder)


def _classifier(net: Net, labels: tuple[str, ...], numbers: Numbers) -> tuple[PreTrainedModel, Numbers]:
    """The family's own classification class on the CPU in float32 with the net's weights; its numbers."""
    from transformers import AutoModelForSequenceClassification

    backbone, head = net.backbone, net.head
    if not isinstance(head, PooledHead):
        why = f"its head is no linear layer on the pooled text; {INSTEAD}"
        raise UnsupportedError(EXPORT, backbone.id, why)
    answers = answers_of(net.objective, backbone.id)
    biased = "bias" in dict(head.linear.named_parameters()) or bool(answers.offset.any())
    native = native_head(backbone, (head.pool, head.norm is not None), len(labels), biased=biased)
    extra_block = bool(native.block_norms) and head.norm is not None
    trained = _merged(net)
    config = _config(backbone, native, labels, extra_block)
    config.problem_type = answers.problem_type
    if native.pooling is not None:
        setattr(config, native.pooling, {"first": "cls", "mean": "mean"}[head.pool])
    model = AutoModelForSequenceClassification.from_config(
        config, dtype=torch.float32, trust_remote_code=False
    ).eval()
    _load(model, trained, backbone)
    if extra_block:
        numbers = write_norm_block(model.base_model, backbone, head, numbers)
    write_head(model, native, head, answers.scale, answers.offset)
    return model, numbers


def _config(backbone: Backbone, native: NativeHead, labels: tuple[str, ...], extra_block: bool) -> Any:
    config = copy.deepcopy(backbone.model.config)
    config.id2label = dict(enumerate(labels))
    config.label2id = {label: i for i, label in enumerate(labels)}
    config.dtype = torch.float32
    for name, value in native.settings.items():
        setattr(config, name, value)
    if extra_block:
        config.num_hidden_layers += 1
    return config


def _merged(net: Net) -> Any:
    found = merged(net, EXPORT)
    if found is None:
        raise _no_place(net.backbone)
    return found


def _load(model: Any, trained: Any, backbone: Backbone) -> None:
    """Copy the trained weights into the class. UnsupportedError for a weight that it does not have."""
    _, unexpected = model.base_model.load_state_dict(trained.state_dict(), strict=False)
    if unexpected:
        raise _no_place(backbone)


def _no_place(backbone: Backbone) -> UnsupportedError:
    why = f"the family's own class has no parameters for what it trained (it has for lora); {INSTEAD}"
    return UnsupportedError(EXPORT, backbone.id, why)


@torch.no_grad()
def _fit_vocabulary(model: Any, tokenizer: Any) -> None:
    """An embedding of zeros for the pad token, if it was added to the tokenizer; the mask hides it."""
    model.config.pad_token_id = tokenizer.pad_token_id
    embeddings = model.get_input_embeddings()
    if len(tokenizer) > embeddings.num_embeddings:
        model.resize_token_embeddings(len(tokenizer), mean_resizing=False)
        model.get_input_embeddings().weight[tokenizer.pad_token_id].zero_()
