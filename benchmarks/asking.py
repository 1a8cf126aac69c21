"""Few-shot scoring against what a user would write: `generate` row by row, and scoring row by row.

Called by bench.py (`--only few_shot`). All three get the very same prompts, rendered once, and float32 weights; ours computes in
what stratune would choose on this machine. Tokenising counts for all of them.
"""

from __future__ import annotations

import itertools
import time

LLM = "smollm2"
SHOTS = 8
FEW = 8  # rows for the slow ways: their time per row does not depend on how many there are


def compare_asking(split, rows=200):
    import torch
    from transformers import AutoModelForCausalLM

    from stratune.backbone.locate import locate
    from stratune.data.rows import text_columns
    from stratune.fitting.fit import train
    from stratune.strategy import parse_strategy
    from stratune.train.settings import Budget

    template, words = ("paraphrase", ("no", "yes")) if split.task.text_pair else ("baseline", ("bad", "good"))
    spec = {
        "preset": "few_shot",
        "readout": {
            "template": template,
            "shots": SHOTS,
            "words": dict(zip(split.task.labels, words, strict=True)),
        },
    }
    predictor = train(parse_strategy(spec), LLM, split.task, split, Budget(), 0).predictor
    scorer, reader = predictor.model, predictor.model.reader
    texts, pairs = text_columns(split.test.select(range(min(rows, len(split.test)))))
    scorer(texts[:FEW], pairs[:FEW] if pairs else None)  # warm up

    started = time.perf_counter()
    ours = scorer(texts, pairs).predictions.argmax(axis=1)
    ours_seconds = (time.perf_counter() - started) / len(texts)

    model = AutoModelForCausalLM.from_pretrained(locate(LLM), dtype=torch.float32).eval()
    tokenizer = scorer.net.backbone.tokenizer
    prompts = [
        reader.rendered(t, p)
        for t, p in itertools.islice(zip(texts, pairs or [None] * len(texts), strict=True), FEW)
    ]
    generated_seconds = _per_row(prompts, lambda prompt: _generate(model, tokenizer, prompt))
    tokens = [int(t) for t in reader.trie.token]
    assert len(tokens) == len(split.task.labels), "one token a label: one forward pass a row is all it takes"
    plain = []  # the first row twice: once to warm up
    scored_seconds = _per_row(prompts, lambda prompt: plain.append(_score(model, tokenizer, prompt, tokens)))
    return {
        "stratune_rows_per_second": 1 / ours_seconds,
        "generate_rows_per_second": 1 / generated_seconds,
        "row_by_row_rows_per_second": 1 / scored_seconds,
        "ratio_generate": generated_seconds / ours_seconds,
        "ratio_row_by_row": scored_seconds / ours_seconds,
        "prompt_tokens": len(tokenizer(prompts[0]).input_ids),
        "same_answers": sum(a == b for a, b in zip(plain[1:], ours, strict=False)) / len(prompts),
    }


def _per_row(prompts, answer):
    answer(prompts[0])
    started = time.perf_counter()
    for prompt in prompts:
        answer(prompt)
    return (time.perf_counter() - started) / len(prompts)


def _generate(model, tokenizer, prompt):
    inputs = tokenizer(prompt, return_tensors="pt", add_special_tokens=False)
    return model.generate(**inputs, max_new_tokens=5, do_sample=False, pad_token_id=tokenizer.pad_token_id)


def _score(model, tokenizer, prompt, tokens):
    import torch

    inputs = tokenizer(prompt, return_tensors="pt", add_special_tokens=False)
    with torch.inference_mode():
        said = model(**inputs, logits_to_keep=1).logits[0, -1]
    return int(said[tokens].argmax())
