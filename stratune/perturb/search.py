"""Black-box attacks: words of a row are changed until a model's answer is wrong, or a budget is spent.

`greedy` is the search of DeepWordBug (Gao et al. 2018) and TextFooler (Jin et al. 2020): words are ordered by
what the probability of the right label loses without them, and in that order each gets the substitute that
lowers it most. `by_chance` is its control: words and substitutes are drawn, and answers are not looked at
until one is wrong. Both go step by step over all rows together, so that a model is asked once a step.

A query is one answer about one changed text. No row gets more of them than the budget.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random

import numpy as np

from stratune.evaluate.arrays import Flags, Floats
from stratune.perturb.places import Place, Texts, changeable, without, words_of, written
from stratune.perturb.rows import generator
from stratune.perturb.substitutes import Substitutes

# Numbers of rows (M,) and their texts -> the probability of the right label (M,), and whether the answer is
# another one (M,). A row may be there many times.
Ask = Callable[[Sequence[int], Sequence[Texts]], tuple[Floats, Flags]]

ROUNDS = 10  # steps in which the control asks: it stops at a row's first wrong answer
LEAST = 1e-6  # that a substitute must take off the probability: rounding takes less
FEWEST = 2  # queries: one to order words, one to change a word


@dataclass(frozen=True)
class Victim:
    """A row that a model gets right. `own`: substitutes of each word that has some; `most`: words that may be
    changed; `words`: all that there are; `probability` of its right label.
    """

    row: int
    id: str
    texts: Texts
    own: dict[Place, list[str]]
    words: int
    most: int
    probability: float

    @classmethod
    def of(
        cls, row: int, id: str, texts: Texts, probability: float, how: Substitutes, changes: float, seed: int
    ) -> Victim:
        """`changes`: the share of the words that may be changed; one word always may."""
        words = words_of(texts)
        own = {}
        for place in changeable(words):
            random = generator(seed, "attack", id, f"{place.part}:{place.start}")
            if found := how(place.word, random):
                own[place] = found
        most = max(1, int(changes * len(words)))
        return cls(row, id, texts, own, len(words), most, probability)


@dataclass
class Outcome:
    """What became of a row. `flipped`: the answer about the row with its words `changed` is wrong."""

    victim: Victim
    changed: dict[Place, str] = field(default_factory=dict)
    flipped: bool = False
    queries: int = 0

    @property
    def texts(self) -> Texts:
        return written(self.victim.texts, self.changed)

    @property
    def share(self) -> float:
        """Of the words that are changed."""
        return len(self.changed) / self.victim.words if self.victim.words else 0.0


def greedy(victims: Sequence[Victim], ask: Ask, queries: int, seed: int) -> list[Outcome]:
    """`queries`: answers about each row, at most. Half of them, at most, order the words: of a long text so
    many words are drawn.
    """
    searches = [_Search(Outcome(one), queries) for one in victims]
    _order(searches, ask, seed)
    while running := [one for one in searches if one.running]:
        tried = [one.candidates() for one in running]
        found = _asked([one.outcome.victim for one in running], tried, ask)
        for one, texts, (probabilities, wrong) in zip(running, tried, found, strict=True):
            one.take(texts, probabilities, wrong)
    return [one.outcome for one in searches]


@dataclass
class _Search:
    outcome: Outcome
    budget: int
    order: list[Place] = field(default_factory=list)  # most important first; those that are left

    def __post_init__(self) -> None:
        self.probability = self.outcome.victim.probability

    @property
    def running(self) -> bool:
        one = self.outcome
        within = one.queries < self.budget and len(one.changed) < one.victim.most
        return bool(self.order) and within and not one.flipped

    def candidates(self) -> list[dict[Place, str]]:
        place = self.order.pop(0)
        left = self.budget - self.outcome.queries
        own = self.outcome.victim.own[place][:left]
        return [{**self.outcome.changed, place: word} for word in own]

    def take(self, tried: Sequence[dict[Place, str]], probabilities: Floats, wrong: Flags) -> None:
        """The one with the lowest probability, of those that are wrong where there are any."""
        self.outcome.queries += len(tried)
        best = int(np.argmin(np.where(wrong, probabilities - 1.0, probabilities)))
        if wrong[best] or probabilities[best] < self.probability - LEAST:
            self.outcome.changed, self.probability = tried[best], float(probabilities[best])
        self.outcome.flipped = bool(wrong[best])


def _order(searches: Sequence[_Search], ask: Ask, seed: int) -> None:
    """Words by what the probability loses without them. Those that are not asked about stand last."""
    asked: list[list[Place]] = []
    for one in searches:
        victim = one.outcome.victim
        places, most = list(victim.own), max(1, one.budget // 2)
        if len(places) > most:
            drawn = generator(seed, "attack", victim.id, "order").sample(range(len(places)), most)
            places = [places[i] for i in sorted(drawn)]
        asked.append(places if len(victim.own) > 1 else [])  # one word needs no order
    rows = [one.outcome.victim.row for one, places in zip(searches, asked, strict=True) for _ in places]
    texts = [
        without(one.outcome.victim.texts, place)
        for one, places in zip(searches, asked, strict=True)
        for place in places
    ]
    probabilities = ask(rows, texts)[0].tolist() if rows else []
    for one, places in zip(searches, asked, strict=True):
        own, probabilities = probabilities[: len(places)], probabilities[len(places) :]
        ranked = [place for _, place in sorted(zip(own, places, strict=True), key=lambda found: found[0])]
        one.order = ranked + [place for place in one.outcome.victim.own if place not in set(ranked)]
        one.outcome.queries += len(places)


def by_chance(victims: Sequence[Victim], ask: Ask, queries: int, seed: int) -> list[Outcome]:
    """As many words as may be changed, drawn, each with a substitute that is drawn: `queries` such texts of a
    row, or fewer where one is answered wrong.
    """
    outcomes = [Outcome(one) for one in victims]
    draws = [generator(seed, "attack", one.id, "chance") for one in victims]
    at_once = -(-queries // ROUNDS)
    while running := [i for i, one in enumerate(outcomes) if _goes_on(one, queries)]:
        tried = []
        for i in running:
            count = min(at_once, queries - outcomes[i].queries)
            tried.append([_drawn(victims[i], draws[i]) for _ in range(count)])
        found = _asked([victims[i] for i in running], tried, ask)
        for i, texts, (_, wrong) in zip(running, tried, found, strict=True):
            outcomes[i].queries += len(texts)
            if wrong.any():
                outcomes[i].flipped, outcomes[i].changed = True, texts[int(wrong.argmax())]
    return outcomes


def _goes_on(one: Outcome, queries: int) -> bool:
    return bool(one.victim.own) and not one.flipped and one.queries < queries


def _drawn(victim: Victim, random: Random) -> dict[Place, str]:
    places = random.sample(list(victim.own), min(victim.most, len(victim.own)))
    return {place: random.choice(victim.own[place]) for place in places}


def _asked(
    victims: Sequence[Victim], tried: Sequence[Sequence[dict[Place, str]]], ask: Ask
) -> list[tuple[Floats, Flags]]:
    """Of each row the answers about its texts: all rows in one call."""
    rows = [victim.row for victim, some in zip(victims, tried, strict=True) for _ in some]
    texts = [written(victim.texts, one) for victim, some in zip(victims, tried, strict=True) for one in some]
    probabilities, wrong = ask(rows, texts)
    ends = np.cumsum([len(some) for some in tried])[:-1]
    return list(zip(np.split(probabilities, ends), np.split(wrong, ends), strict=True))
