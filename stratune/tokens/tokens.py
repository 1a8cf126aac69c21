"""Tokenise once: a column of texts becomes flat arrays of token ids, cached on disk by content hash."""

from __future__ import annotations

import errno
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from stratune import cache
from stratune.backbone.tokenizer import encode
from stratune.files import cache_folder, sha256

if TYPE_CHECKING:
    from stratune.backbone.embed import Embedded
    from stratune.backbone.load import Backbone
    from stratune.tokens.trie import LabelScoring

CHUNK = 8192  # texts tokenised at a time: enough to keep the tokenizer's threads busy in little memory
VERSION = 2  # part of the cache key; raised when token ids of a text change
FIELDS = ("ids", "offsets", "types", "cut")


@dataclass(frozen=True)
class TextLimit:
    """How much of a text is read: words are cut first, then tokens. Instructions are never cut."""

    # Tokens, special ones included (of a prompt: of its text only). None: the context length, at most 512
    max_length: int | None = None
    max_words: int | None = None  # words of each text
    virtual: int = 0  # positions taken by virtual tokens
    keep: str = "head"  # what is kept of a text that is too long: head, tail, or both (ends)

    def tokens(self, backbone: Backbone) -> int:
        return min(self.max_length or 512, backbone.max_length - self.virtual)


@dataclass(frozen=True)
class Documents:
    """The documents that rows are chunks of. Rows are in the order of their documents."""

    owner: NDArray[np.int64]  # (N,) document of each row
    spans: NDArray[np.int64]  # (N, 2) start and end of each row, in characters of its document
    count: int

    @property
    def edges(self) -> NDArray[np.int64]:
        """(count + 1,): rows of document d are edges[d]:edges[d + 1]."""
        return np.searchsorted(self.owner, np.arange(self.count + 1))


@dataclass(frozen=True)
class Tokens:
    """N texts: row i is ids[offsets[i]:offsets[i+1]]."""

    ids: NDArray[np.int32]  # (total,)
    offsets: NDArray[np.int64]  # (N + 1,)
    types: NDArray[np.uint8]  # (total,) segment of each token; empty where the tokenizer has no segments
    cut: NDArray[np.int32]  # (N,) tokens that did not fit
    scoring: LabelScoring | None = None  # of prompts: shared prefix and label tokens
    documents: Documents | None = None  # of chunks
    features: NDArray[np.float32] | None = None  # (N, F) numbers of each text beside its tokens
    embedded: Embedded | None = None  # vectors in the place of tokens, of which each text then has one

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def lengths(self) -> NDArray[np.int64]:
        return np.diff(self.offsets)

    @property
    def cut_by_text(self) -> NDArray[np.int32]:
        """Tokens cut of each text; of a document: of all its chunks."""
        if self.documents is None:
            return np.asarray(self.cut)
        owner, count = self.documents.owner, self.documents.count
        return np.bincount(owner, weights=self.cut, minlength=count).astype(np.int32)

    @property
    def why_absent(self) -> list[str] | None:
        """Why each text has no vector, "" where it has one; of a row of several the first reason. None: no
        text can lack one.
        """
        if self.embedded is None or self.documents is None:
            return None if self.embedded is None else self.embedded.why
        found = [""] * self.documents.count
        for row, why in zip(self.documents.owner, self.embedded.why, strict=True):
            found[row] = found[row] or why
        return found

    def digest(self) -> str:
        """Hash of the token ids and of where rows begin."""
        return sha256(np.ascontiguousarray(self.ids).tobytes(), np.ascontiguousarray(self.offsets).tobytes())


def tokenise(
    backbone: Backbone,
    texts: Sequence[str],
    pairs: Sequence[str] | None,
    limit: TextLimit,
    *,
    prompt: str = "",
    keep: bool = False,
) -> Tokens:
    """Tokenise N texts, or pairs of texts. `prompt` stands before each, and is never cut. `keep`: use the
    cache folder.
    """
    if not keep:
        return _tokenise(backbone, texts, pairs, limit, prompt)
    folder = cache_folder() / "tokens" / _key(backbone, texts, pairs, limit, prompt)

    def make(empty: Path) -> None:
        tokens = _tokenise(backbone, texts, pairs, limit, prompt)
        for field in FIELDS:
            np.save(empty / f"{field}.npy", getattr(tokens, field), allow_pickle=False)

    try:
        cache.kept(folder, make)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        return _tokenise(backbone, texts, pairs, limit, prompt)  # the disk is full: not cached
    ids, offsets, types, cut = (_mapped(folder / f"{field}.npy") for field in FIELDS)
    return Tokens(ids, offsets, types, cut)


def _mapped(path: Path) -> NDArray[Any]:
    return np.load(path, mmap_mode="r", allow_pickle=False)  # type: ignore[no-any-return]


def _key(
    backbone: Backbone, texts: Sequence[str], pairs: Sequence[str] | None, limit: TextLimit, prompt: str
) -> str:
    content = hashlib.sha256()
    for column in (texts, pairs or ()):
        for text in column:
            encoded = text.encode("utf-8", "surrogatepass")
            content.update(len(encoded).to_bytes(8, "little"))
            content.update(encoded)
        content.update(b"|")
    # Two models that share a tokenizer may still get other ids: segments, or a line feed between two texts.
    fed = f"{has_segments(backbone)} {backbone.family.decoder} {backbone.tokenizer.pad_token_id}"
    reads = f"{limit.tokens(backbone)} {limit.max_words} {limit.keep} {VERSION}"
    before = [prompt] if prompt else []
    return sha256(backbone.tokenizer_hash, fed, reads, content.hexdigest(), *before)


def _tokenise(
    backbone: Backbone, texts: Sequence[str], pairs: Sequence[str] | None, limit: TextLimit, prompt: str
) -> Tokens:
    ids: list[NDArray[np.int32]] = []
    types: list[NDArray[np.uint8]] = []
    cut: list[int] = []
    for start in range(0, len(texts), CHUNK):
        part = slice(start, start + CHUNK)
        for row_ids, row_types, row_cut in _chunk(
            backbone, texts[part], pairs[part] if pairs else None, limit, prompt
        ):
            ids.append(np.asarray(row_ids, dtype=np.int32))
            types.append(np.asarray(row_types, dtype=np.uint8))
            cut.append(row_cut)
    offsets = np.concatenate([[0], np.cumsum([len(row) for row in ids])]).astype(np.int64)
    flat = np.concatenate(ids) if ids else np.zeros(0, np.int32)
    flat_types = np.concatenate(types) if types else np.zeros(0, np.uint8)
    return Tokens(flat, offsets, flat_types, np.asarray(cut, dtype=np.int32))


def _chunk(
    backbone: Backbone, texts: Sequence[str], pairs: Sequence[str] | None, limit: TextLimit, prompt: str
) -> list[tuple[list[int], list[int], int]]:
    """(ids, segments, tokens cut) of each row. Long rows are tokenised twice, to count what is cut."""
    most = limit.tokens(backbone)
    whole, whole_types = _encode(backbone, [prompt + text for text in texts], pairs, None)
    words = limit.max_words
    long = [
        i
        for i, row in enumerate(whole)
        if len(row) > most
        or (words and max(len(texts[i].split()), len(pairs[i].split()) if pairs else 0) > words)
    ]
    rows = [(row, row_types, 0) for row, row_types in zip(whole, whole_types, strict=True)]
    if long:
        short_texts = [first_words(texts[i], words) for i in long]
        if limit.keep != "head":
            room = most - backbone.tokenizer.num_special_tokens_to_add()
            room -= tokens_in(backbone.tokenizer, prompt)
            short_texts = [ends(backbone.tokenizer, text, room, limit.keep) for text in short_texts]
        short_pairs = [first_words(pairs[i], words) for i in long] if pairs else None
        cut, cut_types = _encode(backbone, [prompt + text for text in short_texts], short_pairs, most)
        for i, row, row_types in zip(long, cut, cut_types, strict=True):
            rows[i] = (row, row_types, len(whole[i]) - len(row))
    filler = backbone.tokenizer.pad_token_id  # some decoders give an empty text no token; a row needs one
    return [row if row[0] else ([filler], [0] if row[1] else [], row[2]) for row in rows]


def first_words(text: str, words: int | None) -> str:
    """The first `words` words, joined by one space; a text without more words is returned unchanged."""
    parts = text.split() if words is not None else []
    return text if len(parts) <= (words or 0) else " ".join(parts[:words])


def tokens_in(tokenizer: Any, text: str) -> int:
    """Without special tokens."""
    return len(encode(tokenizer, text, add_special_tokens=False)["input_ids"]) if text else 0


def ends(tokenizer: Any, text: str, room: int, keep: str) -> str:
    """The last `room` tokens of a text, or (`both`) the first and the last `room / 2`."""
    encoded = encode(tokenizer, text, add_special_tokens=False, return_offsets_mapping=True)
    starts = [start for start, _ in encoded["offset_mapping"]]
    if len(starts) <= room:
        return text
    if keep == "tail":
        return text[starts[-room] :]
    half = room // 2
    return f"{text[: starts[half]]} {text[starts[half - room] :]}"


def _encode(
    backbone: Backbone, texts: Sequence[str], pairs: Sequence[str] | None, most: int | None
) -> tuple[list[list[int]], list[list[int]]]:
    seconds = list(pairs) if pairs else None
    if seconds is not None and backbone.family.decoder:
        seconds = ["\n" + text for text in seconds]  # decoders have no token that separates two texts
    segments = has_segments(backbone)  # requested explicitly: some tokenizers omit them by default
    encoded = encode(
        backbone.tokenizer,
        list(texts),
        seconds,
        truncation="longest_first" if most else False,
        max_length=most,
        return_attention_mask=False,
        return_token_type_ids=segments,
        verbose=False,
    )
    empty: list[list[int]] = [[] for _ in texts]
    return encoded["input_ids"], encoded["token_type_ids"] if segments else empty


def has_segments(backbone: Backbone) -> bool:
    """Whether the model has segment embeddings (token types) of more than one kind."""
    return int(getattr(backbone.model.config, "type_vocab_size", 0) or 0) > 1
