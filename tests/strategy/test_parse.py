"""What a user may write for a strategy, and what is said about the rest."""

import pytest

from stratune.errors import ConfigError
from stratune.strategy import BASELINES, PRESETS, Strategy, about, parse_strategy, strategy_names


def test_presets_come_in_the_order_of_the_leaderboard():
    first = [
        "majority",
        "mean",
        "tfidf",
        "first_only",
        "second_only",
        "untuned",
        "probe",
        "partial",
        "bitfit",
        "full",
    ]
    then = [
        "features",
        "centroid",
        "knn",
        "label_names",
        "contrastive",
        "lora",
        "ia3",
        "houlsby",
        "prefix",
        "soft_prompt",
        "p_tuning",
        "peft:<method>",
    ]
    asking = ["zero_shot", "few_shot", "completion"]
    assert strategy_names() == [*first, *then, *asking, "ensemble", "stack", "soup", "cascade", "distil"]


def test_floors_are_those_whose_answers_have_nothing_to_do_with_the_text():
    names = ["peft:loha" if name == "peft:<method>" else name for name in strategy_names()]
    floors = {name for name in names if parse_strategy(name).floor}
    assert floors == {"majority", "mean", "untuned"}
    assert parse_strategy({"preset": "untuned", "name": "of my own"}).floor


@pytest.mark.parametrize("name", strategy_names())
def test_each_says_in_a_line_what_it_is(name):
    assert 20 < len(about(name)) < 130 and about(name).endswith((".", ")."))


NAMES = [name for name in PRESETS if name != "peft:<method>"]  # that one is a pattern


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_enough(name):
    strategy = parse_strategy(name)
    assert isinstance(strategy, Strategy) and strategy.name == name
    assert parse_strategy(strategy) is strategy


def test_options_go_where_they_belong():
    strategy = parse_strategy(
        {"preset": "lora", "name": "mine", "rank": 32, "learning_rate": 5e-4, "readout": {"pool": "first"}}
    )
    assert strategy.name == "mine"
    assert strategy.tune.rank == 32 and strategy.tune.dropout == 0.05
    assert strategy.recipe.learning_rate == 5e-4 and strategy.recipe.batch_size == 32
    assert strategy.readout.pool == "first"


def test_a_technique_may_be_named_without_its_preset():
    assert parse_strategy({"tune": "last", "k": 1}).tune == parse_strategy({"preset": "partial", "k": 1}).tune


def test_a_preset_keeps_its_recipe_and_learning_rates_differ():
    rates = {name: parse_strategy(name).recipe.learning_rate for name in NAMES if name != "untuned"}
    assert rates["probe"] > rates["lora"] > rates["full"]


@pytest.mark.parametrize("name", BASELINES)
def test_a_floor_may_have_a_name_of_its_own(name):
    assert parse_strategy({"preset": name, "name": "floor"}).name == "floor"


WRONG = [
    ("loar", r"strategies: 'loar' is not one of majority, .*\(did you mean 'lora'\?\)"),
    ({"preset": "lora", "learning_rat": 1.0}, r"strategies.lora: .* \(did you mean 'learning_rate'\?\)"),
    ({"preset": "lora", "name": "mine", "k": 2}, "strategies.mine: 'k' is not one of alpha, batch_size"),
    ({"tune": "lst"}, r"strategies.tune: 'lst' is not one of .*\(did you mean 'last'\?\)"),
    ({"learning_rate": 1.0}, "strategies: a strategy needs a `preset` or a `tune`"),
    ({"preset": "tfidf", "rank": 1}, "strategies.tfidf: 'rank' is not one of characters, least, max_features, name, soft_labels, strengths"),
    ({"preset": "full", "learning_rate": 0}, "learning_rate: 0.0 is not above 0"),
    ({"preset": "full", "learning_rate": float("nan")}, "learning_rate: nan is not a finite number"),
    ({"preset": "full", "batch_size": 0}, "batch_size: 0 is not above 0"),
    ({"preset": "full", "epochs": -1}, "epochs: -1.0 is not above 0"),
    ({"preset": "full", "warmup": 1.0}, "warmup: 1.0 is not from 0 up to 1"),
    ({"preset": "full", "label_smoothing": -0.1}, "label_smoothing: -0.1 is not from 0 up to 1"),
    ({"preset": "full", "readout": {"pol": 1}}, r"strategies.full.readout: 'pol' .*\(did you mean 'pool'\?\)"),
    ({"preset": "full", "readout": {"pool": "frist"}}, "pool is 'frist', but it should be 'auto', 'first'"),
    ({"preset": "full", "readout": "haed"}, "strategies.full.readout: 'haed' is not one of head"),
]  # fmt: skip


@pytest.mark.parametrize("spec, message", WRONG)
def test_a_mistake_is_named_with_what_could_have_been_meant(spec, message):
    with pytest.raises(ConfigError, match=message):
        parse_strategy(spec)


MISTYPED = [
    (
        {"preset": "full", "learning_rate": "fast"},
        "full: learning_rate is 'fast', but it should be a valid number",
    ),
    ({"preset": "lora", "rank": "big"}, "lora: rank is 'big', but it should be a valid integer"),
    ({"preset": "lora", "rank": 1.5}, "lora: rank is 1.5, but it should be a valid integer"),
    ({"preset": "partial", "k": None}, "partial: k is None, but it should be a valid integer"),
    ({"preset": "lora", "dora": "perhaps"}, "lora: dora is 'perhaps', but it should be a valid boolean"),
    (
        {"preset": "full", "readout": {"dropout": "no"}},
        "full.readout: dropout is 'no', but it should be a valid",
    ),
]


@pytest.mark.parametrize("spec, message", MISTYPED)
def test_a_value_of_the_wrong_type_is_shown_with_the_right_one(spec, message):
    with pytest.raises(ConfigError, match=message):
        parse_strategy(spec)


def test_numbers_may_come_as_text():
    """YAML 1.1 reads `1e-3`, without a point, as text."""
    assert parse_strategy({"preset": "full", "learning_rate": "1e-3"}).recipe.learning_rate == 1e-3
    assert parse_strategy({"preset": "full", "head_learning_rate": "1e-3"}).recipe.head_learning_rate == 1e-3
