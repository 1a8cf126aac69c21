"""What `accelerate launch` runs in test_distributed: train, and write what was learned."""

import sys
from pathlib import Path

import torch
from accelerate import PartialState
from safetensors.torch import save_file

from stratune.files import write_json
from tests.helpers import learned, logits_of, trained


def main(specs: str, backbone: str, out: str) -> None:
    torch.set_num_threads(1)
    for spec in specs.split(","):
        run_one(spec, backbone, Path(out) / spec)


def run_one(spec: str, backbone: str, folder: Path) -> None:
    options = {"evals_per_epoch": 2, "checkpoint_seconds": 0.0, "micro_batch_tokens": 40}
    strategy = {"preset": spec, "readout": {"dropout": 0.0}, "learning_rate": 1e-4}
    if spec == "lora":
        strategy["dropout"] = 0.0
    run = trained(strategy, backbone, work=folder / "work", **options)
    logits = logits_of(run)
    if run.is_main_process:
        save_file(learned(run), folder / "learned.safetensors")
        history = [{k: v for k, v in line.items() if k != "seconds"} for line in run.history]
        seen = {"history": history, "logits": logits.tolist(), "examples_seen": run.position.examples_seen}
        write_json(folder / "run.json", {**seen, "processes": PartialState().num_processes})


if __name__ == "__main__":
    main(*sys.argv[1:])
