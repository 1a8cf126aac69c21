"""HTTP client of one server: the only file that imports `openai` and reads the API key.

All that a server says leaves this file through `Client._heard`, which takes the key out of it.
"""

from __future__ import annotations

import importlib
import json
import os
import re
import time
import weakref
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar

from stratune.errors import RemoteError, reason
from stratune.remote.address import Address
from stratune.remote.deadline import ENDLESS, ends_within
from stratune.remote.named import OPENAI, origin
from stratune.remote.request import Body, Endpoint
from stratune.remote.secret import Secret

if TYPE_CHECKING:
    import openai

RETRIED = (408, 409, 425, 429)  # HTTP statuses that are tried again, with all from 500 up
CUSTOM = "OPENAI_CUSTOM_HEADERS"
KEY_WORDS = re.compile(
    r"\b(?:api[ _-]?key|keys?|token|auth\w*|unauth\w*|credentials?|permissions?)\b", re.IGNORECASE
)
SHOWN = 200  # characters of a server's own message that are shown
T = TypeVar("T")
HOLDS: Mapping[Endpoint, str] = {"chat": "choices", "plain": "choices", "embeddings": "data"}
NOT_IMPLEMENTED = 501  # of the statuses from 500 up the one that does not pass
AT_OPENAI = ("OpenAI-Organization", "OpenAI-Project")  # headers that no other host is to see


class Fault(Exception):
    """One request that failed.

    `why` is one line and never holds the key. `retry`: whether to try again, after at least `after` seconds.
    `message`: the server's own, whole and without the key. `parameter`: the field that it says is wrong.
    `empty`: it answered, and its answer holds none.
    """

    def __init__(
        self,
        why: str,
        status: int | None = None,
        *,
        retry: bool,
        after: float = 0.0,
        message: str = "",
        parameter: str = "",
        empty: bool = False,
    ) -> None:
        super().__init__(why)
        self.why, self.status, self.retry, self.after = why, status, retry, after
        self.message, self.parameter, self.empty = message, parameter, empty

    @property
    def of_a_key(self) -> bool:
        """Whether it is of who asks; models, regions and contents are refused with 403, too."""
        return self.status == 401 or (self.status == 403 and _of_a_key(self.message))

    def given_up(self, why: str) -> Fault:
        """The same without another attempt."""
        return Fault(
            f"{self.why}; {why}", self.status, retry=False, message=self.message, empty=self.empty,
        )  # fmt: skip


class Client:
    """Requests to one server. Each is tried once; retries are in server.py.

    `timeout`: seconds without a byte, `longest`: for a whole answer. `variable`: of the environment, with the
    server's key; NO_KEY where it gets none.
    """

    def __init__(self, address: Address, timeout: float, longest: float, variable: str) -> None:
        try:
            import openai
        except ImportError:
            raise RemoteError(
                "asking a server needs one more package: pip install 'stratune[remote]'"
            ) from None
        self._timeout, self._longest = timeout, longest
        key = os.environ.get(variable, "").strip() if variable else ""
        if not (key.isascii() and key.isprintable()) or " " in key:
            raise RemoteError(f"{variable} holds a character that no key has")  # httpx would print it
        self._key = Secret(key)
        # A server that sends a request on to another one would send the user's texts there.
        sending = openai.DefaultHttpxClient(
            follow_redirects=False,
            event_hooks={
                "request": [_only_for(address.url, key)],
                "response": [ends_within(_http_of(openai), longest)],
            },
        )
        weakref.finalize(self, sending.close)
        self._api: openai.OpenAI = openai.OpenAI(
            base_url=address.url,
            api_key=key or "none",
            timeout=timeout,
            max_retries=0,
            http_client=sending,
        )
        self._reached = False

    @property
    def has_key(self) -> bool:
        return bool(self._key)

    def post(self, endpoint: Endpoint, body: Body) -> dict[str, Any]:
        """The server's answer, without the key, which has at least one choice or vector. Raises Fault."""
        return self._parsed(self._heard_of(lambda: self._sent(endpoint, dict(body))), HOLDS[endpoint])

    # Batches: see batches.py. Each raises Fault.

    def upload(self, name: str, content: bytes) -> str:
        """The id of a file of requests."""
        return self._id_of(lambda: self._api.files.create(file=(name, content), purpose="batch").id)

    def begin_batch(self, file: str, path: str) -> str:
        """The id of a batch of the requests in a file, all to one endpoint (`/v1/chat/completions`)."""
        how: Any = {"input_file_id": file, "endpoint": path, "completion_window": "24h"}
        return self._id_of(lambda: self._api.batches.create(**how).id)

    def batch(self, number: str) -> dict[str, Any]:
        text = self._heard_of(lambda: self._api.batches.with_raw_response.retrieve(number).text)
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise Fault(f"the answer is no batch: {self._heard(text)!r}", retry=True)
        return found

    def content(self, file: str) -> str:
        """Of a file of answers, without the key."""
        return str(self._key.masked(self._heard_of(lambda: self._api.files.content(file).text)))

    def _id_of(self, call: Callable[[], str | None]) -> str:
        found = self._heard_of(call)
        if not found:
            raise Fault("the answer has no `id`", retry=True)
        return str(found)

    def _heard_of(self, call: Callable[[], T]) -> T:
        """What a call of `openai` returns. Raises Fault for all that it raises."""
        import openai

        try:
            found = call()
        except openai.APIStatusError as error:
            self._reached = True
            response = error.response
            raise self._status_error(response.status_code, response.text, response.headers) from None
        except openai.APITimeoutError as error:
            endless = type(error.__cause__).__name__ == ENDLESS
            seconds = self._longest if endless else self._timeout
            raise Fault(f"no answer within {seconds:g} seconds", retry=True) from None
        except openai.APIConnectionError as error:
            raise self._connection_error(error.__cause__) from None
        except (openai.OpenAIError, ValueError, LookupError) as error:
            raise Fault(f"the answer cannot be read: {self._heard(reason(error))}", retry=True) from None
        self._reached = True
        return found

    def models(self) -> list[str]:
        """Names of the server's models; empty when it does not list them."""
        import openai

        try:
            listed = json.loads(self._api.models.with_raw_response.list().text)
            return [self._heard(str(model["id"])) for model in listed["data"]]
        except (openai.OpenAIError, ValueError, LookupError, TypeError, RecursionError):
            return []

    def close(self) -> None:
        self._api.close()

    # -- helpers

    def _sent(self, endpoint: Endpoint, body: Body) -> str:
        if endpoint == "embeddings":  # its own method would ask for base64, which some servers do not know
            return self._api.post("/embeddings", body=body, cast_to=str)
        model = body.pop("model")
        if endpoint == "chat":
            chat = self._api.chat.completions.with_raw_response
            return chat.create(model=model, messages=body.pop("messages"), extra_body=body).text
        plain = self._api.completions.with_raw_response
        return plain.create(model=model, prompt=body.pop("prompt"), extra_body=body).text

    def _parsed(self, text: str, holds: str) -> dict[str, Any]:
        try:
            answer = self._key.masked(json.loads(text))
        except (ValueError, RecursionError):
            raise Fault(f"the answer is not JSON: {self._heard(text)!r}", retry=True) from None
        given = answer.get(holds) if isinstance(answer, dict) else None
        if not isinstance(given, list) or not given or not isinstance(given[0], dict):
            why = f"the answer has no `{holds}`: {self._heard(text)!r}"
            raise Fault(why, retry=True, empty=isinstance(given, list) and not given)
        return dict(answer)

    def _status_error(self, status: int, text: str, headers: Mapping[str, str]) -> Fault:
        """A message about a wrong key may repeat a part of the key, so such messages are left out."""
        whole = " ".join(self._key.masked(_message(text)).split())
        message = "" if status == 401 or (status == 403 and _of_a_key(whole)) else self._heard(whole)
        no_credit = status == 429 and "insufficient_quota" in text
        if 300 <= status < 400:
            message = "it sends the request on to another address; name that one, where you trust it"
        why = f"{status} {_phrase(status)}" + (f": {message}" if message else "")
        retry = (status in RETRIED or status >= 500) and status != NOT_IMPLEMENTED and not no_credit
        return Fault(
            why, status, retry=retry, after=_retry_after(headers), message=whole, parameter=_parameter(text)
        )

    def _connection_error(self, cause: BaseException | None) -> Fault:
        """Not reachable at the first request: a wrong address, not retried. Later: a server that restarts."""
        if type(cause).__name__ == "ConnectError":
            return Fault(f"no server can be reached: {self._heard(str(cause))}", retry=self._reached)
        return Fault("the connection was cut", retry=True)

    def _heard(self, text: str) -> str:
        """One line of what a server said, whatever it said it in. The key is masked before the line is
        shortened, so that no part of it is left.
        """
        line = " ".join(self._key.masked(text).split())
        return line if len(line) <= SHOWN else line[:SHOWN] + "…"


def _http_of(openai: Any) -> Any:
    """The HTTP library of `openai`: httpx, or another of the same interface."""
    client = next(one for one in openai.DefaultHttpxClient.__mro__ if one.__name__ == "Client")
    return importlib.import_module(client.__module__.partition(".")[0])


def _only_for(url: str, key: str) -> Callable[[Any], None]:
    """What `openai` adds to requests of its own accord, from variables of the environment, is for OpenAI."""
    named = [line.partition(":")[0].strip() for line in os.environ.get(CUSTOM, "").splitlines()]
    others = () if origin(url) == OPENAI else (*AT_OPENAI, *filter(None, named))

    def correct(request: Any) -> None:
        for name in others:
            request.headers.pop(name, None)
        request.headers["Authorization"] = f"Bearer {key or 'none'}"

    return correct


def _of_a_key(message: str) -> bool:
    return not message or bool(KEY_WORDS.search(message))


def _parameter(text: str) -> str:
    """The field of the request that an error names in `param`."""
    try:
        found = json.loads(text)["error"]["param"]
    except (ValueError, LookupError, TypeError, RecursionError):
        return ""
    return found if isinstance(found, str) else ""


def _message(text: str) -> str:
    """The message in an error's JSON body (`error`, `message` or `detail`, nested or not), else the body."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return text
    for key in ("error", "message", "detail"):
        if isinstance(found, dict) and found.get(key):
            found = found[key]
    if isinstance(found, dict) and found.get("message") == "":
        return ""
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
