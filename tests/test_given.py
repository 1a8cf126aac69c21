"""Options are the same on the command line and in Python: one table, and its defaults are told."""

import inspect
import re
from dataclasses import is_dataclass

import pandas as pd
import pytest
from pydantic import BaseModel

import stratune as st
from stratune.cli.compare import compare as command
from stratune.config import parse_config
from stratune.config.given import KEYS, SECTIONS, set_options
from stratune.errors import ConfigError
from stratune.strategy import parse_strategy
from stratune.train.course import EPOCHS

PLURALS = {"backbones", "llms"}  # other names of options that a command line repeats


def configured(**options):
    fields = {"data": {"source": "reviews.csv"}}
    set_options(fields, options)
    return parse_config(fields)


def test_the_command_line_and_python_take_the_same_options():
    """What differs is where the data is named, and what only one of them can do."""
    typed = {name.removesuffix("_") for name in inspect.signature(command).parameters}
    python = {name for name in inspect.signature(st.compare).parameters if name != "options"}
    assert typed - {"arguments", "data", "quiet", "as_json"} == (
        set(KEYS) - PLURALS | python - {"source", "progress"}
    )


def test_every_option_is_named_where_python_explains_them():
    told = set(re.findall(r"\w+", st.compare.__doc__.replace("(s)", "")))
    assert set(KEYS) - PLURALS <= told


def test_every_option_sets_the_key_of_the_configuration_that_the_table_names():
    values = {
        **dict.fromkeys(KEYS, "x"), "train_rows": 5, "val_rows": "0.5", "test_rows": 7, "kind": "ordinal",
        "bins": "1,2", "strategies": "tfidf", "seeds": 2, "sizes": "5,0.5", "transfer": "source", "epochs": 3, "trials": 4, "search": "halving", "minutes": 1, "max_words": 4, "max_length": 6,
        "metric": "qwk", "encoding": "latin-1", "unknown": "drop", "no_gold": "-", "drop_leaks": True, "corrections": "fixed.csv", "validation": "folds", "track": "wandb", "prefer": "memory", "texts": 3, "slices": "domain, year", "protected": "age=18/65",
        "unit": "speaker", "by": "exchange", "clean": "noise",
    }  # fmt: skip
    for name, key in KEYS.items():
        needed = {"bins": "1,2"} if name == "kind" else {"kind": "ordinal"} if name == "metric" else {}
        found, default = configured(**needed, **{name: values[name]}), configured()
        read = [one.model_dump() for one in (found, default)]
        for inner in key.split("."):
            read = [(one or {}).get(inner) for one in read]
        assert repr(read[0]) != repr(read[1]), name


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("lora", ("lora",)),
        ("lora, probe", ("lora", "probe")),
        (["lora", {"preset": "probe"}], ("lora", {"preset": "probe"})),
        ({"preset": "probe"}, ({"preset": "probe"},)),
    ],
)
def test_one_strategy_or_several(given, wanted):
    assert configured(strategies=given).strategies == wanted


def test_a_strategy_object_is_one_too():
    (spec,) = configured(strategies=parse_strategy("lora")).strategies
    assert parse_strategy(spec) == parse_strategy("lora")


@pytest.mark.parametrize("name", ["backbone", "backbones"])
def test_one_backbone_or_several(name, tmp_path):
    assert configured(**{name: "minilm"}).backbones == ("minilm",)
    assert configured(**{name: "minilm,smollm2"}).backbones == ("minilm", "smollm2")
    assert configured(**{name: [tmp_path, "minilm"]}).backbones == (str(tmp_path), "minilm")


@pytest.mark.parametrize("given", ["50,0.1", "50, 0.1", [50, 0.1], (50, "0.1")])
def test_sizes_are_counts_and_shares(given):
    assert configured(sizes=given).sizes == (50, 0.1)
    assert configured(sizes=50).sizes == (50,) and configured().sizes == ()


@pytest.mark.parametrize("given", [{"quantiles": 3}, 3, "3"])
def test_bins_make_a_score_ordinal(given):
    task = configured(bins=given).task
    assert (task.kind, task.bins.quantiles) == ("ordinal", 3)
    assert configured(bins=given, kind=None).task.kind == "ordinal"


@pytest.mark.parametrize("given", [[2.5, 3.5], "2.5,3.5"])
def test_bins_may_be_edges(given):
    assert list(configured(bins=given).task.bins.edges) == [2.5, 3.5]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"strategie": "lora"}, r"^'strategie' is not one of .* \(did you mean 'strategies'\?\)$"),
        ({"llm": "a", "llms": "b"}, r"^'llm' and 'llms' are two names of one option; give one$"),
        ({"train_rows": "many"}, r"'many' is neither a count \(600\) nor a share \(0.5\)"),
        ({"sizes": "50,many"}, r"^sizes: 'many' is neither a count \(600\) nor a share \(0.5\)"),
        ({"sizes": [50, 1.5]}, r"^sizes: 1.5: expected counts of training rows \(200\), or shares of them"),
        ({"data": "x.csv"}, "data: expected keys and values, found str"),
        (
            {"prefer": "speed"},
            "prefer: 'speed': input should be 'seconds', 'memory', 'bytes', 'price' or 'best'",
        ),
    ],
)
def test_wrong_options_are_one_line_with_the_choices(options, message):
    with pytest.raises(ConfigError, match=message):
        st.compare(pd.DataFrame({"text": ["a"], "label": ["b"]}), **options)


def test_what_the_help_calls_default_is_the_default():
    told = {
        name.removesuffix("_"): re.search(r"\[default: ([^\];]+)\]", option.__metadata__[0].help or "")
        for name, option in inspect.get_annotations(command, eval_str=True).items()
        if hasattr(option, "__metadata__")
    }
    plain = {name: found[1] for name, found in told.items() if found and name in KEYS}
    config = configured()
    assert {name: plain[name] for name in ("kind", "unknown", "backbone", "seeds", "prefer")} == {
        "kind": config.task.kind,
        "unknown": config.data.unknown,
        "backbone": ",".join(config.backbones),
        "seeds": str(config.seeds),
        "prefer": config.prefer,
    }
    assert plain["epochs"].startswith(f"{EPOCHS:g}, ") and config.budget.epochs is None
    task = st.Task()
    assert (plain["text"], plain["label"]) == (task.text, task.label)
    assert (plain["val"], plain["test"]) == tuple(
        f"{share:.0%} of the rows".replace("%", " %") for share in config.data.fractions[1:]
    )
    assert plain["strategies"] == "eight, by kind, pairs ten" and len(config.strategies) == 8
    pairs = configured(pair="b").strategies
    assert pairs == (*config.strategies, "probe+two_tower", "partial+two_tower")


def test_an_option_changes_a_configuration_that_is_a_file(tmp_path):
    rows = "\n".join(f"a text of number {row},{'ab'[row % 2]}" for row in range(60))
    (tmp_path / "rows.csv").write_text(f"text,label\n{rows}\n")
    (tmp_path / "c.yaml").write_text("data: {source: rows.csv, train_rows: 20}\n")
    whole, fewer = st.split(tmp_path / "c.yaml"), st.split(tmp_path / "c.yaml", train_rows=10)
    assert (whole.sizes["train"], fewer.sizes["train"]) == (20, 10)


def test_a_frame_is_split_as_a_comparison_splits_it():
    frame = pd.DataFrame(
        {"review": [f"a text of number {row}" for row in range(60)], "mood": ["a", "b"] * 30}
    )
    found = st.split(frame, text="review", label="mood", test=frame.tail(6))
    assert found.sizes["test"] == 6 and found.task.labels == ("a", "b")
    assert found.fingerprint == st.split(frame, text="review", label="mood", test=frame.tail(6)).fingerprint


def test_every_section_of_the_configuration_may_be_given_whole():
    config = configured()
    sections = {name for name, value in config if isinstance(value, BaseModel) or is_dataclass(value)}
    assert set(SECTIONS) == sections
    assert configured(budget={"epochs": 9.0}).budget.epochs == 9.0


def test_what_is_preferred_is_kept_and_no_part_of_what_numbers_depend_on():
    from stratune.comparison.comparison import _shared
    from stratune.testing import toy_split

    split = toy_split()
    assert _shared(configured(prefer="best"), split) == _shared(configured(), split)
    assert configured(prefer="best").prefer == "best" and configured().prefer == "seconds"


def test_columns_of_slices_may_be_one_text_or_several():
    report = configured(slices="domain, age=18/30/65", protected=["gender"]).report
    assert (report.slices, report.protected) == (("domain", "age=18/30/65"), ("gender",))
    assert configured().report.slices == configured().report.protected == ()
