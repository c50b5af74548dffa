"""The labeling page as an ASGI application: what is refused, and that nothing leaks or is lost."""

import asyncio
import json
import logging
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

pytest.importorskip("starlette")
pytest.importorskip("uvicorn")

from skactive.labeling.page import PageBackend
from skactive.labeling.server import _app, make_app
from skactive.labeling.server._app import MAX_BODY_BYTES, OneTimeCode

TOKEN = "the-secret-of-these-tests"
HOST = "127.0.0.1:8000"
JSON = ("content-type", "application/json")
BEARER = ("authorization", f"Bearer {TOKEN}")


# Messages -----------------------------------------------------------------------------------------


def test_a_message_reaches_the_backend_with_its_annotator(app, backend, post):
    for name in ("ann", " Bob  B. "):
        reply = post(app, {"annotator": name, "message": {"do": "next", "n": 3}})
        assert (reply.status, reply.json()) == (200, {"ok": True, "echo": {"do": "next", "n": 3}})
    assert backend.heard == [({"do": "next", "n": 3}, "ann"), ({"do": "next", "n": 3}, "Bob B.")]


def test_charset_scheme_case_and_both_origins_are_right(app, post, make_body):
    for origin in (f"http://{HOST}", f"https://{HOST}", f"HTTP://{HOST}"):
        headers = [
            ("content-type", "application/JSON; charset=utf-8"),
            ("authorization", f"bearer {TOKEN}"),
            ("origin", origin),
        ]
        assert post(app, make_body(do="state"), headers).status == 200


@pytest.mark.parametrize(
    ("path", "kind"),
    [("/", "text/html"), ("/entry.js", "text/javascript"), ("/page.js", "text/javascript"),
     ("/page.css", "text/css"), ("/entry.css", "text/css")],
)  # fmt: skip
def test_the_page_itself_needs_no_token_and_holds_none(app, path, kind, ask):
    reply = ask(app, "GET", path)
    assert reply.status == 200
    assert reply.headers["content-type"].startswith(kind)
    assert TOKEN.encode() not in reply.body


def test_the_page_names_nothing_elsewhere_and_no_inline_script(app, ask):
    page = ask(app, "GET", "/").body.decode()
    assert "//" not in page  # neither http:// nor //cdn
    assert page.count("<script") == page.count('<script type="module" src=') == 1
    assert " on" not in page.replace(" one", "")  # no handler in an attribute


# What is refused ----------------------------------------------------------------------------------


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
def test_without_the_right_token_nothing_is_heard(app, backend, headers, post, make_body):
    reply = post(app, make_body(do="state"), [JSON, *headers])
    assert reply.status == 401
    assert reply.headers["www-authenticate"] == "Bearer"
    assert not backend.heard
    assert TOKEN.encode() not in reply.body


def test_the_token_in_the_address_is_not_taken(app, backend, ask, make_body):
    body = json.dumps(make_body(do="state")).encode()
    assert ask(app, "POST", f"/api/message?token={TOKEN}", [JSON], [body]).status == 401
    assert not backend.heard


@pytest.mark.parametrize(
    "kind", ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data",
             "application/jsonx", "text/plain; application/json"],
)  # fmt: skip
def test_only_json_is_taken(app, backend, kind, post, make_body):
    headers = [BEARER, ("content-type", kind)] if kind else [BEARER]
    assert post(app, make_body(do="state"), headers).status == 415
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
        b'{"annotator": "ann", "message": {}, "annotator": "bob"}',
        b'{"annotator": "ann", "message": {"do": "state", "do": "undo"}}',
        b'{"annotator": "ann", "message": {"do": "state"}}{}',
    ],
)
def test_what_is_no_message_is_refused_with_a_reason(app, backend, body, post):
    reply = post(app, body)
    assert reply.status == 400
    assert reply.json()["ok"] is False
    assert not backend.heard


@pytest.mark.parametrize(
    "name",
    ["", "   ", "x" * 65, "a\nb", "a\x00", "\x1b[31m", "a\u202eb", "\u2028", "\ufeff", 7, None, [],
     {"a": 1}, True],
)  # fmt: skip
def test_what_is_no_name_is_refused(app, backend, name, post):
    reply = post(app, {"annotator": name, "message": {"do": "state"}})
    assert reply.status == 400
    assert "name" in reply.json()["error"]
    assert not backend.heard


@pytest.mark.parametrize("announced", [True, False])
def test_ten_megabytes_are_refused_without_being_read(app, backend, announced, ask):
    chunks = [b" " * 8192] * (10 * 2**20 // 8192)
    length = [("content-length", str(10 * 2**20))] if announced else []
    reply = ask(app, "POST", "/api/message", [JSON, BEARER, *length], chunks)
    assert reply.status == 413
    assert reply.headers["connection"] == "close"
    assert reply.n_read <= (0 if announced else MAX_BODY_BYTES + 8192)
    assert not backend.heard


@pytest.mark.parametrize("length", ["-1", "x", "1e9", "9" * 400, "²"])
def test_a_length_that_is_none_is_refused(app, length, post, make_body):
    assert (
        post(app, make_body(do="state"), [JSON, BEARER, ("content-length", length)]).status == 413
    )


def test_64_kib_are_taken_and_a_byte_more_is_not(app, backend, post, make_body):
    body = json.dumps(make_body(do="state")).encode()
    assert post(app, body + b" " * (MAX_BODY_BYTES - len(body))).status == 200
    assert post(app, body + b" " * (MAX_BODY_BYTES - len(body) + 1)).status == 413
    assert len(backend.heard) == 1


def test_a_body_that_does_not_come_is_not_waited_for(app, backend, monkeypatch, run):
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


def test_a_client_that_goes_away_stores_nothing(app, backend, run):
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
def test_there_are_no_other_paths(app, path, ask):
    reply = ask(app, "GET", path)
    assert reply.status in {307, 404, 405}
    assert b"[" not in reply.body
    assert b"def " not in reply.body


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"])
def test_messages_are_posted(app, backend, method, ask, make_body):
    body = json.dumps(make_body(do="state")).encode()
    assert ask(app, method, "/api/message", [JSON, BEARER], [body]).status == 405
    assert not backend.heard


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "X"])
def test_the_page_is_only_read(app, method, ask):
    assert ask(app, method, "/").status == 405


def test_an_error_of_the_backend_is_logged_and_not_in_the_answer(
    app, backend, monkeypatch, caplog, post, make_body
):
    def fail(message, annotator):
        raise RuntimeError("the inner secret")

    monkeypatch.setattr(backend, "handle", fail)
    with caplog.at_level(logging.ERROR):
        reply = post(app, make_body(do="state"))
    assert reply.status == 500
    assert "secret" not in reply.body.decode()
    assert "Traceback" not in reply.body.decode()
    assert "the inner secret" in caplog.text
    assert TOKEN not in caplog.text


def test_an_answer_that_is_no_json_fails_cleanly(
    app, backend, monkeypatch, caplog, post, make_body
):
    for wrong in ({"x": float("nan")}, {"x": object()}):
        monkeypatch.setattr(backend, "handle", lambda *_, wrong=wrong: wrong)
        assert post(app, make_body(do="state")).status == 500


# A code that is good once -------------------------------------------------------------------------


def test_a_code_is_changed_into_the_token_once(ask, backend):
    once = OneTimeCode()
    app = make_app(backend, token=TOKEN, hosts=[HOST], one_time=once)

    def redeem(code):
        return ask(app, "POST", "/api/open", [JSON], [json.dumps({"code": code}).encode()])

    for wrong in ("x", "", None, 7, once.code[:-1], "ü"):
        assert redeem(wrong).status == 401
    assert redeem(once.code).json() == {"ok": True, "token": TOKEN}
    second = redeem(once.code)
    assert second.status == 401
    assert TOKEN not in second.body.decode()


def test_a_code_grows_old(app, ask):
    once = OneTimeCode(seconds=-1.0)
    assert not once.redeem(once.code)
    code = json.dumps({"code": "x"}).encode()
    assert ask(app, "POST", "/api/open", [JSON], [code]).status == 401  # there is none
    assert ask(app, "POST", "/api/open", [JSON], [b"{"]).status == 400


# With a session -----------------------------------------------------------------------------------


def test_labels_are_stored_once_and_by_name(session, post, make_body):
    app = make_app(PageBackend(session), token=TOKEN, hosts=[HOST])
    item = post(app, make_body(do="next", n=1)).json()["items"][0]
    answer = make_body(do="label", id=item["id"], ticket=item["ticket"], label="pos", key="k1")
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
def test_what_cannot_be_right_is_not_stored(session, message, post):
    app = make_app(PageBackend(session), token=TOKEN, hosts=[HOST])
    reply = post(app, {"annotator": "ann", "message": message})
    assert reply.status == 200
    assert reply.json()["ok"] is False
    assert reply.json()["error"]
    assert session.records() == []


def test_two_tabs_of_one_name_do_no_harm(session, post, make_body):
    app = make_app(PageBackend(session), token=TOKEN, hosts=[HOST])
    tabs = [post(app, make_body(do="next", n=3, key=f"n{tab}")).json()["items"] for tab in range(2)]
    ids = [item["id"] for items in tabs for item in items]
    assert len(set(ids)) == 6
    for tab, items in enumerate(tabs):
        for n, item in enumerate(items):
            answer = make_body(do="label", id=item["id"], ticket=item["ticket"], label="neg",
                          key=f"t{tab}-{n}")  # fmt: skip
            assert post(app, answer).json()["ok"]
    assert sorted(r["id"] for r in session.records()) == sorted(ids)


def test_two_tabs_that_label_and_undo_at_once_agree_with_the_store(session, post, make_body):
    app = make_app(PageBackend(session), token=TOKEN, hosts=[HOST])
    labeled, undone, together = {}, [], Barrier(2)

    def say(**message):
        reply = post(app, make_body(**message)).json()
        assert reply["ok"], reply["error"]
        return reply

    def label(ident):
        answer = ("neg", "pos")[ident // 2 % 2]
        say(do="label", id=ident, label=answer, key=f"l{ident}")
        labeled[ident] = answer

    def undo(n):
        message = {"do": "undo", "key": f"u{n}"}
        item = say(**message)["item"]
        assert say(**message)["item"] == item  # the reply was lost
        undone.append((item["id"], item["label"]))

    def work(tab):
        for n in range(4):
            label(2 * n + tab)
        for n in range(4, 20):
            together.wait(30)
            if tab == n % 2 or n % 5 == 0:
                undo(2 * n + tab)
            else:
                label(2 * n + tab)

    with ThreadPoolExecutor(2) as tabs:
        list(tabs.map(work, range(2)))
    assert len(set(undone)) == len(undone)
    assert set(undone) <= labeled.items()
    stored = {record["id"]: record["label"] for record in session.records()}
    assert stored == dict(labeled.items() - set(undone))
