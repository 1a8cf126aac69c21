"""What a folder of sentence-transformers says of its model: how texts are pooled, and which prompts they get.

1_Pooling/config.json               how hidden states become one vector
config_sentence_transformers.json   prompts by name, and the name of the default one
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from stratune.backbone.family import Pool
from stratune.backbone.folder import read_object, unloadable
from stratune.errors import ConfigError, choices

POOLING = "1_Pooling/config.json"
PROMPTS = "config_sentence_transformers.json"
LONGEST = 10_000  # characters of a prompt
MODES: Mapping[str, Pool] = {"mean": "mean", "cls": "first", "lasttoken": "last"}
FLAGS: Mapping[str, Pool] = {  # as all versions up to 5 write them
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_cls_token": "first",
    "pooling_mode_lasttoken": "last",
}


@dataclass(frozen=True)
class Sentence:
    """What the folder does not say is as it is here."""

    pool: Pool | None = None
    pools_prompt: bool = True  # whether a prompt's tokens are pooled, too
    prompts: Mapping[str, str] = field(default_factory=dict)
    default: str | None = None  # name of the prompt that every text gets

    def prompt(self, name: str | None) -> str:
        """The prompt of this name; None: the default one, or "". Raises ConfigError for a name it has not."""
        name = self.default if name is None else name
        if name is None:
            return ""
        if name not in self.prompts:
            known = self.prompts or ["(none: give `prompt`, the text itself)"]
            raise ConfigError(choices(name, known), key="readout.prompt_name")
        return self.prompts[name]


def read_sentence(folder: Path, backbone_id: str) -> Sentence:
    """Raises BackboneError for files that are damaged."""
    settings, found = (
        read_object(folder / name, backbone_id) if (folder / name).is_file() else {}
        for name in (POOLING, PROMPTS)
    )
    pool = next((pool for flag, pool in FLAGS.items() if settings.get(flag) is True), None)
    pool = pool or MODES.get(str(settings.get("pooling_mode")))
    prompts, default = found.get("prompts") or {}, found.get("default_prompt_name")
    texts = [*prompts.items()] if isinstance(prompts, dict) else [("", None)]
    if not all(isinstance(text, str) and len(text) <= LONGEST for _, text in texts):
        raise unloadable(backbone_id, f"{PROMPTS} is damaged (prompts are texts by name)")
    if default is not None and default not in prompts:
        raise unloadable(backbone_id, f"{PROMPTS}: its default prompt {str(default)[:80]!r} is not in it")
    return Sentence(pool, settings.get("include_prompt") is not False, dict(prompts), default)
