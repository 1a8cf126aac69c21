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


def test_only_http_is_remote():
    assert is_remote("http://a/v1#m") and is_remote("HTTPS://a/v1#m")
    assert not is_remote("org/model") and not is_remote("model.gguf") and not is_remote("ftp://a#m")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("http://a:80/v1", "'http://a:80/v1': it names no model"),
        ("http://a:80/v1#", "'http://a:80/v1': it names no model"),
        ("http://a:http/v1#m", "'http://a:http/v1': Port could not be cast to integer value as 'http'"),
        ("http:///v1#m", "'http:///v1#m': it is not the address of a server"),
        ("org/model#m", "'org/model#m': it is not the address of a server"),
        ("http://a/v 1#m", "'http://a/v 1#m': an address has no white space"),
        (
            "https://me:s3cret@a/v1#m",
            "'https://a/v1': a key or password does not belong in the address; set OPENAI_API_KEY",
        ),
        (
            "https://a/v1?key=s3cret#m",
            "'https://a/v1': an address takes no `?...`; a key belongs in OPENAI_API_KEY",
        ),
        ("https://me:s3cret@a:b/v1#m", "'a:b/v1': Port could not be cast to integer value as 'b'"),
    ],
)
def test_what_is_no_address_is_told_what_would_be_one(given, message):
    with pytest.raises(ConfigError) as caught:
        parse_address(given)
    assert str(caught.value) == f"backbone: {message}; expected http://HOST:PORT/v1#MODEL"
    assert "s3cret" not in str(caught.value)


def test_a_question_is_a_chat_or_plain_text():
    chat = Request(messages=(("system", "Be brief."), ("user", "Hello")))
    assert chat.endpoint == "chat" and chat.body("m")["messages"][0] == {
        "role": "system",
        "content": "Be brief.",
    }
    assert Request(text="Hello").body("m") == {"model": "m", "prompt": "Hello"}
    for wrong in ({}, {"text": "a", "messages": (("user", "a"),)}):
        with pytest.raises(ValueError, match="either messages or text"):
            Request(**wrong)
