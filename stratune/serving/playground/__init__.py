"""The page at /: one document with its style and its script, that loads nothing and asks this server alone.

    index.html   what stands on it
    style.css    after report/page/base.css: the colours and fonts of the report
    ask.js       the server, its key, and the form of a text
    cards.js     an answer of each model: labels, words, chunks, prompt
    table.js     a CSV in and out

Whatever comes of users and models is text there, never markup.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from stratune.report.page.embed import asset, source_of

SCRIPTS = ("ask", "cards", "table")


@cache
def playground() -> tuple[str, dict[str, str]]:
    """(the document, its headers): no other script or style than these two runs, whatever a text holds."""
    style, script = asset("base.css") + _file("style.css"), _script()
    allowed = {
        "default-src": "'none'",
        "script-src": source_of(script),
        "style-src": source_of(style),
        "img-src": "data:",
        "connect-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
    document = _file("index.html").replace("/* style */", style).replace("/* script */", script)
    headers = {
        "content-security-policy": "; ".join(f"{name} {source}" for name, source in allowed.items()),
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "cache-control": "no-cache",
    }
    return document, headers


def _script() -> str:
    ours = "\n".join(_file(f"{name}.js") for name in SCRIPTS)
    return f'(() => {{\n"use strict";\n{ours}\nstart();\n}})();\n'


def _file(name: str) -> str:
    return (files("stratune.serving.playground") / name).read_text(encoding="utf-8")
