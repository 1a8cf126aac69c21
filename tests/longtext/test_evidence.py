"""What each chunk did to the answer, on predictions that can be worked out by hand."""

import numpy as np

from stratune.longtext.evidence import NAMED, courses
from stratune.tokens.tokens import Documents

SPANS = np.array([[0, 4], [4, 9], [9, 12], [12, 20], [0, 7]])
OWNER = np.array([0, 0, 0, 0, 1])
SAYS = np.array([0.1, 0.7, 0.4, 0.8])  # the chunks of the first document, whose answer is their mean


def found(predictions, of_chunks, center):
    return courses(np.array(predictions), Documents(OWNER, SPANS, 2), of_chunks, center)


def test_values_lose_their_distance_from_the_mean_and_come_to_the_answer():
    def mean(document, made):
        assert document == 0
        return np.array([[SAYS[own].mean()] for own in made])

    first, second = found([[0.5], [0.3]], mean, 0.9)
    assert np.allclose(first.losses, (SAYS.sum() - SAYS) / 3 - 0.5)  # the answer is below the mean
    assert np.allclose(first.so_far, [0.1, 0.4, 0.4, 0.5])
    assert np.array_equal(first.spans, SPANS[:4])
    assert (second.losses.tolist(), second.so_far.tolist()) == ([1.0], [0.3])


def test_of_labels_the_predicted_one_is_followed():
    def mean(document, made):
        return np.array([[1 - SAYS[own].mean(), SAYS[own].mean()] for own in made])

    first, _ = found([[0.5 - 1e-9, 0.5 + 1e-9], [0.7, 0.3]], mean, None)
    assert np.allclose(first.losses, 0.5 - (SAYS.sum() - SAYS) / 3)
    assert np.allclose(first.so_far, [0.1, 0.4, 0.4, 0.5])
    named = first.most_important
    assert len(named) == NAMED and [one.start for one in named] == [12, 4, 9]
    assert named[0].score == first.losses.max()
