import json
from types import SimpleNamespace

import pytest

from tests.cli.comparison import STRATEGIES, stratune, write_rows


@pytest.fixture(scope="session")
def finished(tmp_path_factory, tiny):
    """One undisturbed comparison of six strategies on a tiny BERT; tests read it and leave it as it is."""
    folder = tmp_path_factory.mktemp("comparison")
    write_rows(folder / "reviews.csv")
    options = ["--data", "reviews.csv", "--text", "review", "--label", "mood", "--backbone", tiny("bert")]
    options += ["--strategies", STRATEGIES, "--epochs", "3", "--seeds", "2", "--out", "out"]
    ran = stratune("compare", *options, "--json", cwd=folder, cache=folder / "cache")
    assert ran.returncode == 0, ran.stderr
    return SimpleNamespace(
        folder=folder,
        out=folder / "out",
        cache=folder / "cache",
        board=json.loads(ran.stdout),
        options=options,
    )
