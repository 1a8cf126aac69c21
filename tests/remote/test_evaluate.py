"""evaluate of a model on a server: it gets texts only where that is allowed, and before that nothing is written."""

from __future__ import annotations

import json

import pytest

from stratune.comparison.evaluation import evaluate
from stratune.errors import ConfigError
from tests.remote.test_asking import sure
from tests.remote.test_named import comparison


def test_a_server_gets_other_rows_only_where_it_is_allowed(scripted, tmp_path):
    server = scripted(sure)
    out = comparison(tmp_path, server).out
    other = tmp_path / "other.jsonl"
    labels = json.loads((out / "leaderboard.json").read_text())["task"]["labels"]
    rows = [{"text": f"unheard of, number {i}", "label": labels[i % len(labels)]} for i in range(7)]
    other.write_text("\n".join(map(json.dumps, rows)))
    asked = len(server.log)
    with pytest.raises(ConfigError, match=f"--allow-server {server.url}"):
        evaluate(out, other, strategies=["zero_shot"])
    assert len(server.log) == asked and not (out / "evaluations").exists()
    found = evaluate(out, other, strategies=["zero_shot"], allow_server=server.url)
    assert found["rows"] == 7 and len(server.log) - asked == 7
    assert [one["strategy"] for one in found["strategies"]] == ["zero_shot"]
