"""How MLflow loads what `export --to mlflow` wrote: it imports this module, and calls `_load_pyfunc`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from stratune.predictor.predictor import Predictor


class Answers:
    """What MLflow calls a model."""

    def __init__(self, predictor: Predictor) -> None:
        self._predictor = predictor

    def predict(self, model_input: Any, params: Mapping[str, Any] | None = None) -> pd.DataFrame:
        """A row for each row of `model_input`, which is what `Predictor.predict` takes: the columns that
        `stratune predict` adds. `params`: of MLflow's, of which there are none.
        """
        import pandas as pd

        from stratune.predictor.inputs import texts_of
        from stratune.predictor.written import answer_columns

        texts, pairs = texts_of(model_input, self._predictor.task)
        return pd.DataFrame(answer_columns(self._predictor, self._predictor.answer(texts, pairs)))


def _load_pyfunc(path: str) -> Answers:
    from stratune.predictor.predictor import Predictor

    return Answers(Predictor.load(path))
