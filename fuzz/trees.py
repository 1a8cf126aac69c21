"""Damage to trees of mappings and lists, as JSON and YAML hold them, and to how they are written down."""

from __future__ import annotations

import copy
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from typing import Any

import yaml

from fuzz.bytes_and_text import WORDS, damaged_bytes, damaged_text

Tree = Any


def _deep(value: Tree, depth: int) -> Tree:
    for _ in range(depth):
        value = [value]
    return value


VALUES: tuple[Tree, ...] = (
    *(None, True, False, 0, 1, -1, 3, 2**31, 2**63, 10**30, 10**4_000, 0.5, -0.5, 1e308, 5e-324),
    *(float("inf"), float("-inf"), float("nan")),
    *([], {}, [[]], [None], {"a": None}, [1, "a", None], {"": ""}, [{}], {"preset": "lora"}, [0] * 2_000),
    *(_deep(1, 60), _deep({}, 900)),
    *WORDS,
)


@contextmanager
def deep() -> Iterator[None]:
    """Room for our own copying and writing of deep trees: what reads them later has the usual limit."""
    usual = sys.getrecursionlimit()
    sys.setrecursionlimit(20_000)
    try:
        yield
    finally:
        sys.setrecursionlimit(usual)


def some_value(random: Random) -> Tree:
    with deep():
        return copy.deepcopy(random.choice(VALUES))


def damaged_tree(tree: Tree, random: Random) -> Tree:
    """A copy with one to three changes, each at a random place."""
    with deep():
        tree = copy.deepcopy(tree)
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        places = _places(tree)
        if not places:
            return some_value(random)
        random.choice(_CHANGES)(*random.choice(places), random)
    return tree


def _places(tree: Tree) -> list[tuple[Any, Any]]:
    """(mapping or list, key or position) of every value."""
    found, todo = [], [tree]
    while todo:
        node = todo.pop()
        keys = list(node) if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ()
        for key in list(keys)[:200]:
            found.append((node, key))
            todo.append(node[key])
    return found


def _replaced(node: Any, key: Any, random: Random) -> None:
    node[key] = some_value(random)


def _like(node: Any, key: Any, random: Random) -> None:
    """A value of the right type that is off."""
    value = node[key]
    if isinstance(value, bool) or value is None:
        node[key] = random.choice((None, True, False, "yes", 0))
    elif isinstance(value, int) and abs(value) > 2**1000:  # no float can hold it
        node[key] = -value
    elif isinstance(value, int | float):
        node[key] = random.choice((-value, value + 1, value * 1_000, float(value), str(value), 0, -1, 1e9))
    elif isinstance(value, str):
        node[key] = random.choice(
            (value.upper(), value + " ", value[:-1], value * 3, f"{value}\n", random.choice(WORDS))
        )
    elif isinstance(value, list):
        node[key] = random.choice((value * 2, value[:-1], value[::-1], [value], value[:1]))
    else:
        node[key] = random.choice(([value], list(value.values()), list(value), {**value, "stray": 1}))


def _removed(node: Any, key: Any, random: Random) -> None:
    del node[key]


def _renamed(node: Any, key: Any, random: Random) -> None:
    if isinstance(node, dict):
        node[random.choice((f"{key}s", str(key)[:-1], str(key).upper(), random.choice(WORDS), f"_{key}"))] = (
            node.pop(key)
        )
    else:
        node.append(node[key])


def _swapped(node: Any, key: Any, random: Random) -> None:
    other = random.choice(list(node) if isinstance(node, dict) else range(len(node)))
    node[key], node[other] = node[other], node[key]


_CHANGES = (_replaced, _replaced, _replaced, _like, _like, _removed, _renamed, _swapped)


def json_of(tree: Tree, indent: int | None = None) -> str:
    with deep():
        return json.dumps(tree, indent=indent)


def as_json(tree: Tree, random: Random) -> bytes:
    """Written as JSON; one in five times damaged as text or bytes as well."""
    text = json_of(tree, random.choice((None, 2)))
    if random.random() < 0.1:
        text = text.replace("{", '{"task": 1, ', 1)  # a key twice
    return _perhaps(text, random)


def as_yaml(tree: Tree, random: Random) -> bytes:
    with deep():
        text = yaml.safe_dump(tree, sort_keys=False)
    return _perhaps(text, random)


def _perhaps(text: str, random: Random) -> bytes:
    chance = random.random()
    if chance < 0.1:
        return damaged_text(text, random)
    return damaged_bytes(text.encode(), random) if chance < 0.2 else text.encode()
