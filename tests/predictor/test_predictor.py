"""Predictor: rows of three shapes in, answers by name out."""

import numpy as np
import pandas as pd
import pytest

from stratune.errors import DataError
from stratune.testing import toy_split
from tests.helpers import TEXTS, Callbacks, trained


@pytest.fixture(scope="module", params=["floor", "net"])
def predictor(request, tiny, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STRATUNE_CACHE", str(tmp_path_factory.mktemp("cache")))
        spec, folder = ("majority", None) if request.param == "floor" else ("probe", tiny("bert"))
        return trained(spec, folder, split=toy_split(3)).predictor


@pytest.fixture(scope="module")
def of_pairs(tiny, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STRATUNE_CACHE", str(tmp_path_factory.mktemp("cache")))
        return trained("probe", tiny("bert"), split=toy_split(pairs=True)).predictor


def test_one_answer_a_row_in_the_order_given(predictor):
    answers = predictor.predict(TEXTS)
    assert len(answers) == len(TEXTS)
    for text, answer in zip(TEXTS, answers, strict=True):
        alone = predictor.predict([text])[0]
        assert alone.label == answer.label
        assert alone.scores == pytest.approx(answer.scores, abs=1e-5)


def test_scores_are_probabilities_by_label_and_the_highest_is_the_answer(predictor):
    for answer in predictor.predict(TEXTS):
        assert tuple(answer.scores) == predictor.labels == ("animal", "weather", "music")
        assert sum(answer.scores.values()) == pytest.approx(1)
        assert answer.label == max(answer.scores, key=answer.scores.get)
        assert not answer.invalid


def test_columns_of_predict_proba_are_the_labels(predictor):
    probabilities = predictor.predict_proba(TEXTS)
    assert probabilities.shape == (len(TEXTS), 3) and probabilities.dtype == np.float64
    assert probabilities[1].tolist() == list(predictor.predict(TEXTS)[1].scores.values())


def test_no_rows(predictor):
    assert predictor.predict([]) == [] and predictor.predict_proba([]).shape == (0, 3)


def test_a_generator_is_as_good_as_a_list(predictor):
    assert predictor.predict(text for text in TEXTS) == predictor.predict(TEXTS)


def test_rows_may_be_mappings_with_the_columns_of_the_task(predictor):
    wanted = predictor.predict(TEXTS)
    assert predictor.predict([{"text": text, "other": 1} for text in TEXTS]) == wanted
    series = [row for _, row in pd.DataFrame({"text": TEXTS}).iterrows()]
    assert predictor.predict(series) == wanted


def test_a_cell_without_text_is_an_empty_text(predictor):
    assert predictor.predict([{"text": None}]) == predictor.predict([""])


def test_pairs_may_be_tuples_lists_or_mappings(of_pairs):
    wanted = of_pairs.predict([("the cat", "snow")])
    assert of_pairs.predict([["the cat", "snow"]]) == wanted
    assert of_pairs.predict([{"text": "the cat", "text_pair": "snow"}]) == wanted
    assert of_pairs.predict([("snow", "the cat")]) != wanted


WRONG = [
    (False, ["cat", 3], "2: expected a text or a mapping of columns, found int"),
    (False, [("cat", "dog")], "1: expected a text or a mapping of columns, found tuple"),
    (True, ["cat"], "1: expected a pair of texts or a mapping of columns, found str"),
    (False, [{"review": "cat", "id": 1}], "1: column 'text': missing; the row has review, id"),
    (True, [{"text": "cat"}], "1: column 'text_pair': missing; the row has text"),
]


@pytest.mark.parametrize("pairs, rows, message", WRONG)
def test_a_row_of_another_shape_is_named(pairs, rows, message, predictor, of_pairs):
    with pytest.raises(DataError, match=message):
        (of_pairs if pairs else predictor).predict(rows)


def test_tokens_cut_are_reported_row_by_row(tiny):
    predictor = trained("probe", tiny("bert"), max_length=6).predictor
    cut = [answer.tokens_cut for answer in predictor.predict(["cat", TEXTS[0]])]
    assert cut == [0, 17 + 2 - 6]


def test_ticks_count_rows(predictor):
    counts = []
    predictor.score(TEXTS, Callbacks(rows=counts.append))
    assert sum(counts) == len(TEXTS)
