"""What the OpenAPI page says of bodies and answers.

Requests are checked by bodies.py, which is faster and names places.
"""

from __future__ import annotations

from typing import Any

TEXT = {"type": "string"}
NAME = {"type": "string", "description": "Of /v1/models; the first answers where none is named."}
TEXTS = {"type": "array", "items": TEXT, "minItems": 1}
ANSWER = {
    "type": "object",
    "required": ["prediction", "scores", "tokens_cut"],
    "properties": {
        "prediction": {"description": "The label, or a number; null: none."},
        "scores": {"type": "object", "additionalProperties": {"type": ["number", "null"]}},
        "tokens_cut": {"type": "integer", "description": "Tokens of the text that did not fit."},
        "answer": {"type": "string", "description": "What a model that writes has written."},
    },
}
ERROR = {
    "type": "object",
    "properties": {
        "error": {"type": "object", "properties": {"code": {"type": "integer"}, "message": TEXT}},
    },
}
REFUSALS = {
    400: "What is wrong: place, value found, choices.",
    401: "The key is missing, or another.",
    404: "No such model.",
    413: "More bytes or rows than this server takes.",
    429: "Too many rows wait; Retry-After says for how long.",
    503: "The server is stopping.",
}


def _object(properties: dict[str, Any], *required: str) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {**properties, "model": NAME},
        "required": list(required),
        "additionalProperties": False,
    }


PREDICT = {
    "oneOf": [
        _object({"text": TEXT, "pair": TEXT}, "text"),
        _object({"texts": TEXTS, "pairs": TEXTS}, "texts"),
        _object({"rows": {"type": "array", "items": {"type": "object"}, "minItems": 1}}, "rows"),
        _object({"transcript": TEXT, "format": TEXT}, "transcript", "format"),
    ]
}
PREDICTED = {
    "oneOf": [
        ANSWER,
        {"type": "object", "properties": {"model": TEXT, "answers": {"type": "array", "items": ANSWER}}},
    ]
}
EXPLAIN = _object({"text": TEXT, "pair": TEXT}, "text")
_CHANGE = {"type": ["number", "null"]}
_WHERE = {"start": {"type": "integer"}, "end": {"type": "integer"}, "text": TEXT}
EXPLAINED = {
    "type": "object",
    "properties": {
        **ANSWER["properties"],  # type: ignore[dict-item]
        "model": TEXT,
        "of": {"type": ["string", "null"], "description": "The label that is explained; null: the value."},
        "method": {"enum": ["shapley", "occlusion"]},
        "words": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {**_WHERE, "column": {"enum": ["text", "pair"]}, "change": _CHANGE},
            },
        },
        "chunks": {
            "type": "array",
            "items": {"type": "object", "properties": {**_WHERE, "score": {"type": "number"}}},
        },
        "prompt": TEXT,
    },
}
CLASSIFY = _object({"input": {"oneOf": [TEXT, TEXTS]}}, "input")
CLASSIFIED = {
    "type": "object",
    "properties": {
        "id": TEXT,
        "object": {"const": "list"},
        "created": {"type": "integer"},
        "model": TEXT,
        "data": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "index": {"type": "integer"},
                    "label": TEXT,
                    "probs": {"type": "array", "items": {"type": "number"}},
                    "num_classes": {"type": "integer"},
                },
            },
        },
    },
}


def of(takes: dict[str, Any], gives: dict[str, Any], media: str = "application/json") -> dict[str, Any]:
    """What a route says of the body that it takes, of its answer, and of what it refuses with."""
    refused = {"application/json": {"schema": ERROR}}
    found: dict[int | str, dict[str, Any]] = {
        code: {"description": what, "content": refused} for code, what in REFUSALS.items()
    }
    found[200] = {"description": "Answered.", "content": {media: {"schema": gives}}}
    body = {"required": True, "content": {media: {"schema": takes}}}
    return {"openapi_extra": {"requestBody": body}, "responses": found}
