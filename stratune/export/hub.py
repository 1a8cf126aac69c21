"""push: a model folder into a repository of the Hugging Face hub, as it is."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from stratune.errors import RemoteError, boundary

TEMPORARY = (".*", "**/.*")  # what is being written, and what an editor or a system leaves


def push(folder: Path, repo: str, *, private: bool, message: str) -> str:
    """Make the repository where there is none, and commit the folder's files to it. Returns its address.

    The token is HF_TOKEN, or what `hf auth login` has kept; the hub's address is HF_ENDPOINT, or its own.
    Raises RemoteError where the hub cannot be reached, or refuses.
    """
    from huggingface_hub import HfApi

    hub: Any = HfApi(endpoint=os.environ.get("HF_ENDPOINT"))
    with boundary(lambda why: RemoteError(f"{hub.endpoint}: {repo}: {why}")):
        hub.create_repo(repo, private=private, exist_ok=True)
        hub.upload_folder(
            repo_id=repo, folder_path=folder, commit_message=message, ignore_patterns=list(TEMPORARY)
        )
    return f"{hub.endpoint}/{repo}"
