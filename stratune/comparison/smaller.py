"""The smaller comparisons of a learning curve: which sizes there are, and how each is configured."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from stratune.config.given import check_sizes
from stratune.errors import ConfigError

if TYPE_CHECKING:
    from stratune.config import Config

FOLDER = "sizes"
LEAST = 20  # rows of the smallest size, where nobody names any
NAME = re.compile(r"(?P<rows>[1-9]\d*)(?:-draw-(?P<draw>[1-9]\d*))?")


@dataclass(frozen=True)
class Smaller:
    """A draw of so many training rows, in the folder of its own comparison."""

    rows: int
    draw: int
    out: Path
    config: Config


def counts(sizes: Sequence[int | float], rows: int) -> list[int]:
    """Numbers of training rows, rising, each once; `rows` is how many there are, and no size of its own.

    A whole number counts rows, another one is a share of them. ConfigError for what is neither, and for more
    rows than there are.
    """
    check_sizes(sizes)
    found = {size if isinstance(size, int) else max(1, round(size * rows)) for size in sizes}
    if over := sorted(size for size in found if size > rows):
        expected = f"expected counts below {rows:,}, or shares of them (0.5)"
        raise ConfigError(f"{over[0]:,} of {rows:,} training rows; {expected}", key="sizes")
    return sorted(found - {rows})


def halves(rows: int) -> list[int]:
    """A half, a quarter and an eighth of the rows, as far as they are enough to learn from."""
    return [rows // part for part in (8, 4, 2) if rows // part >= LEAST]


def there_are(out: Path) -> list[int]:
    """The sizes that have been trained already, or begun."""
    found = [NAME.fullmatch(folder.name) for folder in (out / FOLDER).glob("*") if folder.is_dir()]
    return sorted({int(match["rows"]) for match in found if match})


def smaller(config: Config, out: Path, sizes: Sequence[int]) -> Iterator[Smaller]:
    """As many draws of each size as the comparison has seeds; each is trained once, with seed 0."""
    for rows in sizes:
        for draw in range(config.seeds):
            data = config.data.model_copy(update={"subset_rows": rows, "subset_draw": draw})
            own = {"data": data, "sizes": (), "transfer": None, "seeds": 1, "strategies": alone(config)}
            name = f"{rows}-draw-{draw}" if draw else str(rows)
            yield Smaller(rows, draw, out / FOLDER / name, config.model_copy(update=own))


def alone(config: Config) -> tuple[object, ...]:
    """The strategies that can be trained with one seed."""
    from stratune.strategy import parse_strategy

    kept = []
    for spec in config.strategies:
        try:
            parse_strategy(spec).check(1)
        except ConfigError:  # it averages over seeds
            continue
        kept.append(spec)
    return tuple(kept)
