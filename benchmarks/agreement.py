"""Do label log-probabilities agree with a plain loop over transformers' forward pass, in float32, on real text?

    python benchmarks/agreement.py reviews.parquet --rows 100 --words 40 [--lm-eval LMEVAL/bin/python]

The loop runs one sequence for each row and word, with nothing shared, nothing padded and nothing cached. Plain text and chat, with
and without demonstrations, labels of one token and of several. Prints the largest difference of each; exits with 1 above 1e-4.
With `--lm-eval`, lm-evaluation-harness scores the same prompts and words instead of the loop, in an environment of its own:

    python3 -m venv LMEVAL && LMEVAL/bin/pip install -c constraints.txt lm-eval==0.4.13
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

LIMIT = 1e-4
ONE = {"words": ["bad", "good"]}
SEVERAL = {"words": [["not worth seeing", "a disaster"], ["well worth seeing", "a masterpiece"]]}
CASES = {
    "plain text, one token": ({"chat": False}, ONE, 0),
    "plain text, several": ({"chat": False}, SEVERAL, 0),
    "chat, one token": ({"chat": True}, ONE, 0),
    "chat, several, 2 demonstrations": ({"chat": True}, SEVERAL, 2),
}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("data")
    parser.add_argument("--rows", type=int, default=100)
    parser.add_argument("--words", type=int, default=40, help="read of each text")
    parser.add_argument("--llm", default="smollm2")
    parser.add_argument(
        "--lm-eval", type=Path, help="a Python that has lm-evaluation-harness, which scores instead"
    )
    asked = parser.parse_args()

    import numpy as np

    from stratune.backbone.locate import locate
    from stratune.data.load import load_split
    from stratune.fitting.fit import train
    from stratune.strategy import parse_strategy
    from stratune.task import Task
    from stratune.train.settings import Budget, TrainSettings

    split = load_split(asked.data, Task(), seed=0, sizes=(200, asked.rows, 50))
    texts = list(split.val["text"])
    model = str(locate(asked.llm))
    worst = 0.0
    for name, (how, said, shots) in CASES.items():
        words = dict(zip(split.task.labels, said["words"], strict=True))
        flat = [word for own in words.values() for word in ([own] if isinstance(own, str) else own)]
        template = {"base": "demonstrations", "name": "agreement", **how}
        readout = {"template": template, "words": words, "shots": shots}
        settings = TrainSettings(precision="float32", max_words=asked.words)
        spec = parse_strategy({"preset": "zero_shot", "readout": readout})
        scorer = train(spec, asked.llm, split.task, split, Budget(), 0, settings=settings).predictor.model
        ours = scorer.outputs(texts, None)
        reader = scorer.reader
        pairs = [(reader.rendered(text, None), reader.renderer.gap + word) for text in texts for word in flat]
        if asked.lm_eval:
            scores = by_harness(asked.lm_eval, model, pairs)
        else:
            scores = plainly(model, pairs, special=not reader.renderer.chat)
        theirs = of_labels(scores, words, len(texts))
        gap = float(np.abs(ours - theirs).max())
        worst = max(worst, gap)
        print(f"{name:34} {len(texts)} rows, largest difference {gap:.1e}", flush=True)
    return int(worst > LIMIT)


def of_labels(scores, words, rows):
    """[rows, K] log of the probability that each label's words together have."""
    import numpy as np

    counts = [1 if isinstance(said, str) else len(said) for said in words.values()]
    parts = np.split(np.array(scores).reshape(rows, -1), np.cumsum(counts)[:-1], axis=1)
    return np.stack([np.logaddexp.reduce(part, axis=1) for part in parts], axis=1)


def plainly(model, pairs, special):
    """Log-probability of each continuation behind its prompt."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(model)
    net = AutoModelForCausalLM.from_pretrained(model, dtype="float32").eval()
    scores = []
    for prompt, rest in pairs:
        start = len(tokenizer(prompt, add_special_tokens=special).input_ids)
        ids = tokenizer(prompt + rest, add_special_tokens=special).input_ids
        with torch.inference_mode():
            log_probs = net(torch.tensor([ids])).logits[0].log_softmax(-1)
        scores.append(float(sum(log_probs[i - 1, ids[i]] for i in range(start, len(ids)))))
    return scores


def by_harness(python, model, pairs):
    """The same by lm-evaluation-harness."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "job.json").write_text(json.dumps({"model": model, "pairs": pairs}), encoding="utf-8")
        apart = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        worker = Path(__file__).parent / "against" / "lm_eval_worker.py"
        subprocess.run([python, worker, folder], check=True, env={**apart, "HF_HUB_OFFLINE": "1"})
        return json.loads((folder / "scores.json").read_text(encoding="utf-8"))


if __name__ == "__main__":
    sys.exit(main())
