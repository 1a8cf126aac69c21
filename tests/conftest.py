"""Shared by all tests: no network, a cache folder of their own, and tiny models made once."""

import gc
import os

os.environ["HF_HUB_OFFLINE"] = "1"  # read when huggingface_hub is imported
os.environ["TOKENIZERS_PARALLELISM"] = "false"

import pytest
from hypothesis import settings

from tests import warm

# The same cases in every run, so that a failure is of the change at hand; HYPOTHESIS_PROFILE=default draws
# new ones.
settings.register_profile("steady", derandomize=True, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))


def pytest_collection_finish():
    """What has been imported stays: no collection looks at it again, of which each took 0.4 seconds.

    A fit of several trials or folds collects after each, and so does Python by itself.
    """
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    """Nothing a test caches is seen by another test, or by the person who runs them."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("STRATUNE_CACHE", str(folder))
    monkeypatch.delenv("STRATUNE_CACHE_GB", raising=False)
    return folder


@pytest.fixture(scope="session", autouse=True)
def runs_start_warm():
    """The process that forks the runs of a comparison does not import for ten seconds first."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("stratune.engine.local.sys", warm.Sys())
        yield


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    """`tiny("bert")` is the folder of a tiny BERT, made once; options go into its configuration."""
    import torch

    from stratune.testing import save_tiny

    torch.set_num_threads(1)  # a second thread costs these models more than it gives
    root = tmp_path_factory.mktemp("tiny")

    def folder(model_type, **config):
        name = "-".join([model_type, *(f"{key}={value}" for key, value in sorted(config.items()))])
        if not (root / name).exists():
            save_tiny(model_type, root / name, **config)
        return root / name

    return folder
