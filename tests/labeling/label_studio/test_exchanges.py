"""Replays of what the bridge sent to a real server.

The exchanges in ``exchanges/`` are those of a real server, without the tokens;
``python tests/labeling/label_studio/real_server.py --record`` writes them again. A replay fails if
the bridge sends any other request than it did then.
"""

import contextlib
import json
import re
from pathlib import Path
from unittest import mock
from urllib.parse import urlsplit

import pytest

from skactive.exceptions import BridgeError
from skactive.labeling.label_studio import _bridge, _client

LEGACY = "0123456789abcdef0123456789abcdef01234567"
PERSONAL = "head.body.signature"
TEXTS = [f"{word} number {i}" for i, word in enumerate(["good film", "bad film"] * 6)]
EXCHANGES = Path(__file__).parent / "exchanges"


def without_tokens(text):
    return re.sub(r'("(?:refresh|access)": ?")[^"]*"', r'\1head.body.signature"', text)


def number_versions():
    """Count the versions of the order, instead of drawing names for them."""
    names = (f"{i:08}" for i in range(100))
    return mock.patch.object(_bridge, "new_id", side_effect=names)


def request_of(method, url, headers, data):
    parts = urlsplit(url)
    kind = headers.get("Authorization", "").partition(" ")[0]
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    body = None if data is None else json.loads(without_tokens(data.decode()))
    return {"method": method, "target": target, "authorization": kind, "body": body}


class Recorder:
    """Sends requests to a real server, and keeps them with the answers."""

    def __init__(self, url):
        self.url, self.exchanges = url, []
        self._send = _client.make_exchange(is_local=True)

    def __call__(self, method, url, headers, data, timeout):
        parts = urlsplit(url)
        there = self.url + parts.path + (f"?{parts.query}" if parts.query else "")
        status, answer = self._send(method, there, headers, data, timeout)
        kept = without_tokens(answer.decode())
        with contextlib.suppress(ValueError):
            kept = json.loads(kept)
        request = request_of(method, url, headers, data)
        self.exchanges.append(request | {"status": status, "answer": kept})
        return status, answer


class Replay:
    """Answers as the real server did, as long as it is asked the same."""

    def __init__(self, name):
        self.exchanges = json.loads((EXCHANGES / f"{name}.json").read_text(encoding="utf-8"))

    def __call__(self, method, url, headers, data, timeout):
        asked = request_of(method, url, headers, data)
        assert self.exchanges, f"the real server was not asked this: {asked}"
        expected = self.exchanges.pop(0)
        status, answer = expected.pop("status"), expected.pop("answer")
        assert asked == expected
        return status, b"" if answer == "" else json.dumps(answer).encode()


class Nobody:
    """Stands for the annotators in a replay: what they did is in the answers."""

    def __getattr__(self, name):
        return lambda *_: None


class People:
    """Annotators on the real server, who find tasks by the row."""

    def __init__(self, annotator):
        self.annotator, self.made = annotator, {}

    def answer(self, row, *choices):
        listed = self.annotator.ask("GET", "/api/tasks/?project=1&page_size=100")["tasks"]
        task = next(task["id"] for task in listed if task["data"]["id"] == row)
        self.made[row] = self.annotator.answer(task, choices, skip=not choices)["id"]

    def change(self, row, *choices):
        self.annotator.change(self.made[row], choices)

    def delete(self, row):
        self.annotator.delete(self.made[row])

    def project_without_choices(self):
        self.annotator.ask("POST", "/api/projects/", {"title": "Nothing to choose"})


def answers_of(session):
    return {r["id"]: r["label"] for r in session.records() if r["kind"] == "label"}


def campaign(make_session, connect, exchange, people, token=LEGACY):
    """Go through everything that happens in a campaign."""
    with make_session() as session, number_versions():
        bridge = connect(session, exchange, token)
        assert bridge.project_id is None
        assert bridge.push() == 12
        assert bridge.write_order() == 6
        first, second, third, fourth, fifth, _ = session.peek(6)

        people.answer(first, "good")
        people.answer(second, "bad")
        people.answer(third)
        pulled = bridge.pull()
        assert (pulled.n_labels, pulled.n_skips, pulled.problems) == (2, 1, {})
        assert answers_of(session) == {first: "good", second: "bad"}
        assert {r["annotator"] for r in session.records()} == {"one@example.org"}
        assert [r["seconds"] for r in session.records()] == [2.5, 2.5, None]
        assert bridge.pull().n_new == 0

        people.change(first, "bad")
        people.delete(second)
        people.answer(fourth, "ugly")
        pulled = bridge.pull()
        assert (pulled.n_changed, pulled.n_withdrawn, pulled.n_labels) == (1, 1, 0)
        assert ["'ugly'" in text for text in pulled.problems.values()] == [True]
        assert answers_of(session) == {first: "bad"}

        session.add_class("ugly")
        assert bridge.pull().n_labels == 1
        assert bridge.write_order() == 6

        again = connect(session, exchange, token)  # the process was restarted
        people.answer(fifth, "good")
        assert again.push() == 0
        assert again.project_id == bridge.project_id
        pulled = again.pull()
        assert (pulled.n_labels, pulled.n_new, pulled.problems) == (1, 1, {})
        assert answers_of(session) == {first: "bad", fourth: "ugly", fifth: "good"}
        assert again.write_order() == 6


def personal_token(make_session, connect, exchange, people, token):
    with make_session(TEXTS[:3], [1, 2, 3], multilabel=True) as session:
        bridge = connect(session, exchange, token, title="By a personal token")
        assert bridge.push() == 3
        assert bridge.pull().n_new == 0


def refusals(make_session, connect, exchange, people, token=LEGACY):
    people.project_without_choices()
    with make_session() as session:
        with pytest.raises(BridgeError, match=r"401 .*Invalid token.*copy it again") as caught:
            connect(session, exchange, token="f" * 40).push()
        assert (caught.value.status, caught.value.passing) == (401, False)
        with pytest.raises(BridgeError, match=r"404 .*check the project"):
            connect(session, exchange, token, project=4711).push()
        with pytest.raises(BridgeError, match="Project 3 has no choices"):
            connect(session, exchange, token, project=3).push()
        title = {"title": "Other"}
        with pytest.raises(BridgeError, match=r"400 .*label_config"):
            connect(session, exchange, token, label_config="<View>", **title).push()


def record(server, annotator):
    """Write the exchanges again, on an empty server; called by real_server.py."""
    from conftest import connect_bridge, open_session  # found from a script only

    one = annotator(server, server.token)
    people = People(one)
    token = one.ask("POST", "/api/token/", {})["token"]
    for name, part, secret in (
        ("campaign", campaign, server.token),
        ("personal_token", personal_token, token),
        ("refusals", refusals, server.token),
    ):
        recorder = Recorder(server.url)
        part(open_session, connect_bridge, recorder, people, secret)
        text = json.dumps(recorder.exchanges, indent=1, ensure_ascii=False)
        assert server.token not in text
        assert token not in text
        (EXCHANGES / f"{name}.json").write_text(text + "\n", encoding="utf-8")
    for project in one.ask("GET", "/api/projects/?page_size=100")["results"]:
        one.ask("DELETE", f"/api/projects/{project['id']}/")


def test_a_campaign_asks_what_the_real_server_understands(make_session, connect):
    replay = Replay("campaign")
    campaign(make_session, connect, replay, Nobody())
    assert replay.exchanges == []


def test_a_personal_token_is_exchanged_for_a_short_lived_one(make_session, connect):
    replay = Replay("personal_token")
    personal_token(make_session, connect, replay, Nobody(), PERSONAL)
    assert replay.exchanges == []


def test_what_the_real_server_refuses(make_session, connect):
    replay = Replay("refusals")
    refusals(make_session, connect, replay, Nobody())
    assert replay.exchanges == []
