"""The labels' words as a trie of tokens, so that what they share is computed once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stratune.errors import ConfigError

Path = tuple[int, ...]


@dataclass(frozen=True)
class Trie:
    """State 0 is the end of the prompt; states 1 to n are the inner nodes, each the token it was reached by.

    A word is a path of edges: the probability of a token at a state.
    """

    fed: NDArray[np.int64]  # (n,) token of each inner node
    sees: NDArray[np.bool_]  # (n, n) node i attends to node j: itself and what leads to it
    depth: NDArray[np.int64]  # (n,) 1 for the first token after the prompt
    state: NDArray[np.int64]  # (E,) where an edge starts
    token: NDArray[np.int64]  # (E,) what it says
    paths: NDArray[np.float32]  # (W, E) 1 where a word takes an edge
    owner: NDArray[np.int64]  # (W,) label of each word
    words: tuple[Path, ...]  # (W,) their tokens


@dataclass(frozen=True)
class LabelScoring:
    """What all rows of a table part share: the first tokens of their prompts, what may be answered, and for a
    masked model what stands in the answer's place and behind it.
    """

    prefix: NDArray[np.int64]  # (P,)
    trie: Trie
    mask: int | None = None  # token id; None: the model continues text
    tail: tuple[int, ...] = ()


def beginning(words: Sequence[Path]) -> tuple[int, int] | None:
    """A word that is, or begins, another one; and that one."""
    for i, one in enumerate(words):
        for j, other in enumerate(words):
            if i != j and other[: len(one)] == one:
                return i, j
    return None


def build_trie(words: Sequence[Path], owner: Sequence[int], names: Sequence[str]) -> Trie:
    """`words` are token ids. Raises ConfigError when one begins another: it could never lose to that."""
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
