"""What `accelerate launch` runs in test_distributed: train, and write what was learned."""

import contextlib
import sys
from pathlib import Path
from typing import Any

import torch
from accelerate import PartialState
from safetensors.torch import save_file

from stratune.files import write_json
from stratune.watch import Step
from tests.helpers import Callbacks, learned, logits_of, trained

KILLED_AT = 6  # two steps after the first evaluation, which saves


class Killed(Exception):
    pass


def main(specs: str, backbone: str, out: str) -> None:
    """`full:killed` is a run that dies and is started again; `lora:small` one that saves memory."""
    torch.set_num_threads(1)
    for spec in specs.split(","):
        preset, _, way = spec.partition(":")
        small = {"weights": "nf4", "gradient_checkpointing": True} if way == "small" else {}
        if way == "killed":
            with contextlib.suppress(Killed):
                run_one(preset, backbone, Path(out) / spec, dies_at=KILLED_AT)
        run_one(preset, backbone, Path(out) / spec, **small)


def run_one(spec: str, backbone: str, folder: Path, dies_at: int = 0, **more: Any) -> None:
    steps: list[int] = []

    def see(tick: Step) -> None:
        steps.append(tick.step)
        if tick.step == dies_at:
            raise Killed

    options = {"evals_per_epoch": 2, "checkpoint_seconds": 0.0, "micro_batch_tokens": 40}
    strategy = {"preset": spec, "readout": {"dropout": 0.0}, "learning_rate": 1e-4}
    if spec == "lora":
        strategy["dropout"] = 0.0
    run = trained(strategy, backbone, work=folder / "work", progress=Callbacks(step=see), **options, **more)
    logits = logits_of(run)
    if run.is_main_process:
        save_file(learned(run), folder / "learned.safetensors")
        history = [{k: v for k, v in line.items() if k != "seconds"} for line in run.history]
        seen = {"history": history, "logits": logits.tolist(), "examples_seen": run.position.examples_seen}
        seen |= {"first_step": steps[0], "notes": run.notes}
        write_json(folder / "run.json", {**seen, "processes": PartialState().num_processes})


if __name__ == "__main__":
    main(*sys.argv[1:])
