from __future__ import annotations

import pytest

from stratune.train.course import EPOCHS, LEAST_BATCH, LEAST_STEPS, course_of
from stratune.train.settings import Budget, Recipe, TrainSettings
from tests.helpers import adapted
from tests.train.test_loop import make_loop


@pytest.mark.parametrize("rows", [1, 7, 24, 48, 100, 300, 600, 959])
@pytest.mark.parametrize("batch_size", [4, 16, 32, 64])
def test_few_rows_make_as_many_steps_as_it_takes(rows, batch_size):
    course = course_of(rows, Budget(), Recipe(batch_size=batch_size))
    steps = course.epochs * rows / course.batch_size
    assert steps >= LEAST_STEPS - 1e-9 or course.epochs == EPOCHS and course.batch_size > LEAST_BATCH
    assert steps >= min(LEAST_STEPS, EPOCHS * rows / batch_size)
    assert min(LEAST_BATCH, batch_size) <= course.batch_size <= batch_size
    assert 3 <= course.epochs / course.every <= 6, "some four evaluations, as for many rows"


def test_passes_are_added_only_where_smaller_steps_do_not_suffice():
    assert course_of(600, Budget(), Recipe(batch_size=32)).batch_size == 20
    assert course_of(600, Budget(), Recipe(batch_size=32)).epochs == EPOCHS
    few = course_of(48, Budget(), Recipe(batch_size=32))
    assert (few.epochs, few.batch_size, few.every) == (20.0, 8, 5)
    assert few.note is not None and "48 training rows are read 20 times, 8 in a step" in few.note


@pytest.mark.parametrize("rows", [960, 5_000, 1_000_000])
def test_with_many_rows_nothing_changes(rows):
    course = course_of(rows, Budget(), Recipe(batch_size=32))
    assert (course.epochs, course.batch_size, course.every, course.note) == (EPOCHS, 32, 1, None)


def test_what_is_said_is_done():
    said = course_of(20, Budget(epochs=2), Recipe(batch_size=32))
    assert (said.epochs, said.batch_size, said.every, said.note) == (2, 32, 1, None)
    own = course_of(20, Budget(), Recipe(batch_size=32, epochs=3))
    assert (own.epochs, own.batch_size, own.note) == (3, 32, None)
    assert course_of(20, Budget(epochs=2), Recipe(epochs=3)).epochs == 3


@pytest.mark.parametrize(
    "every, evaluations, wanted", [(1, 1, 6), (3, 1, 2), (3, 3, 6), (3, 2, 4), (4, 1, 2)]
)
def test_evaluations_are_as_many_in_so_many_epochs_as_asked_for_in_one(every, evaluations, wanted, tiny):
    """Six epochs of four steps; what is left over at the end has its evaluations, too."""
    settings = TrainSettings(evals_per_epoch=evaluations, patience=100)
    net = adapted("probe", tiny("bert"))
    loop = make_loop(net, epochs=6, rows=32, settings=settings, evaluate_every=every)
    position = loop.run()
    assert [line["epoch"] for line in position.history][-1] == 6.0
    assert len(position.history) == wanted
