"""Addresses of servers, and what is wrong with those that are none."""

import pytest

from stratune.errors import ConfigError
from stratune.remote.address import Address, is_remote, parse_address
from stratune.remote.request import Request


def test_an_address_is_a_url_and_a_model():
    assert parse_address("http://127.0.0.1:8000/v1#tiny") == Address("http://127.0.0.1:8000/v1", "tiny")
    assert parse_address("https://api.example.com/v1/#org/model:4b") == Address(
        "https://api.example.com/v1", "org/model:4b"
    )
    assert parse_address("https://a/v1#ft:gpt-4o-mini:org:task-key:7p4lURel").model.startswith("ft:")


def test_only_http_is_remote():
    assert is_remote("http://a/v1#m") and is_remote("HTTPS://a/v1#m")
    assert not is_remote("org/model") and not is_remote("model.gguf") and not is_remote("ftp://a#m")


ELSEWHERE = "a key belongs in OPENAI_API_KEY"
PASSWORD = f"a key or password does not belong in the address; {ELSEWHERE}"
MODEL = f"after # comes a model's name, and no key or password; {ELSEWHERE}"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("http://a:80/v1", "'http://a:80/v1': it names no model"),
        ("http://a:80/v1#", "'http://a:80/v1': it names no model"),
        ("http://a:http/v1#m", "'http://a': its port is no number up to 65535"),
        ("http:///v1#m", "'http:///v1': it is not the address of a server"),
        ("http://[a/v1#m", "'http://': it is not the address of a server"),
        ("org/model#m", "'org/model#m': it is not the address of a server"),
        ("http://a/v 1#m", "'http://a/v 1': an address has no white space"),
        ("https://me:s3cret@a/v1#m", f"'https://a/v1': {PASSWORD}"),
        ("https://me:s3cret@a:b/v1#m", f"'https://a:b/v1': {PASSWORD}"),
        ("https://me:s3#cret@a/v1#m", f"'https://': {PASSWORD}"),
        ("https://s3cret@a/v1#m", f"'https://a/v1': {PASSWORD}"),
        ("https://a/v1?key=s3cret#m", f"'https://a/v1': an address takes no `?...`; {ELSEWHERE}"),
        ("https://a/v1#m?key=s3cret", f"'https://a/v1': {MODEL}"),
        ("https://a/v1#api_key=s3cret", f"'https://a/v1': {MODEL}"),
        ("https://a/v1#sk-s3cret-s3cret", f"'https://a/v1': {MODEL}"),
        ("https://a/token=s3cret/v1#m", f"'https://a': its path holds a key or password; {ELSEWHERE}"),
        ("https://a/v1;key%3Ds3cret#m", f"'https://a': its path holds a key or password; {ELSEWHERE}"),
    ],
)
def test_what_is_no_address_is_told_what_would_be_one(given, message):
    with pytest.raises(ConfigError) as caught:
        parse_address(given)
    assert str(caught.value) == f"backbone: {message}; expected http://HOST:PORT/v1#MODEL"
    assert "s3cret" not in str(caught.value)


def test_a_question_is_a_chat_or_plain_text():
    chat = Request(messages=(("system", "Be brief."), ("user", "Hello")))
    assert chat.endpoint == "chat" and chat.body("m", "open")["messages"][0] == {
        "role": "system",
        "content": "Be brief.",
    }
    assert Request(text="Hello").body("m", "plain") == {"model": "m", "prompt": "Hello"}
    for wrong in ({}, {"text": "a", "messages": (("user", "a"),)}):
        with pytest.raises(ValueError, match="either messages or text"):
            Request(**wrong)
