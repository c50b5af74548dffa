"""Shared by the tests of the server: requests without a socket, and servers in threads."""

import asyncio
import json
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from skactive import ActiveLearner
from skactive.labeling import LabelingSession

TOKEN = "the-secret-of-these-tests"
HOST = "127.0.0.1:8000"
JSON = ("content-type", "application/json")
BEARER = ("authorization", f"Bearer {TOKEN}")


class StubBackend:
    """Remembers what came, and says yes."""

    def __init__(self):
        self.heard = []

    def handle(self, message, annotator):
        self.heard.append((message, annotator))
        return {"ok": True, "echo": message}


class Reply:
    def __init__(self, sent, n_read):
        start = next(m for m in sent if m["type"] == "http.response.start")
        self.status = start["status"]
        self.pairs = [(k.decode(), v.decode()) for k, v in start["headers"]]
        self.headers = dict(self.pairs)
        self.body = b"".join(m.get("body", b"") for m in sent if m["type"] == "http.response.body")
        self.n_read = n_read

    def json(self):
        return json.loads(self.body)


async def _send(app, method, path, headers, chunks):
    sent, n_read, left = [], 0, list(chunks)

    async def receive():
        nonlocal n_read
        chunk = left.pop(0) if left else b""
        n_read += len(chunk)
        return {"type": "http.request", "body": chunk, "more_body": bool(left)}

    async def send(message):
        sent.append(message)

    path, _, query = path.partition("?")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(k.encode(), v.encode("latin-1")) for k, v in headers],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 8000),
    }
    await app(scope, receive, send)
    return Reply(sent, n_read)


def run_coroutine(work):
    """Run a coroutine in a thread of its own: a browser's loop may be running in this one."""
    with ThreadPoolExecutor(1) as executor:
        return executor.submit(asyncio.run, work).result()


def send_request(app, method, path, headers=(), chunks=(b"",), host=HOST):
    names = [] if host is None else [("host", host)]
    return run_coroutine(_send(app, method, path, [*names, *headers], chunks))


def post_message(app, content, headers=(JSON, BEARER), **about):
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return send_request(app, "POST", "/api/message", headers, [body], **about)


class RunningServer:
    """A server in a thread, at a free port."""

    def __init__(self, backend, limits=None, people=None):
        # Late, here and below: without the web framework the tests are skipped, not this file.
        from skactive.labeling.server import _serve, make_app
        from skactive.labeling.server._access import Access
        from skactive.labeling.server._guard import list_hosts

        self.socket = _serve._listen("127.0.0.1", 0)
        self.port = self.socket.getsockname()[1]
        self.host = f"127.0.0.1:{self.port}"
        self.access = Access(TOKEN, people)
        hosts = list_hosts("127.0.0.1", self.port)
        app = make_app(backend, token=TOKEN, hosts=hosts, people=people)
        ready = threading.Event()
        self.server = _serve._make_server(app, self.access, ready.set, limits)
        self.thread = threading.Thread(target=self.server.run, args=([self.socket],))
        self.thread.start()
        assert ready.wait(10)

    def stop(self):
        self.server.should_exit = True
        self.thread.join(20)
        assert not self.thread.is_alive()


def exchange_bytes(port, *parts):
    """Send bytes, and return all that comes back until the server closes."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        try:
            for part in parts:
                connection.sendall(part)
        except OSError:
            pass  # the server closed while we were still sending
        received = b""
        try:
            while chunk := connection.recv(65536):
                received += chunk
        except OSError:
            pass
    return received


@pytest.fixture
def run():
    """Return a function that runs a coroutine in a thread of its own."""
    return run_coroutine


@pytest.fixture
def ask():
    """Return a function that sends a request to an application."""
    return send_request


@pytest.fixture
def post():
    """Return a function that posts a message to an application, by default with the token."""
    return post_message


@pytest.fixture
def make_body():
    """Return a function that makes the body of a request from Ann."""

    def make(**message):
        return {"annotator": "ann", "message": message}

    return make


@pytest.fixture
def raw():
    """Return a function that sends bytes to a port, and returns those that come back."""
    return exchange_bytes


@pytest.fixture
def start_server():
    """Return a function that starts a server in a thread; all are stopped at the end."""
    servers = []

    def start(backend, **options):
        servers.append(RunningServer(backend, **options))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def running(start_server, backend):
    """Return a running server with the stub of a backend."""
    return start_server(backend)


@pytest.fixture
def alone():
    """Let a server run in this thread, where signals come: a browser may have a loop in it."""
    loop = asyncio._get_running_loop()
    asyncio._set_running_loop(None)
    yield
    asyncio._set_running_loop(loop)


@pytest.fixture
def backend():
    """Return a stub of a backend."""
    return StubBackend()


@pytest.fixture
def app(backend):
    """Return the application with the stub of a backend."""
    from skactive.labeling.server import make_app
    from skactive.labeling.server._guard import list_hosts

    return make_app(backend, token=TOKEN, hosts=list_hosts("127.0.0.1", 8000))


@pytest.fixture
def session(tmp_path):
    """Return a session on 40 short texts."""
    texts = [f"{word} row {i}" for i in range(20) for word in ("good", "bad")]
    learner = ActiveLearner(make_pipeline(CountVectorizer(), LogisticRegression()))
    with LabelingSession(
        learner, texts, store=tmp_path / "labels.db", classes=["neg", "pos"], random_state=0
    ) as session:
        yield session
