"""Limits on connections: strangers never crowd out those who have the token."""

import json
import logging
import signal
import socket
import subprocess
import sys
import time
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest

pytest.importorskip("starlette")
pytest.importorskip("uvicorn")

from skactive.labeling.server._connections import (
    ConnectionLimits,
    ConnectionTable,
    _group_address,
    count_free_descriptors,
)

TOKEN = "the-secret-of-these-tests"
HALF = b"POST /api/message HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Ty"


class StubConnection:
    """A connection that notes when it is dropped."""

    def __init__(self, address="192.0.2.1", is_busy=True):
        self.address, self.is_busy, self.dropped = address, is_busy, False

    def drop(self):
        self.dropped = True


def fill(table, n, address="192.0.2.1"):
    connections = [StubConnection(address) for _ in range(n)]
    for connection in connections:
        table.add(connection)
    return connections


def is_closed(connection, seconds):
    """Return whether the other side closes within some seconds."""
    connection.settimeout(seconds)
    try:
        return connection.recv(1) == b""
    except TimeoutError:
        return False
    except OSError:
        return True


def drip(connection, seconds):
    """Send a byte now and then."""
    for _ in range(int(seconds / 0.05)):
        connection.sendall(b"x")
        time.sleep(0.05)


def send_state(server, connection=None, name="ann"):
    """Send a message with the token, which has to be answered before the connection times out."""
    own = connection or HTTPConnection("127.0.0.1", server.port, timeout=10)
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    body = json.dumps({"annotator": name, "message": {"do": "state"}})
    own.request("POST", "/api/message", body, headers)
    reply = own.getresponse()
    assert (reply.status, json.loads(reply.read())["ok"]) == (200, True)
    if connection is None:
        own.close()


# The table ----------------------------------------------------------------------------------------


def test_the_oldest_stranger_of_an_address_goes_first():
    table = ConnectionTable(ConnectionLimits(n_connections=100, n_strangers=3))
    others, crowd = fill(table, 1, "192.0.2.9"), fill(table, 5)
    assert [c.dropped for c in crowd] == [True, True, False, False, False]
    assert not others[0].dropped
    assert len(table) == 4


def test_the_most_crowded_address_makes_room():
    table = ConnectionTable(ConnectionLimits(n_connections=6, n_strangers=5))
    few, many = fill(table, 2, "192.0.2.9"), fill(table, 4)
    newcomer = fill(table, 1, "192.0.2.5")[0]
    assert [c.dropped for c in (*few, *many, newcomer)] == [False] * 2 + [True] + [False] * 4


def test_who_has_the_token_stays_unless_idle():
    table = ConnectionTable(ConnectionLimits(n_connections=3, n_strangers=3))
    known = fill(table, 3)
    for connection in known:
        table.recognize(connection)
    assert fill(table, 1)[0].dropped  # all are busy
    known[1].is_busy = known[2].is_busy = False
    table.recognize(known[1])  # was used last
    stranger = fill(table, 1)[0]
    assert [c.dropped for c in (*known, stranger)] == [False, False, True, False]
    assert len(table) == 3
    table.recognize(known[2])  # it was dropped
    assert len(table) == 3


def test_fifty_people_behind_one_proxy_all_get_in():
    table = ConnectionTable(ConnectionLimits())
    crowd = fill(table, 200)
    people = fill(table, 50)
    for connection in people:
        table.recognize(connection)
    attackers = fill(table, 1100)
    assert not any(c.dropped for c in people)
    assert all(c.dropped for c in crowd)
    assert sum(not c.dropped for c in attackers) == table.limits.n_strangers
    for connection in (*people, *attackers):
        table.remove(connection)
    assert len(table) == 0


def test_one_client_has_one_address():
    assert _group_address("2001:db8::1") == _group_address("2001:db8::ffff%eth0")
    assert _group_address("2001:db8::1") != _group_address("2001:db8:0:1::1")
    assert _group_address("::ffff:192.0.2.1") == _group_address("192.0.2.1") == "192.0.2.1"
    assert _group_address("") == ""


@pytest.mark.parametrize(
    ("n_free", "n_connections"), [(None, 512), (10**6, 512), (250, 122), (100, 32), (-5, 32)]
)
def test_files_are_left_to_the_program(n_free, n_connections):
    limits = ConnectionLimits.from_descriptors(n_free)
    assert (limits.n_connections, limits.n_strangers) == (n_connections, n_connections // 2)


def test_open_files_are_counted():
    resource = pytest.importorskip("resource")
    n_free = count_free_descriptors()
    assert 0 < n_free < resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    with socket.socket():
        assert count_free_descriptors() < n_free


# A real server ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "parts",
    [
        [],
        [HALF],
        [b"G", b"E", b"T", b" ", b"/", b"a", b"b", b"c", b"d", b"e", b"f", b"g", b"h", b"i", b"j"],
    ],
    ids=["nothing", "half", "drop by drop"],
)
def test_a_header_that_does_not_come_is_not_waited_for(start_server, backend, parts):
    server = start_server(backend, limits=ConnectionLimits(header_seconds=0.3))
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        began = time.perf_counter()
        try:
            for part in parts:
                connection.sendall(part)
                time.sleep(0.05)
        except OSError:
            pass  # it was closed meanwhile
        assert is_closed(connection, 5)
        assert time.perf_counter() - began < 3


def test_an_idle_stranger_goes_and_a_person_stays(start_server, backend):
    limits = ConnectionLimits(header_seconds=5, idle_seconds=0.3, known_idle_seconds=5)
    server = start_server(backend, limits=limits)
    page = f"GET / HTTP/1.1\r\nHost: {server.host}\r\n\r\n".encode()
    person = HTTPConnection("127.0.0.1", server.port, timeout=10)
    send_state(server, person)
    with socket.create_connection(("127.0.0.1", server.port)) as stranger:
        stranger.sendall(page)
        assert stranger.recv(65536).startswith(b"HTTP/1.1 200")
        stranger.settimeout(5)
        while stranger.recv(65536):
            pass
    assert not is_closed(person.sock, 0.5)
    send_state(server, person)
    person.close()


def test_bytes_after_a_reply_do_not_keep_a_connection(start_server, backend):
    server = start_server(backend, limits=ConnectionLimits(header_seconds=0.3, idle_seconds=5))
    lines = f"GET /none HTTP/1.1\r\nHost: {server.host}\r\nContent-Length: 1000\r\n\r\n"
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(lines.encode())
        assert connection.recv(65536).startswith(b"HTTP/1.1 404")
        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            drip(connection, seconds=5)


def test_a_client_that_does_not_read_is_dropped(start_server, backend):
    backend.handle = lambda message, annotator: {"ok": True, "much": "x" * 30_000_000}
    server = start_server(backend, limits=ConnectionLimits(known_idle_seconds=0.3))
    body = json.dumps({"annotator": "ann", "message": {"do": "state"}})
    lines = [
        "POST /api/message HTTP/1.1", f"Host: {server.host}", f"Content-Length: {len(body)}",
        f"Authorization: Bearer {TOKEN}", "Content-Type: application/json", "", body,
    ]  # fmt: skip
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall("\r\n".join(lines).encode())
        until = time.monotonic() + 10
        while (
            server.server.server_state.connections or not server.server.server_state.total_requests
        ):
            assert time.monotonic() < until
            time.sleep(0.02)


@pytest.mark.parametrize("flood", [HALF, b""], ids=["half", "silent"])
def test_half_requests_neither_stop_the_page_nor_fill_the_log(start_server, session, caplog, flood):
    """1,100 half requests at once: whoever has the token is answered within a second."""
    from skactive.labeling.page import PageBackend

    free = count_free_descriptors()
    n = 1100 if free is None else min(1100, free // 2 - 100)
    server = start_server(PageBackend(session))
    old = HTTPConnection("127.0.0.1", server.port, timeout=10)
    send_state(server, old)
    strangers = []
    with caplog.at_level(logging.INFO):
        try:
            for _ in range(n):
                strangers.append(socket.create_connection(("127.0.0.1", server.port), timeout=10))
                strangers[-1].sendall(HALF if len(strangers) % 2 else b"")
                if len(strangers) % 100 == 0:
                    send_state(server)
            send_state(server)
            send_state(server, old)
            limit = ConnectionLimits.from_descriptors(free).n_strangers
            assert sum(not is_closed(s, 0.01) for s in strangers[-limit - 50 :]) <= limit
        finally:
            old.close()
            for stranger in strangers:
                stranger.close()
        server.stop()
    text = "\n".join(record.getMessage() for record in caplog.records)
    assert len(text) < 2000
    assert "Traceback" not in caplog.text
    if n > limit + 1:
        assert "times more)" in text


SERVE_WITH_FEW_FILES = """
import resource
from skactive.labeling.server import serve
class Backend:
    def handle(self, message, annotator):
        return {"ok": True}
def report(line):
    print(line, flush=True)
    resource.setrlimit(resource.RLIMIT_NOFILE, (24, 24))
serve(Backend(), token="the-secret-of-these-tests", open_browser=False, report=report)
"""


def test_without_file_descriptors_people_wait_and_little_is_logged():
    pytest.importorskip("resource")
    command = [sys.executable, "-c", SERVE_WITH_FEW_FILES]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    strangers = []
    try:
        server = urlsplit(process.stdout.readline().split()[-1])
        for _ in range(60):
            strangers.append(socket.create_connection((server.hostname, server.port), timeout=10))
            strangers[-1].sendall(HALF)
        send_state(server)  # the loop accepts again after a second
        process.send_signal(signal.SIGINT)
        _, log = process.communicate(timeout=30)
    finally:
        for stranger in strangers:
            stranger.close()
        process.kill()
        process.communicate()
    assert process.returncode == 0, log
    assert "ulimit" in log
    assert "Traceback" not in log
    assert len(log) < 2000
