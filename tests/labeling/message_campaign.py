"""Check that no message, however malformed, breaks the server or the labels.

    python tests/labeling/message_campaign.py --messages 2743 --seed 0

Sends hostile messages to a real server over HTTP, between the valid ones of somebody who labels,
and follows what the server acknowledges. At the end the store is opened again: it must hold what
was acknowledged and nothing else. Prints one line of JSON; each fault is explained on stderr.
"""

from __future__ import annotations

import argparse
import json
import logging
import random
import re
import socket
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

import numpy as np
from sklearn.naive_bayes import GaussianNB

from skactive import ActiveLearner
from skactive.exceptions import StoreError
from skactive.labeling import LabelingSession
from skactive.labeling._names import check_name
from skactive.labeling.page import PageBackend
from skactive.labeling.server import _serve, make_app
from skactive.labeling.server._access import Access
from skactive.labeling.server._guard import list_hosts

TOKEN = "the-secret-of-these-tests"
LONE = "\ud800"  # a surrogate that cannot be written as UTF-8
INTERNAL = re.compile(r"^[A-Z]\w*(Error|Exception|Interrupt|Exit)\b")
SESSIONS = (  # classes, ids, multilabel
    (["neg", "pos", "ne\u0301g", "1", "<b>"], [f"row-{i}" for i in range(60)], False),
    ([0, 1, 2.5, -7, 2**60], [*range(30), *range(2**53, 2**53 + 30)], False),
    (["a", "b", "c"], [f"r\u00f6w {i}" for i in range(60)], True),
)


class Raw(str):
    """JSON text that is put into a message as it is."""


HOSTILE = (
    None, True, False, 0, -1, 1, 0.0, -0.0, 1.0, 1.5, 1e308, -1e308, 5e-324, 2**31, 2**53, 2**63,
    2**64, -(2**63) - 1, 10**300, "", " ", "0", "1", "-1", "01", "1e3", "\u0661", "nan", "None",
    "true", "null", "x" * 60_000, "\u202e\u0000", "\x00", "\x1b[2J", "\n", "\ufeff", "\u3164",
    "\U0001f469\u200d\U0001f4bb", "a\u0301" * 50, LONE, f"neg{LONE}", "\udfff\ud800", "../../etc",
    "<script>alert(1)</script>", "'; DROP TABLE event; --", "%s%n{0}", "__class__", "9" * 40,
    "-" + "9" * 39, [], [[]], {}, [None], ["neg", "neg"], [["neg"]], ["a", 7], [LONE],
    {"neg": 1}, {"__proto__": {}}, ["x"] * 5000, list(range(3000)), "neg", "pos", "a", ["a", "b"],
    Raw("NaN"), Raw("-Infinity"), Raw("Infinity"), Raw("1e999"), Raw("-1e999"), Raw("-0"),
    Raw("9" * 5000), Raw("0." + "3" * 5000), Raw("1E400"), Raw("0x10"), Raw("01"), Raw("'neg'"),
    Raw("[" * 30_000), Raw("[" * 900 + "]" * 900), Raw('{"a":' * 900 + "1" + "}" * 900),
    Raw('"\\ud83d"'), Raw('"\\ud83d\\ude00"'), Raw('"\\u0000"'), Raw('"\\x41"'), Raw('"\t"'),
    Raw("undefined"), Raw("[1,]"), Raw("{,}"), Raw("1_000"), Raw("\u00a01"),
)  # fmt: skip
NAMES = (
    "", " ", "\u200b", "ann\u200d", "\u3164", "a\u202enn", LONE, "x" * 65, "x" * 60_000, "\u0430nn",
    "a\nb", "\x00", "\ufeffann", "\uff41nn", "Ann", 7, None, True, [], {}, ["ann"], Raw("NaN"),
    "ann",
)  # fmt: skip


def dump(value) -> str:
    """Write JSON that may hold raw text, and keys more than once (a list of pairs in a tuple)."""
    if isinstance(value, Raw):
        return str(value)
    if isinstance(value, tuple):
        return "{" + ", ".join(f"{json.dumps(k)}: {dump(v)}" for k, v in value) + "}"
    if isinstance(value, dict):
        return dump(tuple(value.items()))
    return json.dumps(value, ensure_ascii=value == LONE)


class Client:
    """Sends requests, follows what is acknowledged, and notes what is wrong."""

    def __init__(self, port, session, rng):
        self.port, self.rng, self.ids = port, rng, session.ids
        self.classes, self.multilabel = session.classes, session.multilabel
        self.replies, self.faults = Counter(), []
        self.answers = {}  # the acknowledged answers of each annotator, oldest first
        self.undo_names = set()
        self.n_acknowledged = self.n_keys = 0

    # Requests -------------------------------------------------------------------------------------

    def exchange(self, request: bytes, patience: float = 0.3) -> tuple[int, dict]:
        """Send bytes, and return the status and the content of the reply; (0, {}) without one.

        Without a reply within `patience` seconds the request is taken to be incomplete, and ended.
        """
        received = bytearray()
        with socket.create_connection(("127.0.0.1", self.port), timeout=patience) as connection:
            try:
                connection.sendall(request)
                receive_all(connection, received)
            except TimeoutError:
                connection.settimeout(30)
                connection.shutdown(socket.SHUT_WR)
                receive_all(connection, received)
            except OSError:
                pass  # refused while it was still being sent
        head, _, body = bytes(received).partition(b"\r\n\r\n")
        status = int(head[9:12]) if head.startswith(b"HTTP/1.1 ") else 0
        content = json.loads(body) if b"application/json" in head and b"{" in body[:1] else {}
        self.check_reply(status, content, body, request)
        return status, content

    def check_reply(self, status, content, body, request) -> None:
        error = str(content.get("error", ""))
        kind = str(status)
        if content and status == 200:
            kind = "200 ok" if content.get("ok") else "200 refused"
        self.replies[kind if status else "none"] += 1
        if status == 500 or b"Traceback" in body or INTERNAL.match(error):
            self.faults.append(("raw error", status, error, request[:120], request[-300:]))
        if content and not content.get("ok") and not error:
            self.faults.append(("no reason", request[-300:]))

    def post(self, body: bytes, patience: float = 30, **usual: str) -> tuple[int, dict]:
        """Post a body; `usual` replaces the usual headers, an empty one leaves it out."""
        lines = {
            "Host": f"127.0.0.1:{self.port}",
            "Authorization": f"Bearer {TOKEN}",
            "Content_Type": "application/json",
            "Content_Length": str(len(body)),
            "Connection": "close",
        } | usual
        head = [f"{name.replace('_', '-')}: {value}" for name, value in lines.items() if value]
        text = "\r\n".join(["POST /api/message HTTP/1.1", *head, "", ""])
        return self.exchange(text.encode("latin-1") + body, patience)

    # Messages -------------------------------------------------------------------------------------

    def say(self, annotator, message, **usual):
        """Send a message, and follow it if the server acknowledges it."""
        body = dump({"annotator": annotator, "message": message}).encode("utf-8", "surrogatepass")
        status, reply = self.post(body, **usual)
        if status == 200 and reply.get("ok"):
            self.follow(check_name(annotator), json.loads(dump(message)), reply)
        return status, reply

    def follow(self, annotator, fields, reply) -> None:
        """Note what a message has stored, by its fields and the reply."""
        answers, name = self.answers.setdefault(annotator, []), (annotator, fields.get("key"))
        if fields["do"] == "undo" and name not in self.undo_names:
            undone = answers.pop() if answers else (None,)
            if str(undone[0]) != str((reply["item"] or {"id": None})["id"]):
                self.faults.append(("undo", undone, reply["item"]))
            if fields.get("key") is not None:  # the same key again gets the same reply
                self.undo_names.add(name)
        elif reply.get("stored"):
            label = fields.get("label")
            label = sorted(set(label)) if isinstance(label, list) else label
            answers.append((fields["id"], fields["do"], label))
            self.n_acknowledged += 1

    def make_key(self) -> str:
        self.n_keys += 1
        return f"k{self.n_keys}"

    def make_message(self, do=None) -> dict:
        """Return a valid message."""
        ident, label = self.rng.choice(self.ids), self.rng.choice(self.classes)
        about = {"id": str(ident) if isinstance(ident, int) and ident >= 2**53 else ident}
        label = str(label) if isinstance(label, int) and label >= 2**53 else label
        label = [label] if self.multilabel else label
        messages = {
            "label": {**about, "label": label, "seconds": 1.5},
            "relabel": {**about, "label": label, "seconds": 0},
            "skip": about,
            "dont_know": about,
            "undo": {},
            "next": {"n": 2},
            "show": about,
            "suggest": about,
            "add_class": {"label": label},
            "release": {"tickets": []},
            "state": {},
        }
        do = do or self.rng.choice(list(messages))
        key = {} if do in {"show", "suggest", "state"} else {"key": self.make_key()}
        return {"do": do, **messages[do], **key}

    # Hostile messages -----------------------------------------------------------------------------

    def send_wrong_field(self):
        message = self.make_message()
        message[self.rng.choice(list(message))] = self.rng.choice(HOSTILE)
        self.say("mallory", message)

    def send_additional_field(self):
        message = self.make_message()
        name = self.rng.choice(
            ["ticket", "seconds", "tickets", "n", "annotator", "", LONE, "x" * 999]
        )
        self.say("mallory", {**message, name: self.rng.choice(HOSTILE)})

    def send_without_a_field(self):
        message = self.make_message()
        del message[self.rng.choice(list(message))]
        self.say("mallory", message)

    def send_key_twice(self):
        message = tuple(self.make_message("label").items())
        message = (*message, (self.rng.choice(["id", "do", "label"]), "row-1"))
        status, _ = self.say("mallory", message)
        if status != 400:
            self.faults.append(("a field twice was accepted", message))

    def send_wrong_name(self):
        self.say(self.rng.choice(NAMES), self.make_message())

    def send_wrong_body(self):
        name, rng = "mallory", self.rng
        text = dump({"annotator": name, "message": self.make_message("state")})
        body = bytearray(text.encode())
        for _ in range(rng.randint(1, 4)):
            body[rng.randrange(len(body))] = rng.randrange(256)
        wrong = [
            text[: rng.randrange(len(text))].encode(), bytes(body), rng.randbytes(50), b"",
            text.encode("utf-16"), b"\xef\xbb\xbf" + text.encode(), text.encode("utf-32-be"),
            b"\xff\xfe" + text.encode(), text.encode() * 2, text.replace('"', "'").encode(),
            dump(rng.choice(HOSTILE)).encode("utf-8", "surrogatepass"), b"[" * 60_000,
            dump({"annotator": name, "message": rng.choice(HOSTILE)}).encode("utf-8", "replace"),
            dump({"message": {"do": "state"}}).encode(), b" " * 70_000 + text.encode(),
            b"\x00" + text.encode(), text.replace("mallory", "m\\ud800").encode(),
        ]  # fmt: skip
        self.post(rng.choice(wrong))

    def send_wrong_headers(self):
        """Send a message that must not be carried out."""
        port, body = self.port, dump({"annotator": "ann", "message": {"do": "state"}}).encode()
        wrong = [
            {"Authorization": value}
            for value in ("", TOKEN, "Bearer", f"Bearer {TOKEN[:-1]}", f"Bearer {TOKEN}x",
                          f"Basic {TOKEN}", f"bearer  {TOKEN}", f"Bearer {TOKEN.upper()}",
                          "Bearer \xff\xfe", f"Bearer {TOKEN},{TOKEN}", "Bearer " + "x" * 9000)
        ] + [
            {"Content_Type": value}
            for value in ("", "text/plain", "application/jsonx", "multipart/form-data", "\xff", "*")
        ] + [
            {"Host": value}
            for value in ("", "evil.example", f"127.0.0.1:{port}@evil", f"127.0.0.1:{port + 1}",
                          "\xff", "[::1", "*", f"127.0.0.1:{port}, evil", "a" * 9000)
        ] + [
            {"Origin": value} for value in ("null", "http://evil.example", "\xff", "x" * 9000)
        ] + [
            {"Content_Length": value}
            for value in ("-1", "x", "1e3", "9" * 30, "+5", str(len(body) + 5), "0", "5, 6", "0x10")
        ] + [
            {"Transfer_Encoding": value}
            for value in ("chunked", "gzip", "chunked, chunked", "identity", "\x0bchunked")
        ] + [{"Expect": "999-none"}]  # fmt: skip
        usual = self.rng.choice(wrong)
        status, reply = self.post(body, 0.3, **usual)
        if reply.get("ok") and "Expect" not in usual:
            self.faults.append(("carried out", usual, status))

    def send_wrong_request(self):
        host, rng = f"Host: 127.0.0.1:{self.port}\r\n", self.rng
        wrong = [
            b"nonsense\r\n\r\n", b"\r\n" * 50, b"\x00" * 100, rng.randbytes(300), b"GET /\r\n\r\n",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
            b"GET / HTTP/9.9\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", b"get / http/1.1\r\n\r\n",
            f"GET /{'a' * 70_000} HTTP/1.1\r\n{host}\r\n".encode(),
            f"GET / HTTP/1.1\r\n{host}X: {'a' * 70_000}\r\n\r\n".encode(),
            b"GET / HTTP/1.1\r\n" + host.encode() + b"X: y\r\n" * 3000 + b"\r\n",
            f"GET / HTTP/1.1\r\n{host}X: a\r\n b\r\n c\r\n\r\n".encode(),
            f"GET / HTTP/1.1\r\n{host}X\x00: a\r\n\r\n".encode(),
            f"GET / HTTP/1.1\r\n{host}: a\r\n\r\n".encode(),
            f"GET / HTTP/1.1\r\n{host}{host}\r\n".encode(),
            f"GET http://evil.example/ HTTP/1.1\r\n{host}\r\n".encode(),
            f"CONNECT evil.example:443 HTTP/1.1\r\n{host}\r\n".encode(),
            f"OPTIONS * HTTP/1.1\r\n{host}\r\n".encode(),
            f"GET /../../etc/passwd HTTP/1.1\r\n{host}\r\n".encode(),
            f"GET /%2e%2e/%00%ff HTTP/1.1\r\n{host}\r\n".encode(),
            f"GET / HTTP/1.1\r\n{host}Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n".encode(),
            f"GET / HTTP/1.1\r\n{host}Upgrade: h2c\r\nConnection: upgrade\r\n\r\n".encode(),
            f"GET / HTTP/1.1\r\n{host}\r\n".encode() * 30,
            f"POST /api/open HTTP/1.1\r\n{host}Content-Length: 5\r\n\r\n{{}}".encode(),
            f"POST /api/link HTTP/1.1\r\n{host}Content-Length: 2\r\n\r\n{{}}".encode(),
            f"POST /api/message HTTP/1.1\r\n{host}Content-Length: 3\r\n"
            f"Content-Length: 4\r\n\r\nabcd".encode(),
            f"POST /api/message HTTP/1.1\r\n{host}Transfer-Encoding: chunked\r\n"
            f"Content-Length: 4\r\n\r\n0\r\n\r\n".encode(),
            f"POST /api/message HTTP/1.1\r\n{host}Transfer-Encoding: chunked\r\n\r\n"
            f"{rng.choice(['-1', 'zz', 'f' * 30, '5;' + 'x' * 20_000, ''])}\r\nab\r\n".encode(),
        ]  # fmt: skip
        self.exchange(rng.choice(wrong))

    # Valid ones -----------------------------------------------------------------------------------

    def send_valid(self):
        do = self.rng.choice(["label", "label", "label", "relabel", "skip", "dont_know", "undo"])
        status, reply = self.say("ann", self.make_message(do))
        if (status, reply.get("ok")) != (200, True):
            self.faults.append(("a valid message was refused", status, reply.get("error")))

    def play(self, n_messages) -> None:
        """Send hostile messages, with a valid one after every fifth."""
        attacks = [
            self.send_wrong_field, self.send_wrong_field, self.send_wrong_field,
            self.send_additional_field, self.send_without_a_field, self.send_key_twice,
            self.send_wrong_name, self.send_wrong_body, self.send_wrong_headers,
            self.send_wrong_request,
        ]  # fmt: skip
        for number in range(n_messages):
            self.rng.choice(attacks)()
            if number % 5 == 0:
                self.send_valid()


def receive_all(connection, received) -> None:
    """Add all that comes until the other side closes."""
    try:
        while chunk := connection.recv(2**16):
            received += chunk
    except ConnectionError:
        pass  # bytes that the server has not read reset the connection


class LogHandler(logging.Handler):
    """Keeps all that is logged."""

    def __init__(self):
        super().__init__()
        self.texts = []

    def emit(self, record):
        self.texts.append(self.format(record))


def start_server(session):
    """Start a server in a thread; return its port, and a function that stops it."""
    listener = _serve._listen("127.0.0.1", 0)
    port, ready = listener.getsockname()[1], threading.Event()
    hosts = list_hosts("127.0.0.1", port)
    app = make_app(PageBackend(session), token=TOKEN, hosts=hosts)
    server = _serve._make_server(app, Access(TOKEN), ready.set)
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    ready.wait(30)

    def stop():
        server.should_exit = True
        thread.join(30)

    return port, stop


def attack_session(number, n_messages, seed, folder):
    """Send messages to a server of one of the sessions; return the client and what is stored."""
    classes, ids, multilabel = SESSIONS[number]
    X = np.random.RandomState(0).normal(size=(len(ids), 3))

    def open_session():
        return LabelingSession(
            ActiveLearner(GaussianNB()), X, ids=ids, classes=classes, multilabel=multilabel,
            store=folder / f"labels-{number}.db", random_state=0, refit_every=10**6,
        )  # fmt: skip

    with open_session() as session:
        port, stop = start_server(session)
        client = Client(port, session, random.Random(f"{seed} {number}"))
        try:
            client.play(n_messages)
        finally:
            stop()
    try:
        with open_session() as session:
            records = session.records()
    except StoreError as error:
        client.faults.append(("the store cannot be opened", str(error)))
        return client, {}
    return client, {(r["annotator"], r["id"]): (r["kind"], r["label"]) for r in records}


def list_expected(client):
    """Return the answers that hold by the replies, as they are stored."""
    kinds = {"label": "label", "relabel": "label", "skip": "skip", "dont_know": "unknown"}
    # Integers that JavaScript cannot hold are sent as digits.
    large = {str(v): v for v in (*client.ids, *client.classes) if isinstance(v, int) and v >= 2**53}

    def restore(value):
        return large.get(value, value) if isinstance(value, str) else value

    return {
        (annotator, restore(ident)): (kinds[do], restore(label))
        for annotator, answers in client.answers.items()
        for ident, do, label in answers
    }


def play(n_messages, seed, folder):
    """Attack a server of each session; return the counts, and the faults."""
    found, faults, replies = Counter(), [], Counter()
    for number in range(len(SESSIONS)):
        share = len(range(number, n_messages, len(SESSIONS)))
        client, stored = attack_session(number, share, seed, folder)
        expected = list_expected(client)
        lost = [pair for pair in expected.items() if stored.get(pair[0]) != pair[1]]
        unsent = [pair for pair in stored.items() if expected.get(pair[0]) != pair[1]]
        faults += client.faults
        faults += [*(("lost", *pair) for pair in lost), *(("never sent", *pair) for pair in unsent)]
        replies += client.replies
        found.update(acknowledged=client.n_acknowledged, lost=len(lost), never_sent=len(unsent))
    counts = {"sent": replies.total(), "replies": dict(sorted(replies.items()))}
    return counts | {f"labels_{name}": n for name, n in found.items()}, faults


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--messages", type=int, default=2743)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    handler, began = LogHandler(), time.perf_counter()
    logging.getLogger().addHandler(handler)
    with tempfile.TemporaryDirectory() as name:
        counts, faults = play(options.messages, options.seed, Path(name))
    faults += [("traceback", text) for text in handler.texts if "Traceback" in text]
    for fault in faults:
        print(*map(ascii, fault), file=sys.stderr)
    n_raw = sum(fault[0] in {"raw error", "traceback"} for fault in faults)
    counts |= {"raw_errors": n_raw, "other_faults": len(faults) - n_raw}
    counts |= {"log_bytes": sum(map(len, handler.texts))}
    print(json.dumps(counts | {"seconds": round(time.perf_counter() - began, 1)}))
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
