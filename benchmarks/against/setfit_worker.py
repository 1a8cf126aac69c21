"""Runs in SetFit's environment, which has no stratune: `python setfit_worker.py FOLDER`.

FOLDER holds job.json (backbone, several, seed, iterations), train.parquet (text, label: a number, or zeros and ones)
and test.parquet (text); predictions.npy (N, K) is written to it. Settings are SetFit's defaults: one epoch of pairs,
batches of 16, a logistic regression as the head.
"""

import json
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from datasets import Dataset
from setfit import SetFitModel, Trainer, TrainingArguments


def main(folder: Path) -> None:
    job = json.loads((folder / "job.json").read_text(encoding="utf-8"))
    train, test = (pd.read_parquet(folder / f"{part}.parquet") for part in ("train", "test"))
    several = {"multi_target_strategy": "one-vs-rest"} if job["several"] else {}
    model = SetFitModel.from_pretrained(job["backbone"], **several)
    rows = Dataset.from_dict(
        {"text": list(train["text"]), "label": [np.asarray(one).tolist() for one in train["label"]]}
    )
    with tempfile.TemporaryDirectory() as work:
        arguments = TrainingArguments(
            output_dir=work,
            num_iterations=job["iterations"],
            seed=job["seed"],
            report_to="none",
            save_strategy="no",
        )
        Trainer(model=model, args=arguments, train_dataset=rows).train()
    found = np.asarray(model.predict_proba(list(test["text"]), as_numpy=True))
    np.save(folder / "predictions.npy", found)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
