"""Fifty people label at a time; ``SKACTIVE_LOAD_SECONDS=60 pytest -s`` makes it a minute."""

import json
import os
import random
import sqlite3
import threading
import time
from http.client import HTTPConnection

import numpy as np
import pytest

pytest.importorskip("starlette")
pytest.importorskip("uvicorn")

from sklearn.naive_bayes import GaussianNB

from skactive import ActiveLearner
from skactive.labeling import LabelingSession
from skactive.labeling.page import PageBackend
from skactive.strategies import Margin

TOKEN = "the-secret-of-these-tests"
SECONDS = float(os.environ.get("SKACTIVE_LOAD_SECONDS", "3"))
N_PEOPLE, CLASSES = 50, ["cat", "dog", "fish"]


class Person:
    """Somebody who labels, makes mistakes, and sends some things twice or to no purpose."""

    def __init__(self, number, port, until):
        self.name, self.random = f"person {number}", random.Random(number)
        self.port, self.until = port, until
        self.connection = HTTPConnection("127.0.0.1", port, timeout=60)
        self.acknowledged = {}  # id: (kind, label), what holds by the replies
        self.times = {}  # seconds that requests took, by kind
        self.order, self.wrong, self.n_sent = [], [], 0

    def say(self, token=TOKEN, **message):
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        body = json.dumps({"annotator": self.name, "message": message})
        began = time.perf_counter()
        self.connection.request("POST", "/api/message", body, headers)
        reply = self.connection.getresponse()
        content = json.loads(reply.read())
        self.times.setdefault(message["do"], []).append(time.perf_counter() - began)
        return reply.status, content

    def expect(self, right, what):
        if not right:
            self.wrong.append(what)

    def work(self):
        try:
            while time.monotonic() < self.until:
                status, reply = self.say(do="next", n=3, key=self.key())
                if status != 200 or not reply["ok"] or not reply["items"]:
                    self.wrong.append(("next", status, reply.get("error")))
                    return
                for item in reply["items"]:
                    self.answer(item)
        except Exception as error:
            self.wrong.append(repr(error))
        finally:
            self.connection.close()

    def key(self):
        self.n_sent += 1
        return f"{self.name.replace(' ', '-')}-{self.n_sent}"

    def answer(self, item):
        chance, about = self.random.random(), {"id": item["id"], "ticket": item["ticket"]}
        if chance < 0.05:
            status, reply = self.say(do="label", **about, label="unicorn", key=self.key())
            self.expect((status, reply["ok"]) == (200, False), ("unicorn", status, reply))
        elif chance < 0.08:
            status, _ = self.say("no-such-token", do="label", **about, label="cat", key=self.key())
            self.expect(status == 401, ("token", status))
        if chance > 0.95:
            self.send(do="skip", **about)
        else:
            label = self.random.choice(CLASSES)
            self.send(do="label", **about, label=label, seconds=0.5)
        if chance > 0.9:
            self.take_back()

    def send(self, **message):
        message["key"], kind = self.key(), message["do"]
        for _ in range(self.random.choice([1, 1, 1, 2])):  # a double click
            status, reply = self.say(**message)
            self.expect((status, reply["ok"]) == (200, True), (kind, status, reply.get("error")))
        self.acknowledged[message["id"]] = (kind, message.get("label"))
        self.order.append(message["id"])

    def take_back(self):
        status, reply = self.say(do="undo", key=self.key())
        last = self.order.pop()
        is_right = status == 200 and reply["ok"] and reply["item"]["id"] == last
        self.expect(is_right, ("undo", status, reply.get("error")))
        del self.acknowledged[last]


@pytest.fixture
def session(tmp_path):
    X = np.random.RandomState(0).normal(size=(60_000, 4))
    with LabelingSession(
        ActiveLearner(GaussianNB(), Margin()),
        X,
        classes=CLASSES,
        store=tmp_path / "labels.db",
        n_ahead=500,
        refit_every=100,
        random_state=0,
    ) as session:
        yield session


def label_together(server):
    """Let all people label at the same time, and return them."""
    people = [Person(n, server.port, time.monotonic() + SECONDS) for n in range(N_PEOPLE)]
    threads = [threading.Thread(target=person.work) for person in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    server.stop()
    return people


@pytest.mark.no_cover
def test_what_is_acknowledged_is_stored_once_and_nothing_else(session, start_server):
    people = label_together(start_server(PageBackend(session)))
    assert [person.wrong for person in people if person.wrong] == []
    expected = {
        (person.name, item): said for person in people for item, said in person.acknowledged.items()
    }
    records = session.records()
    stored = {(r["annotator"], r["id"]): (r["kind"], r["label"]) for r in records}
    assert stored == expected
    assert len(records) == len(expected)
    assert len(expected) > N_PEOPLE
    labels = [item for (_, item), (kind, _) in expected.items() if kind == "label"]
    assert len(labels) == len(set(labels))  # nobody got what somebody else had

    # The file itself, without the session.
    with sqlite3.connect(session.store.path) as file:
        n_events, n_ids = file.execute("SELECT COUNT(*), COUNT(DISTINCT id) FROM event").fetchone()
        said = {
            json.loads(v) for (v,) in file.execute("SELECT value FROM event WHERE kind='label'")
        }
        undone = file.execute("SELECT COUNT(*) FROM event WHERE kind = 'undo'").fetchone()[0]
        answers = file.execute(
            "SELECT COUNT(*) FROM event WHERE kind IN ('label', 'skip')"
        ).fetchone()[0]
    file.close()
    assert n_events == n_ids
    assert said <= set(CLASSES)
    assert answers - undone == len(expected)

    print(f"\n{N_PEOPLE} people, {SECONDS:g} s: {len(labels)} labels, {undone} undone, "
          f"{session.progress().n_rounds} models")  # fmt: skip
    for kind in ("next", "label", "undo"):
        print_times(kind, people)


def print_times(kind, people):
    times = 1e3 * np.array([t for person in people for t in person.times.get(kind, [])])
    later = 1e3 * np.array([t for person in people for t in person.times.get(kind, [])[1:]])
    if len(later):  # on a busy machine people have time for one each
        print(
            f"{kind}: {len(times)} requests, {np.median(times):.0f} ms at the median, "
            f"{np.quantile(times, 0.99):.0f} ms at the 99th percentile, {times.max():.0f} ms at "
            f"most; without the first of each person {np.quantile(later, 0.99):.0f} ms at the 99th"
        )
