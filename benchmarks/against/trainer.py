"""transformers' Trainer: all weights, as the text classification guide of its documentation has it.

Batches of 16, weight decay 0.01, padded by batch; TrainingArguments' own learning rate, 5e-5 (the guide's 2e-5 is for larger models),
3 epochs, the best epoch by validation; the last one where there are no validation rows.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from against.answers import Answer, plain
from against.sets import Draw
from against.vectors import LONGEST


def trainer(draw: Draw, backbone: Path, folder: Path) -> Answer:
    import torch
    from transformers import (
        AutoModelForSequenceClassification,
        AutoTokenizer,
        DataCollatorWithPadding,
        Trainer,
        TrainingArguments,
        set_seed,
    )

    set_seed(draw.number)
    target, selection = draw.task.target, draw.task.selection
    tokenizer = AutoTokenizer.from_pretrained(backbone)
    problem = (
        "regression" if target.is_numeric
        else "multi_label_classification" if target.several_labels
        else "single_label_classification"
    )  # fmt: skip
    outputs = len(draw.task.columns)
    model = AutoModelForSequenceClassification.from_pretrained(
        backbone, num_labels=outputs, problem_type=problem
    )

    def rows(part: str) -> list[dict]:
        frame = draw.parts[part]
        pairs = list(frame["text_pair"]) if draw.task.text_pair else None
        read = tokenizer(list(frame["text"]), pairs, truncation=True, max_length=LONGEST)
        kind = int if problem == "single_label_classification" else float
        labels = [kind(one) if np.ndim(one) == 0 else [kind(k) for k in one] for one in draw.truth(part)]
        return [
            {**{name: read[name][row] for name in read}, "labels": label} for row, label in enumerate(labels)
        ]

    def predictions(logits: np.ndarray) -> np.ndarray:
        scores = torch.tensor(logits, dtype=torch.float64)
        if target.is_numeric:
            return scores.reshape(-1, 1).numpy()
        return (scores.sigmoid() if target.several_labels else scores.softmax(dim=-1)).numpy()

    def scores(found) -> dict[str, float]:
        """Of the rows that are predicted: validation after an epoch, test at the end, which nothing reads."""
        truth = found.label_ids if target.is_numeric else found.label_ids.astype(int)
        value = selection.value(target.score(truth, predictions(found.predictions)))
        return {"chosen": float("nan") if value is None else value}

    watched = draw.val is not None
    with tempfile.TemporaryDirectory() as work:
        arguments = TrainingArguments(
            work,
            num_train_epochs=3,
            per_device_train_batch_size=16,
            per_device_eval_batch_size=32,
            weight_decay=0.01,
            eval_strategy="epoch" if watched else "no",
            save_strategy="epoch" if watched else "no",
            load_best_model_at_end=watched,
            metric_for_best_model="chosen" if watched else None,
            greater_is_better=selection.higher_is_better if watched else None,
            report_to="none",
            disable_tqdm=True,
            seed=draw.number,
            use_cpu=not torch.cuda.is_available(),
            dataloader_pin_memory=False,
        )
        loop = Trainer(
            model,
            arguments,
            train_dataset=rows("train"),
            eval_dataset=rows("val") if watched else None,
            data_collator=DataCollatorWithPadding(tokenizer),
            compute_metrics=scores if watched else None,
        )
        loop.train()
        found = loop.predict(rows("test")).predictions
    return plain(draw, predictions(found))
