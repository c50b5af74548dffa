"""Requests: retries, tokens, and servers that are something else."""

import http.client
import json
import time
import warnings
from urllib.parse import quote

import pytest

from skactive.exceptions import BridgeError, SkactiveError, SkactiveWarning
from skactive.labeling.label_studio import _client, _project

LEGACY = "0123456789abcdef0123456789abcdef01234567"
PERSONAL = "head.body.signature"


OK = (200, b'{"a": 1}', {})


FAILS = (503, b"<html>busy</html>", {})


def client(web, token=LEGACY, **options):
    return _client.Client(web.url + "/", token, **{"waits": (0.0, 0.0)} | options)


def test_a_request(web):
    web.script = [OK, (204, b"", {})]
    assert client(web).call("GET", "/x/", query={"n": 1, "q": {"b": "ä"}}) == {"a": 1}
    assert client(web).call("DELETE", "/x/") is None
    assert web.seen[0] == (
        "GET", f"/x/?n=1&q={quote(json.dumps({'b': 'ä'}), safe='').replace('%20', '+')}",
        f"Token {LEGACY}",
    )  # fmt: skip


def test_what_does_no_harm_is_asked_again(web):
    web.script = [FAILS, ("hang", b"", {}), OK]
    assert client(web, timeout=0.1).call("GET", "/") == {"a": 1}
    web.script = [FAILS, OK]
    assert client(web).call("POST", "/", {}, retry=True) == {"a": 1}


def test_what_may_do_harm_is_asked_once(web):
    web.script = [FAILS, OK]
    with pytest.raises(BridgeError, match=r"503\. The server failed") as caught:
        client(web).call("POST", "/", {})
    assert caught.value.passing
    assert len(web.script) == 1


def test_tries_come_to_an_end(web):
    web.script = [FAILS] * 3
    with pytest.raises(BridgeError, match="503"):
        client(web).call("GET", "/")
    assert web.script == []


def test_what_is_refused_is_not_asked_again(web):
    web.script = [(403, b'{"detail": "Not yours"}', {})]
    with pytest.raises(BridgeError, match=r"403 \(Not yours\). The user of this token") as caught:
        client(web).call("GET", "/")
    assert not caught.value.passing
    assert isinstance(caught.value, SkactiveError)


def test_nobody_is_there():
    nobody = _client.Client("http://127.0.0.1:9", LEGACY, waits=())
    with pytest.raises(
        BridgeError, match=r"No response from .*:9 \(.*refused\). Check that it is running"
    ):
        nobody.call("GET", "/")


def test_nothing_is_repeated_before_the_first_response(monkeypatch):
    tries = []

    def exchange(*request):
        tries.append(request[-1])
        if len(tries) == 3:
            return 200, b'{"a": 1}'
        raise TimeoutError("timed out")

    unknown = _client.Client("http://127.0.0.1:9", LEGACY, waits=(0.0,))
    unknown.exchange = exchange
    for timeouts in ([10.0], [10.0, 10.0]):
        with pytest.raises(BridgeError, match=r"\(timed out\)\. Check that it is running"):
            unknown.call("GET", "/")
        assert tries == timeouts
    assert unknown.call("GET", "/") == {"a": 1}
    with pytest.raises(BridgeError):
        unknown.call("GET", "/", timeout=300.0)
    assert tries == [10.0, 10.0, 10.0, 300.0, 300.0]


class Response:
    """A response whose body comes in pieces; a length is what is missing."""

    def __init__(self, pieces, length=0):
        self.pieces, self.length = iter(pieces), length

    def read1(self, n):
        return next(self.pieces, b"")


def test_a_response_that_does_not_end():
    def trickle():
        while True:
            time.sleep(0.01)
            yield b"x"

    with pytest.raises(TimeoutError, match="does not end"):
        _client._read_all(Response(trickle()), 0.01)


def test_a_response_that_is_cut_off(web):
    assert _client._read_all(Response([b"ab", b"c"]), 1.0) == b"abc"
    with pytest.raises(http.client.IncompleteRead):
        _client._read_all(Response([b"ab"], length=1), 1.0)
    web.script = [OK, (200, b'{"a":', {"Content-Length": "9"}), OK]
    mine = client(web)
    assert [mine.call("GET", "/") for _ in range(2)] == [{"a": 1}] * 2


def test_something_else_is_there(web):
    web.script = [(200, b"<html>Hello</html>", {})]
    with pytest.raises(BridgeError, match="is not Label Studio's API"):
        client(web).call("GET", "/api/users/")
    web.script = [(200, b"{}", {})]
    with pytest.raises(BridgeError, match="has no 'results'"):
        _project.find_project(client(web), "mark")
    web.script = [(200, b'{"results": [1], "next": 2}', {}), (200, b'{"id": 1}', {})]
    with pytest.raises(BridgeError, match="has no 'description': the address may"):
        _project.find_project(client(web), "mark")
    with pytest.raises(BridgeError, match="has no 'created_at'"):
        _project.Project.fetch(client(web), 1)


def test_a_redirect_is_not_followed(web):
    web.script = [(302, b"", {"Location": f"{web.url}/elsewhere"}), OK]
    with pytest.raises(BridgeError, match=r"302\. Label Studio is at another address"):
        client(web).call("GET", "/")
    assert [path for _, path, _ in web.seen] == ["/"]


def test_a_personal_token_that_has_run_out_is_renewed(web):
    access = [(200, json.dumps({"access": f"access-{i}"}).encode(), {}) for i in range(2)]
    web.script = [access[0], OK, (401, b"{}", {}), access[1], OK]
    mine = client(web, PERSONAL)
    assert [mine.call("GET", "/") for _ in range(2)] == [{"a": 1}] * 2
    assert [kind for _, _, kind in web.seen] == [
        None, "Bearer access-0", "Bearer access-0", None, "Bearer access-1",
    ]  # fmt: skip


def test_a_personal_token_that_is_wrong(web):
    web.script = [(401, b'{"detail": "Token is invalid"}', {})]
    with pytest.raises(BridgeError, match=r"401 \(Token is invalid\)"):
        client(web, PERSONAL).call("GET", "/")


def test_no_error_shows_a_token(web):
    repeated = json.dumps({"detail": f"{LEGACY} and {'x' * 500}"}).encode()
    web.script = [(400, repeated, {})]
    with pytest.raises(BridgeError) as caught:
        client(web).call("GET", "/")
    assert LEGACY not in str(caught.value)
    assert "[token]" in str(caught.value)
    assert len(str(caught.value)) < 500
    assert LEGACY not in repr(client(web))
    with pytest.raises(ValueError, match="has invalid characters") as wrong:
        client(web, f"{LEGACY}\nnext line")
    assert LEGACY not in str(wrong.value)


def test_addresses():
    with pytest.warns(SkactiveWarning, match=r"http to example\.org is not encrypted"):
        _client.Client("http://example.org:8080", LEGACY)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for url in (
            "https://example.org",
            "http://[::1]:80",
            "http://a.localhost",
            "http://127.0.0.2",
        ):
            _client.Client(url, LEGACY)
    with pytest.raises(ValueError, match="got 'localhost:8080'"):
        _client.Client("localhost:8080", LEGACY)
    with pytest.raises(ValueError, match="leave them out") as caught:
        _client.Client("https://me:secret@example.org", LEGACY)
    assert "secret" not in str(caught.value)
