"""For authors of strategies and families: tiny real models, a toy task, and the contract as checks."""

from stratune.testing.check import Check
from stratune.testing.contract import CHECKS, checks_of
from stratune.testing.models import DECODERS, MODEL_TYPES, save_tiny, tiny_backbone
from stratune.testing.toy import toy_split

__all__ = [
    "CHECKS", "DECODERS", "MODEL_TYPES", "Check", "checks_of", "save_tiny", "tiny_backbone", "toy_split",
]  # fmt: skip
