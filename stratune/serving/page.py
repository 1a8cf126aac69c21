"""The page at /docs: what the server takes and gives, of openapi.json. It loads nothing from anywhere."""

from __future__ import annotations

import html
import json
from typing import Any

STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:52rem;padding:0 1rem}"
    "pre{background:#8881;padding:.8rem;overflow:auto;font-size:.85rem}h2 code{font-size:1.1rem}"
    ":root{color-scheme:light dark}"
)


def page(openapi: dict[str, Any]) -> str:
    parts = []
    for path, methods in openapi["paths"].items():
        for method, route in methods.items():
            parts.append(f"<h2><code>{method.upper()} {html.escape(path)}</code></h2>")
            parts.append(f"<p>{html.escape(route.get('description') or route.get('summary', ''))}</p>")
            for media, content in route.get("requestBody", {}).get("content", {}).items():
                parts.append(_details(f"takes {media}", content))
            for code, response in route.get("responses", {}).items():
                for media, content in response.get("content", {}).items():
                    if code == "200":
                        parts.append(_details(f"gives {media}", content))
    title = html.escape(openapi["info"]["title"])
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{title}</title>'
    link = '<p>For programs: <a href="openapi.json">openapi.json</a></p>'
    body = f"<h1>{title}</h1>{link}{''.join(parts)}"
    return f"<!doctype html><html lang=en><head>{head}<style>{STYLE}</style></head><body>{body}</body></html>"


def _details(summary: str, content: dict[str, Any]) -> str:
    schema = html.escape(json.dumps(content.get("schema", {}), indent=2))
    return f"<details><summary>{html.escape(summary)}</summary><pre>{schema}</pre></details>"
