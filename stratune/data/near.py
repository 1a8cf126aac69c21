"""Nearly the same text: a repost, a corrected typo, one word changed. Copies that a test for equality misses.

Two texts are as similar as the four-character pieces of them that both have, as a share of all that either
has (Jaccard). Which of N texts to compare is found by MinHash (Broder 1997) in bands (Leskovec, Rajaraman and
Ullman 2014, chapter 3), so the time grows with the texts and not with their pairs.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from stratune.data.identity import numbers_of_texts

PIECE = 4  # characters
BANDS, ROWS = 21, 3  # of two texts that share 60 % of their pieces, 99.4 % are compared; of 20 %, 15 %
NEIGHBOURS = 8  # texts that each text is compared with in a band: many alike are linked through each other
SIMILAR = 0.55  # share of pieces from which two texts of LONG bytes or more are nearly the same
SIMILAR_SHORT = 0.8  # of SHORT characters; linear between. "A man is outside" and "A woman is outside" differ
SHORT, LONG = 20, 60  # bytes: a character of Chinese says as much as three of English
SURE = 0.2  # an estimate of a similarity that is so much too low is one in a thousand
READ = 20_000  # characters of a text
CHUNK = 2**22  # characters at once
MOST_LINKED = 0.05  # share of rows that nearly equal texts may link: more is a template, which no copy is
LEAST_TEMPLATE = 5  # rows from which they may be one
NO_WORD = re.compile(r"[\W_]+")

Hashes = NDArray[np.uint32]
Pieces = NDArray[np.uint64]


@dataclass(frozen=True)
class NearTexts:
    """`numbers` (N,): equal for rows of the same text (identity.py). `links` (M, 2): numbers of two texts
    that are nearly the same, the smaller one first.
    """

    numbers: NDArray[np.int64]
    links: NDArray[np.int64]

    def clusters(self) -> tuple[NDArray[np.int64], int]:
        """(N,) equal for rows whose texts are the same, or linked; and how many rows were linked so closely
        to others that they were taken for filled-in forms, and stay apart.
        """
        count = int(self.numbers.max(initial=-1)) + 1
        linked = _components(count, self.links)
        sizes = np.bincount(linked[self.numbers], minlength=count)
        most = max(LEAST_TEMPLATE, MOST_LINKED * len(self.numbers))
        kept = self.links[sizes[linked[self.links[:, 0]]] <= most]
        if len(kept) == len(self.links):
            return linked[self.numbers], 0
        template = sizes[linked[self.numbers]] > most
        return _components(count, kept)[self.numbers], int(template.sum())


def equal_texts(texts: Sequence[str], pairs: Sequence[str] | None = None) -> NearTexts:
    """Of which only equal ones are the same."""
    return NearTexts(np.asarray(numbers_of_texts(texts, pairs), np.int64), np.zeros((0, 2), dtype=np.int64))


def near_texts(texts: Sequence[str], pairs: Sequence[str] | None = None) -> NearTexts:
    """Of a pair both texts have to be nearly the same."""
    equal = equal_texts(texts, pairs)
    _, first = np.unique(equal.numbers, return_index=True)
    columns = [[plain(column[row]) for row in first] for column in (texts, pairs) if column is not None]
    if len(first) < 2:
        return equal
    joined = ["\n".join(row) for row in zip(*columns, strict=True)]
    longest = np.max([[size(text) for text in column] for column in columns], axis=0)
    compared = _candidates(_sketches(joined), longest)
    alike = [_Compared(column) for column in columns]
    near = [all(column(one, other) for column in alike) for one, other in compared.tolist()]
    return NearTexts(equal.numbers, compared[np.asarray(near, dtype=np.bool_)])


def plain(text: str) -> str:
    """What is compared: without case, punctuation and white space of its own."""
    found = unicodedata.normalize("NFKC", text[:READ]).casefold()
    return NO_WORD.sub(" ", found).strip() or found.strip()


def similarity(one: str, other: str) -> float:
    """The share of pieces of two plain texts that both have, of all that either has."""
    return _share(_pieces(one), _pieces(other))


def least(lengths: Any) -> NDArray[np.float64]:
    """The similarity from which two plain texts are nearly the same; `lengths` are those of the shorter."""
    return np.asarray(np.interp(lengths, (SHORT, LONG), (SIMILAR_SHORT, SIMILAR)))


def size(text: str) -> int:
    """In bytes."""
    return len(text.encode("utf-8", "surrogatepass"))


class _Compared:
    """Texts of one column, each cut into pieces once: a long one may be compared with a hundred others."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.texts, self._pieces = texts, dict[int, Pieces]()

    def __call__(self, one: int, other: int) -> bool:
        """Whether two texts are nearly the same."""
        ours, theirs = self.texts[one], self.texts[other]
        wanted = float(least(min(size(ours), size(theirs))))
        return ours == theirs or _share(self._of(one), self._of(other)) >= wanted

    def _of(self, number: int) -> Pieces:
        if number not in self._pieces:
            self._pieces[number] = _pieces(self.texts[number])
        return self._pieces[number]


def _share(one: Pieces, other: Pieces) -> float:
    both = len(np.intersect1d(one, other, assume_unique=True))
    return both / (len(one) + len(other) - both)


def _pieces(text: str) -> Pieces:
    """The different ones, as numbers: characters are 21 bits, so four of them are mixed into 64."""
    letters = np.frombuffer(_padded(text).encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    return np.unique(_mix(_rolled(letters.astype(np.uint64))))


def _rolled(letters: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """(n - PIECE + 1,) a number of each piece of n letters."""
    last = len(letters) - PIECE + 1
    mixed = np.zeros(last, dtype=np.uint64)
    for at in range(PIECE):
        mixed = mixed * np.uint64(0x100000001B3) + letters[at : at + last]
    return mixed


def _padded(text: str) -> str:
    return f" {text} ".ljust(PIECE)


def _hashes(texts: Sequence[str]) -> tuple[Hashes, NDArray[np.int64]]:
    """(hashes of all pieces of all texts, (N,) where each text's begin)."""
    encoded = [_padded(text).encode("utf-32-le", "surrogatepass") for text in texts]
    codes = [np.frombuffer(one, dtype=np.uint32) for one in encoded]
    lengths = np.asarray([len(one) for one in codes])
    letters = np.concatenate(codes).astype(np.uint64)
    mixed = _rolled(letters)
    inside = np.ones(len(letters), dtype=np.bool_)
    for back in range(1, PIECE):
        inside[np.cumsum(lengths) - back] = False
    counts = lengths - PIECE + 1
    return _mix(mixed[np.flatnonzero(inside)]).astype(np.uint32), np.cumsum(counts) - counts


def _sketches(texts: Sequence[str]) -> Hashes:
    """(N, BANDS * ROWS) for each of so many orders of all pieces the first of each text."""
    factors = np.random.default_rng(0).integers(0, 2**31, BANDS * ROWS, dtype=np.uint32) * 2 + 1
    found = []
    for part in _chunks(texts):
        pieces, starts = _hashes(part)
        found.append(np.stack([np.minimum.reduceat(pieces * factor, starts) for factor in factors], axis=1))
    return np.concatenate(found)


def _chunks(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    start, size = 0, 0
    for end, text in enumerate(texts):
        if size > CHUNK:
            yield texts[start:end]
            start, size = end, 0
        size += len(text)
    yield texts[start:]


def _candidates(sketches: Hashes, lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """(M, 2) texts that have a whole band in common, and as many hashes as nearly the same texts have."""
    count = len(sketches)
    keys = [_key(sketches[:, band * ROWS : (band + 1) * ROWS]) for band in range(BANDS)]
    found = [np.zeros(0, dtype=np.int64)]
    for band, key in enumerate(keys):
        order = np.lexsort((keys[band - 1], key))  # those side by side that have two bands in common
        ordered = key[order]
        for step in range(1, min(NEIGHBOURS, count - 1) + 1):
            same = np.flatnonzero(ordered[step:] == ordered[:-step])
            if not len(same):
                break
            one, other = order[same], order[same + step]
            alike = (sketches[one] == sketches[other]).mean(axis=1)  # standard error 0.06
            wanted = least(np.minimum(lengths[one], lengths[other])) - SURE
            one, other = one[alike >= wanted], other[alike >= wanted]
            found.append(np.minimum(one, other) * count + np.maximum(one, other))
    return np.stack(np.divmod(np.unique(np.concatenate(found)), count), axis=1)


def _key(rows: Hashes) -> NDArray[np.uint64]:
    """(N,) of (N, ROWS)."""
    key = np.zeros(len(rows), dtype=np.uint64)
    for row in rows.T:
        key = _mix(key + row)
    return key


def _mix(numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """splitmix64's last step (Steele et al. 2014): bits that depend on all bits."""
    mixed = (numbers ^ (numbers >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(mixed ^ (mixed >> np.uint64(31)))


def _components(count: int, links: NDArray[np.int64]) -> NDArray[np.int64]:
    """(count,) the smallest number of those that each is linked with."""
    graph = coo_array((np.ones(len(links), dtype=np.int8), (links[:, 0], links[:, 1])), shape=(count, count))
    _, found = connected_components(graph, directed=False)
    _, smallest = np.unique(found, return_index=True)
    return np.asarray(smallest[found], dtype=np.int64)
