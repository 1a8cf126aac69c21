"""Predictor: rows of every shape in, answers by name out."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from datasets import Dataset, DatasetDict

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


def test_one_text_is_one_row(predictor):
    assert predictor.predict(TEXTS[0]) == predictor.predict([TEXTS[0]])
    assert (
        predictor.predict_proba(TEXTS[0]).shape == (1, 3) and len(predictor.score(TEXTS[0]).predictions) == 1
    )


SHAPES = {
    "tuple": tuple,
    "frame": lambda texts: pd.DataFrame({"id": range(len(texts)), "text": texts}),
    "columns": lambda texts: {"text": texts, "other": [1] * len(texts)},
    "columns as arrays": lambda texts: {"text": np.array(texts)},
    "dataset": lambda texts: Dataset.from_dict({"text": texts, "n": [0] * len(texts)}),
    "column of a dataset": lambda texts: Dataset.from_dict({"text": texts})["text"],
    "series": lambda texts: pd.Series(texts, index=range(100, 100 + len(texts)), name="anything"),
    "array": np.array,
    "array of objects": lambda texts: np.array(texts, dtype=object),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_table_has_one_answer_for_each_row(shape, predictor):
    assert predictor.predict(SHAPES[shape](TEXTS)) == predictor.predict(TEXTS)


def test_a_row_of_a_table_is_one_row(predictor):
    wanted = predictor.predict([TEXTS[1]])
    assert predictor.predict({"text": TEXTS[1], "id": 7}) == wanted
    assert predictor.predict(pd.DataFrame({"id": [1, 2], "text": TEXTS[:2]}).iloc[1]) == wanted


@pytest.mark.parametrize("nothing", [None, float("nan"), pd.NA])
def test_a_missing_cell_is_an_empty_text_in_every_table(nothing, predictor):
    wanted = predictor.predict([TEXTS[0], ""])
    assert predictor.predict(pd.DataFrame({"text": [TEXTS[0], nothing]})) == wanted
    assert predictor.predict({"text": [TEXTS[0], nothing]}) == wanted
    assert predictor.predict(pd.Series([TEXTS[0], nothing])) == wanted


def test_pairs_in_every_shape(of_pairs):
    first, second = ["the cat", "snow"], ["snow", "a choir"]
    wanted = of_pairs.predict(list(zip(first, second, strict=True)))
    assert of_pairs.predict(pd.DataFrame({"text": first, "text_pair": second})) == wanted
    assert of_pairs.predict({"text": first, "text_pair": second}) == wanted
    assert of_pairs.predict(np.array([first, second]).T) == wanted
    alone = of_pairs.predict([("the cat", "snow")])
    assert of_pairs.predict(("the cat", "snow")) == alone
    assert of_pairs.predict({"text": "the cat", "text_pair": "snow"}) == alone


MEANINGLESS = [
    (False, pd.DataFrame({"review": ["a"]}), "no such column: 'text' is not one of review"),
    (False, {"review": ["a"]}, "1: column 'text': missing; the row has review"),
    (False, {"text": [1.5]}, r"1: column 'text': expected a text, found 1.5 \(float\)"),
    (False, {"text": 3}, "column 'text'|found 3"),
    (False, b"cat", "expected a text, a list of texts, .*, found b'cat' "),
    (False, 7, r"found 7 \(int\)"),
    (False, None, r"found None \(NoneType\)"),
    (False, {"cat", "dog"}, "found a set, which has no order"),
    (False, Path("rows.csv"), "found the path rows.csv: `stratune predict` reads files"),
    (False, np.zeros((2, 3)), r"expected an array of texts of shape \(N,\), found \(2, 3\)"),
    (False, np.zeros(2), "1: expected a text or a mapping of columns, found float"),
    (False, ["a", None], "2: expected a text or a mapping of columns, found NoneType"),
    (False, ["a", "b\ud800"], "2: holds half a character"),
    (
        False,
        DatasetDict(test=Dataset.from_dict({"text": ["a"]})),
        r"found a DatasetDict: name one part \(test\)",
    ),
    (True, "cat", "1: expected a pair of texts or a mapping of columns, found str"),
    (True, pd.Series(["cat"]), "1: expected a pair of texts or a mapping of columns, found str"),
    (True, {"text": ["a", "b"], "text_pair": ["a"]}, "columns differ in length: 2 and 1"),
    (True, ("a", "b", "c"), "1: expected a pair of texts"),
]


@pytest.mark.parametrize("pairs, rows, message", MEANINGLESS)
def test_what_has_no_meaning_is_refused(pairs, rows, message, predictor, of_pairs):
    for ask in ("predict", "predict_proba", "score"):
        with pytest.raises(DataError, match=message):
            getattr(of_pairs if pairs else predictor, ask)(rows)


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
