"""Which texts a backbone has read since it was pretrained: digests of them, beside its weights.

Such a backbone is a fair one only where these texts do not measure it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from stratune.data.identity import text_keys
from stratune.files import write_text

READ = "adapted-texts.txt"  # a digest a line

Texts = tuple[Sequence[str], Sequence[str] | None]  # texts, and those beside them in pairs


def write_read(folder: Path, texts: Texts) -> None:
    write_text(folder / READ, "".join(f"{key.hex()}\n" for key in text_keys(*texts)))


def count_read(backbone_id: str, texts: Texts) -> int:
    """How many of the texts the backbone has read when it was adapted; 0 where it was not."""
    path = Path(backbone_id) / READ
    if not path.is_file():
        return 0
    read = set(path.read_text(encoding="utf-8").split())
    return sum(key.hex() in read for key in text_keys(*texts))
