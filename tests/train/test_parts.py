"""Two processes that hold parts of the blocks (FSDP2) end where one does that holds all of them."""

import os
import re

import numpy as np
import pytest
import torch

from stratune.cli import main
from stratune.errors import ConfigError
from stratune.files import read_json
from stratune.train.infer import infer
from stratune.train.processes import check_launch
from stratune.train.runtime import Runtime
from stratune.train.shards import fill, give_back, part_of, sharded_as, whole_of
from tests.helpers import TEXTS, adapted, feed_of
from tests.train import launched
from tests.train.test_distributed import NO_DROPOUT, launch, same_run

SPECS = ("full", "lora", "lora:small", "full:killed")
FSDP2 = {"ACCELERATE_USE_FSDP": "true", "FSDP_VERSION": "2"}


def test_blocks_in_parts_learn_what_one_process_does(tiny, tmp_path, monkeypatch):
    backbone = tiny("bert", **NO_DROPOUT)
    monkeypatch.setenv("STRATUNE_CACHE", str(tmp_path / "cache"))
    how = ("--use_fsdp", "--fsdp_version", "2")
    launch("tests.train.launched", ",".join(SPECS), str(backbone), str(tmp_path / "two"), how=how)
    launched.main("full,lora,lora:small", str(backbone), str(tmp_path / "one"))
    for spec in SPECS:
        two = tmp_path / "two" / spec
        same_run(two, tmp_path / "one" / spec.removesuffix(":killed"))
        told = read_json(two / "run.json")
        assert told["first_step"] == (5 if "killed" in spec else 1)  # it was saved after the fourth
        (note,) = (n for n in told["notes"] if "parts" in n)
        here, whole = (int(number.replace(",", "")) for number in re.findall(r"[\d,]{4,}", note))
        assert note.startswith("2 processes held parts of the blocks")
        assert 2 * here == whole


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"ACCELERATE_USE_FSDP": "true"}, "version 1 of FSDP is not used here: add --fsdp_version 2"),
        ({**FSDP2, "FSDP_OFFLOAD_PARAMS": "true"}, "leave --fsdp_offload_params out"),
        ({**FSDP2, "FSDP_ACTIVATION_CHECKPOINTING": "true"}, "set `train.gradient_checkpointing`"),
        ({"ACCELERATE_USE_DEEPSPEED": "true"}, "ask for --use_fsdp --fsdp_version 2"),
        ({"ACCELERATE_USE_MEGATRON_LM": "true"}, "ask for --use_fsdp --fsdp_version 2"),
        ({"ACCELERATE_USE_PARALLELISM_CONFIG": "true"}, "only DDP and FSDP2"),
    ],
)
def test_what_accelerate_can_do_and_we_cannot_is_refused(asked, said, monkeypatch):
    for name, value in asked.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError, match=f"^accelerate launch: .*{re.escape(said)}"):
        check_launch()


def test_a_refused_launch_is_one_sentence(monkeypatch, tmp_path, capsys):
    data = tmp_path / "rows.csv"
    data.write_text("text,label\n" + "".join(f"text {i},{'ab'[i % 2]}\n" for i in range(40)))
    monkeypatch.setenv("ACCELERATE_USE_FSDP", "true")
    given = ["--data", str(data), "--text", "text", "--label", "label", "--strategies", "majority"]
    with pytest.raises(SystemExit) as ended:
        main(["compare", *given, "--out", str(tmp_path / "out")])
    assert ended.value.code == 2
    said = "accelerate launch: version 1 of FSDP is not used here: add --fsdp_version 2"
    assert capsys.readouterr().err.strip().splitlines()[-1] == f"stratune: {said}"


def test_every_process_reads_the_weights_whole(monkeypatch):
    for name, value in {**FSDP2, "FSDP_CPU_RAM_EFFICIENT_LOADING": "true"}.items():
        monkeypatch.setenv(name, value)
    check_launch()
    assert os.environ["FSDP_CPU_RAM_EFFICIENT_LOADING"] == "false"


def test_each_process_runs_blocks_in_parts_equally_often(tiny):
    net = adapted("full", tiny("bert"))
    runtime = Runtime(torch.device("cpu"), "float32", micro_batch_tokens=1)
    feed = feed_of(net, [*TEXTS, "rain"])
    whole = infer(net, feed, runtime)  # a batch for each of five texts
    net.in_parts = True
    runs, shares = [], []
    net.register_forward_hook(lambda *_: runs.append(1))
    for rank in range(2):
        runs.clear()
        shares.append(infer(net, feed, runtime, rank=rank, world=2))
        assert len(runs) == 3
    assert np.array_equal(sum(shares), whole)


# -- tensors in parts


class Mesh:
    def __init__(self, rank, size):
        self.rank, self.count = rank, size

    def size(self):
        return self.count

    def get_local_rank(self):
        return self.rank


class InParts:
    """What is asked of a DTensor."""

    def __init__(self, rank, size):
        self.device_mesh = Mesh(rank, size)

    def to_local(self):
        raise AssertionError("nobody asks for it here")


@pytest.mark.parametrize("rows", [1, 3, 4, 7])
def test_the_parts_of_all_processes_are_the_whole(rows):
    whole = torch.arange(rows * 2.0).view(rows, 2)
    parts = [part_of(whole, InParts(rank, 4)) for rank in range(4)]
    assert torch.equal(torch.cat(parts), whole)
    assert [len(part) for part in parts] == [
        len(part) for part in [*whole.chunk(4), *[whole[:0]] * (4 - len(whole.chunk(4)))]
    ]


def test_a_whole_tensor_is_its_own_part():
    whole, like = torch.arange(6.0), torch.zeros(6)
    assert part_of(whole, like) is whole
    assert whole_of(whole, like) is whole
    assert torch.equal(sharded_as(whole, like), whole)
    assert sharded_as(whole, like).data_ptr() != whole.data_ptr()


def test_memory_that_was_given_back_is_filled_for_all_who_share_it():
    tensor = torch.arange(6.0)
    other = tensor.view(2, 3)
    give_back(tensor)
    assert other.untyped_storage().nbytes() == 0
    fill(tensor, torch.ones(6))
    assert torch.equal(other, torch.ones(2, 3))


def test_memory_of_which_a_tensor_is_a_slice_is_not_given_back():
    several = torch.arange(6.0)
    give_back(several[:3])
    assert torch.equal(several, torch.arange(6.0))
    fill(several[:3], torch.ones(3))
    assert several.tolist() == [1, 1, 1, 3, 4, 5]
