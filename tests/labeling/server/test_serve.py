"""The labeling page on a real socket: nothing leaks, and signals stop it."""

import errno
import json
import os
import signal
import subprocess
import sys
import threading
import webbrowser
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest

pytest.importorskip("starlette")
pytest.importorskip("uvicorn")

from skactive.labeling import SQLiteLabelStore
from skactive.labeling.server import _serve, serve

TOKEN = "the-secret-of-these-tests"


def head(port, *lines):
    usual = (f"Host: 127.0.0.1:{port}", "Content-Type: application/json",
             f"Authorization: Bearer {TOKEN}")  # fmt: skip
    return "\r\n".join(["POST /api/message HTTP/1.1", *usual, *lines, "", ""]).encode()


def stopping(lines):
    def report(line):
        lines.append(line)
        if line.startswith("Whoever has"):
            threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT)).start()

    return report


# Requests on a socket -----------------------------------------------------------------------------


def test_head_gives_headers_only(running, raw):
    lines = f"HEAD / HTTP/1.1\r\nHost: {running.host}\r\nConnection: close\r\n\r\n"
    received = raw(running.port, lines.encode())
    assert received.startswith(b"HTTP/1.1 200")
    assert received.endswith(b"\r\n\r\n")


def test_who_is_refused_can_still_receive_the_reason(running):
    for _ in range(50):  # a connection that were closed at once would often be reset
        connection = HTTPConnection("127.0.0.1", running.port, timeout=10)
        connection.request("POST", "/api/message", b"x" * 60_000, {"Content-Type": "text/plain"})
        assert connection.getresponse().status == 401
        connection.close()


def test_ten_megabytes_on_a_socket(running, backend, raw):
    body = b" " * 2**20
    received = raw(running.port, head(running.port, f"Content-Length: {10 * 2**20}"), *[body] * 10)
    assert received.startswith(b"HTTP/1.1 413")
    chunk = b"100000\r\n" + body + b"\r\n"
    received = raw(running.port, head(running.port, "Transfer-Encoding: chunked"), *[chunk] * 10)
    assert received.startswith(b"HTTP/1.1 413")
    assert received.count(b"HTTP/1.1") == 1  # what was not read is not taken for a request
    assert not backend.heard


def test_no_banner_and_no_leak_on_a_socket(running, raw):
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


# Start and stop -----------------------------------------------------------------------------------


def test_the_link_is_told_and_ctrl_c_ends_in_peace(tmp_path, make_body):
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
            connection.request("POST", "/api/message", json.dumps(make_body(**message)), headers)
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


def test_a_port_that_is_taken_is_make_body(running, backend):
    with pytest.raises(OSError, match=f"port {running.port}"):
        serve(backend, port=running.port)
    with pytest.raises(OSError, match="port 70000"):
        serve(backend, port=70000)


@pytest.mark.parametrize(
    ("number", "advice"),
    [("EADDRINUSE", "in use.*0 for any"), ("EACCES", "above 1023"), ("EADDRNOTAVAIL", "0.0.0.0")],
)
def test_why_a_port_cannot_be_had_is_told_in_a_line(backend, monkeypatch, number, advice):
    error = OSError(getattr(errno, number), os.strerror(getattr(errno, number)))

    def fail(*_, **__):
        raise error

    monkeypatch.setattr(_serve.socket, "create_server", fail)
    with pytest.raises(OSError, match=advice) as raised:
        serve(backend, port=80)
    assert "\n" not in str(raised.value)


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
