"""Several threads on one predictor, and several predictors on one backbone: each answers as if it were alone."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from stratune.backbone.load import load_backbone
from stratune.predictor.predictor import Predictor
from stratune.testing import save_tiny
from stratune.testing.nets import net_of
from tests.helpers import trained

ROUNDS = 200
# Of many lengths, so that the two threads pad, cut and batch differently.
LEFT = ["the cat saw a dog", "rain", "a horse and a bird near the old house again and again", "snow today"]
RIGHT = ["storm", "we heard the wind for a long time in the quiet street", "mouse", "people talked about fog"]
ONE = {"name": "one", "row": "{text}", "answer": "= {label}", "chat": False}
SPECS = {
    "head": ("lora", "bert"),
    "few_shot": ({"preset": "few_shot", "readout": {"template": ONE, "shots": 4}}, "llama"),
    "generate": ({"preset": "few_shot+generate", "readout": {"template": ONE, "shots": 2}}, "llama"),
    "masked": ({"preset": "zero_shot", "readout": {"template": ONE}}, "bert"),
    "soft_prompt": ("soft_prompt", "llama"),
}


@pytest.mark.parametrize("name", SPECS)
def test_two_threads_answer_as_one_does(name, tiny, tmp_path):
    spec, family = SPECS[name]
    folder = save_tiny(family, tmp_path / family, masked=True) if name == "masked" else tiny(family)
    predictor = trained(spec, folder, epochs=1).predictor
    alone = [predictor.predict_proba(texts) for texts in (LEFT, RIGHT)]
    start = threading.Barrier(2)

    def answer(texts):
        start.wait()
        return predictor.predict_proba(texts)

    with ThreadPoolExecutor(2) as pool:
        for _ in range(ROUNDS):
            together = [pool.submit(answer, texts) for texts in (LEFT, RIGHT)]
            for found, wanted in zip(together, alone, strict=True):
                assert np.array_equal(found.result(), wanted, equal_nan=True)


def test_sampling_in_two_threads_draws_what_it_draws_alone(tiny):
    spec = {"preset": "zero_shot+generate", "readout": {"template": ONE, "sample": 2.0}}
    predictor = trained(spec, tiny("llama")).predictor
    alone = predictor.model(LEFT, None).answers
    assert len(set(alone)) > 1
    with ThreadPoolExecutor(2) as pool:
        for found in [pool.submit(predictor.model, LEFT, None) for _ in range(20)]:
            assert found.result().answers == alone


ADAPTED = [
    "probe",
    "partial",
    "full",
    "bitfit",
    "lora",
    "ia3",
    "houlsby",
    "prefix",
    "soft_prompt",
    "p_tuning",
]


def test_many_predictors_stand_on_one_backbone(tiny, tmp_path):
    folder = tiny("bert")
    wanted = {}
    for preset in ADAPTED:
        predictor = trained(preset, folder, epochs=1).predictor
        predictor.save(tmp_path / preset)
        wanted[preset] = predictor.predict_proba(LEFT)
    backbone = load_backbone(str(folder))
    before = {name: tensor.clone() for name, tensor in backbone.model.state_dict().items()}
    loaded = {preset: Predictor.load(tmp_path / preset, backbone=backbone) for preset in ADAPTED}
    for preset, predictor in loaded.items():
        np.testing.assert_allclose(predictor.predict_proba(LEFT), wanted[preset], atol=1e-6, err_msg=preset)
    for name, tensor in backbone.model.state_dict().items():
        assert torch.equal(tensor, before[name]), f"{name} of the shared backbone has changed"
    shared = {p.data_ptr() for p in backbone.model.parameters()}
    for preset, predictor in loaded.items():
        net = net_of(predictor.model)
        own = {name for name, p in net.named_parameters() if p.data_ptr() not in shared}
        assert own <= {*net.trainable(), "head.linear.weight", "head.linear.bias"}, preset


def test_a_backbone_that_is_given_stays_as_it_was(tiny):
    backbone = load_backbone(str(tiny("bert")))
    before = {name: tensor.clone() for name, tensor in backbone.model.state_dict().items()}
    for preset in ("full", "houlsby", "lora"):
        trained(preset, backbone, epochs=1)
        after = backbone.model.state_dict()
        assert after.keys() == before.keys()
        assert all(torch.equal(after[name], tensor) for name, tensor in before.items()), preset
