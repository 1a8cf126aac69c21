"""A server's answers for the folders of its models: what it says of a text depends on the text alone."""

import json

from tests.remote.scripted import listed, prompt_of, said_in, written

TEMPLATE = {"name": "short", "task": "One of {labels}.", "row": "Text: {text}", "answer": "It is {label}"}


def text_of(body):
    return prompt_of(body).rsplit("Text:", 1)[-1].split("\n")[0].strip()


def sure(body):
    """Next tokens with log-probabilities: the longer the text, the likelier the weather."""
    if any(name in body for name in ("echo", "prompt_logprobs")):
        return 400, {"error": {"message": "unknown field"}}
    if said_in(body, "It is") == "anim":
        return listed(body, {"al": 0.0, "x": -30.0})
    words = len(text_of(body).split())
    return listed(body, {"anim": -0.2 * words, " weather": -2.0 / (1 + words), "the": -5.0})


def chooses(body):
    """One of the words, where it is told to choose between them; no log-probabilities."""
    answer = "animal" if "cat" in text_of(body) else "weather"
    return written(json.dumps({"answer": answer}) if "response_format" in body else answer)


def writes(body):
    """Neither log-probabilities nor constraints, and no label for a text that begins with "we"."""
    if "response_format" in body or "grammar" in body:
        return 400, {"error": {"message": "unknown field"}}
    text = text_of(body)
    return written("no idea" if text.startswith("we") else "Animal." if "cat" in text else "weather")


SERVERS = {
    "server": sure,
    "server_calibrated": sure,
    "server_scale": sure,
    "server_nearest": sure,
    "server_constrained": chooses,
    "server_that_only_writes": writes,
    "server_generate": writes,
}
