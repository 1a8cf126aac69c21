"""export --to mlflow: the model folder as a model of MLflow's, for `mlflow.pyfunc.load_model` and
`mlflow models serve`. MLflow calls stratune (mlflow_loader.py) where others are loaded from a pickle.
"""

from __future__ import annotations

import json
import math
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stratune.errors import ArtifactError
from stratune.export.compared import EDGES, PROBES, compared_rows
from stratune.export.linear_text import named
from stratune.files import replacing_folder
from stratune.predictor.written import answer_columns
from stratune.tracking.mlflow import without_telemetry
from stratune.version import __version__

if TYPE_CHECKING:
    import pandas as pd

    from stratune.predictor.predictor import Predictor

MODEL = "model"  # our folder in MLflow's
CLOSE = 1e-5  # of two scores, which are written with six digits
CARD = """# {name}, for MLflow

```sh
mlflow models serve --model-uri . --env-manager local --port 5001
curl -H 'Content-Type: application/json' http://127.0.0.1:5001/invocations -d '{row}'
```

```python
import mlflow

mlflow.pyfunc.load_model(".").predict(frame)  # the columns that `stratune predict` adds
```

- It needs stratune {version}; `pickle` is not used: MLflow imports stratune.export.mlflow_loader.
"""


def export_mlflow(predictor: Predictor, folder: Path) -> Path:
    """Write the model, load it as MLflow does, compare; only then does `folder` appear.

    Raises ArtifactError when the loaded one answers otherwise.
    """
    without_telemetry()
    from mlflow.pyfunc import save_model

    with replacing_folder(folder) as temporary, tempfile.TemporaryDirectory() as name:
        predictor.save(Path(name) / MODEL)
        save_model(
            temporary,
            loader_module="stratune.export.mlflow_loader",
            data_path=Path(name) / MODEL,
            signature=_signature(predictor),
            input_example=_frame(predictor, *_one(predictor)),
            pip_requirements=[f"stratune=={__version__}"],  # otherwise MLflow loads it to guess them
        )
        _verify(predictor, temporary)
        _write_card(predictor, temporary)
    return folder


def _signature(predictor: Predictor) -> Any:
    """The columns that go in and come out. What a prompted model wrote comes out, too, but is not named."""
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, DataType, Schema

    task = predictor.task
    value = DataType.double if task.target.is_numeric else DataType.string
    names = [task.text, *([task.text_pair] if task.text_pair else [])]
    taken: list[Any] = [ColSpec(DataType.string, one) for one in names]
    scores = [ColSpec(DataType.double, f"score_{label}", required=False) for label in predictor.labels]
    found: list[Any] = [
        ColSpec(value, "prediction", required=False),
        *scores,
        ColSpec(DataType.long, "tokens_cut"),
    ]
    return ModelSignature(Schema(taken), Schema(found))


def _verify(predictor: Predictor, folder: Path) -> None:
    from mlflow.pyfunc import load_model

    texts, pairs = compared_rows(predictor, None, (*PROBES, *EDGES))
    found: Any = load_model(str(folder)).predict(_frame(predictor, texts, pairs))
    theirs = {str(name): found[name].tolist() for name in found.columns}
    ours = answer_columns(predictor, predictor.answer(texts, pairs))
    if list(theirs) != list(ours):
        raise ArtifactError(f"MLflow answers with the columns {', '.join(theirs)}")
    for name, cells in ours.items():
        if not all(map(_same, cells, theirs[name])):
            raise ArtifactError(f"loaded by MLflow it answers otherwise: {name}")


def _same(one: Any, other: Any) -> bool:
    """Two cells; None may have become NaN."""
    if isinstance(one, float):
        return math.isclose(one, other, rel_tol=CLOSE, abs_tol=CLOSE) or math.isnan(one) and math.isnan(other)
    return bool(one == other or (one is None and other != other))


def _frame(predictor: Predictor, texts: list[str], pairs: list[str] | None) -> pd.DataFrame:
    import pandas as pd

    task = predictor.task
    return pd.DataFrame({task.text: texts, **({} if task.text_pair is None else {task.text_pair: pairs})})


def _write_card(predictor: Predictor, folder: Path) -> None:
    row = json.dumps({"inputs": _frame(predictor, *_one(predictor)).to_dict("records")}, ensure_ascii=False)
    card = CARD.format(name=named(predictor), row=row, version=__version__)
    (folder / "README.md").write_text(card, encoding="utf-8")


def _one(predictor: Predictor) -> tuple[list[str], list[str] | None]:
    return [PROBES[0]], [PROBES[1]] if predictor.task.text_pair else None
