"""Backbone: a pretrained model, its tokenizer, and the map of its family."""

from __future__ import annotations

import copy
import functools
import hashlib
import json
from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
import xxhash
from torch import nn

from stratune.backbone.before_loading import check_size, check_words
from stratune.backbone.casts import KeptCasts
from stratune.backbone.derive import blocks_of, derive, is_decoder, linears_of, options_of, text_part
from stratune.backbone.embed import Embed
from stratune.backbone.family import Family, Held, Pool
from stratune.backbone.folder import Weights, check_config, weights_of
from stratune.backbone.held import hold
from stratune.backbone.inputs import model_inputs
from stratune.backbone.locate import locate
from stratune.backbone.observe import observed, padding_shows
from stratune.backbone.pretrained import (
    built_buffers,
    empty_model,
    no_bars,
    opening,
    read_config,
    read_model,
    read_tokenizer,
)
from stratune.backbone.sentence import Sentence, read_sentence
from stratune.backbone.tokenizer import beginning_of_answers, context_length
from stratune.backbone.trees import reads_trees
from stratune.errors import BackboneError, UnsupportedError
from stratune.files import sha256
from stratune.memory import available_memory

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


MEMORY_SHARE = 0.4  # of what is free, that weights may take before they are held in half of it


@dataclass(frozen=True)
class Automatic:
    """In bfloat16 where they are stored so, and computed in it or too large otherwise; else in float32."""

    computes_in: str = "float32"

    def __call__(self, stored: Weights) -> Held:
        if not stored.bfloat16:
            return "float32"
        tight = 4 * stored.numbers > MEMORY_SHARE * available_memory()
        return "bfloat16" if self.computes_in == "bfloat16" or tight else "float32"


@dataclass
class Backbone:
    """A bare pretrained model (no head), in eval mode; `weight_hash` identifies its weights, of whatever
    format they are held in.
    """

    id: str
    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    family: Family
    weight_hash: str
    revision: str | None = None
    sentence: Sentence = Sentence()  # noqa: RUF009  frozen; what a folder of sentence-transformers says
    language_model: PreTrainedModel | None = None  # `model` with its LM head, when it was loaded with one
    shared: bool = False  # other backbones use the same tensors
    held: Held = "float32"  # how its weights are held (held.py)
    begins: tuple[int, ...] = ()  # of an encoder-decoder with its decoder: what that reads before it writes
    has_new_head: bool = False  # the LM head is not of the weights: it is drawn, and to be trained
    casts: KeptCasts = field(default_factory=KeptCasts, repr=False, compare=False)
    embed: Embed | None = None  # vectors of texts, of a model that is not here: nothing is tokenised

    @property
    def pool(self) -> Pool:
        return self.sentence.pool or self.family.pool

    @property
    def writes(self) -> bool:
        """Whether it can write an answer."""
        return self.family.decoder or bool(self.begins)

    @property
    def whole(self) -> PreTrainedModel:
        """With its LM head, where it was loaded with one."""
        return self.language_model if self.language_model is not None else self.model

    @functools.cached_property
    def blocks(self) -> list[nn.Module]:
        """The transformer blocks, bottom first. Cached before adapters wrap the model, which moves them."""
        return blocks_of(self.model, self.family)

    @functools.cached_property
    def _linears(self) -> dict[int, Mapping[str, str]]:
        return {id(block): linears_of(block, self.width) for block in self.blocks}

    def linears_of(self, block: nn.Module) -> Mapping[str, str]:
        """Role -> path in the block, of one of `blocks`, as it was before adapters changed it."""
        return self._linears[id(block)]

    @property
    def width(self) -> int:
        return int(self.model.config.hidden_size)

    @property
    def pad(self) -> int:
        """The token that fills up rows; it is masked everywhere."""
        return int(self.tokenizer.pad_token_id)

    @property
    def max_length(self) -> int:
        """Tokens that fit, special tokens included."""
        return context_length(self.tokenizer, self.model.config, self.family)

    def to(self, device: torch.device | str) -> Backbone:
        """Its tensors on `device`; those that it shares stay where they are for the others."""
        self.whole.to(device)
        return self

    def sharing(self) -> Backbone:
        """New modules on the tensors of this backbone, so that many techniques share its memory.

        What a technique adds or makes trainable in one copy is not in the others. `Net.own` copies a tensor
        before training changes it.
        """
        kept: dict[int, Any] = {id(p): nn.Parameter(p.detach(), False) for p in self.whole.parameters()}
        kept |= {id(buffer): buffer for buffer in self.whole.buffers()}
        made = copy.deepcopy(self.whole, kept)
        language_model = made if self.language_model is not None else None
        return replace(
            self,
            model=text_part(made.base_model) if language_model is not None else made,
            language_model=language_model,
            shared=True,
        )

    def copy(self, addresses: Container[int]) -> None:
        """Tensors of its own, for those that lie at these addresses."""
        for parameter in self.whole.parameters():
            if parameter.data_ptr() in addresses:
                parameter.data = parameter.data.clone()

    def digest(self) -> str:
        """xxh3 of all its numbers as they are held now, to see whether they are still those of before."""
        state = xxhash.xxh3_128()
        for name, tensor in sorted(self.whole.state_dict().items()):
            state.update(f"{name}{tuple(tensor.shape)}{tensor.dtype}".encode())
            for part in _slices(tensor):
                state.update(_bytes(part))
        return state.hexdigest()

    @functools.cached_property
    def tokenizer_hash(self) -> str:
        backend = getattr(self.tokenizer, "backend_tokenizer", None)
        if backend is None:
            return sha256(json.dumps(self.tokenizer.get_vocab(), sort_keys=True))
        state = json.loads(backend.to_str())
        # Truncation and padding are options of its last call, not of the tokenizer.
        return sha256(json.dumps({**state, "truncation": None, "padding": None}, sort_keys=True))


def load_backbone(
    backbone_id: str,
    *,
    revision: str | None = None,
    language_model: bool = False,
    new_head: bool = False,
    weights: Held | Callable[[Weights], Held] = "float32",
    device: torch.device | str = "cpu",
) -> Backbone:
    """Load `minilm`, `smollm2`, a local folder or GGUF file, or a Hugging Face id.

    `language_model`: with its LM head (of an encoder: the masked-LM head); `new_head`: drawn by torch's seed
    where its weights have none, to be trained. `weights`: how they are held on `device` (held.py). Raises
    BackboneError when it cannot be loaded (missing, no network, damaged, no LM head) or no map of it can be
    derived, UnsupportedError where its LM head cannot be asked.
    """
    folder = locate(backbone_id, revision)
    from transformers import AutoModel, AutoModelForCausalLM, AutoModelForMaskedLM, AutoModelForSeq2SeqLM

    no_bars()
    check_config(folder, backbone_id)
    config = read_config(folder, backbone_id)
    tokenizer = read_tokenizer(folder, backbone_id)
    cls: Any = AutoModel
    if language_model:
        check_words(config, tokenizer, backbone_id, "adapt" if new_head else "words")
        cls = AutoModelForCausalLM if is_decoder(config) else AutoModelForMaskedLM
        cls = AutoModelForSeq2SeqLM if config.is_encoder_decoder else cls
    empty = empty_model(cls, config, backbone_id)
    stored = weights_of(folder, backbone_id)
    check_size(empty, config, stored.numbers, backbone_id)
    held = weights(stored) if callable(weights) else weights
    in_half = held != "float32" and stored.bfloat16
    family = derive(text_part(empty.base_model), config, backbone_id)
    model, found = read_model(
        cls,
        folder,
        backbone_id,
        dtype=torch.bfloat16 if in_half else torch.float32,
        output_loading_info=True,
        **options_of(empty, config),
    )
    lacking = sorted(found["missing_keys"])  # transformers has initialised them at random
    of_head = all(not name.startswith(f"{model.base_model_prefix}.") for name in lacking)
    if lacking and not (new_head and of_head):
        few = f"{len(lacking)} tensors, {lacking[0]} among them"
        asked = " of a language model" if language_model else ""
        raise BackboneError(f"{backbone_id}: its weights lack {few}{asked}")
    bare = text_part(model.base_model).eval()
    _give_pad_token(tokenizer, bare)
    identifier = hash_weights(model if language_model else bare)
    if held != "float32":
        if in_half:
            _give_buffers(model, cls, config, backbone_id)
        hold(model, blocks_of(bare, family), held, device)
    backbone = Backbone(
        id=backbone_id,
        model=bare,
        tokenizer=tokenizer,
        family=family,
        weight_hash=identifier,
        revision=revision or _commit(folder),
        sentence=read_sentence(folder, backbone_id),
        language_model=model.eval() if language_model else None,
        held=held,
        begins=beginning_of_answers(config, tokenizer) if language_model else (),
        has_new_head=bool(lacking),
    ).to(device)
    backbone.family = _check_answers(backbone)
    middle = len(tokenizer) // 2
    words = torch.arange(middle, middle + 4, device=bare.device)
    if language_model and family.decoder and not new_head and not reads_trees(backbone, family, words):
        why = f"{family.name} does not read prompts whose labels branch off one text"
        raise UnsupportedError("words", backbone_id, f"{why}; use the readout `head`")
    return backbone


def _commit(folder: Path) -> str | None:
    """The commit of what lies in the hub's cache: models--owner--name/snapshots/COMMIT."""
    return folder.name if folder.parent.name == "snapshots" else None


@torch.no_grad()
def _check_answers(backbone: Backbone) -> Family:
    """The family with what shows when the model runs.

    Raises BackboneError for damaged weights, or for a model that makes no numbers of a text.
    """
    name, tokenizer = backbone.id, backbone.tokenizer
    if tokenizer.pad_token_id is None:
        raise BackboneError(f"{name}: its tokenizer has no token that could pad a batch")
    context_length(tokenizer, backbone.model.config, backbone.family)
    for tensor_name, tensor in backbone.model.named_parameters():
        if tensor.is_floating_point() and not all(map(_finite, _slices(tensor))):
            raise BackboneError(f"{name}: its weights are damaged: {tensor_name} has NaN or infinite numbers")
    with opening(name):
        read = tokenizer("a b", verbose=False)["input_ids"]
        ids = torch.tensor([[*read, tokenizer.pad_token_id][: max(1, len(read))]])
        ids = ids.to(backbone.model.device)
        given = model_inputs(backbone.family, torch.ones_like(ids), None)
        family, states = observed(backbone.model, backbone.family, {"input_ids": ids, **given})
        found = tuple(states.shape), bool(torch.isfinite(states).all())
    if found != ((1, ids.shape[1], backbone.width), True):
        raise BackboneError(f"{name}: it makes no numbers of a text (states {found[0]}, finite: {found[1]})")
    if padding_shows(backbone.model, family, ids, states, int(tokenizer.pad_token_id)):
        raise BackboneError(f"{name}: padding changes its numbers, so that a batch's would not be its texts'")
    return family


def hash_weights(model: nn.Module) -> str:
    """sha256 over names, shapes and bytes of every parameter and persistent buffer, as float32 has them."""
    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        dtype = torch.float32 if tensor.dtype == torch.bfloat16 else tensor.dtype
        digest.update(f"{name}{tuple(tensor.shape)}{dtype}".encode())
        for part in _slices(tensor):
            digest.update(_bytes(part.to(dtype)))
    return digest.hexdigest()


def _give_buffers(model: Any, cls: Any, config: Any, backbone_id: str) -> None:
    """Tables that are computed when a model is built (of positions, say) as float32 computes them."""
    wrong = {n: b for n, b in model.named_buffers() if b.dtype == torch.bfloat16}
    if wrong:
        computed = dict(built_buffers(cls, config, backbone_id))
        for name, buffer in wrong.items():
            buffer.data = computed.get(name, buffer.data).float()


SLICE = 2**24  # numbers that are looked at together: what is made of them takes no memory to speak of


def _slices(tensor: torch.Tensor) -> Iterator[torch.Tensor]:
    """All numbers of a tensor, in their order, as vectors."""
    yield from torch.split(tensor.detach().reshape(-1), SLICE)


def _finite(part: torch.Tensor) -> bool:
    return bool(torch.isfinite(torch.stack(part.aminmax())).all())  # NaN is the least and the most, too


def _bytes(part: torch.Tensor) -> memoryview:
    return part.cpu().contiguous().view(torch.uint8).numpy().data


def _give_pad_token(tokenizer: PreTrainedTokenizerBase, model: PreTrainedModel) -> None:
    """Decoders often have none. It only fills masked positions, so any existing token will do."""
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token or tokenizer.unk_token
    model.config.pad_token_id = tokenizer.pad_token_id
