"""A linear head solved instead of trained: a convex problem on vectors that do not change.

The loss is the objective's own, so this works for every kind of task, plus strength / (2 N) times the squared
weights. Features of a kind are centred and scaled to a common size first, which is folded into the layer
afterwards.

L-BFGS runs in the coordinates of the features' principal axes. There are no more of them than rows, and the
penalty is the same there. Each axis is divided by the square root of its curvature (of the penalty, and of
a squared error), so some ten steps suffice where raw features take hundreds.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.func import functional_call

from stratune.errors import NonFiniteLoss
from stratune.train.solved import Labelled, Quality, VectorRows, quality, tried

if TYPE_CHECKING:
    from stratune.net.linear_head import Kinds, LinearHead
    from stratune.net.net import Net

# Of the penalty, from strong to weak: a solution is a good start for the next one.
STRENGTHS = (1e5, 1e4, 1e3, 1e2, 1e1, 1.0, 0.1)
WORSE = 2  # strengths in a row that are worse than the best so far, before the search ends
STEPS = 200  # of L-BFGS at most
SMALL = 10_000_000  # numbers in all features
ROWS_AT_ONCE = 65_536  # of features in float64
LEAST_SPREAD = 1e-6  # features that are the same for all rows are not blown up

Floats = NDArray[np.float64]


def solve_linear(net: Net, rows: VectorRows) -> int:
    """Set the layer (and cuts) of `net.head`; the strength, and sizes of kinds of features where the head has
    several, that are best by `rows.folds`, or on validation.

    Returns of how many of these the validation rows chose one. Raises NonFiniteLoss for vectors that are not
    finite.
    """
    head = cast("LinearHead", net.head)
    features = _features(head, rows.train)
    found: list[tuple[Quality, _Problem, Floats, int]] = []
    with _few_threads(features.numel()):
        for kinds in (head.kinds, *head.other_kinds):
            axes = _Axes.of(features, head, kinds)
            problem = _Problem(net, axes, axes.seen(features), rows)
            held_out = _Validation(problem) if rows.folds is None else _Folds(problem, rows.folds)
            found.append(_best(problem, held_out))
        _, problem, solution, _ = max(found, key=lambda one: one[0])
        problem.set_head(solution)
    return tried(rows, sum(strengths for *_, strengths in found))


def _best(problem: _Problem, held_out: _HeldOut) -> tuple[Quality, _Problem, Floats, int]:
    """Of the best strength, and how many were tried, from strong to weak; of equals the stronger.

    What is weaker than two that are worse than the best is not tried: it takes most of the steps.
    """
    every = np.arange(len(problem.seen))
    at = problem.start
    found: list[tuple[Quality, Floats]] = []
    for strength in STRENGTHS:
        at = problem.minimum(every, strength, at)
        found.append((held_out.quality(strength, at), at))
        best = max(range(len(found)), key=lambda i: found[i][0])
        if len(found) - best > WORSE:
            break
    return found[best][0], problem, found[best][1], len(found)


class _HeldOut(Protocol):
    def quality(self, strength: float, solution: Floats) -> Quality:
        """Of a strength, on rows that its solution has not seen; `solution`: that of all training rows."""


class _Validation:
    def __init__(self, problem: _Problem) -> None:
        self.problem, self.val = problem, problem.rows.val
        self.seen = problem.axes.seen(_features(problem.head, self.val))

    def quality(self, strength: float, solution: Floats) -> Quality:
        return self.problem.quality(self.problem.logits(self.seen, solution), self.val)


class _Folds:
    """Rows are answered by a solution that has not seen their fold."""

    def __init__(self, problem: _Problem, folds: NDArray[np.int64]) -> None:
        self.problem = problem
        self.parts = [
            (np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)) for fold in np.unique(folds)
        ]
        self.at = [problem.start for _ in self.parts]

    def quality(self, strength: float, solution: Floats) -> Quality:
        problem = self.problem
        held = torch.zeros(len(problem.seen), problem.net.objective.outputs)
        for i, (inside, outside) in enumerate(self.parts):
            self.at[i] = problem.minimum(inside, strength, self.at[i])
            held[outside] = problem.logits(problem.seen[outside], self.at[i])
        return problem.quality(held, problem.rows.train)


@contextmanager
def _few_threads(numbers: int) -> Iterator[None]:
    """Of small matrices, one thread: several spend their time waiting for each other."""
    from threadpoolctl import threadpool_limits

    before = torch.get_num_threads()
    few = 1 if numbers < SMALL else None
    torch.set_num_threads(few or before)
    try:
        with threadpool_limits(few):
            yield
    finally:
        torch.set_num_threads(before)


def _features(head: LinearHead, part: Labelled) -> Tensor:
    """(N, F) float32 on the CPU."""
    per_row = len(part.vectors) // max(1, len(part.truth))
    device = head.linear.weight.device
    with torch.no_grad():
        pieces = torch.split(part.vectors, ROWS_AT_ONCE * per_row)
        found = torch.cat([head.features(piece.to(device)).cpu() for piece in pieces])
    if not bool(torch.isfinite(found).all()):
        raise NonFiniteLoss("a vector of a text is NaN or infinite")
    return found


@dataclass(frozen=True)
class _Axes:
    """Principal axes of the scaled features: `basis` (F, R), and the squares (R,) of the rows along each."""

    center: Tensor  # (F,)
    scale: Tensor  # (F,)
    basis: Tensor
    squares: Tensor

    @classmethod
    def of(cls, features: Tensor, head: LinearHead, kinds: Kinds) -> _Axes:
        variance, center = (one.double() for one in torch.var_mean(features, dim=0, correction=0))
        if not _has_bias(head):
            center = torch.zeros_like(center)  # nothing could take it up
        scale = _scales(variance, kinds)
        count = features.shape[1]
        if len(features) < count:
            x = (features.double() - center) * scale
            squares, left = _spectrum(x @ x.T)
            return cls(center, scale, x.T @ left / squares.sqrt(), squares)
        gram = torch.zeros(count, count, dtype=torch.float64)
        for piece in torch.split(features, ROWS_AT_ONCE):
            x = (piece.double() - center) * scale
            gram += x.T @ x
        squares, basis = _spectrum(gram)
        return cls(center, scale, basis, squares)

    def seen(self, features: Tensor) -> Tensor:
        """(N, F) -> (N, R) float64."""
        pieces = torch.split(features, ROWS_AT_ONCE)
        return torch.cat([(piece.double() - self.center) * self.scale @ self.basis for piece in pieces])


def _spectrum(gram: Tensor) -> tuple[Tensor, Tensor]:
    """Eigenvalues and eigenvectors, but for those of rounding alone."""
    values, vectors = torch.linalg.eigh(gram)
    kept = values > values[-1].clamp(min=1e-300) * 1e-12
    return values[kept], vectors[:, kept]


def _has_bias(head: LinearHead) -> bool:
    return any(name == "linear.bias" for name, _ in head.named_parameters())


def _scales(variance: Tensor, kinds: Kinds) -> Tensor:
    parts = torch.split(variance, [count for count, _ in kinds])
    spreads = [part.mean().sqrt().clamp(min=LEAST_SPREAD) for part in parts]
    sizes = [torch.full((count,), size) for count, size in kinds]
    return torch.cat([size.double() / spread for size, spread in zip(sizes, spreads, strict=True)])


@dataclass
class _Problem:
    """Parameters are one vector: weights (outputs, R), then biases and cuts."""

    net: Net
    axes: _Axes
    seen: Tensor  # (N, R)
    rows: VectorRows

    def __post_init__(self) -> None:
        head = cast("LinearHead", self.net.head)
        others = {name: p for name, p in head.named_parameters() if name != "linear.weight"}
        self.head, self.others = head, {name: p.detach().cpu().double() for name, p in others.items()}
        self.shape = (head.linear.weight.shape[0], self.seen.shape[1])
        self.weights = None if self.rows.weights is None else self.rows.weights.double()

    @property
    def start(self) -> Floats:
        """No weights, and the biases and cuts that the head has."""
        others = [p.numpy().ravel() for p in self.others.values()]
        return np.concatenate([np.zeros(self.shape[0] * self.shape[1]), *others])

    def minimum(self, inside: NDArray[np.int64], strength: float, start: Floats) -> Floats:
        """Of the rows `inside`."""
        from scipy.optimize import minimize

        seen, train = self.seen[inside], self.rows.train
        count = len(seen)
        curvature = (self.axes.squares / len(self.seen) + strength / count).sqrt().repeat(self.shape[0])
        size = torch.cat([1 / curvature, torch.ones(len(start) - len(curvature), dtype=torch.float64)])

        def value(given: Floats) -> tuple[float, Floats]:
            scaled = torch.from_numpy(given.copy()).requires_grad_()
            flat = scaled * size
            losses = train.losses(self.net.objective, self._logits(seen, flat), inside, self.weights)
            penalty = (flat[: len(curvature)] ** 2).sum()
            loss = losses.mean() + strength / (2 * count) * penalty
            (gradient,) = torch.autograd.grad(loss, scaled)
            return float(loss.detach()), gradient.numpy()

        with torch.enable_grad():
            options = {"maxiter": STEPS, "gtol": 1e-6, "ftol": 1e-9}
            found = minimize(value, start / size.numpy(), jac=True, method="L-BFGS-B", options=options)
        if not np.isfinite(found.fun):
            raise NonFiniteLoss("the loss of a head on vectors is NaN or infinite")
        return np.asarray(found.x * size.numpy())

    def logits(self, seen: Tensor, flat: Floats) -> Tensor:
        """(N, R) -> (N, outputs) float32."""
        with torch.no_grad():
            return self._logits(seen, torch.from_numpy(flat)).float()

    def _logits(self, seen: Tensor, flat: Tensor) -> Tensor:
        weight, others = self._named(flat)
        found = seen @ weight.T
        if (bias := others.get("linear.bias")) is not None:
            found = found + bias
        if self.head.cuts is None:
            return found
        cuts = {name.removeprefix("cuts."): p for name, p in others.items() if name.startswith("cuts.")}
        logits: Tensor = functional_call(self.head.cuts, cuts, (found,))
        return logits

    def _named(self, flat: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        sizes = [self.shape[0] * self.shape[1], *(p.numel() for p in self.others.values())]
        weight, *rest = torch.split(flat, sizes)
        shaped = {name: one.view(p.shape) for (name, p), one in zip(self.others.items(), rest, strict=True)}
        return weight.view(self.shape), shaped

    def quality(self, logits: Tensor, part: Labelled) -> Quality:
        return quality(self.net, logits, part, self.rows)

    @torch.no_grad()
    def set_head(self, flat: Floats) -> None:
        """W B^T (s (x - m)) + b = (W B^T s) x + (b - (W B^T s) m)."""
        weight, others = self._named(torch.from_numpy(flat))
        weight = (weight @ self.axes.basis.T) * self.axes.scale
        if "linear.bias" in others:
            others["linear.bias"] = others["linear.bias"] - weight @ self.axes.center
        for name, parameter in self.head.named_parameters():
            parameter.copy_(weight if name == "linear.weight" else others[name])
