"""stratune demo: a whole comparison on embedded data with an embedded model."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from stratune.cli.compare import Json
from stratune.cli.options import (
    Engine,
    Epochs,
    Fresh,
    Jobs,
    Out,
    Prefer,
    Quiet,
    Search,
    Seeds,
    Texts,
    Trials,
)
from stratune.errors import ConfigError, choices

# Every technique once. `soup` is not among them: it needs several seeds.
DEMO_STRATEGIES = (
    "majority", "tfidf", "untuned", "probe", "partial", "bitfit", "ia3", "lora", "houlsby", "prefix",
    "soft_prompt", "p_tuning", "full", "ensemble",
)  # fmt: skip


def demo(
    name: Annotated[str, typer.Argument(help="See `stratune list demos`.")] = "reviews",
    strategies: Annotated[
        str | None,
        typer.Option(help="Comma-separated; see `stratune list strategies`. [default: every technique once]"),
    ] = None,
    seeds: Seeds = None,
    epochs: Epochs = None,
    trials: Trials = None,
    search: Search = None,
    prefer: Prefer = None,
    texts: Texts = None,
    jobs: Jobs = None,
    engine: Engine = "local",
    out: Out = None,
    fresh: Fresh = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Compare every strategy on embedded data with the embedded model: no file, no network, ten minutes."""
    from stratune.cli.compare import run
    from stratune.config import parse_config
    from stratune.config.given import set_options
    from stratune.data.demo import DEMOS

    if name not in DEMOS:
        raise ConfigError(choices(name, DEMOS), key="demo")
    fields: dict[str, Any] = {"data": {"source": f"demo:{name}"}}
    if name == "reviews":  # 12,808 rows: enough of them for a minute or two a strategy on two cores
        fields["data"] = {"source": "demo:reviews", "train_rows": 1000, "val_rows": 300, "test_rows": 600}
    fields["strategies"] = list(DEMO_STRATEGIES)
    options = {"strategies": strategies, "seeds": seeds, "epochs": epochs, "trials": trials}
    options |= {"search": search, "prefer": prefer, "texts": texts}
    set_options(fields, options)
    how: dict[str, Any] = {"fresh": fresh, "jobs": jobs, "engine": engine}
    run(parse_config(fields), out, how, quiet=quiet, as_json=as_json)
