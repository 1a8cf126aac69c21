"""Which models a server has: of comparisons and folders, on one backbone in memory where they can be."""

import numpy as np
import pytest

import stratune as st
from stratune.errors import ArtifactError, ConfigError
from stratune.serving.refusals import Refused
from stratune.serving.served import Served, folders_of
from stratune.testing import toy_split
from stratune.testing.nets import net_of

TEXTS = ["the cat saw rain", "we heard the choir and the piano again", "snow", "they talked about the horse"]
ON_ONE = ("lora", "second", "houlsby", "full")


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    rows = [{"text": r["text"], "label": r["label"]} for table in toy_split().parts.values() for r in table]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STRATUNE_CACHE", str(tmp_path_factory.mktemp("cache")))
        place = tmp_path_factory.mktemp("served") / "out"
        return st.compare(rows, strategies="majority,tfidf", out=place, progress=False).out


def test_models_on_one_backbone_answer_as_alone_bit_for_bit(folders, loaded):
    served = Served.load({name: folders.home / name for name in (*ON_ONE, "words")}, device="cpu")
    alone = {name: loaded(name).predict_proba(TEXTS) for name in ON_ONE}
    for _ in range(2):  # in turn: none leaves anything behind
        for name in ON_ONE:
            found = served.models[name].predictor.predict_proba(TEXTS)
            assert np.array_equal(found, alone[name]), name
    assert not np.array_equal(alone["lora"], alone["second"])
    assert (
        set(served.models["lora"].shares) == {"second", "houlsby", "full"}
        and served.models["words"].shares == ()
    )


def test_their_frozen_tensors_lie_in_memory_once(folders):
    served = Served.load({name: folders.home / name for name in ON_ONE}, device="cpu")

    def places(name):
        net = net_of(served.models[name].predictor.model)
        return {
            parameter.data_ptr()
            for parameter in net.backbone.model.parameters()
            if not parameter.requires_grad
        }

    assert len(places("lora") & places("second") & places("houlsby")) > 20
    trained = net_of(served.models["full"].predictor.model).trainable()
    assert not places("lora") & {tensor.data_ptr() for tensor in trained.values()}


def test_a_comparison_gives_its_winner_or_the_rows_that_are_named(out):
    assert list(folders_of([str(out)])) == ["tfidf@none#0"]
    assert list(folders_of([str(out)], ["majority", "tfidf"])) == ["majority@none#0", "tfidf@none#0"]
    assert set(folders_of([str(out)], every=True)) == {"majority@none#0", "tfidf@none#0"}
    assert list(folders_of([f"mood={out}", str(out / "runs" / "majority@none#0" / "model")])) == [
        "mood",
        "majority@none#0",
    ]
    served = Served.load(folders_of([f"mood={out}"]))
    assert served.get(None) is served.get("mood")
    with pytest.raises(Refused, match="'mod' is not one of mood") as refused:
        served.get("mod")
    assert refused.value.status == 404


def test_what_cannot_be_served_is_told(out, folders, tmp_path):
    model = str(out / "runs" / "majority@none#0" / "model")
    with pytest.raises(ConfigError, match="--strategy: .* is not the folder of a comparison"):
        folders_of([model], ["tfidf"])
    with pytest.raises(ConfigError, match="two models are called 'tfidf@none#0'"):
        folders_of([str(out), str(out)])
    with pytest.raises(ConfigError, match="2 models cannot have one name"):
        folders_of([f"mood={out}"], every=True)
    with pytest.raises(ConfigError, match="no finished row: 'tfdf' is not one of"):
        folders_of([str(out)], ["tfdf"])
    with pytest.raises(ArtifactError, match="stratune.json|no such folder|no model"):
        Served.load({"x": tmp_path / "nothing"})
