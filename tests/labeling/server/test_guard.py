"""Hosts, origins and names that the server accepts; the headers of every response."""

import json

import pytest

pytest.importorskip("starlette")
pytest.importorskip("uvicorn")

from skactive.labeling.server import _guard, make_app
from skactive.labeling.server._guard import list_hosts

TOKEN = "the-secret-of-these-tests"
HOST = "127.0.0.1:8000"
JSON = ("content-type", "application/json")
BEARER = ("authorization", f"Bearer {TOKEN}")


@pytest.mark.parametrize("host", ["localhost:8000", "LOCALHOST:8000", "[::1]:8000", HOST])
def test_all_names_of_this_machine_are_known(app, host, post, make_body):
    assert post(app, make_body(do="state"), host=host).status == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:8000", "127.0.0.1", "127.0.0.1:8001", "127.0.0.1.evil:8000",
     "127.0.0.1:8000@evil", "evil@127.0.0.1:8000", "192.168.0.1:8000", "", "*:8000", "[::1", None],
)  # fmt: skip
@pytest.mark.parametrize("path", ["/", "/api/message"])
def test_a_foreign_host_is_refused(app, backend, host, path, ask, make_body):
    method = "GET" if path == "/" else "POST"
    reply = ask(
        app, method, path, [JSON, BEARER], [json.dumps(make_body(do="state")).encode()], host
    )
    assert reply.status == 403
    assert not backend.heard


def test_two_hosts_or_two_origins_are_refused(app, backend, post, make_body):
    assert post(app, make_body(do="state"), [JSON, BEARER, ("host", HOST)]).status == 403
    twice = [("origin", f"http://{HOST}"), ("origin", "http://evil.example")]
    assert post(app, make_body(do="state"), [JSON, BEARER, *twice]).status == 403
    assert not backend.heard


@pytest.mark.parametrize(
    "origin",
    ["null", "http://evil.example", "http://127.0.0.1", "http://127.0.0.1:8001", "", "file://",
     "http://localhost:8000", f"http://{HOST}.evil.example", f"http://{HOST}/", f"ftp://{HOST}"],
)  # fmt: skip
def test_a_foreign_origin_is_refused(app, backend, origin, ask, post, make_body):
    assert post(app, make_body(do="state"), [JSON, BEARER, ("origin", origin)]).status == 403
    assert ask(app, "GET", "/", [("origin", origin)]).status == 403
    assert not backend.heard


def test_all_addresses_means_any_address_but_no_foreign_name(post, backend, make_body):
    app = make_app(backend, token=TOKEN, hosts=list_hosts("0.0.0.0", 8000))
    for host in ("192.168.0.7:8000", "[fd00::7]:8000", "localhost:8000"):
        assert post(app, make_body(do="state"), host=host).status == 200
    for host in ("evil.example:8000", "192.168.0.7:8001", "192.168.0.7", "x@192.168.0.7:8000"):
        assert post(app, make_body(do="state"), host=host).status == 403


def test_names_of_a_network_or_proxy_can_be_added(post, backend, make_body):
    hosts = list_hosts("127.0.0.1", 8000, ["Labels.example", "other.example:443"])
    app = make_app(backend, token=TOKEN, hosts=hosts)
    for host in ("labels.example", "labels.example:8000", "other.example:443"):
        assert post(app, make_body(do="state"), host=host).status == 200
    for host in ("labels.example:1", "other.example", "other.example:8000"):
        assert post(app, make_body(do="state"), host=host).status == 403


def test_browsers_leave_out_port_80(post, backend, make_body):
    assert {"127.0.0.1", "localhost:80"} <= list_hosts("127.0.0.1", 80)
    assert "127.0.0.1" not in list_hosts("127.0.0.1", 8000)
    app = make_app(backend, token=TOKEN, hosts=list_hosts("::", 80))
    assert post(app, make_body(do="state"), host="192.168.0.7").status == 200
    assert "[fd00::7]:81" in list_hosts("fd00::7", 81)


@pytest.mark.parametrize(
    "name",
    ["", "https://labels.example", "labels.example/", "labels.example:99999", "labels.example:x",
     "a b", "*", "me@labels.example", "::1", "labels.example?x", "\n"],
)  # fmt: skip
def test_what_is_no_host_name_is_refused(name):
    with pytest.raises(ValueError, match="NAME:PORT"):
        list_hosts("127.0.0.1", 8000, [name])


def test_every_answer_tells_the_browser_to_be_careful(app, ask, make_body):
    body = json.dumps(make_body(do="state")).encode()
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


def test_a_known_host_is_allowed():
    assert _guard._is_allowed("127.0.0.1:1", {"127.0.0.1:1"})
