"""tokenizer.json of an exported graph: what `tokenizers` alone reads, and cuts as training did."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from stratune.errors import ArtifactError, UnsupportedError
from stratune.export.net_graph import EXPORT, INPUTS, SECOND
from stratune.model.base import INSTEAD

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from stratune.backbone.load import Backbone
    from stratune.tokens.tokens import TextLimit, Tokens


@dataclass(frozen=True)
class TextInputs:
    """Texts -> inputs of the graph, as the card tells its user to.

    `prompt` stands before each text and `between` before the second one of a pair; `empty` is read in the
    place of a text without tokens, where there can be one. `apart`: two texts are a sequence each.
    """

    tokenizer: Any  # of `tokenizers`
    prompt: str
    between: str
    empty: str | None
    apart: bool

    def __call__(self, texts: Sequence[str], pairs: Sequence[str] | None) -> dict[str, NDArray[np.int64]]:
        if pairs is None:
            return self._encoded([self._alone(text) for text in texts])
        if not self.apart:
            rows = zip(texts, pairs, strict=True)
            return self._encoded([(self.prompt + text, self.between + pair) for text, pair in rows])
        first, second = (self._encoded([self._alone(text) for text in side]) for side in (texts, pairs))
        return {**first, **{SECOND + name: rows for name, rows in second.items()}}

    def _alone(self, text: str) -> str:
        return self.prompt + text or self.empty or ""

    def _encoded(self, rows: list[Any]) -> dict[str, NDArray[np.int64]]:
        found = self.tokenizer.encode_batch(rows)
        each = [(row.ids, row.attention_mask, row.type_ids) for row in found]
        arrays = (np.array(part, dtype=np.int64) for part in zip(*each, strict=True))
        return dict(zip(INPUTS, arrays, strict=True))


def fast_tokenizer(backbone: Backbone, limit: TextLimit) -> Any:
    """A copy of the `tokenizers` object inside the backbone's, which truncates and pads."""
    inner = getattr(backbone.tokenizer, "backend_tokenizer", None)
    if inner is None:
        why = f"its tokenizer has no tokenizer.json; {INSTEAD}"
        raise UnsupportedError(EXPORT, backbone.id, why)
    if limit.keep != "head":
        why = f"it keeps the {limit.keep} of a long text, and a tokenizer.json the head; {INSTEAD}"
        raise UnsupportedError(EXPORT, backbone.id, why)
    found = copy.deepcopy(inner)
    found.enable_truncation(limit.tokens(backbone), strategy="longest_first")
    pad = backbone.tokenizer.convert_ids_to_tokens(backbone.pad)
    found.enable_padding(direction="right", pad_id=backbone.pad, pad_token=pad, pad_type_id=0)
    return found


def text_inputs(tokenizer: Any, backbone: Backbone, prompt: str, *, apart: bool) -> TextInputs:
    between = "\n" if backbone.family.decoder and not apart else ""
    without = not prompt and not tokenizer.encode("").ids
    empty = backbone.tokenizer.convert_ids_to_tokens(backbone.pad) if without else None
    return TextInputs(tokenizer, prompt, between, empty, apart)


def check_tokens(inputs: dict[str, NDArray[np.int64]], ours: Tokens, *, apart: bool) -> None:
    """Raises ArtifactError where the ids or segments of the inputs are not `ours`."""
    prefixes = ("", SECOND) if apart else ("",)
    for row in range(len(ours)):
        side, number = (prefixes[row % 2], row // 2) if apart else ("", row)
        kept = inputs[side + INPUTS[1]][number] == 1
        part = slice(ours.offsets[row], ours.offsets[row + 1])
        same = np.array_equal(inputs[side + INPUTS[0]][number][kept], ours.ids[part])
        if same and len(ours.types):
            same = np.array_equal(inputs[side + INPUTS[2]][number][kept], ours.types[part])
        if not same:
            raise ArtifactError(f"the exported tokenizer.json does not read row {number} as ours does")
