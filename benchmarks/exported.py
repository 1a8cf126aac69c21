"""Exported folders in other number formats: how often their label is the predictor's.

    python benchmarks/exported.py STRATEGY[:ROWS] ...

Each strategy is trained on ROWS (200) rows of the embedded reviews with minilm and exported; transformers alone answers
the 200 validation texts. `backbone int8` is what int8 costs by itself: our own head, in float32, on a backbone in int8.
"""

from __future__ import annotations

import copy
import sys
import tempfile
from pathlib import Path

import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

import stratune as st
from stratune.data.load import load_split
from stratune.export import export_hf

BATCH = 16


def int8(model):
    return torch.ao.quantization.quantize_dynamic(model, {torch.nn.Linear}, dtype=torch.qint8)


FORMATS = {
    "float32": lambda model: model,
    "bfloat16": torch.nn.Module.bfloat16,
    "float16": torch.nn.Module.half,
    "int8": int8,
}


@torch.inference_mode()
def labels_of(logits, tokenizer, texts):
    """(N,) label numbers; `logits` gives them for the keyword arguments of one batch."""
    found = []
    for start in range(0, len(texts), BATCH):
        batch = tokenizer(texts[start : start + BATCH], truncation=True, padding=True, return_tensors="pt")
        found.append(logits(**batch).float().argmax(dim=1))
    return torch.cat(found)


def with_backbone_in_int8(net):
    backbone = int8(copy.deepcopy(net.backbone.model).float().eval())

    def logits(attention_mask, **inputs):
        states = backbone(attention_mask=attention_mask, **inputs).last_hidden_state
        mask = attention_mask[..., None].float()
        return net.head.classify((states * mask).sum(dim=1) / mask.sum(dim=1))

    return logits


def measure(strategy, rows):
    split = load_split("demo:reviews", seed=0, sizes=(rows, 200, 50))
    texts = list(split.val["text"])
    predictor = st.fit(strategy, "minilm", split.task, split)
    expected = torch.from_numpy(predictor.predict_proba(texts).argmax(axis=1))
    with tempfile.TemporaryDirectory() as temporary:
        folder = export_hf(predictor, Path(temporary) / "hf")
        tokenizer = AutoTokenizer.from_pretrained(folder)
        answers = {}
        for name, convert in FORMATS.items():
            model = AutoModelForSequenceClassification.from_pretrained(folder, dtype=torch.float32).eval()
            model = convert(model)
            answers[name] = labels_of(lambda model=model, **batch: model(**batch).logits, tokenizer, texts)
    answers["backbone int8"] = labels_of(with_backbone_in_int8(predictor.model.whole.net), tokenizer, texts)
    for name, found in answers.items():
        same = float((found == expected).float().mean())
        print(f"{strategy:10} {rows:6} rows  {name:14} {same:.3f}  answers {len(found.unique())}", flush=True)


if __name__ == "__main__":
    for argument in sys.argv[1:] or ["probe", "partial"]:
        name, _, count = argument.partition(":")
        measure(name, int(count or 200))
