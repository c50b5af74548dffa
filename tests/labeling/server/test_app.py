"""The labeling page over HTTP: who may ask, what is refused, and that nothing leaks or is lost."""

import argparse
import asyncio
import json
import logging
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import wave
import webbrowser
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest

pytest.importorskip("starlette")
pytest.importorskip("uvicorn")

from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from skactive import ActiveLearner
from skactive.cli._errors import CommandError
from skactive.cli._serve import add_serve_arguments, run_serve
from skactive.labeling import LabelingSession, SQLiteLabelStore, server
from skactive.labeling._network import is_loopback
from skactive.labeling.page import PageBackend
from skactive.labeling.server import _app, _guard, _serve, make_app, serve
from skactive.labeling.server._app import MAX_BODY_BYTES, OneTimeCode
from skactive.labeling.server._guard import check_annotator, list_hosts

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


async def _ask(app, method, path, headers, chunks):
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


def run(work):
    """Run a coroutine in a thread of its own: a browser's loop may be running in this one."""
    with ThreadPoolExecutor(1) as executor:
        return executor.submit(asyncio.run, work).result()


def ask(app, method, path, headers=(), chunks=(b"",), host=HOST):
    names = [] if host is None else [("host", host)]
    return run(_ask(app, method, path, [*names, *headers], chunks))


def post(app, content, headers=(JSON, BEARER), **about):
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return ask(app, "POST", "/api/message", headers, [body], **about)


def said(**message):
    return {"annotator": "ann", "message": message}


@pytest.fixture
def backend():
    return StubBackend()


@pytest.fixture
def app(backend):
    return make_app(backend, token=TOKEN, hosts=list_hosts("127.0.0.1", 8000))


@pytest.fixture
def session(tmp_path):
    texts = [f"{word} row {i}" for i in range(20) for word in ("good", "bad")]
    learner = ActiveLearner(make_pipeline(CountVectorizer(), LogisticRegression()))
    with LabelingSession(
        learner, texts, store=tmp_path / "labels.db", classes=["neg", "pos"], random_state=0
    ) as session:
        yield session


# What goes through -------------------------------------------------------------------------------


def test_a_message_reaches_the_backend_with_its_annotator(app, backend):
    for name in ("ann", " Bob  B. "):
        reply = post(app, {"annotator": name, "message": {"do": "next", "n": 3}})
        assert (reply.status, reply.json()) == (200, {"ok": True, "echo": {"do": "next", "n": 3}})
    assert backend.heard == [({"do": "next", "n": 3}, "ann"), ({"do": "next", "n": 3}, "Bob B.")]


def test_charset_scheme_case_and_both_origins_are_right(app):
    for origin in (f"http://{HOST}", f"https://{HOST}", f"HTTP://{HOST}"):
        headers = [
            ("content-type", "application/JSON; charset=utf-8"),
            ("authorization", f"bearer {TOKEN}"),
            ("origin", origin),
        ]
        assert post(app, said(do="state"), headers).status == 200


@pytest.mark.parametrize("host", ["localhost:8000", "LOCALHOST:8000", "[::1]:8000", HOST])
def test_all_names_of_this_machine_are_known(app, host):
    assert post(app, said(do="state"), host=host).status == 200


@pytest.mark.parametrize(
    ("path", "kind"),
    [("/", "text/html"), ("/entry.js", "text/javascript"), ("/page.js", "text/javascript"),
     ("/page.css", "text/css"), ("/entry.css", "text/css")],
)  # fmt: skip
def test_the_page_itself_needs_no_token_and_holds_none(app, path, kind):
    reply = ask(app, "GET", path)
    assert reply.status == 200
    assert reply.headers["content-type"].startswith(kind)
    assert TOKEN.encode() not in reply.body


def test_the_page_names_nothing_elsewhere_and_no_inline_script(app):
    page = ask(app, "GET", "/").body.decode()
    assert "//" not in page  # neither http:// nor //cdn
    assert page.count("<script") == page.count('<script type="module" src=') == 1
    assert " on" not in page.replace(" one", "")  # no handler in an attribute


def test_head_gives_headers_only(running):
    lines = f"HEAD / HTTP/1.1\r\nHost: {running.host}\r\nConnection: close\r\n\r\n"
    received = raw(running.port, lines.encode())
    assert received.startswith(b"HTTP/1.1 200")
    assert received.endswith(b"\r\n\r\n")


# What is refused ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("authorization", "")],
        [("authorization", TOKEN)],
        [("authorization", "Bearer ")],
        [("authorization", f"Bearer {TOKEN[:-1]}")],
        [("authorization", f"Bearer {TOKEN}x")],
        [("authorization", f"Bearer {TOKEN.upper()}")],
        [("authorization", f"Basic {TOKEN}")],
        [("authorization", "Bearer ü\xff")],
        [("cookie", f"token={TOKEN}")],
    ],
)
def test_without_the_right_token_nothing_is_heard(app, backend, headers):
    reply = post(app, said(do="state"), [JSON, *headers])
    assert reply.status == 401
    assert reply.headers["www-authenticate"] == "Bearer"
    assert not backend.heard
    assert TOKEN.encode() not in reply.body


def test_the_token_in_the_address_is_not_taken(app, backend):
    body = json.dumps(said(do="state")).encode()
    assert ask(app, "POST", f"/api/message?token={TOKEN}", [JSON], [body]).status == 401
    assert not backend.heard


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:8000", "127.0.0.1", "127.0.0.1:8001", "127.0.0.1.evil:8000",
     "127.0.0.1:8000@evil", "evil@127.0.0.1:8000", "192.168.0.1:8000", "", "*:8000", "[::1", None],
)  # fmt: skip
@pytest.mark.parametrize("path", ["/", "/api/message"])
def test_a_foreign_host_is_refused(app, backend, host, path):
    method = "GET" if path == "/" else "POST"
    reply = ask(app, method, path, [JSON, BEARER], [json.dumps(said(do="state")).encode()], host)
    assert reply.status == 403
    assert not backend.heard


def test_two_hosts_or_two_origins_are_refused(app, backend):
    assert post(app, said(do="state"), [JSON, BEARER, ("host", HOST)]).status == 403
    twice = [("origin", f"http://{HOST}"), ("origin", "http://evil.example")]
    assert post(app, said(do="state"), [JSON, BEARER, *twice]).status == 403
    assert not backend.heard


@pytest.mark.parametrize(
    "origin",
    ["null", "http://evil.example", "http://127.0.0.1", "http://127.0.0.1:8001", "", "file://",
     "http://localhost:8000", f"http://{HOST}.evil.example", f"http://{HOST}/", f"ftp://{HOST}"],
)  # fmt: skip
def test_a_foreign_origin_is_refused(app, backend, origin):
    assert post(app, said(do="state"), [JSON, BEARER, ("origin", origin)]).status == 403
    assert ask(app, "GET", "/", [("origin", origin)]).status == 403
    assert not backend.heard


def test_all_addresses_means_any_address_but_no_foreign_name():
    app = make_app(StubBackend(), token=TOKEN, hosts=list_hosts("0.0.0.0", 8000))
    for host in ("192.168.0.7:8000", "[fd00::7]:8000", "localhost:8000"):
        assert post(app, said(do="state"), host=host).status == 200
    for host in ("evil.example:8000", "192.168.0.7:8001", "192.168.0.7", "x@192.168.0.7:8000"):
        assert post(app, said(do="state"), host=host).status == 403


def test_names_of_a_network_or_proxy_can_be_added():
    hosts = list_hosts("127.0.0.1", 8000, ["Labels.example", "other.example:443"])
    app = make_app(StubBackend(), token=TOKEN, hosts=hosts)
    for host in ("labels.example", "labels.example:8000", "other.example:443"):
        assert post(app, said(do="state"), host=host).status == 200
    for host in ("labels.example:1", "other.example", "other.example:8000"):
        assert post(app, said(do="state"), host=host).status == 403


def test_browsers_leave_out_port_80():
    assert {"127.0.0.1", "localhost:80"} <= list_hosts("127.0.0.1", 80)
    assert "127.0.0.1" not in list_hosts("127.0.0.1", 8000)
    app = make_app(StubBackend(), token=TOKEN, hosts=list_hosts("::", 80))
    assert post(app, said(do="state"), host="192.168.0.7").status == 200
    assert "[fd00::7]:81" in list_hosts("fd00::7", 81)


@pytest.mark.parametrize(
    "kind", ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data",
             "application/jsonx", "text/plain; application/json"],
)  # fmt: skip
def test_only_json_is_taken(app, backend, kind):
    headers = [BEARER, ("content-type", kind)] if kind else [BEARER]
    assert post(app, said(do="state"), headers).status == 415
    assert not backend.heard


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"nonsense",
        b"\xff\xfe",
        b'{"annotator": "ann", "message": {"do": "\xff"}}',
        b'{"annotator": "ann", "message": {"n": NaN}}',
        b'{"annotator": "ann", "message": {"n": -Infinity}}',
        b'{"annotator": "ann", "message": {"n": ' + b"9" * 5000 + b"}}",
        b'{"annotator": "ann", "message": {"do": "\\ud800"}}',
        b"[" * 60_000,
        b'{"a":' * 12_000 + b"1" + b"}" * 4_000,
        b'{"annotator": "ann", "message": ' + b"[" * 30_000 + b"]" * 30_000 + b"}",
        b"[]",
        b'"text"',
        b"1",
        b"null",
        b"{}",
        b'{"annotator": "ann"}',
        b'{"message": {"do": "state"}}',
        b'{"annotator": "ann", "message": []}',
        b'{"annotator": "ann", "message": {}, "more": 1}',
    ],
)
def test_what_is_no_message_is_refused_with_a_reason(app, backend, body):
    reply = post(app, body)
    assert reply.status == 400
    assert reply.json()["ok"] is False
    assert not backend.heard


@pytest.mark.parametrize(
    "name",
    ["", "   ", "x" * 65, "a\nb", "a\x00", "\x1b[31m", "a\u202eb", "\u2028", "\ufeff", 7, None, [],
     {"a": 1}, True],
)  # fmt: skip
def test_what_is_no_name_is_refused(app, backend, name):
    reply = post(app, {"annotator": name, "message": {"do": "state"}})
    assert reply.status == 400
    assert "name" in reply.json()["error"]
    assert not backend.heard


def test_a_name_has_one_spelling():
    assert check_annotator("x" * 64) == "x" * 64
    assert check_annotator(" Rene\u0301  M. ") == "Ren\u00e9 M."
    assert (
        check_annotator("\u0645\u06cc\u200c\u0646") == "\u0645\u06cc\u200c\u0646"
    )  # a joiner is part of the name


@pytest.mark.parametrize("announced", [True, False])
def test_ten_megabytes_are_refused_without_being_read(app, backend, announced):
    chunks = [b" " * 8192] * (10 * 2**20 // 8192)
    length = [("content-length", str(10 * 2**20))] if announced else []
    reply = ask(app, "POST", "/api/message", [JSON, BEARER, *length], chunks)
    assert reply.status == 413
    assert reply.headers["connection"] == "close"
    assert reply.n_read <= (0 if announced else MAX_BODY_BYTES + 8192)
    assert not backend.heard


@pytest.mark.parametrize("length", ["-1", "x", "1e9", "9" * 400, "²"])
def test_a_length_that_is_none_is_refused(app, length):
    assert post(app, said(do="state"), [JSON, BEARER, ("content-length", length)]).status == 413


def test_64_kib_are_taken_and_a_byte_more_is_not(app, backend):
    body = json.dumps(said(do="state")).encode()
    assert post(app, body + b" " * (MAX_BODY_BYTES - len(body))).status == 200
    assert post(app, body + b" " * (MAX_BODY_BYTES - len(body) + 1)).status == 413
    assert len(backend.heard) == 1


def test_who_is_refused_can_still_receive_the_reason(running):
    for _ in range(50):  # a connection that were closed at once would often be reset
        connection = HTTPConnection("127.0.0.1", running.port, timeout=10)
        connection.request("POST", "/api/message", b"x" * 60_000, {"Content-Type": "text/plain"})
        assert connection.getresponse().status == 401
        connection.close()


def test_a_body_that_does_not_come_is_not_waited_for(app, backend, monkeypatch):
    monkeypatch.setattr(_app, "_BODY_TIMEOUT", 0.05)

    async def attempt():
        sent = []

        async def receive():
            await asyncio.sleep(3600)

        async def send(message):
            sent.append(message)

        headers = [(b"host", HOST.encode()), (b"content-type", b"application/json"),
                   (b"authorization", f"Bearer {TOKEN}".encode())]  # fmt: skip
        scope = {"type": "http", "method": "POST", "path": "/api/message", "headers": headers}
        await app(scope, receive, send)
        return sent[0]["status"]

    assert run(attempt()) == 408
    assert not backend.heard


def test_a_client_that_goes_away_stores_nothing(app, backend):
    async def attempt():
        async def receive():
            return {"type": "http.disconnect"}

        async def send(message):
            pass

        headers = [(b"host", HOST.encode()), (b"content-type", b"application/json"),
                   (b"authorization", f"Bearer {TOKEN}".encode())]  # fmt: skip
        scope = {"type": "http", "method": "POST", "path": "/api/message", "headers": headers}
        await app(scope, receive, send)

    run(attempt())
    assert not backend.heard


@pytest.mark.parametrize(
    "path",
    ["/../setup.cfg", "/static/index.html", "/%2e%2e/%2e%2e/setup.cfg", "/..%2fsetup.cfg",
     "/page.js/../../_backend.py", "//etc/passwd", "/..\\setup.cfg", "/_app.py", "/page.js%00",
     "/api", "/api/", "/api/message/", "/docs", "/openapi.json", "/PAGE.JS"],
)  # fmt: skip
def test_there_are_no_other_paths(app, path):
    reply = ask(app, "GET", path)
    assert reply.status in {307, 404, 405}
    assert b"[" not in reply.body
    assert b"def " not in reply.body


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"])
def test_messages_are_posted(app, backend, method):
    body = json.dumps(said(do="state")).encode()
    assert ask(app, method, "/api/message", [JSON, BEARER], [body]).status == 405
    assert not backend.heard


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "X"])
def test_the_page_is_only_read(app, method):
    assert ask(app, method, "/").status == 405


def test_every_answer_tells_the_browser_to_be_careful(app):
    body = json.dumps(said(do="state")).encode()
    answers = [
        ask(app, "GET", "/"),
        ask(app, "GET", "/none"),
        ask(app, "GET", "/", host="evil.example"),
        ask(app, "PUT", "/api/message"),
        ask(app, "POST", "/api/message", [JSON], [body]),
        ask(app, "POST", "/api/message", [JSON, BEARER], [body]),
    ]
    assert [a.status for a in answers] == [200, 404, 403, 405, 401, 200]
    for answer in answers:
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "script-src 'self';" in policy
        assert "http" not in policy
        assert "*" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cache-control"] == "no-store"
        names = [name.lower() for name, _ in answer.pairs]
        assert len(names) == len(set(names))
        assert not [n for n in names if n.startswith("access-control") or n == "server"]


def test_an_error_of_the_backend_is_logged_and_not_in_the_answer(app, backend, monkeypatch, caplog):
    def fail(message, annotator):
        raise RuntimeError("the inner secret")

    monkeypatch.setattr(backend, "handle", fail)
    with caplog.at_level(logging.ERROR):
        reply = post(app, said(do="state"))
    assert reply.status == 500
    assert "secret" not in reply.body.decode()
    assert "Traceback" not in reply.body.decode()
    assert "the inner secret" in caplog.text
    assert TOKEN not in caplog.text


def test_an_answer_that_is_no_json_fails_cleanly(app, backend, monkeypatch, caplog):
    for wrong in ({"x": float("nan")}, {"x": object()}):
        monkeypatch.setattr(backend, "handle", lambda *_, wrong=wrong: wrong)
        assert post(app, said(do="state")).status == 500


# A code that is good once -------------------------------------------------------------------------


def test_a_code_is_changed_into_the_token_once():
    once = OneTimeCode()
    app = make_app(StubBackend(), token=TOKEN, hosts=[HOST], one_time=once)

    def redeem(code):
        return ask(app, "POST", "/api/open", [JSON], [json.dumps({"code": code}).encode()])

    for wrong in ("x", "", None, 7, once.code[:-1], "ü"):
        assert redeem(wrong).status == 401
    assert redeem(once.code).json() == {"ok": True, "token": TOKEN}
    second = redeem(once.code)
    assert second.status == 401
    assert TOKEN not in second.body.decode()


def test_a_code_grows_old(app):
    once = OneTimeCode(seconds=-1.0)
    assert not once.redeem(once.code)
    code = json.dumps({"code": "x"}).encode()
    assert ask(app, "POST", "/api/open", [JSON], [code]).status == 401  # there is none
    assert ask(app, "POST", "/api/open", [JSON], [b"{"]).status == 400


# With a session -----------------------------------------------------------------------------------


def test_labels_are_stored_once_and_by_name(session):
    app = make_app(PageBackend(session), token=TOKEN, hosts=[HOST])
    item = post(app, said(do="next", n=1)).json()["items"][0]
    answer = said(do="label", id=item["id"], ticket=item["ticket"], label="pos", key="k1")
    for _ in range(3):  # a double click, or a reply that was lost
        assert post(app, answer).json()["ok"]
    assert [(r["id"], r["label"], r["annotator"]) for r in session.records()] == [
        (item["id"], "pos", "ann")
    ]


@pytest.mark.parametrize(
    "message",
    [
        {"do": "label", "id": 0, "label": "maybe"},
        {"do": "label", "id": 0, "label": 0},
        {"do": "label", "id": 0, "label": ["pos"]},
        {"do": "label", "id": 0, "label": None},
        {"do": "label", "id": 10**6, "label": "pos"},
        {"do": "label", "id": -1, "label": "pos"},
        {"do": "label", "id": "0", "label": "pos"},
        {"do": "label", "id": True, "label": "pos"},
        {"do": "label", "id": [0], "label": "pos"},
        {"do": "label", "id": 0, "label": "pos", "ticket": "none"},
        {"do": "label", "id": 0, "label": "pos", "seconds": -1},
        {"do": "label", "id": 0, "label": "pos", "seconds": 1e308},
        {"do": "skip", "id": "x"},
        {"do": "__class__"},
        {"do": ["label"]},
        {},
    ],
)
def test_what_cannot_be_right_is_not_stored(session, message):
    app = make_app(PageBackend(session), token=TOKEN, hosts=[HOST])
    reply = post(app, {"annotator": "ann", "message": message})
    assert reply.status == 200
    assert reply.json()["ok"] is False
    assert reply.json()["error"]
    assert session.records() == []


def test_two_tabs_of_one_name_do_no_harm(session):
    app = make_app(PageBackend(session), token=TOKEN, hosts=[HOST])
    tabs = [post(app, said(do="next", n=3, key=f"n{tab}")).json()["items"] for tab in range(2)]
    ids = [item["id"] for items in tabs for item in items]
    assert len(set(ids)) == 6
    for tab, items in enumerate(tabs):
        for n, item in enumerate(items):
            answer = said(do="label", id=item["id"], ticket=item["ticket"], label="neg",
                          key=f"t{tab}-{n}")  # fmt: skip
            assert post(app, answer).json()["ok"]
    assert sorted(r["id"] for r in session.records()) == sorted(ids)


# On a real socket ---------------------------------------------------------------------------------


@pytest.fixture
def alone():
    """Let a server run in this thread, where signals come: a browser may have a loop in it."""
    loop = asyncio._get_running_loop()
    asyncio._set_running_loop(None)
    yield
    asyncio._set_running_loop(loop)


class Running:
    """A server in a thread, at a free port."""

    def __init__(self, backend):
        self.socket = _serve._listen("127.0.0.1", 0)
        self.port = self.socket.getsockname()[1]
        self.host = f"127.0.0.1:{self.port}"
        app = make_app(backend, token=TOKEN, hosts=list_hosts("127.0.0.1", self.port))
        ready = threading.Event()
        self.server = _serve._Server(_serve._make_config(app), ready.set)
        self.thread = threading.Thread(target=self.server.run, args=([self.socket],))
        self.thread.start()
        assert ready.wait(10)

    def stop(self):
        self.server.should_exit = True
        self.thread.join(20)
        assert not self.thread.is_alive()


@pytest.fixture
def running(backend):
    running = Running(backend)
    yield running
    running.stop()


def raw(port, *parts):
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


def head(port, *lines):
    usual = (f"Host: 127.0.0.1:{port}", "Content-Type: application/json",
             f"Authorization: Bearer {TOKEN}")  # fmt: skip
    return "\r\n".join(["POST /api/message HTTP/1.1", *usual, *lines, "", ""]).encode()


def test_ten_megabytes_on_a_socket(running, backend):
    body = b" " * 2**20
    received = raw(running.port, head(running.port, f"Content-Length: {10 * 2**20}"), *[body] * 10)
    assert received.startswith(b"HTTP/1.1 413")
    chunk = b"100000\r\n" + body + b"\r\n"
    received = raw(running.port, head(running.port, "Transfer-Encoding: chunked"), *[chunk] * 10)
    assert received.startswith(b"HTTP/1.1 413")
    assert received.count(b"HTTP/1.1") == 1  # what was not read is not taken for a request
    assert not backend.heard


def test_no_banner_and_no_leak_on_a_socket(running):
    closing = "Connection: close"
    for lines in (
        f"GET / HTTP/1.1\r\nHost: {running.host}\r\n{closing}\r\n\r\n",
        f"GET /../../../../etc/passwd HTTP/1.1\r\nHost: {running.host}\r\n{closing}\r\n\r\n",
        f"GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\nHost: {running.host}\r\n{closing}\r\n\r\n",
        f"GET / HTTP/1.1\r\nHost: evil.example\r\n{closing}\r\n\r\n",
        f"GET / HTTP/1.1\r\nHost: {running.host}\r\nHost: evil.example\r\n{closing}\r\n\r\n",
        "GET / HTTP/1.0\r\n\r\n",
        "nonsense\r\n\r\n",
    ):
        received = raw(running.port, lines.encode()).lower()
        assert received.startswith(b"http/1.1 ")
        for leak in (b"server:", b"uvicorn", b"starlette", b"python", b"traceback", b"root:"):
            assert leak not in received
    assert b" 200 " not in raw(running.port, b"GET / HTTP/1.0\r\n\r\n").splitlines()[0]


def test_the_link_is_told_and_ctrl_c_ends_in_peace(tmp_path):
    script = f"""
from sklearn.linear_model import LogisticRegression
from skactive import ActiveLearner
from skactive.labeling import LabelingSession
from skactive.labeling._network import is_loopback
from skactive.labeling.page import PageBackend
from skactive.labeling.server import serve
rows = [[float(i)] for i in range(50)]
with LabelingSession(ActiveLearner(LogisticRegression()), rows, classes=["a", "b"],
                     store={str(tmp_path / "labels.db")!r}, random_state=0) as session:
    serve(PageBackend(session), open_browser=False, report=lambda line: print(line, flush=True))
print("ended", flush=True)
"""
    process = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        link = urlsplit(process.stdout.readline().split()[-1])
        assert link.fragment.startswith("token=")
        token = link.fragment.removeprefix("token=")
        connection = HTTPConnection(link.hostname, link.port, timeout=30)
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

        def say(**message):
            connection.request("POST", "/api/message", json.dumps(said(**message)), headers)
            return json.loads(connection.getresponse().read())

        item = say(do="next", n=1)["items"][0]
        assert say(do="label", id=item["id"], ticket=item["ticket"], label="a", key="k")["ok"]
        process.send_signal(signal.SIGINT)  # with a connection that is still open
        out, err = process.communicate(timeout=30)
        connection.close()
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 0, err
    assert out.splitlines()[-1] == "ended"
    assert err == ""
    assert token not in out.replace(link.fragment, "") + err
    store = SQLiteLabelStore(tmp_path / "labels.db")
    stored = [(e.item, e.value) for e in store.events() if e.kind == "label"]
    store.close()
    assert stored == [(item["id"], "a")]


@pytest.mark.usefixtures("alone")
@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="no such signal here")
@pytest.mark.parametrize("number", ["SIGTERM", "SIGHUP", "SIGINT"])
def test_signals_stop_and_former_handlers_come_back(backend, number):
    number = getattr(signal, number)
    before = signal.getsignal(number)
    lines = []

    def report(line):
        lines.append(line)
        os.kill(os.getpid(), number)

    serve(backend, open_browser=False, report=report)
    assert lines[0].startswith("Label at http://127.0.0.1:")
    assert signal.getsignal(number) == before


def stopping(lines):
    def report(line):
        lines.append(line)
        if line.startswith("Whoever has"):
            threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT)).start()

    return report


@pytest.mark.usefixtures("alone")
def test_others_in_the_network_are_warned_of(backend):
    lines = []
    serve(backend, host="0.0.0.0", open_browser=False, report=stopping(lines))
    assert [line for line in lines if line.startswith("Warning")]
    assert "0.0.0.0" not in lines[0]  # a link that works from elsewhere
    lines = []
    serve(backend, open_browser=False, report=stopping(lines))
    assert not [line for line in lines if line.startswith("Warning")]


@pytest.mark.usefixtures("alone")
def test_each_run_has_a_link_of_its_own_unless_told_otherwise(backend):
    links = []
    for token in (None, None, TOKEN):
        lines = []
        serve(backend, open_browser=False, token=token, report=stopping(lines))
        links.append(lines[0].split("#")[1])
    assert len(set(links)) == 3
    assert len(links[0]) >= 40
    assert links[2] == f"token={TOKEN}"


@pytest.mark.parametrize("token", ["short", "", "x" * 15, "with spaces in it here", "ü" * 20])
def test_a_token_must_be_a_secret_that_fits_a_link(backend, token):
    with pytest.raises(ValueError, match="token"):
        serve(backend, token=token)


def test_a_port_that_is_taken_is_said(running, backend):
    with pytest.raises(OSError, match=f"port {running.port}"):
        serve(backend, port=running.port)
    with pytest.raises(OSError, match="port 70000"):
        serve(backend, port=70000)


@pytest.mark.usefixtures("alone")
def test_the_browser_is_not_started_with_the_token(backend, monkeypatch):
    opened = threading.Event()
    links, lines = [], []

    class Windows:
        def open(self, link):
            links.append(link)
            opened.set()

    monkeypatch.setattr(webbrowser, "get", Windows)
    serve(backend, token=TOKEN, report=stopping(lines))
    assert opened.wait(5)
    assert TOKEN not in links[0]
    assert "#once=" in links[0]


@pytest.mark.usefixtures("alone")
def test_a_browser_in_the_terminal_is_left_alone(backend, monkeypatch):
    def none():
        raise webbrowser.Error("there is none")

    class Text(webbrowser.GenericBrowser):
        def open(self, *_):
            raise AssertionError("it would take the terminal")

    for get in (none, lambda: webbrowser.GenericBrowser("false")):
        monkeypatch.setattr(webbrowser, "get", get)
        monkeypatch.setattr(webbrowser.GenericBrowser, "open", Text.open)
        serve(backend, report=stopping([]))


def test_own_address_is_one():
    assert _serve._format_host("::1") == "[::1]"
    assert _serve._format_host("0.0.0.0").count(".") == 3
    assert is_loopback("127.0.0.2")
    assert is_loopback("localhost")
    assert not is_loopback("labels.example")
    assert _guard._is_allowed("127.0.0.1:1", {"127.0.0.1:1"})
    assert time.monotonic() > 0


# The command --------------------------------------------------------------------------------------


def command(*arguments):
    """Run the command with these arguments."""
    parser = argparse.ArgumentParser()
    add_serve_arguments(parser)
    run_serve(vars(parser.parse_args([str(argument) for argument in arguments])))


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("n,text\n" + "".join(f"{n},row {n}\n" for n in range(20)), encoding="utf-8")
    return path


@pytest.fixture
def served(monkeypatch):
    """What the command would serve, instead of serving it."""
    served = {}

    def note(backend, **options):
        content = backend.handle({"do": "next", "n": 1}, "ann")["items"][0]["content"]
        served.update(options, backend=backend, content=content)

    monkeypatch.setattr(_serve, "serve", note)
    return served


@pytest.mark.usefixtures("alone")
def test_the_command_serves_a_table_until_it_is_stopped(table, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("SKACTIVE_TOKEN", TOKEN)
    store = tmp_path / "labels.db"
    told = _serve._describe_link

    def about(*arguments):
        threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT)).start()
        return told(*arguments)

    monkeypatch.setattr(_serve, "_describe_link", about)
    command(table, "--text", "text", "--classes", "a,b", "--store", store, "--no-browser")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("Label at http://127.0.0.1:")
    assert lines[0].endswith(f"/#token={TOKEN}")
    assert lines[-1].endswith(f"skactive serve --resume {store}")


def test_the_command_hands_its_options_on(table, tmp_path, served):
    common = [table, "--text", "text", "--classes", "a,b", "--store", tmp_path / "labels.db"]
    command(*common)
    assert (served["host"], served["port"]) == ("127.0.0.1", 0)
    assert (served["token"], served["open_browser"]) == (None, True)
    assert served["content"]["type"] == "text"
    assert served["backend"].title == "rows.csv"
    more = ["--title", "T", "--html", "--host", "::1", "--port", 81, "--no-browser"]
    command("--resume", tmp_path / "labels.db", *more, "--allowed-host", "x.example")
    assert (served["host"], served["port"]) == ("::1", 81)
    assert (served["open_browser"], served["allowed_hosts"]) == (False, ["x.example"])
    assert (served["backend"].title, served["content"]["type"]) == ("T", "html")


def test_the_command_plays_sounds(tmp_path, served):
    folder = tmp_path / "sounds"
    folder.mkdir()
    for n in range(4):
        with wave.open(str(folder / f"{n}.wav"), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(8000)
            file.writeframes(bytes(range(256)) * 16)
    command(folder, "--classes", "a,b", "--store", tmp_path / "labels.db")
    assert served["content"]["type"] == "audio"
    assert served["content"]["src"].startswith("data:audio/")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["none.csv", "--text", "text", "--classes", "a,b", "--store", "x.db"], "no file"),
        (["rows.csv", "--text", "none", "--classes", "a,b", "--store", "x.db"], "no column"),
        (["rows.csv", "--text", "text", "--store", "x.db"], "--classes"),
        (["rows.csv", "--text", "text", "--classes", "a,b"], "--store"),
        (["--resume", "rows.csv"], "no store"),
        (["--resume", "none.db"], "no file"),
        ([], "--resume"),
    ],
)
def test_mistakes_in_the_command_are_told(table, monkeypatch, served, arguments, message):
    monkeypatch.chdir(table.parent)
    with pytest.raises(CommandError, match=message):
        command(*arguments)
    assert served == {}


@pytest.mark.parametrize("port", ["-1", "65536", "x", "1.5"])
def test_a_port_is_a_number(table, port, capsys):
    with pytest.raises(SystemExit):
        command(table, "--port", port)
    assert "port" in capsys.readouterr().err


def test_a_port_or_token_that_cannot_be_is_told(table, tmp_path, running, monkeypatch):
    common = [table, "--text", "text", "--classes", "a,b", "--store", tmp_path / "labels.db"]
    with pytest.raises(CommandError, match=f"port {running.port}"):
        command(*common, "--port", running.port, "--no-browser")
    monkeypatch.setenv("SKACTIVE_TOKEN", "short")
    with pytest.raises(CommandError, match="16"):
        command(*common, "--no-browser")


def test_without_the_extra_it_is_named(tmp_path):
    """The options are read without the web framework; what needs it says what to install."""
    script = """
import argparse, sys
sys.modules["starlette"] = sys.modules["uvicorn"] = None
from skactive.cli._tables import CommandError
from skactive.cli._serve import add_serve_arguments, run_serve
parser = argparse.ArgumentParser()
add_serve_arguments(parser)
try:
    run_serve(vars(parser.parse_args(["x.csv"])))
except CommandError as error:
    print(error)
import skactive.labeling.server as server
for name in server.__all__:
    try:
        getattr(server, name)
    except ImportError as error:
        print(error)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout.count('pip install "skactive[serve]"') == 3, done.stderr
    with pytest.raises(AttributeError, match="nothing"):
        _ = server.nothing


# In a browser -------------------------------------------------------------------------------------


@contextmanager
def page_of(browser, **about):
    """A page with nothing stored; its errors, and what it asks of others, are in `trouble`."""
    context = browser.new_context(**about)
    page = context.new_page()
    page.trouble = []
    page.on("pageerror", lambda error: page.trouble.append(str(error)))
    page.on("console", lambda m: m.type == "error" and page.trouble.append(m.text))
    page.on("request", lambda request: page.trouble.extend(_foreign(request.url)))
    yield page
    context.close()


def _foreign(url):
    return [] if url.startswith(("http://127.0.0.1:", "data:", "about:")) else [url]


@pytest.fixture
def place(session):
    running = Running(PageBackend(session, title="Reviews"))
    running.session, running.link = session, f"http://{running.host}/#token={TOKEN}"
    yield running
    running.stop()


def enter(page, link, name):
    page.goto(link)
    page.get_by_label("Your name").fill(name)
    page.keyboard.press("Enter")
    page.get_by_role("button", name="pos").wait_for()


def saved(page, n):
    page.get_by_text(re.compile(rf"\b{n} by you")).wait_for()


def picture(page, name):
    """Keep a screenshot where somebody wants to look at it."""
    if folder := os.environ.get("SKACTIVE_SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"{name}.png")


def test_rows_are_labeled_in_a_browser(browser, place):
    with page_of(browser, color_scheme="light") as page:
        enter(page, place.link, "Ann")
        assert page.url == f"http://{place.host}/"  # the token is gone from the address
        assert page.title() == "Reviews"
        for key in ("1", "2", "2"):
            page.keyboard.press(key)
        page.get_by_role("button", name="neg").click()
        saved(page, 4)
        picture(page, "serve-light")
        page.keyboard.press("u")
        saved(page, 3)
        page.reload()  # neither token nor name is asked for again
        page.get_by_role("button", name="pos").wait_for()
        page.keyboard.press("2")
        saved(page, 4)
        assert page.context.cookies() == []
        page.get_by_role("button", name="Somebody else").click()
        page.get_by_label("Your name").fill("Bob")
        page.get_by_role("button", name="Begin").click()
        page.get_by_role("button", name="pos").wait_for()
        page.keyboard.press("2")
        saved(page, 1)
        assert page.trouble == []
    said = [(r["annotator"], r["label"]) for r in place.session.records()]
    assert said == [("Ann", x) for x in ("neg", "pos", "pos", "pos")] + [("Bob", "pos")]


def test_a_name_that_is_none_is_asked_for_again(browser, place):
    with page_of(browser, color_scheme="dark") as page:
        page.goto(place.link)
        page.get_by_label("Your name").fill("a\u202eb")
        picture(page, "serve-name-dark")
        page.keyboard.press("Enter")
        page.get_by_role("alert").get_by_text("control characters").wait_for()
        assert page.get_by_label("Your name").input_value() == "a\u202eb"
        page.get_by_label("Your name").fill("Ann")
        page.locator("form").evaluate("form => { form.requestSubmit(); form.requestSubmit(); }")
        page.get_by_role("button", name="pos").wait_for()
        page.wait_for_timeout(300)
        assert place.session.progress().n_in_flight <= 6  # one page holds rows, not two
        assert page.get_by_role("alert").filter(has_text="control").count() == 0
        page.keyboard.press("1")
        saved(page, 1)
    assert len(place.session.records()) == 1


def test_without_a_token_the_page_says_what_to_do(browser, place):
    with page_of(browser) as page:
        page.goto(f"http://{place.host}/")
        page.get_by_role("alert").get_by_text("contains no token").wait_for()
        page.goto(f"http://{place.host}/#token={TOKEN[::-1]}")
        page.get_by_label("Your name").fill("Ann")
        page.keyboard.press("Enter")
        page.get_by_role("alert").get_by_text("no longer valid").wait_for()
        page.goto(place.link)  # in the same tab: only what follows the # differs
        page.get_by_label("Your name").fill("Ann")
        page.keyboard.press("Enter")
        page.get_by_role("button", name="pos").wait_for()


def test_an_answer_outlives_a_link_that_grew_old(browser, place):
    with page_of(browser) as page:
        enter(page, place.link, "Ann")
        page.evaluate(f"location.hash = 'token={TOKEN[::-1]}'")
        page.wait_for_timeout(100)
        page.keyboard.press("1")
        page.get_by_role("alert").get_by_text("no longer valid").wait_for()
        assert place.session.records() == []
        page.evaluate(f"location.hash = 'token={TOKEN}'")
        saved(page, 1)
        page.get_by_text("no longer valid").first.wait_for(state="hidden")
    assert len(place.session.records()) == 1


@pytest.mark.parametrize("html", [False, True])
def test_rows_with_scripts_and_foreign_pictures_do_nothing(browser, html):
    elsewhere = socket.create_server(("127.0.0.1", 0))
    elsewhere.setblocking(False)
    picture = f"http://127.0.0.1:{elsewhere.getsockname()[1]}/x.png"
    evil = f"<img src='{picture}' onerror='top.evil=1'><script>top.evil=1</script>"
    rows = [f"<b style='color:red'>row {n}</b>{evil}" for n in range(6)]
    learner = ActiveLearner(make_pipeline(CountVectorizer(), LogisticRegression()))
    with LabelingSession(learner, rows, classes=["neg", "pos"], random_state=0) as session:
        running = Running(PageBackend(session, html=html))
        with page_of(browser) as page:
            enter(page, f"http://{running.host}/#token={TOKEN}", "Ann")
            page.keyboard.press("1")
            saved(page, 1)
            page.wait_for_timeout(200)
            assert page.evaluate("window.evil") is None
            assert page.locator("iframe").count() == html
            if html:  # its own styles hold
                text = page.frame_locator("iframe").get_by_text("row")
                assert text.evaluate("e => getComputedStyle(e).color") == "rgb(255, 0, 0)"
        running.stop()
    with elsewhere, pytest.raises(BlockingIOError):
        elsewhere.accept()  # nobody came


def test_a_page_elsewhere_reads_and_changes_nothing(browser, place, running):
    """The stub's server stands for a page elsewhere: another port is another origin."""
    attempt = """async ([url, token]) => {
        const options = {method: "POST", body: JSON.stringify({annotator: "x", message: {do:
            "label", id: 0, label: "pos"}}), headers: {"Content-Type": "text/plain"}};
        const told = [];
        for (const more of [{}, {mode: "no-cors"}, {headers: {"Content-Type": "application/json",
                                                             Authorization: `Bearer ${token}`}}]) {
            try { told.push((await fetch(url, {...options, ...more})).type); }
            catch (error) { told.push(error.name); }
        }
        return told;
    }"""
    with page_of(browser, bypass_csp=True) as page:
        page.goto(f"http://{running.host}/")
        told = page.evaluate(attempt, [f"http://{place.host}/api/message", TOKEN])
        framed = f"http://{place.host}/"
        page.set_content(f"<iframe src='{framed}'></iframe>")
        page.wait_for_timeout(300)
        assert "Your name" not in (page.frames[-1].content() if len(page.frames) > 1 else "")
    assert told == ["TypeError"] * 3
    assert place.session.records() == []


def test_axe_finds_nothing(browser, axe, place):
    for scheme in ("light", "dark"):
        with page_of(browser, color_scheme=scheme, bypass_csp=True) as page:

            def violations(page=page):
                page.evaluate(axe)
                return [v["id"] for v in page.evaluate("axe.run()")["violations"]]

            page.goto(f"http://{place.host}/")
            page.get_by_role("alert").wait_for()
            assert violations() == []
            page.goto(place.link)
            page.get_by_label("Your name").wait_for()
            assert violations() == []
            page.get_by_label("Your name").fill(f"Ann {scheme}")
            page.keyboard.press("Enter")
            page.get_by_role("button", name="pos").wait_for()
            page.keyboard.press("1")
            saved(page, 1)
            picture(page, f"serve-{scheme}")
            assert violations() == []
