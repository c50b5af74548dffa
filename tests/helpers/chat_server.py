"""A server of a language model on the loopback address, which misbehaves on request.

Its model calls texts with the word "good" positive, and others negative; `tokens` changes that.
"""

import json
import math
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class ChatServer(ThreadingHTTPServer):
    """Count what is asked and paid for; `faults` are taken one by one, None for none."""

    daemon_threads = True

    def __init__(self, tokens=None, *, faults=(), seconds=0.0):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.tokens, self.seconds = tokens or judge, seconds
        self.older = False  # form of the log-probabilities of completed texts
        self.faults = faults if callable(faults) else _take_in_turn(faults)
        self.requests, self.paid, self.times = [], Counter(), []
        self.most_at_once = self.at_once = 0
        self.price_in, self.price_out, self.charged = 1.0, 2.0, 0.0  # of a million tokens
        self.lock = threading.Lock()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}/v1"

    def __enter__(self):
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()

    def handle_error(self, *_):
        pass  # clients may go away

    def complete(self, body, headers):
        """Return a reply, for which it charges."""
        prompts = list_prompts(body)
        tokens = self.tokens(prompts[-1], body)
        n_in = sum(map(len, prompts)) // 3
        with self.lock:
            self.paid[json.dumps(body, sort_keys=True)] += 1
            self.charged += (n_in * self.price_in + len(tokens) * self.price_out) / 1e6
        text = "".join(token for token, _ in tokens)
        said = {"message": {"role": "assistant", "content": text}}
        choice = {**(said if "messages" in body else {"text": text}), "finish_reason": "stop"}
        if body.get("logprobs"):
            write = _write_older if self.older else _write_all
            choice["logprobs"] = write(tokens)
        usage = {"prompt_tokens": n_in, "completion_tokens": len(tokens)}
        return {"id": "always the same", "choices": [choice], "usage": usage}


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        server = self.server
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with server.lock:
            server.requests.append((self.path, dict(self.headers), body))
            server.times.append(time.monotonic())
            server.at_once += 1
            server.most_at_once = max(server.most_at_once, server.at_once)
            fault = server.faults(body)
        time.sleep(server.seconds)
        self.reply(fault, body)

    def finish(self):
        super().finish()
        with self.server.lock:
            self.server.at_once -= hasattr(self, "path")

    def reply(self, fault, body):
        if isinstance(fault, int | tuple):  # a status, with a Retry-After or a message
            status, extra = fault if isinstance(fault, tuple) else (fault, None)
            headers = {"Retry-After": extra} if status == 429 and extra else {}
            self.send(status, {"error": {"message": extra or "busy"}}, headers)
            return
        if fault == "slow":
            time.sleep(0.5)
        reply = self.server.complete(body, self.headers)
        choice = reply["choices"][0]
        if fault == "refusal":
            choice["message"] = {"content": None, "refusal": "I will not label this."}
        if fault == "no logprobs":
            choice["logprobs"] = None
        if fault == "no usage":
            del reply["usage"]
        self.send(200, reply if fault != "html" else "<html>", cut=fault == "cut")

    def send(self, status, content, headers=None, cut=False):
        payload = content.encode() if isinstance(content, str) else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(payload)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(payload[: len(payload) // 2] if cut else payload)

    def log_message(self, *_):
        pass


def judge(text, body):
    """Return the tokens of a reply, each with the probabilities in its place."""
    row = text.split("<")[-2] if "<text" in text else text.split('"')[-2]
    p = 0.9 if "good" in row else 0.2
    proba = {"positive": p, "negative": 0.95 - p, "perhaps": 0.05}
    return [(max(proba, key=proba.get), proba)]


def _take_in_turn(faults):
    faults = iter(faults)
    return lambda body: next(faults, None)


def list_prompts(body):
    """Return the texts of a request."""
    if "messages" in body:
        return [message["content"] for message in body["messages"]]
    return [body["prompt"]]


def _write_all(tokens):
    return {"content": [_write(*token) for token in tokens]}


def _write_older(tokens):
    logs = [{name: math.log(p) for name, p in proba.items()} for _, proba in tokens]
    names = [token for token, _ in tokens]
    values = [log[name] for name, log in zip(names, logs, strict=True)]
    return {"tokens": names, "token_logprobs": values, "top_logprobs": logs}


def _write(token, proba):
    top = [{"token": name, "logprob": math.log(p)} for name, p in proba.items()]
    return {"token": token, "logprob": math.log(proba[token]), "top_logprobs": top}
