"""README.md of a folder that scikit-learn reads."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from stratune.export.linear_text import named

if TYPE_CHECKING:
    from stratune.export.linear_text import Exported
    from stratune.predictor.predictor import Predictor

CARD = """---
library_name: sklearn
tags:
- skops
- text-classification
---

# {strategy}

{answers}

```python
from skops.io import load

pipeline = load("model.skops", trusted=[])  # no pickle: skops knows every type in it
texts = ["A text to classify."]
{call}
```

{notes}
"""


def write_card(predictor: Predictor, found: Exported, folder: Path, gap: float) -> None:
    import sklearn

    task = predictor.task
    numeric = task.target.is_numeric
    call = "pipeline.predict(texts)" if numeric else "pipeline.predict_proba(texts)"
    if not numeric and not task.target.several_labels:
        call += "  # columns: pipeline.classes_\npipeline.predict(texts)"
    notes = [
        f"Written with scikit-learn {sklearn.__version__}; another version may refuse or misread it.",
        f"Compared with the predictor before it was written: answers differ by {gap:.0e} at most.",
        *decision_notes(predictor, found),
    ]
    card = CARD.format(
        strategy=named(predictor),
        answers="Answers with a value." if numeric else f"Labels: {', '.join(task.columns)}.",
        call=call,
        notes="\n".join(f"- {note}" for note in notes),
    )
    (folder / "README.md").write_text(card, encoding="utf-8")


def decision_notes(predictor: Predictor, found: Exported) -> list[str]:
    """What the user must do by hand for the same answers, one sentence each."""
    task, notes = predictor.task, []
    if found.max_words is not None:
        cut = f'`" ".join(text.split()[:{found.max_words}])`'
        notes.append(f"In training texts were cut at {found.max_words} words; cut them yourself: {cut}.")
    if found.text.reads in ("first", "second"):
        notes.append(f"It reads the {found.text.reads} text of a pair alone.")
    if task.target.several_labels:
        columns = ", ".join(task.columns)
        notes.append(f"Columns of `predict_proba` are, in this order: {columns}.")
        if found.thresholds is not None:
            least = ", ".join(str(float(threshold)) for threshold in found.thresholds)
            notes.append(f"A label is given from its threshold on: `predict_proba(texts) >= [{least}]`.")
    return notes
