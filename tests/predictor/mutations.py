"""Seeded mutations of JSON: types swapped, keys removed, doubled or renamed, huge numbers, nulls, nesting."""

import copy
import json
import random

STRANGE = (
    None, True, False, 0, -1, 1, 2**31, 10**12, 10**400, 1.5, -1e308, float("nan"), float("inf"),
    "", "x", "../../etc/passwd", "/etc/passwd", "\x1b[2J\n", "\ud800", "é" * 5000, "none", "head", "words", "a+b",
    "{text}", "x.yaml", [], {}, [None], [[]], ["a", "a"], [0.5, "b"], {"": {}}, {"kind": "head"}, {"kind": 3},
)  # fmt: skip


def places(value, path=()):
    """Paths of every node of nested JSON, the root's too."""
    found, waiting = [], [(path, value)]
    while waiting:
        where, node = waiting.pop()
        found.append(where)
        inner = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
        waiting.extend(((*where, key), child) for key, child in inner)
    return found


def mutated(value, draw: random.Random):
    """A copy with one to three nodes changed."""
    made = copy.deepcopy(value)
    for _ in range(draw.choice((1, 1, 1, 2, 3))):
        made = _changed(made, draw)
    return made


def _changed(value, draw):
    where = draw.choice(places(value))
    if not where:
        return value
    *above, key = where
    parent = value
    for step in above:
        parent = parent[step]
    how = draw.choice(("strange", "strange", "strange", "removed", "renamed", "nested", "swapped", "scaled"))
    old = parent[key]
    if how == "strange":
        parent[key] = copy.deepcopy(draw.choice(STRANGE))
    elif how == "removed":
        del parent[key]
    elif how == "renamed" and isinstance(parent, dict):
        parent[f"{key}x"] = parent.pop(key)
    elif how == "nested":
        for _ in range(draw.choice((1, 3, 200))):
            old = draw.choice(([old], {"a": old}))
        parent[key] = old
    elif how == "swapped" and isinstance(parent, dict):
        other = draw.choice(list(parent))
        parent[key], parent[other] = parent[other], parent[key]
    elif isinstance(old, (int, float)):
        parent[key] = old * draw.choice((-1, 0, 2, 1000, 0.5)) if old == old else 0
    elif isinstance(old, list):
        parent[key] = old + old[:1]
    elif isinstance(old, str):
        parent[key] = old[: len(old) // 2]
    return value


def mutated_text(value, draw: random.Random) -> bytes:
    """JSON of a mutated value; now and then with its bytes cut or changed."""
    content = json.dumps(mutated(value, draw), indent=2, ensure_ascii=draw.random() < 0.5)
    made = bytearray(content.encode("utf-8", "surrogatepass"))
    if draw.random() < 0.05:
        made = made[: draw.randrange(len(made))]
    elif draw.random() < 0.05:
        made[draw.randrange(len(made))] = draw.randrange(256)
    return bytes(made)
