"""What a frozen backbone makes of chunks is computed once for all that answer from it, the test part too."""

import json

import numpy as np
import pyarrow.parquet as pq
import pytest

from stratune.cache import seal
from stratune.net.net import Net
from tests.helpers import executed
from tests.longtext.needles import needle_split

WAYS = {
    "mean": {"way": "chunk", "window": 24, "aggregate": "mean"},
    "vote": {"way": "chunk", "window": 24, "aggregate": "vote"},
    "attention": {"way": "hierarchical", "window": 24, "model": "attention"},
    "bilstm": {"way": "hierarchical", "window": 24, "model": "bilstm"},
}


@pytest.fixture
def encoded(monkeypatch):
    """Rows that went through the backbone."""
    rows = []
    plain = Net.encode

    def counted(net, batch):
        rows.append(len(batch.ids))
        return plain(net, batch)

    monkeypatch.setattr(Net, "encode", counted)
    return rows


def run(name, out, backbone, **train):
    split = needle_split(rows=16)
    spec = {"preset": "probe", "name": name, "batch_size": 8, "readout": {"long": WAYS[name]}}
    settings = {"precision": "float32", **train}
    result, folder = executed(spec, backbone, split, out, **settings)
    assert result.status == "ok", result.error
    return result, pq.read_table(folder / "predictions.parquet").to_pylist()


def test_vectors_are_computed_once_for_all_aggregators_and_small_models(tiny, tmp_path, encoded):
    run("mean", tmp_path / "out", tiny("bert"))
    first = sum(encoded)
    # All chunks of train, val and test; and once more what is looked at when the model's folder is checked.
    assert first > 32
    counts = []
    for name in ("vote", "attention", "bilstm"):
        encoded.clear()
        run(name, tmp_path / "out", tiny("bert"))
        counts.append(sum(encoded))
    assert max(counts) < first / 2  # the check of the folder alone, which reads no cache


@pytest.mark.parametrize("name", ["mean", "attention"])
def test_answers_from_the_cache_are_those_without(name, tiny, tmp_path):
    run("bilstm", tmp_path / "before", tiny("bert"))
    (_, cached), (_, plain) = (
        run(name, tmp_path / place, tiny("bert"), cache=cache) for place, cache in (("a", True), ("b", False))
    )
    for one, other in zip(cached, plain, strict=True):
        assert one["evidence"][0]["start"] == other["evidence"][0]["start"]
        scores = [key for key in one if key.startswith("score_")]
        np.testing.assert_allclose([one[k] for k in scores], [other[k] for k in scores], atol=1e-5)


def test_the_time_that_encoding_took_another_run_counts(tiny, tmp_path, own_cache):
    run("bilstm", tmp_path / "before", tiny("bert"))
    for about in own_cache.glob("activations/*/about.json"):
        about.write_text(json.dumps(json.loads(about.read_text()) | {"seconds": 1000.0}))
        seal(about.parent)
    result, _ = run("attention", tmp_path / "after", tiny("bert"))
    assert 8 / 1100 < result.predict_rows_per_second < 8 / 1000
