"""HTTP client of one server: the only file that imports `openai` and reads the API key."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from stratune.errors import RemoteError
from stratune.remote.address import Address
from stratune.remote.request import Body, Endpoint

if TYPE_CHECKING:
    import openai

KEY = "OPENAI_API_KEY"
RETRIED = (408, 409, 425, 429)  # HTTP statuses that are tried again, with all from 500 up
SHOWN = 200  # characters of a server's own message that are shown
SECRET_LENGTH = 8  # a shorter key ("none", "test") may be a word of an answer: it is not masked there


class Fault(Exception):
    """One request that failed.

    `why` is one line and never holds the key. `retry`: whether to try again, after at least `after` seconds.
    """

    def __init__(self, why: str, status: int | None = None, *, retry: bool, after: float = 0.0) -> None:
        super().__init__(why)
        self.why, self.status, self.retry, self.after = why, status, retry, after


class Client:
    """Requests to one server. Each is tried once; retries are in server.py.

    The key is $OPENAI_API_KEY; a local server needs none.
    """

    def __init__(self, address: Address, timeout: float) -> None:
        try:
            import openai
        except ImportError:
            raise RemoteError(
                "asking a server needs one more package: pip install 'stratune[remote]'"
            ) from None
        self._timeout = timeout
        self._key = os.environ.get(KEY, "").strip()
        if not (self._key.isascii() and self._key.isprintable()) or " " in self._key:
            raise RemoteError(f"{KEY} holds a character that no key has")  # httpx would print it
        self._api: openai.OpenAI = openai.OpenAI(
            base_url=address.url, api_key=self._key or "none", timeout=timeout, max_retries=0
        )
        self._reached = False

    @property
    def has_key(self) -> bool:
        return bool(self._key)

    def post(self, endpoint: Endpoint, body: Body) -> dict[str, Any]:
        """The server's answer, which has at least one choice. Raises Fault."""
        import openai

        try:
            text = self._sent(endpoint, dict(body))
        except openai.APIStatusError as error:
            self._reached = True
            response = error.response
            raise self._status_error(response.status_code, response.text, response.headers) from None
        except openai.APITimeoutError:
            raise Fault(f"no answer within {self._timeout:g} seconds", retry=True) from None
        except openai.APIConnectionError as error:
            raise self._connection_error(error.__cause__) from None
        self._reached = True
        return self._parsed(text.replace(self._key, "***") if len(self._key) >= SECRET_LENGTH else text)

    def models(self) -> list[str]:
        """Names of the server's models; empty when it does not list them."""
        import openai

        try:
            listed = json.loads(self._api.models.with_raw_response.list().text)
            return [str(model["id"]) for model in listed["data"]]
        except (openai.OpenAIError, ValueError, KeyError, TypeError):
            return []

    def close(self) -> None:
        self._api.close()

    # -- helpers

    def _sent(self, endpoint: Endpoint, body: Body) -> str:
        model = body.pop("model")
        if endpoint == "chat":
            chat = self._api.chat.completions.with_raw_response
            return chat.create(model=model, messages=body.pop("messages"), extra_body=body).text
        plain = self._api.completions.with_raw_response
        return plain.create(model=model, prompt=body.pop("prompt"), extra_body=body).text

    def _parsed(self, text: str) -> dict[str, Any]:
        try:
            answer = json.loads(text)
        except ValueError:
            raise Fault(f"the answer is not JSON: {self._line(text)!r}", retry=True) from None
        given = answer.get("choices") if isinstance(answer, dict) else None
        if not isinstance(given, list) or not given or not isinstance(given[0], dict):
            raise Fault(f"the answer has no `choices`: {self._line(text)!r}", retry=True)
        return dict(answer)

    def _status_error(self, status: int, text: str, headers: Mapping[str, str]) -> Fault:
        """A message about a wrong key may repeat the key, so messages of 401 and 403 are left out."""
        message = "" if status in (401, 403) else self._line(_message(text))
        no_credit = status == 429 and "insufficient_quota" in text
        why = f"{status} {_phrase(status)}" + (f": {message}" if message else "")
        retry = (status in RETRIED or status >= 500) and not no_credit
        return Fault(why, status, retry=retry, after=_retry_after(headers))

    def _connection_error(self, cause: BaseException | None) -> Fault:
        """Not reachable at the first request: a wrong address, not retried. Later: a server that restarts."""
        if type(cause).__name__ == "ConnectError":
            return Fault(f"no server can be reached: {self._line(str(cause))}", retry=self._reached)
        return Fault("the connection was cut", retry=True)

    def _line(self, text: str) -> str:
        """One line. The key is masked before the line is shortened, so that no part of it is left."""
        line = " ".join((text.replace(self._key, "***") if self._key else text).split())
        return line if len(line) <= SHOWN else line[:SHOWN] + "…"


def _message(text: str) -> str:
    """The message in an error's JSON body (`error`, `message` or `detail`, nested or not), else the body."""
    try:
        found = json.loads(text)
    except ValueError:
        return text
    for key in ("error", "message", "detail"):
        if isinstance(found, dict) and found.get(key):
            found = found[key]
    return found if isinstance(found, str) else json.dumps(found)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "(no standard status)"


def _retry_after(headers: Mapping[str, str]) -> float:
    """Seconds from `Retry-After` (a number or a date); 0 without one."""
    given = headers.get("retry-after", "")
    try:
        return max(0.0, float(given))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(given).timestamp() - time.time())
    except ValueError:
        return 0.0
