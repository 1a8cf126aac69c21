"""Hooks of mkdocs: pages that lie beside docs/, and a check that no page asks another machine for anything.

Links lead where they lead in the repository: `../SECURITY.md` is a page of the site, and `](docs/x.md)` in a
page from beside docs/ is `](x.md)` there.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files

BESIDE = ("CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")
FETCHED = re.compile(
    r"<(?:script|img|iframe)[^>]*\ssrc=\"?https?:[^>]*>|<link[^>]*stylesheet[^>]*https?:[^>]*>"
)


def on_files(files: Files, config: Any) -> Files:
    root = Path(config.config_file_path).parent
    for name in BESIDE:
        files.append(File.generated(config, name, abs_src_path=str(root / name)))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    if page.file.src_uri in BESIDE:
        return markdown.replace("](docs/", "](")
    up = "../" * (page.file.src_uri.count("/") + 1)
    for name in BESIDE:
        markdown = markdown.replace(f"]({up}{name}", f"]({up.removeprefix('../')}{name}")
    return markdown


def on_post_page(output: str, page: Any, **_: Any) -> str:
    found = FETCHED.search(output)
    if found:
        raise PluginError(f"{page.file.src_uri}: the page would fetch {found[0]}")
    return output
