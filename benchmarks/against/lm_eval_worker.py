"""Runs in lm-evaluation-harness' environment, which has no stratune: `python lm_eval_worker.py FOLDER`.

FOLDER holds job.json (model: a folder, pairs: [[prompt, continuation], ...]); scores.json, a log-probability for each pair, is
written to it. The harness does what it does for any task: it encodes the pairs itself, sorts and batches them.
"""

import json
import sys
from pathlib import Path

from lm_eval.api.instance import Instance
from lm_eval.models.huggingface import HFLM


def main(folder: Path) -> None:
    job = json.loads((folder / "job.json").read_text(encoding="utf-8"))
    model = HFLM(pretrained=job["model"], device="cpu", dtype="float32", batch_size=4)
    asked = [
        Instance(request_type="loglikelihood", doc={}, arguments=tuple(pair), idx=number)
        for number, pair in enumerate(job["pairs"])
    ]
    scores = [score for score, _ in model.loglikelihood(asked)]
    (folder / "scores.json").write_text(json.dumps(scores), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
