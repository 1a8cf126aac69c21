"""README.md of a folder with an ONNX graph: the Python that runs it, and what its user has to know."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from stratune.export.linear_text import named
from stratune.export.net_graph import INPUTS, SECOND
from stratune.export.onnx_tfidf import PREPARED

if TYPE_CHECKING:
    from stratune.export.onnx_tokenizer import TextInputs
    from stratune.predictor.predictor import Predictor

CARD = """---
library_name: onnx
pipeline_tag: text-classification
---

# {title}

{about}

```python
{code}
```

{notes}
"""
NET = """import numpy as np
import onnxruntime
from tokenizers import Tokenizer

tokenizer = Tokenizer.from_file("tokenizer.json")  # cuts and pads
graph = onnxruntime.InferenceSession("model.onnx")


def inputs_of(rows, prefix=""):
    rows = tokenizer.encode_batch(rows)
    each = [({fields}) for row in rows]
    names = [{names}]
    return {{prefix + name: np.array(part, dtype=np.int64) for name, part in zip(names, zip(*each))}}


def answer({given}):
    return dict(zip({outputs}, graph.run({outputs}, {call})))


print(answer({example}))"""
WORDS = """import numpy as np
import onnxruntime

graph = onnxruntime.InferenceSession("model.onnx")


def prepared(texts):
    return np.array([{prepared} for text in texts], dtype=object)


def answer({given}):
    return dict(zip({outputs}, graph.run({outputs}, {call})))


print(answer({example}))"""


def write_card(predictor: Predictor, folder: Path, code: str, notes: list[str]) -> None:
    task = predictor.task
    about = f"Labels: {', '.join(task.columns)}."
    if task.target.is_numeric:
        about = "`values` (N, 1) are the answers."
    elif task.target.several_labels:
        about += " `probabilities` (N, K) are in this order; `labels` (N, K) has 1 where a label is given."
    else:
        about += (
            " `probabilities` (N, K) are in this order; `labels` (N,) has the number of the answer in it."
        )
    title = named(predictor)
    if (backbone := predictor.about.get("backbone")) is not None:
        title += f" on {Path(backbone['id']).name}"  # of a local folder, not where it was
    text = "\n".join(f"- {note}" for note in notes)
    card = CARD.format(title=title, about=about, code=code, notes=text)
    (folder / "README.md").write_text(card, encoding="utf-8")


def net_code(predictor: Predictor, inputs: TextInputs, names: tuple[str, ...]) -> str:
    """Python that runs the graph of a net with `tokenizers`, onnxruntime and numpy."""
    own = [name for name in names if not name.startswith(SECOND)]
    fields = dict(zip(INPUTS, ("row.ids", "row.attention_mask", "row.type_ids"), strict=True))
    paired = predictor.task.text_pair is not None

    def read(text: str) -> str:
        text = f"{inputs.prompt!r} + {text}" if inputs.prompt else text
        return (
            text if inputs.empty is None or (paired and not inputs.apart) else f"{text} or {inputs.empty!r}"
        )

    first, second = read("text"), f"{inputs.between!r} + pair" if inputs.between else "pair"
    call = f"inputs_of([{first} for text in texts])"
    if paired and inputs.apart:
        call = f"{{**{call}, **inputs_of([{read('text')} for text in pairs], {SECOND!r})}}"
    elif paired:
        call = f"inputs_of([({first}, {second}) for text, pair in zip(texts, pairs)])"
    return NET.format(
        fields=", ".join(fields[name] for name in own),
        names=", ".join(f'"{name}"' for name in own),
        given="texts, pairs" if paired else "texts",
        outputs=outputs_of(predictor),
        call=call,
        example=_example(paired),
    )


def words_code(predictor: Predictor, *, paired: bool) -> str:
    """Python that runs the graph of `tfidf` with onnxruntime and numpy."""
    call = (
        '{"text": prepared(texts), "text_pair": prepared(pairs)}' if paired else '{"text": prepared(texts)}'
    )
    return WORDS.format(
        prepared=PREPARED,
        given="texts, pairs" if paired else "texts",
        outputs=outputs_of(predictor),
        call=call,
        example=_example(paired),
    )


def outputs_of(predictor: Predictor) -> list[str]:
    return ["values"] if predictor.task.target.is_numeric else ["probabilities", "labels"]


def _example(paired: bool) -> str:
    return '["A text to classify."], ["Its second text."]' if paired else '["A text to classify."]'


def notes(predictor: Predictor, max_words: int | None, gap: float) -> list[str]:
    """Of every graph: where its answers come from, and what its user does by hand."""
    found = [f"Compared with the predictor before it was written: answers differ by {gap:.0e} at most."]
    if max_words is not None:
        cut = f'`" ".join(text.split()[:{max_words}])`'
        found.append(f"In training texts were cut at {max_words} words; cut them yourself: {cut}.")
    if predictor.post.scaling:
        found.append("Probabilities are calibrated; labels are decided before that, as in training.")
    if predictor.post.decision.thresholds:
        found.append(
            "Labels are decided by thresholds that validation chose, not by the highest probability."
        )
    return found
