"""A real language model's replies on the loopback address: recorded ones, or those of its server.

A record is a file of lines: the digest of a request, the text of its reply, the log-probabilities
of the tokens in each of its places (that of the reply first), and the numbers of tokens.
"""

import gzip
import hashlib
import json
import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_DECIMALS = 4  # of log-probabilities


class RecordedModel(ThreadingHTTPServer):
    """Reply as recorded, with status 404 to anything else; or forward, and record."""

    daemon_threads = True

    def __init__(self, path, upstream=None):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.path, self.upstream = path, upstream
        self.replies = {} if upstream else _read(path)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}/v1"

    def __enter__(self):
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()

    def save(self):
        """Write the record; equal records are equal files."""
        lines = [json.dumps([key, *reply]) for key, reply in sorted(self.replies.items())]
        self.path.write_bytes(gzip.compress("\n".join(lines).encode(), mtime=0))


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        payload = self.rfile.read(int(self.headers["Content-Length"]))
        body = json.loads(payload)
        key = _make_key(self.path, body)
        if self.server.upstream is not None and key not in self.server.replies:
            self.server.replies[key] = _forward(self.server.upstream + self.path, payload)
        if key in self.server.replies:
            self.send(200, _unpack(self.server.replies[key], "messages" in body))
        else:
            message = "there is no recorded reply: a prompt was changed; make test-llm"
            self.send(404, {"error": {"message": f"{message} RECORD=1 records its replies again"}})

    def send(self, status, content):
        payload = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def log_message(self, *_):
        pass


def _make_key(path, body):
    return hashlib.sha256(json.dumps([path, body], sort_keys=True).encode()).hexdigest()[:20]


def _read(path):
    with gzip.open(path, "rt") as file:
        return {key: reply for key, *reply in map(json.loads, file)}


def _forward(url, payload):
    headers = {"Content-Type": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(url, payload, headers)) as response:
        reply = json.load(response)
    choice, usage = reply["choices"][0], reply["usage"]
    text = choice["message"]["content"] if "message" in choice else choice["text"]
    places = [
        [[token, round(value, _DECIMALS)] for token, value in _list_tokens(entry).items()]
        for entry in choice["logprobs"]["content"]
    ]
    return [text, places, usage["prompt_tokens"], usage["completion_tokens"]]


def _list_tokens(entry):
    listed = {other["token"]: other["logprob"] for other in entry["top_logprobs"]}
    return {entry["token"]: entry["logprob"], **listed}


def _unpack(reply, is_chat):
    text, places, n_in, n_out = reply
    content = []
    for place in places:
        top = [{"token": token, "logprob": value} for token, value in place]
        content.append({**top[0], "top_logprobs": top})
    said = {"message": {"content": text}} if is_chat else {"text": text}
    choice = {**said, "finish_reason": "stop", "logprobs": {"content": content}}
    return {"choices": [choice], "usage": {"prompt_tokens": n_in, "completion_tokens": n_out}}
