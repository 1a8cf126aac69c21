"""The one place where transformers opens what somebody else wrote: configurations, tokenizers, weights.

No code of the folder runs (`auto_map` is ignored), no pickle is read, nothing is asked on standard input, and
whatever a damaged file makes a library raise becomes one BackboneError. backbone/folder.py looks through a
folder before, so that nothing huge is allocated for a number in a configuration.
"""

from __future__ import annotations

import copy
import io
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from stratune.errors import BackboneError, StratuneError, boundary

if TYPE_CHECKING:
    from transformers import PreTrainedConfig, PreTrainedTokenizerBase

OWN_CODE: dict[str, Any] = {"trust_remote_code": False}  # False: never, and no question; None would ask
CODE = "auto_map"  # names the folder's own classes


def read_config(folder: str | Path, backbone_id: str, **options: Any) -> PreTrainedConfig:
    """`options`: `gguf_file` for a GGUF file in the folder."""
    from transformers import AutoConfig

    with opening(backbone_id):
        config: PreTrainedConfig = AutoConfig.from_pretrained(folder, **OWN_CODE, **options)
        config.__dict__.pop(CODE, None)  # what we write of it must not name code that is not there
    return config


def read_tokenizer(folder: str | Path, backbone_id: str, **options: Any) -> PreTrainedTokenizerBase:
    from transformers import AutoTokenizer

    with opening(backbone_id):
        tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(folder, **OWN_CODE, **options)
        tokenizer.init_kwargs.pop(CODE, None)
    return tokenizer


def read_model(cls: Any, folder: str | Path, backbone_id: str, **options: Any) -> Any:
    """A model of one of transformers' `Auto...` classes."""
    with opening(backbone_id):
        try:
            return cls.from_pretrained(folder, use_safetensors=True, **OWN_CODE, **options)
        except RuntimeError as error:
            if "ignore_mismatched_sizes" not in str(error):
                raise
            raise RuntimeError("its weights have other shapes than its config.json says") from error


def empty_model(cls: Any, config: PreTrainedConfig, backbone_id: str) -> Any:
    """A model of one of transformers' `Auto...` classes without memory: shapes only, on the meta device."""
    import torch

    with opening(backbone_id), torch.device("meta"):
        return cls.from_config(copy.deepcopy(config), trust_remote_code=False)


def built_buffers(cls: Any, config: PreTrainedConfig, backbone_id: str) -> dict[str, Any]:
    """The buffers that a model of one of transformers' `Auto...` classes is built with, in float32; its
    weights are built without memory.
    """
    import torch
    from accelerate import init_empty_weights

    own = copy.deepcopy(config)
    own.dtype = torch.float32
    with opening(backbone_id), init_empty_weights(include_buffers=False):
        return dict(cls.from_config(own, trust_remote_code=False).named_buffers())


@contextmanager
def opening(backbone_id: str) -> Iterator[None]:
    """Around every call of a library that reads a stranger's file.

    Raises BackboneError for whatever the library raises.
    """

    def failed(why: str) -> StratuneError:
        return BackboneError(f"{backbone_id}: cannot be loaded: {why}")

    with boundary(failed), _without_standard_input():
        try:
            yield
        except ImportError as error:
            raise BackboneError(f"{backbone_id}: needs a package that is not installed: {error}") from error
        except BaseException as error:  # a panic of the tokenizers' Rust code is no Exception
            if type(error).__name__ != "PanicException":
                raise
            raise failed(str(error)) from error


_users: TextIO | None = None
_loads = 0
_lock = threading.Lock()


@contextmanager
def _without_standard_input() -> Iterator[None]:
    """Standard input may hold the user's rows: within the block, whoever asks finds it at its end."""
    global _users, _loads
    with _lock:
        if not _loads:
            _users, sys.stdin = sys.stdin, io.StringIO("")
        _loads += 1
    try:
        yield
    finally:
        with _lock:
            _loads -= 1
            if not _loads:
                sys.stdin = _users


def no_bars() -> None:
    from transformers.utils import logging as transformers_logging

    transformers_logging.disable_progress_bar()
    transformers_logging.set_verbosity_error()  # its warnings advise on its own Trainer
