"""Rows -> token ids of their prompts, and the verbalizer as tokens after a prompt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from stratune.backbone.tokenizer import encode, special_around
from stratune.errors import ConfigError
from stratune.prompt.asking import Asking
from stratune.prompt.harmless import harmless, marks_of
from stratune.prompt.render import Renderer
from stratune.prompt.shots import Nearest
from stratune.prompt.template import Shot, Template
from stratune.tokens.tokens import CHUNK, TextLimit, Tokens, first_words
from stratune.tokens.trie import LabelScoring, Path, beginning, build_trie
from stratune.watch import SILENT, Progress

if TYPE_CHECKING:
    from stratune.backbone.load import Backbone
    from stratune.backbone.tokenizer import TokenizerOnly

Shots = tuple[Shot, ...]

SPARE = 8  # a text may have some more tokens inside a prompt than alone
LEAST = 16  # tokens of a text that must fit beside the instruction
MOST_ASKED = 1024  # tokens of a text that something else is asked about
SHARE = 4  # demonstrations leave a text 1/4 of the context length (or `max_length`, if that is less)


@dataclass
class PromptReader(Asking):
    """`renderer` renders a row, `limit` cuts its text.

    Demonstrations that do not fit beside the text are dropped, the last one first; `left_out` counts them.
    With `nearest`, each row has its own demonstrations, and the farthest is dropped first.
    """

    backbone: Backbone | TokenizerOnly
    renderer: Renderer
    limit: TextLimit
    nearest: Nearest | None = None

    def __post_init__(self) -> None:
        self.left_out = 0
        self.rows_short = 0  # rows with fewer than `nearest.count` demonstrations
        self._paths = self._label_tokens()
        longest = max(len(ids) for ids in self._encode_text(self._words)["input_ids"]) + len(self._end)
        # Positions for a prompt, without the label's word after it.
        self.positions = self.backbone.max_length - self.limit.virtual - longest - len(self._tail)
        self.room = self._room()  # tokens that fit of a row's text (of a pair: of both texts)
        wanted = min(self.limit.max_length or 512, self.backbone.max_length // SHARE)
        while self.room < wanted and self.renderer.shots:
            self.renderer = replace(self.renderer, shots=self.renderer.shots[:-1])
            self.left_out += 1
            self.room = self._room()
        if self.room < LEAST:
            most = self.backbone.max_length
            raise ConfigError(f"leaves no room for a text in {most} tokens", key=self.renderer.template.name)
        words = self.renderer.template.words
        owner = [k for k, label in enumerate(self.renderer.labels) for _ in words[label]]
        self.trie = build_trie([path + self._end for path in self._paths], owner, self._words)

    def _room(self) -> int:
        pair = "" if self.renderer.template.pairs else None
        free = self.positions - len(self._encode([self.renderer("", pair)])[0]) - SPARE
        return min(self.limit.max_length or 512, free)

    @property
    def shots(self) -> Shots:
        return self.renderer.shots

    def read(self, texts: Sequence[str], pairs: Sequence[str] | None) -> tuple[Tokens, NDArray[np.int32]]:
        tokens = self.tokens(texts, pairs)
        return tokens, np.asarray(tokens.cut)

    def notes(self) -> list[str]:
        if self.nearest and self.rows_short:
            return [f"{self.rows_short} rows had room for fewer than {self.nearest.count} demonstrations"]
        if not self.left_out:
            return []
        kept = len(self.renderer.shots)
        return [f"only {kept} of {kept + self.left_out} demonstrations fit beside the text"]

    def tokens(
        self,
        texts: Sequence[str],
        pairs: Sequence[str] | None,
        *,
        keep: bool = False,
        progress: Progress = SILENT,
    ) -> Tokens:
        """Prompts of N rows, without their shared prefix (`scoring.prefix`).

        Raises ConfigError when the label's tokens depend on the row; a `row` that ends in text prevents that.
        """
        ids: list[NDArray[np.int64]] = []
        cut: list[int] = []
        for start in range(0, len(texts), CHUNK):
            part = slice(start, start + CHUNK)
            for prompt, dropped in self._chunk(texts[part], pairs[part] if pairs else None):
                ids.append(np.asarray(prompt, dtype=np.int64))
                cut.append(dropped)
        shared = shared_length(ids)
        prefix = ids[0][:shared] if ids else np.zeros(0, np.int64)
        own = [row[shared:].astype(np.int32) for row in ids]
        offsets = np.concatenate([[0], np.cumsum([len(row) for row in own])]).astype(np.int64)
        flat = np.concatenate(own) if own else np.zeros(0, np.int32)
        scoring = LabelScoring(prefix, self.trie, self._mask, self._tail, self.backbone.begins)
        return Tokens(flat, offsets, np.zeros(0, np.uint8), np.asarray(cut, dtype=np.int32), scoring)

    def rendered_by(self, renderer: Renderer) -> PromptReader:
        return replace(self, renderer=renderer)

    def asking(self, template: Template) -> PromptReader:
        renderer = replace(self.renderer, template=template, shots=())
        return PromptReader(self.backbone, renderer, TextLimit(MOST_ASKED))

    def rendered(self, text: str, pair: str | None) -> str:
        """The prompt of one row, as text."""
        return self.prompts([text], [pair] if pair is not None else None)[0][0]

    def words_as_tokens(self) -> dict[str, list[str]]:
        """Each word of the verbalizer -> its tokens after a prompt."""
        decode = self.backbone.tokenizer.decode
        return {
            word: [decode([token]) for token in path + self._end]
            for word, path in zip(self._words, self._paths, strict=True)
        }

    # -- helpers

    def _chunk(self, texts: Sequence[str], pairs: Sequence[str] | None) -> list[tuple[list[int], int]]:
        rows = self.prompts(texts, pairs)
        prompts = [prompt for prompt, _ in rows]
        if self.backbone.begins:  # the answer is written elsewhere
            return list(zip(self._encode(prompts), (dropped for _, dropped in rows), strict=True))
        word, path = self._words[0], self._paths[0]
        alone, joined = self._encode(prompts), self._encode([p + self.renderer.gap + word for p in prompts])
        found = []
        for before, whole, (_, dropped) in zip(alone, joined, rows, strict=True):
            if tuple(whole[common(before, whole) :]) != path:
                key = self.renderer.template.name
                raise ConfigError(f"the tokens of {word!r} depend on the row; end the row in text", key=key)
            found.append((whole[: len(whole) - len(path)], dropped))
        return found

    def prompts(self, texts: Sequence[str], pairs: Sequence[str] | None) -> list[tuple[str, int]]:
        """(prompt, tokens of the text cut) of each row."""
        rows = self._fitting(texts, pairs)
        if self.nearest is None:
            return [(self.renderer(text, pair), dropped) for text, pair, dropped in rows]
        shown = self.nearest([row[0] for row in rows], [row[1] or "" for row in rows] if pairs else None)
        prompts = [self.renderer(*row[:2], shots) for row, shots in zip(rows, shown, strict=True)]
        long = self._too_long(prompts, shown, range(len(rows)))
        self.rows_short += len(long)
        while long:
            for i in long:
                shown[i] = shown[i][1:]
                prompts[i] = self.renderer(*rows[i][:2], shown[i])
            long = self._too_long(prompts, shown, long)
        return [(prompt, row[2]) for prompt, row in zip(prompts, rows, strict=True)]

    def _too_long(self, prompts: list[str], shown: list[Shots], rows: Sequence[int]) -> list[int]:
        encoded = self._encode([prompts[i] for i in rows])
        return [i for i, ids in zip(rows, encoded, strict=True) if len(ids) > self.positions and shown[i]]

    def _fitting(
        self, texts: Sequence[str], pairs: Sequence[str] | None
    ) -> list[tuple[str, str | None, int]]:
        """(text, pair, tokens cut) of each row, after cutting."""
        given_columns = [texts, *([pairs] if pairs else [])]
        marks = marks_of(self.backbone.tokenizer)
        columns = [[harmless(text, marks) for text in column] for column in given_columns]
        whole = [self._encode_text(column) for column in columns]
        short = [[first_words(text, self.limit.max_words) for text in column] for column in columns]
        encoded = [self._encode_text(column, offsets=True) for column in short]
        rows: list[tuple[str, str | None, int]] = []
        for i in range(len(texts)):
            given = [column[i] for column in short]
            found = [len(column["input_ids"][i]) for column in encoded]
            keep = lengths_kept(found, self.room)
            if keep != found:
                ends = [
                    c["offset_mapping"][i][n - 1][1] if n else 0 for c, n in zip(encoded, keep, strict=True)
                ]
                given = [text[:end] for text, end in zip(given, ends, strict=True)]
            kept = found if keep == found else [len(ids) for ids in self._encode_text(given)["input_ids"]]
            dropped = sum(len(column["input_ids"][i]) for column in whole) - sum(kept)
            rows.append((given[0], given[1] if pairs else None, max(0, dropped)))
        return rows

    def _encode_text(self, texts: list[str], offsets: bool = False) -> Any:
        return encode(
            self.backbone.tokenizer,
            texts,
            add_special_tokens=False,
            return_offsets_mapping=offsets,
            verbose=False,
        )

    def _encode(self, prompts: list[str]) -> list[list[int]]:
        """A rendered chat has its special tokens already; plain text gets those at the beginning.

        Those at the end are `_tail`, because the answer comes before them.
        """
        options = {"add_special_tokens": not self.renderer.chat, "verbose": False}
        found = encode(self.backbone.tokenizer, prompts, **options)
        behind = len(self._tail)
        return [ids[: len(ids) - behind] for ids in found["input_ids"]]

    @property
    def _mask(self) -> int | None:
        if self.backbone.family.decoder or self.backbone.begins:
            return None
        return int(self.backbone.tokenizer.mask_token_id)

    @cached_property
    def _tail(self) -> tuple[int, ...]:
        """Special tokens that the tokenizer of an encoder appends to a text."""
        tokenizer = self.backbone.tokenizer
        if self.backbone.begins:
            return special_around(tokenizer)[1]
        if self._mask is None:
            return ()
        around = encode(tokenizer, "", verbose=False)["input_ids"]
        return tuple(around[1:])  # the first one is at the beginning

    @property
    def _words(self) -> list[str]:
        words = self.renderer.template.words
        return [word for label in self.renderer.labels for word in words[label]]

    @cached_property
    def _end(self) -> Path:
        """End token of an answer, added to every word where one is a prefix of another (1 and 10).

        A masked LM needs none: its number of masks is the number of tokens.
        """
        tokenizer = self.backbone.tokenizer
        if self._mask is not None or beginning(self._paths) is None:
            return ()
        plain = not (self.renderer.chat or self.backbone.begins)
        line = self._encode_text(["\n"])["input_ids"][0] if plain else []
        end = line[-1] if line else tokenizer.eos_token_id
        return () if end is None else (int(end),)

    def _label_tokens(self) -> list[Path]:
        """Tokens of each word after a prompt, tokenised together: spaces and merges depend on both.

        The decoder of an encoder-decoder begins with the word.
        """
        if self.backbone.begins:
            return [tuple(ids) for ids in self._encode_text(self._words)["input_ids"]]
        prompt = self.renderer("x", "x" if self.renderer.template.pairs else None)
        (before,) = self._encode([prompt])
        whole = self._encode([prompt + self.renderer.gap + word for word in self._words])
        start = min(common(before, ids) for ids in whole)
        if start < len(before):
            key = self.renderer.template.name
            raise ConfigError(
                "the label is in one token with the text before it; put a space between them", key=key
            )
        return [tuple(ids[start:]) for ids in whole]


def lengths_kept(lengths: Sequence[int], room: int) -> list[int]:
    """How many tokens of each text are kept; of two, the longer one is cut first."""
    if sum(lengths) <= room:
        return list(lengths)
    if len(lengths) == 1:
        return [room]
    first, second = lengths
    half = room // 2
    if first <= half:
        return [first, room - first]
    return [room - second, second] if second <= room - half else [half, room - half]


def common(one: Sequence[int], other: Sequence[int]) -> int:
    """Length of the common prefix of two sequences."""
    for i, (a, b) in enumerate(zip(one, other, strict=False)):
        if a != b:
            return i
    return min(len(one), len(other))


def shared_length(rows: Sequence[NDArray[np.int64]]) -> int:
    """Length of the common prefix of all rows, at most one less than the shortest row."""
    if len(rows) < 2:
        return 0
    shortest = min(len(row) for row in rows) - 1
    first = rows[0][:shortest]
    for row in rows[1:]:
        differ = np.flatnonzero(row[: len(first)] != first)
        first = first[: differ[0]] if len(differ) else first
    return len(first)
