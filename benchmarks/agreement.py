"""Do label log-probabilities agree with a plain loop over transformers' forward pass, in float32, on real text?

    python benchmarks/agreement.py reviews.parquet --rows 100 --words 40

The loop runs one sequence for each row and word, with nothing shared, nothing padded and nothing cached. Plain text and chat, with
and without demonstrations, labels of one token and of several. Prints the largest difference of each; exits with 1 above 1e-4.
"""

from __future__ import annotations

import argparse
import sys

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
    asked = parser.parse_args()

    import numpy as np
    from transformers import AutoModelForCausalLM

    from stratune.backbone.locate import locate
    from stratune.data.load import load_split
    from stratune.fitting.fit import train
    from stratune.strategy import parse_strategy
    from stratune.task import Task
    from stratune.train.feed import Feed
    from stratune.train.settings import Budget, TrainSettings

    split = load_split(asked.data, Task(), seed=0, sizes=(200, asked.rows, 50))
    texts = list(split.val["text"])
    model = AutoModelForCausalLM.from_pretrained(locate(asked.llm), dtype="float32").eval()
    worst = 0.0
    for name, (how, said, shots) in CASES.items():
        words = dict(zip(split.task.labels, said["words"], strict=True))
        template = {"base": "demonstrations", "name": "agreement", **how}
        readout = {"template": template, "words": words, "shots": shots}
        settings = TrainSettings(precision="float32", max_words=asked.words)
        spec = parse_strategy({"preset": "zero_shot", "readout": readout})
        scorer = train(spec, asked.llm, split.task, split, Budget(), 0, settings=settings).predictor.model
        ours = scorer.logits(Feed(scorer.reader.tokens(texts, None), scorer.pad))
        theirs = [plainly(model, scorer, text, words) for text in texts]
        gap = float(np.abs(ours - np.array(theirs)).max())
        worst = max(worst, gap)
        print(f"{name:34} {len(texts)} rows, largest difference {gap:.1e}", flush=True)
    return int(worst > LIMIT)


def plainly(model, scorer, text, words):
    """[K] log of the probability that each label's words together have behind the prompt."""
    import torch

    reader, tokenizer = scorer.reader, scorer.net.backbone.tokenizer
    prompt, special = reader.rendered(text, None), not reader.renderer.chat
    start = len(tokenizer(prompt, add_special_tokens=special).input_ids)
    found = []
    for said in words.values():
        scores = []
        for word in [said] if isinstance(said, str) else said:
            ids = tokenizer(prompt + reader.renderer.gap + word, add_special_tokens=special).input_ids
            with torch.inference_mode():
                log_probs = model(torch.tensor([ids])).logits[0].log_softmax(-1)
            scores.append(sum(log_probs[i - 1, ids[i]] for i in range(start, len(ids))))
        found.append(float(torch.stack(scores).logsumexp(0)))
    return found


if __name__ == "__main__":
    sys.exit(main())
