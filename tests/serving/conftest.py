from dataclasses import replace
from types import SimpleNamespace

import pytest

from stratune.predictor.predictor import Predictor
from stratune.testing import toy_split
from stratune.testing.toy import toy_split_of
from stratune.transcript.reading import reading_of
from stratune.transcript.texts import Texts
from tests.helpers import trained


@pytest.fixture(scope="session")
def folders(tmp_path_factory, tiny):
    """Name -> model folder: three adapters and a whole model on one backbone, words, pairs, values, calls."""
    home = tmp_path_factory.mktemp("served")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STRATUNE_CACHE", str(home / "cache"))
        made = {
            "lora": trained("lora", tiny("bert"), epochs=3),
            "second": trained("lora", tiny("bert"), seed=1),
            "houlsby": trained("houlsby", tiny("bert")),
            "full": trained("full", tiny("bert")),
            "words": trained("tfidf", None),
            "pairs": trained("tfidf", None, split=toy_split(pairs=True)),
            "values": trained("tfidf", None, split=toy_split_of("regression")),
        }
        for name, run in made.items():
            run.predictor.save(home / name)
        calls = made["words"].predictor
        about = {**calls.about, "transcripts": reading_of(Texts(), ())}
        replace(calls, about=about).save(home / "calls")
    return SimpleNamespace(home=home, **{name: home / name for name in [*made, "calls"]})


@pytest.fixture(scope="session")
def loaded(folders):
    """`loaded("lora")`: the predictor alone, on a backbone of its own."""
    return lambda name: Predictor.load(folders.home / name, device="cpu")
