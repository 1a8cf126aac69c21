"""Model types that transformers can classify with, tiny: `python docs/support_table.py` tries all techniques on each."""

import sys
from pathlib import Path

import pytest

from stratune.backbone.load import load_backbone
from stratune.testing import MODEL_TYPES
from stratune.testing.contract import check_learning_tensors_get_gradients, check_saved_is_the_same
from stratune.testing.families import TECHNIQUES, YES, check_frozen_bottom_is_the_same, outcome, works
from stratune.testing.tiny import model_types

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "docs"))
import support_table  # noqa: E402

ROWS = support_table.read_rows()
WORKING = [name for name, row in ROWS.items() if works(row)]
# One of each way to be built: encoder-decoders, mixtures, mixers, capped scores, sinks, latent keys, parts in lists.
OF_EACH_KIND = {
    "partial": ("t5", "bart", "jamba", "xlm"),
    "lora": ("mixtral", "deepseek_v3", "xlnet"),
    "houlsby": ("gpt_oss",),
    "prefix": ("gemma2", "gpt_oss", "t5"),
    "zero_shot": ("gemma2", "gemma3"),
}
LIGHT = (
    check_frozen_bottom_is_the_same,
    check_learning_tensors_get_gradients,
    check_saved_is_the_same,
)


def test_every_type_of_transformers_is_in_the_table():
    assert set(ROWS) == set(model_types()), "python docs/support_table.py NAME ... tries the missing ones"


def test_most_of_them_work():
    assert len(WORKING) >= 90


def test_none_is_without_a_reason():
    for name, row in ROWS.items():
        assert row["refused"] or all(row[technique] for technique in TECHNIQUES), name


@pytest.mark.parametrize("model_type", [name for name in WORKING if name not in MODEL_TYPES])
def test_the_map_is_the_one_of_the_table(model_type, tiny):
    row, family = ROWS[model_type], load_backbone(str(tiny(model_type))).family
    found = {"kind": "decoder" if family.decoder else "encoder", "pooling": family.pool}
    assert {**found, "linears": " ".join(family.linears)} == {name: row[name] for name in (*found, "linears")}


@pytest.mark.parametrize(
    ("technique", "model_type"), [(t, name) for t, names in OF_EACH_KIND.items() for name in names]
)
def test_one_of_each_kind_is_trained_and_saved(technique, model_type, tiny, tmp_path):
    assert outcome(TECHNIQUES[technique], tiny(model_type), tmp_path, LIGHT) == YES
