"""The kinds of task, and the arrays in which each has its truth and its predictions: N rows, K labels.

| kind           | truth                          | predictions                           | scored in     |
|----------------|--------------------------------|---------------------------------------|---------------|
| classification | (N,) label indices             | (N, K) probabilities, rows sum to 1   | classes.py    |
| ordinal        | (N,) label indices, low first  | (N, K) probabilities, rows sum to 1   | levels.py     |
| multilabel     | (N, K) zeros and ones          | (N, K) probabilities, each by itself  | label_sets.py |
| regression     | (N,) numbers, the user's units | (N, 1) values                         | values.py     |
"""

from __future__ import annotations

from typing import Any, Literal, get_args

import numpy.typing as npt

Kind = Literal["classification", "multilabel", "ordinal", "regression"]
KINDS: tuple[Kind, ...] = get_args(Kind)
Truth = npt.NDArray[Any]  # indices, zeros and ones, or numbers: by kind
