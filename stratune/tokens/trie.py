"""The verbalizer's words as a trie of tokens, so that shared first tokens are computed once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stratune.errors import ConfigError

Path = tuple[int, ...]


@dataclass(frozen=True)
class Trie:
    """State 0 is the end of the prompt; states 1 to n are the inner nodes, one for each token that leads on.

    An edge is a token at a state, and has a probability. A word is a path of edges.
    """

    fed: NDArray[np.int64]  # (n,) token of each inner node
    sees: NDArray[np.bool_]  # (n, n) whether node i attends to node j: itself and its ancestors
    depth: NDArray[np.int64]  # (n,) 1 for the first token after the prompt
    state: NDArray[np.int64]  # (E,) state where an edge starts
    token: NDArray[np.int64]  # (E,) token of an edge
    paths: NDArray[np.float32]  # (W, E) 1 where a word uses an edge
    owner: NDArray[np.int64]  # (W,) label of each word
    words: tuple[Path, ...]  # (W,) tokens of each word


@dataclass(frozen=True)
class LabelScoring:
    """What the prompts of all rows share: their first tokens, the label tokens that are scored behind them,
    and for an encoder the tokens after the prompt: of a masked language model behind the mask.
    """

    prefix: NDArray[np.int64]  # (P,)
    trie: Trie
    mask: int | None = None  # the mask token's id; None: no masked language model
    tail: tuple[int, ...] = ()
    begins: tuple[int, ...] = ()  # of an encoder-decoder: what the decoder reads before it writes a word

    @property
    def both_ways(self) -> bool:
        """Whether an encoder reads the prompt, each token of which attends to all others."""
        return self.mask is not None or bool(self.begins)


def beginning(words: Sequence[Path]) -> tuple[int, int] | None:
    """(i, j) where word i equals word j or is a prefix of it; None without such a pair."""
    for i, one in enumerate(words):
        for j, other in enumerate(words):
            if i != j and other[: len(one)] == one:
                return i, j
    return None


def build_trie(words: Sequence[Path], owner: Sequence[int], names: Sequence[str]) -> Trie:
    """`words` are token ids.

    Raises ConfigError when one is a prefix of another: its probability could not be lower than the other's.
    """
    if found := beginning(words):
        i, j = found
        same = "is" if words[i] == words[j] else "is the beginning of"
        raise ConfigError(f"{names[i]!r} {same} {names[j]!r} in tokens; choose other words", key="words")
    inner = sorted(
        {word[:k] for word in words for k in range(1, len(word))}, key=lambda path: (len(path), path)
    )
    states: dict[Path, int] = {(): 0, **{path: number for number, path in enumerate(inner, start=1)}}
    edges = {word[:k]: None for word in words for k in range(1, len(word) + 1)}
    number = {path: i for i, path in enumerate(edges)}
    paths = np.zeros((len(words), len(edges)), dtype=np.float32)
    for i, word in enumerate(words):
        paths[i, [number[word[:k]] for k in range(1, len(word) + 1)]] = 1
    sees = np.array([[a[: len(b)] == b for b in inner] for a in inner], dtype=np.bool_)
    return Trie(
        fed=np.array([path[-1] for path in inner], dtype=np.int64),
        sees=sees.reshape(len(inner), len(inner)),
        depth=np.array([len(path) for path in inner], dtype=np.int64),
        state=np.array([states[path[:-1]] for path in edges], dtype=np.int64),
        token=np.array([path[-1] for path in edges], dtype=np.int64),
        paths=paths,
        owner=np.array(owner, dtype=np.int64),
        words=tuple(words),
    )
