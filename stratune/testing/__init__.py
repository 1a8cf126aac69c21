"""For authors of strategies and families: tiny real models, a toy task, and the contract as checks."""

from stratune.testing.contract import CHECKS, Check
from stratune.testing.models import DECODERS, MODEL_TYPES, save_tiny, tiny_backbone
from stratune.testing.toy import toy_split

__all__ = ["CHECKS", "DECODERS", "MODEL_TYPES", "Check", "save_tiny", "tiny_backbone", "toy_split"]
