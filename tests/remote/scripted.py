"""A small real server of the OpenAI protocol, in a thread, told what to do wrong and when."""

import json
import math
import threading
import time
import zlib
from collections import Counter, defaultdict, deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np

from stratune.remote.address import Address
from stratune.remote.request import Request, Requests

MODEL = "tiny"


class Scripted:
    """`script(prompt, fault, fault, ...)`: what happens at the first requests with that prompt, before it is
    answered. `say` is a function from the request to its answer.
    """

    def __init__(self, say=None):
        self.say = say or (lambda body: written(f"answer to {prompt_of(body)}"))
        # Prompts, whole requests, Authorization headers, seconds; as they arrive.
        self.log, self.bodies, self.keys, self.times = [], [], [], []
        self.most, self._now = 0, 0  # requests at once
        self.models = [MODEL]
        self.route = None  # (handler) -> whether it has answered: for other paths than those of questions
        self.held = threading.Event()  # while clear, `hold` waits
        self._faults = defaultdict(deque)
        self._lock = threading.Lock()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._http.daemon_threads, self._http.block_on_close = True, False
        threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self._http.server_port}/v1"
        self.address = Address(self.url, MODEL)

    def script(self, prompt, *faults):
        self._faults[prompt].extend(faults)

    def asked(self, prompt):
        return Counter(self.log)[prompt]

    def close(self):
        self.held.set()
        self._http.shutdown()
        self._http.server_close()

    def _handler(outer):
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                if outer.route is not None and outer.route(self):
                    return
                send(self, 200, {"object": "list", "data": [{"id": name} for name in outer.models]})

            def do_POST(self):
                if outer.route is not None and outer.route(self):
                    return
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                prompt = prompt_of(body)
                with outer._lock:
                    outer.log.append(prompt)
                    outer.bodies.append(body)
                    outer.keys.append(self.headers["Authorization"])
                    outer.times.append(time.monotonic())
                    outer._now += 1
                    outer.most = max(outer.most, outer._now)
                    fault = outer._faults[prompt].popleft() if outer._faults[prompt] else None
                done = fault(self) if fault else None
                if done is None:
                    said = outer.say(body)
                    send(self, *(said if isinstance(said, tuple) else (200, said)))
                with outer._lock:
                    outer._now -= 1

            def log_message(self, *_):
                pass

            outer_server = outer

        return Handler


def prompt_of(body):
    """The text, the texts of which vectors are asked for, a line each, or the last message of the user."""
    if "input" in body:
        return "\n".join([body["input"]] if isinstance(body["input"], str) else body["input"])
    if "prompt" in body:
        return body["prompt"]
    return [one["content"] for one in body["messages"] if one["role"] == "user"][-1]


def send(handler, status, body, headers=()):
    data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    handler.send_response(status)
    for name, value in dict(headers).items():
        handler.send_header(name, value)
    handler.send_header("Content-Length", str(len(data)))
    handler.end_headers()
    handler.wfile.write(data)
    return True


# -- what may go wrong; what returns None goes on to the answer


def answers(status, body, headers=()):
    return lambda handler: send(handler, status, body, headers)


def fails(status, message="", **headers):
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return answers(status, {"error": {"message": message}}, names)


def says(text):
    return answers(200, text)


def cut(handler):
    """The connection ends in the middle of the body."""
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b'{"choices": [')
    handler.close_connection = True
    return True


def slow(seconds, then=lambda handler: None):
    return lambda handler: time.sleep(seconds) or then(handler)


def hold(handler):
    """Until the server is told to go on."""
    handler.outer_server.held.wait()


# -- answers


def written(text):
    """Readable as a chat's and as plain text's."""
    return {"choices": [{"message": {"role": "assistant", "content": text}, "text": text}]}


def spelled(body, words, split=4, begin="Class:"):
    """The next tokens of a model that says one of `words` (word -> probability) in pieces of `split`
    characters, behind what it is taken to have said: the beginning of its answer, where the request has one.
    """
    said = said_in(body, begin)
    shares = {}
    for word, share in words.items():
        if word.startswith(said):
            piece = word[len(said) : len(said) + split] or "<|im_end|>"
            shares[piece] = shares.get(piece, 0.0) + share
    whole = sum(shares.values()) or 1.0
    return listed(body, {piece: math.log(share / whole) for piece, share in shares.items()} | {"~": -20.0})


def said_in(body, begin="Class:"):
    if "prompt" in body:
        return body["prompt"].rpartition(begin)[2] if begin in body["prompt"] else ""
    last = body["messages"][-1]
    return last["content"].removeprefix(begin) if last["role"] == "assistant" else ""


def listed(body, tokens):
    """The likeliest first tokens, in the shape of the request's endpoint."""
    if "prompt" in body:
        first = {"tokens": [max(tokens, key=tokens.get)], "top_logprobs": [tokens]}
    else:
        top = [{"token": token, "logprob": value, "bytes": None} for token, value in tokens.items()]
        first = {"content": [{**max(top, key=lambda one: one["logprob"]), "top_logprobs": top}]}
    return {"choices": [{"message": {"content": ""}, "text": "", "logprobs": first}]}


WIDTH = 6


def vector_of(text, width=WIDTH):
    """Numbers that only this text has."""
    return np.random.default_rng(zlib.crc32(text.encode())).standard_normal(width).round(4).tolist()


def embedded(body, vector=vector_of, tokens=len):
    """A response of /embeddings: the vector of each text, and tokens counted."""
    texts = [body["input"]] if isinstance(body["input"], str) else body["input"]
    data = [{"object": "embedding", "index": i, "embedding": vector(text)} for i, text in enumerate(texts)]
    counted = sum(map(tokens, texts))
    return {"object": "list", "data": data, "usage": {"prompt_tokens": counted, "total_tokens": counted}}


def plain(*prompts):
    return [Request(text=prompt) for prompt in prompts]


def chat(*prompts):
    return [Request(messages=(("system", "Be brief."), ("user", prompt))) for prompt in prompts]


def begun(*prompts):
    """Chats in which the answer is begun: "Class:"."""
    return [Request(messages=request.messages, begin="Class:") for request in chat(*prompts)]


def rows_of(requests):
    return Requests(list(requests), {})


def bodies(*prompts):
    return [request.body(MODEL, "plain") for request in plain(*prompts)]


def texts(answers):
    return [answer.response["choices"][0]["text"] for answer in answers]
