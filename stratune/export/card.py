"""README.md of the exported folder: how to use it, and what its user has to do by hand."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from stratune.export.exportable import exportable

if TYPE_CHECKING:
    from stratune.predictor.predictor import Predictor

CARD = """---
library_name: transformers
pipeline_tag: text-classification
---

# {strategy} on {backbone}

Labels: {labels}.

```python
from transformers import pipeline

classify = pipeline("text-classification", model="this/folder", truncation=True)
classify({example})
```

{notes}
"""


def write_card(predictor: Predictor, folder: Path, *, small: bool) -> None:
    scorer = exportable(predictor)
    strategy = predictor.about.get("strategy", {}).get("name", "stratune")
    if not predictor.task.text_pair:
        example = '"A text to classify."'
    else:
        second = r'"\n" + "second text"' if scorer.net.backbone.family.decoder else '"second text"'
        example = f'{{"text": "first text", "text_pair": {second}}}'
    card = CARD.format(
        strategy=strategy,
        backbone=Path(scorer.net.backbone.id).name,  # of a local folder, not where it was
        labels=", ".join(predictor.task.columns),
        example=example,
        notes="\n".join(f"- {note}" for note in notes(predictor, small=small)),
    )
    (folder / "README.md").write_text(card, encoding="utf-8")


def notes_in(folder: Path) -> list[str]:
    """The notes on the card of an exported folder."""
    last = (folder / "README.md").read_text(encoding="utf-8").rpartition("```")[2]
    return [line.removeprefix("- ") for line in last.splitlines() if line]


def decision_notes(predictor: Predictor) -> list[str]:
    """What decides, and what was calibrated, where the folder's probabilities do not tell."""
    post, columns = predictor.post, predictor.task.columns
    found = []
    if least := thresholds_of(predictor):
        each = ", ".join(f"`{label}` is given from {threshold:.6g} on" for label, threshold in least.items())
        found.append(
            f"Thresholds decide, not the highest score or one half: {each} (`thresholds` in config.json)."
        )
    if post.scaling:
        scale, bias = post.scaling.scale, post.scaling.bias
        numbers = f"divided by a temperature of {1 / scale[0]:.6g}"
        if bias:
            factors = [
                f"{label}: {a:.6g} and {b:.6g}" for label, a, b in zip(columns, scale, bias, strict=True)
            ]
            numbers = f"multiplied and shifted by these numbers: {'; '.join(factors)}"
        scores = "logits" if predictor.task.target.several_labels else "log-probabilities"
        found.append(
            f"Scores are as before calibration, which moves no label: there, {scores} are {numbers}."
        )
    return found


def thresholds_of(predictor: Predictor) -> dict[str, float]:
    """Label -> the probability from which on it is given; empty where the plain rule decides."""
    thresholds, labels = predictor.post.decision.thresholds, predictor.labels
    return dict(zip(labels[-len(thresholds) :], thresholds, strict=True)) if thresholds else {}


def notes(predictor: Predictor, *, small: bool = False) -> list[str]:
    """What the user must do by hand for the same predictions, one sentence each.

    `small`: the folder's last block has numbers that only a format with the range of float32 holds.
    """
    scorer = exportable(predictor)
    backbone, limit = scorer.net.backbone, scorer.limit
    most = limit.tokens(backbone)
    found = [f"Give `truncation=True`: texts are cut at {most} tokens, as they were in training."]
    if limit.max_words:
        found.append(
            f"In training texts were first cut at {limit.max_words} words; this folder cannot hold that, "
            f'so cut them yourself: `" ".join(text.split()[:{limit.max_words}])`.'
        )
    if predictor.task.text_pair and backbone.family.decoder:
        found.append(r'Put a line break before the second text (`"\n" + text_pair`), as it was in training.')
    found += decision_notes(predictor)
    if small:
        found.append(
            "Run it in float32 or bfloat16. Its last block uses numbers too small for float16 and for int8 "
            "(`quantize_dynamic`), which would round them to zero and give every text one answer; "
            "`stratune export --to onnx --int8` has no such block."
        )
    return found
