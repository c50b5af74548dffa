"""The bridge to Label Studio: what it asks of a real server, and what it does when things fail.

The exchanges in ``exchanges/`` are those of a real server, of which only the tokens were taken
away; ``python tests/labeling/label_studio/real_server.py --record`` writes them anew. A replay
fails where the bridge asks anything else than it did then.
"""

import contextlib
import json
import re
import threading
import time
import warnings
from argparse import ArgumentParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from unittest import mock
from urllib.parse import parse_qs, quote, urlsplit

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from skactive import ActiveLearner
from skactive.cli import _label_studio as _command
from skactive.cli._errors import CommandError
from skactive.cli._label_studio import add_label_studio_arguments, run_label_studio
from skactive.exceptions import BridgeError, SkactiveError, SkactiveWarning
from skactive.labeling import LabelingSession, SQLiteLabelStore
from skactive.labeling.label_studio import LabelStudioBridge, _project, _tasks
from skactive.labeling.label_studio import _bridge as label_studio
from skactive.labeling.label_studio import _client as _client_module
from skactive.labeling.label_studio._config import infer_kind, make_config
from skactive.strategies import Random

EXCHANGES = Path(__file__).parent / "exchanges"
LEGACY = "0123456789abcdef0123456789abcdef01234567"
PERSONAL = "head.body.signature"
TEXTS = [f"{word} number {i}" for i, word in enumerate(["good film", "bad film"] * 6)]
IDS = [f"t{i}" for i in range(12)]


def make_session(texts=TEXTS, ids=IDS, **options):
    learner = ActiveLearner(make_pipeline(TfidfVectorizer(), LogisticRegression()), Random())
    options = {"classes": ["good", "bad"], "refit_every": 4, "background": False} | options
    return LabelingSession(learner, texts, ids=ids, random_state=0, **options)


def connect(session, exchange, token=LEGACY, project=None, **options):
    bridge = LabelStudioBridge(
        session, "http://localhost:8080", token, project, **{"n_ordered": 6} | options
    )
    bridge._client.exchange = exchange
    bridge._client._waits = ()
    return bridge


# Recorded exchanges -------------------------------------------------------------------------------


def without_tokens(text):
    return re.sub(r'("(?:refresh|access)": ?")[^"]*"', r'\1head.body.signature"', text)


def numbered():
    """Count the versions of the order, instead of drawing names for them."""
    names = (f"{i:08}" for i in range(100))
    return mock.patch.object(label_studio, "new_id", side_effect=names)


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
        self._send = _client_module.make_exchange(is_local=True)

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


def campaign(exchange, people, token=LEGACY):
    """Go through everything that happens in a campaign."""
    with make_session() as session, numbered():
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

        again = connect(session, exchange, token)  # the process was started anew
        people.answer(fifth, "good")
        assert again.push() == 0
        assert again.project_id == bridge.project_id
        pulled = again.pull()
        assert (pulled.n_labels, pulled.n_new, pulled.problems) == (1, 1, {})
        assert answers_of(session) == {first: "bad", fourth: "ugly", fifth: "good"}
        assert again.write_order() == 6


def personal_token(exchange, people, token):
    with make_session(TEXTS[:3], [1, 2, 3], multilabel=True) as session:
        bridge = connect(session, exchange, token, title="By a personal token")
        assert bridge.push() == 3
        assert bridge.pull().n_new == 0


def refusals(exchange, people, token=LEGACY):
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
    """Write the exchanges anew, on an empty server; called by real_server.py."""
    one = annotator(server, server.token)
    people = People(one)
    token = one.ask("POST", "/api/token/", {})["token"]
    for name, part, secret in (
        ("campaign", campaign, server.token),
        ("personal_token", personal_token, token),
        ("refusals", refusals, server.token),
    ):
        recorder = Recorder(server.url)
        part(recorder, people, secret)
        text = json.dumps(recorder.exchanges, indent=1, ensure_ascii=False)
        assert server.token not in text
        assert token not in text
        (EXCHANGES / f"{name}.json").write_text(text + "\n", encoding="utf-8")
    for project in one.ask("GET", "/api/projects/?page_size=100")["results"]:
        one.ask("DELETE", f"/api/projects/{project['id']}/")


def test_a_campaign_asks_what_the_real_server_understands():
    replay = Replay("campaign")
    campaign(replay, Nobody())
    assert replay.exchanges == []


def test_a_personal_token_is_exchanged_for_a_short_lived_one():
    replay = Replay("personal_token")
    personal_token(replay, Nobody(), PERSONAL)
    assert replay.exchanges == []


def test_what_the_real_server_refuses():
    replay = Replay("refusals")
    refusals(replay, Nobody())
    assert replay.exchanges == []


# When things fail ---------------------------------------------------------------------------------


class FakeServer:
    """As much of Label Studio as a bridge needs, in memory, and whatever can go wrong with it."""

    def __init__(self):
        self.projects, self.tasks, self.annotations, self.scores = {}, {}, {}, {}
        self.users = {1: "one@example.org", 2: "two@example.org"}
        self.n_made = self.clock = 0
        self.faults = []  # (part of the path, what goes wrong), used up one by one
        self.late = []  # tasks that arrive with the next import
        self.asked = []

    def __call__(self, method, url, headers, data, timeout):
        parts = urlsplit(url)
        self.asked.append((method, parts.path))
        fault = next((f for f in self.faults if f[0] == f"{method} {parts.path}"), None)
        if fault is not None:
            self.faults.remove(fault)
            if fault[1] == "down":
                raise ConnectionRefusedError(111, "Connection refused")
            if isinstance(fault[1], int):
                return fault[1], b'{"detail": "no"}'
            if fault[1] == "late":
                self.late += json.loads(data)
                raise TimeoutError("timed out")
        body = None if data is None else json.loads(data)
        query = {name: value[0] for name, value in parse_qs(parts.query).items()}
        status, answer = self.answered(method, parts.path.strip("/").split("/")[1:], body, query)
        if fault is not None and fault[1] == "lost":
            raise ConnectionResetError(104, "Connection reset by peer")
        return status, b"" if answer is None else json.dumps(answer).encode()

    def answered(self, method, path, body, query):
        match method, *path:
            case "GET", "users":
                return 200, [{"id": i, "email": email} for i, email in self.users.items()]
            case "GET", "projects":
                return 200, {"results": list(self.projects.values()), "next": None}
            case "POST", "projects":
                about = {"id": self.number(), "created_at": self.now(), "model_version": ""} | body
                self.projects[about["id"]] = about
                return 201, self.about(about["id"])
            case "GET", "projects", number:
                return (200, self.about(int(number))) if int(number) in self.projects else (404, {})
            case "PATCH", "projects", number:
                self.projects[int(number)] |= body
                return 200, self.about(int(number))
            case "POST", "projects", _, "import":
                for each in [*self.late, *body]:
                    self.add_task(**each)
                self.late.clear()
                return 201, {}
            case "POST", "projects", _, "import", "predictions":
                for each in body:
                    self.scores.setdefault(each["model_version"], {})[each["task"]] = each["score"]
                return 201, {}
            case "GET", "projects", _, "model-versions":
                return 200, {version: len(scores) for version, scores in self.scores.items()}
            case "DELETE", "projects", _, "model-versions":
                del self.scores[body["model_version"]]
                return 200, {}
            case "GET", "tasks":
                return 200, {"tasks": self.listed(query)}
            case "GET", "tasks", number:
                mine = [a for a in self.annotations.values() if a["task"] == int(number)]
                return 200, {"annotations": mine, "drafts": []}
            case "DELETE", "tasks", number:
                del self.tasks[int(number)]
                return 204, None
            case "GET", "annotations", number:
                known = int(number) in self.annotations
                return (200, self.annotations[int(number)]) if known else (404, {"detail": "No"})
        raise AssertionError((method, path))

    def listed(self, query):
        asked = json.loads(query["query"])
        full = query["fields"] == "all"
        tasks = [
            task | {"annotations": [a for a in self.annotations.values() if a["task"] == number]}
            for number, task in self.tasks.items()
        ]
        for each in asked["filters"]["items"]:
            name, value = each["filter"].split(":")[2], each["value"]
            tests = {
                "id": lambda task, v=value: task["id"] > v,
                "updated_at": lambda task, v=value: task["updated_at"] >= v,
                "total_annotations": lambda task: any(
                    not a["was_cancelled"] for a in task["annotations"]
                ),
                "cancelled_annotations": lambda task: any(
                    a["was_cancelled"] for a in task["annotations"]
                ),
            }
            tasks = [task for task in tasks if tests[name](task)]
        tasks.sort(key=lambda task: task[asked["ordering"][0].split(":")[1]])
        start = (int(query["page"]) - 1) * int(query["page_size"])
        page = tasks[start : start + int(query["page_size"])]
        return page if full else [{k: t[k] for k in ("id", "data", "meta")} for t in page]

    def about(self, number):
        from xml.etree import ElementTree

        about = self.projects[number]
        view = ElementTree.fromstring(about["label_config"])
        shown = next(tag for tag in view if tag.get("value"))
        parsed = {
            tag.get("name"): {
                "type": "Choices",
                "to_name": [tag.get("toName")],
                "inputs": [{"type": shown.tag, "value": shown.get("value")[1:]}],
                "labels": [choice.get("value") for choice in tag],
            }
            for tag in view.iter("Choices")
        }
        return about | {"parsed_label_config": parsed}

    def number(self):
        self.n_made += 1
        return self.n_made

    def now(self):
        self.clock += 1
        return f"2026-11-21T10:{self.clock // 60:02}:{self.clock % 60:02}.000001Z"

    # What people do:

    def add_task(self, data, meta=()):
        number = self.number()
        about = {"id": number, "data": data, "meta": dict(meta), "updated_at": self.now()}
        self.tasks[number] = about
        return number

    def task_of(self, row):
        return next(number for number, task in self.tasks.items() if task["data"]["id"] == row)

    def answer(self, row, *choices, by=1, skip=False, **more):
        number, task = self.number(), self.task_of(row)
        self.annotations[number] = {"id": number, "task": task, "completed_by": by}
        return self.change(number, *choices, skip=skip, **{"lead_time": 2.0} | more)

    def change(self, number, *choices, skip=False, **more):
        value = {"from_name": "label", "type": "choices", "value": {"choices": list(choices)}}
        about = self.annotations[number]
        about |= {"result": [value] if choices else [], "was_cancelled": skip, **more}
        about["updated_at"] = self.tasks[about["task"]]["updated_at"] = self.now()
        return number

    def delete(self, number):
        task = self.annotations.pop(number)["task"]
        self.tasks[task]["updated_at"] = self.now()

    def order(self):
        """Return the rows in the order in which they are served."""
        scores = self.scores[next(iter(self.projects.values()))["model_version"]]
        return [self.tasks[task]["data"]["id"] for task in sorted(scores, key=scores.get)]

    def rows(self):
        return sorted(task["data"]["id"] for task in self.tasks.values())


@pytest.fixture
def server():
    return FakeServer()


@pytest.fixture
def session():
    with make_session() as session:
        yield session


@pytest.fixture
def bridge(session, server, monkeypatch):
    monkeypatch.setattr(_tasks, "_RETRY_WAIT", 0.0)
    bridge = connect(session, server)
    bridge.push()
    return bridge


@pytest.mark.parametrize("fault", ["lost", "down", 503])
def test_no_row_becomes_two_tasks_when_an_import_fails(session, server, fault, monkeypatch):
    monkeypatch.setattr(_tasks, "_RETRY_WAIT", 0.0)
    monkeypatch.setattr(_tasks, "_CHUNK_TASKS", 5)
    server.faults = [("POST /api/projects/1/import", fault)] * 2
    assert connect(session, server).push() == 12
    assert server.rows() == sorted(IDS)
    assert not server.faults


def test_an_import_that_fails_for_good_is_an_error_and_can_be_repeated(session, server):
    server.faults = [("POST /api/projects/1/import", 413)]
    with pytest.raises(BridgeError, match="413"):
        connect(session, server).push()
    assert connect(session, server).push() == 12


def test_tasks_that_arrive_late_a_second_time_are_removed(session, server, monkeypatch):
    monkeypatch.setattr(_tasks, "_RETRY_WAIT", 0.0)
    server.faults = [("POST /api/projects/1/import", "late")]
    assert connect(session, server).push() == 12
    assert server.rows() == sorted(IDS)


def test_second_tasks_that_are_worked_on_or_not_ours_stay(bridge, server, session):
    ours = server.tasks[server.task_of("t0")]
    kept = server.add_task(ours["data"])
    worked_on = server.add_task(ours["data"], ours["meta"])
    value = {"from_name": "label", "value": {"choices": ["bad"]}}
    server.annotations[99] = {
        "id": 99, "task": worked_on, "completed_by": 2, "result": [value],
        "was_cancelled": False, "updated_at": server.now(),
    }  # fmt: skip
    removed = server.add_task(ours["data"], ours["meta"])
    again = connect(session, server)
    assert again.push() == 0
    assert {kept, worked_on} < server.tasks.keys()
    assert removed not in server.tasks
    assert again.pull().n_labels == 1
    assert answers_of(session) == {"t0": "bad"}


def test_a_project_whose_creation_was_not_answered_is_found(session, server):
    server.faults = [("POST /api/projects/", "lost")]
    connect(session, server).push()
    assert len(server.projects) == 1


def test_other_pools_and_titles_have_projects_of_their_own(session, server):
    connect(session, server).push()
    connect(session, server, title="Second").push()
    with make_session(TEXTS[::-1]) as other:
        connect(other, server).push()
    assert len(server.projects) == 3
    connect(session, server).push()
    assert len(server.projects) == 3


def test_a_first_pull_goes_through_all_pages(session, server, bridge, monkeypatch):
    monkeypatch.setattr(_project, "_PAGE_SIZE", 5)
    monkeypatch.setattr(_project, "_ANNOTATED_PAGE_SIZE", 2)
    for row in IDS[:7]:
        server.answer(row, "good", skip=row == "t3")
    moment = server.now()
    for row in IDS[:7]:  # as an action on many tasks leaves them
        server.tasks[server.task_of(row)]["updated_at"] = moment
    again = connect(session, server)
    assert again.push() == 0
    pulled = again.pull()
    assert (pulled.n_labels, pulled.n_skips) == (6, 1)
    assert again.pull().n_new == 0


def test_labels_keep_their_type(server):
    with make_session(ids=list(range(12)), classes=[1, 2]) as session:
        bridge = connect(session, server)
        bridge.push()
        server.answer(3, "2")
        bridge.pull()
        assert answers_of(session) == {3: 2}


def test_several_labels_or_none(server):
    with make_session(classes=["u", "v", "w"], multilabel=True) as session:
        bridge = connect(session, server)
        bridge.push()
        server.answer("t1", "w", "u")
        server.answer("t2")
        assert bridge.pull().n_labels == 2
        assert answers_of(session) == {"t1": ["u", "w"], "t2": []}


def test_one_choice_is_needed(session, server, bridge):
    number = server.answer("t1")
    pulled = bridge.pull()
    assert "got 0" in pulled.problems[number]
    assert pulled.n_new == 0
    server.change(number, "good")
    pulled = bridge.pull()
    assert (pulled.n_labels, pulled.problems) == (1, {})


def test_what_could_not_be_taken_is_forgotten_when_it_is_deleted(server, bridge):
    number = server.answer("t1", "zebra")
    assert list(bridge.pull().problems) == [number]
    server.delete(number)
    assert bridge.pull().problems == {}


def test_a_task_of_no_row_is_told_and_nothing_else(session, server, bridge):
    server.add_task({"id": "elsewhere", "text": "?"})
    number = server.answer("elsewhere", "good")
    assert "'elsewhere'" in bridge.pull().problems[number]
    assert session.records() == []


def test_a_skip_that_is_answered_after_all_and_an_answer_that_is_skipped(session, server, bridge):
    first, second = server.answer("t1", skip=True), server.answer("t2", "good")
    bridge.pull()
    server.change(first, "bad")
    server.change(second, skip=True)
    assert bridge.pull().n_changed == 2
    assert answers_of(session) == {"t1": "bad"}


def test_the_last_of_several_annotators_counts_whatever_the_order_of_the_answers(
    session, server, bridge
):
    first = server.answer("t1", "good", by=1)
    server.answer("t1", "bad", by=2)
    server.change(first, "good")
    bridge.pull()
    assert session.progress().classes == {"good": 1}
    assert session.progress().annotators == {"one@example.org": 1, "two@example.org": 1}


def test_an_annotation_deleted_while_nobody_looked_is_taken_back(session, server, bridge):
    number = server.answer("t1", "good")
    bridge.pull()
    server.change(number, "bad")
    bridge.pull()
    server.delete(number)
    again = connect(session, server)
    assert again.pull().n_withdrawn == 1
    assert session.records() == []
    assert again.pull().n_new == 0
    assert connect(session, server).pull().n_new == 0
    server.answer("t1", "good")
    assert again.pull().n_labels == 1
    assert answers_of(session) == {"t1": "good"}


def test_labels_of_deleted_tasks_stay(session, server, bridge):
    number = server.answer("t1", "good")
    bridge.pull()
    task = server.task_of("t1")
    del server.annotations[number], server.tasks[task]
    again = connect(session, server)
    assert again.pull().n_withdrawn == 0
    assert again.push() == 1
    assert connect(session, server).pull().n_withdrawn == 0
    assert answers_of(session) == {"t1": "good"}


def test_what_another_bridge_took_over_is_known(session, server, bridge):
    server.answer("t1", "good")
    assert connect(session, server).pull().n_labels == 1
    assert bridge.pull().n_labels == 0
    assert len(session.records()) == 1


def test_undoing_in_the_session_holds(session, server, bridge):
    server.answer("t1", "good")
    bridge.pull()
    assert session.undo("one@example.org") == "t1"
    assert bridge.pull().n_new == 0
    assert connect(session, server).pull().n_new == 0
    assert session.records() == []


def test_annotators_without_an_address(session, server, bridge):
    server.answer("t1", "good", by=7)
    server.answer("t2", "good", by=None)
    server.answer("t3", "good", by={"id": 3, "email": "three@example.org"})
    server.answer("t4", "good", lead_time=None)
    bridge.pull()
    named = {r["id"]: (r["annotator"], r["seconds"]) for r in session.records()}
    assert named == {
        "t1": ("user 7", 2.0),
        "t2": (None, 2.0),
        "t3": ("three@example.org", 2.0),
        "t4": ("one@example.org", None),
    }


def test_users_that_may_not_be_seen_have_numbers(session, server):
    server.faults = [("GET /api/users/", 403)]
    bridge = connect(session, server)
    bridge.push()
    server.faults = [("GET /api/users/", 403)]
    server.answer("t1", "good")
    bridge.pull()
    assert session.records()[0]["annotator"] == "user 1"


# The order ----------------------------------------------------------------------------------------


def test_the_order_is_the_sessions_and_older_ones_are_removed(session, server, bridge):
    server.scores["of somebody else"] = {}
    for _ in range(2):
        assert bridge.write_order() == 6
        assert server.order() == session.peek(6)
        assert len(server.scores) == 2
    assert server.projects[1]["sampling"] == "Uncertainty sampling"
    assert sorted(next(reversed(server.scores.values())).values()) == pytest.approx(
        np.arange(1, 7) / 6
    )


def test_skipped_rows_come_last(session, server, bridge):
    first, *others = session.peek(7)
    server.answer(first, skip=True)
    bridge.pull()
    bridge.write_order()
    assert server.order() == others


def test_a_new_order_when_half_is_used_when_rows_go_elsewhere_and_when_there_is_a_model(
    session, server, bridge
):
    rows = session.peek(6)
    bridge.write_order()
    assert not bridge._is_order_due()
    for i in range(3):
        server.answer(rows[i], "good")
        bridge.pull()
        assert not bridge._is_order_due()
    server.answer(rows[3], "good")
    bridge.pull()
    assert bridge._is_order_due()
    bridge.write_order()
    assert not bridge._is_order_due()
    session.submit({session.peek(1)[0]: "bad"})
    assert bridge._is_order_due()


def test_nothing_is_left_to_order(session, server, bridge):
    session.submit(dict.fromkeys(IDS, "good"))
    assert bridge.write_order() == 0
    assert not bridge._is_order_due()
    assert server.scores == {}


# Projects -----------------------------------------------------------------------------------------


def test_a_project_that_is_there_keeps_its_configuration(server):
    config = (
        '<View><Text name="t" value="$body"/><Choices name="label" toName="t">'
        '<Choice value="good"/><Choice value="bad"/></Choices></View>'
    )
    settings = {"title": "Mine", "description": None, "label_config": config}
    number = server.answered("POST", ["projects"], settings, {})[1]["id"]
    server.add_task({"id": "3", "body": "there already"})
    with make_session(ids=list(range(12))) as session:
        bridge = connect(session, server, project=number)
        assert bridge.project_id == number
        assert bridge.push() == 11
        assert server.tasks[server.task_of(0)]["data"] == {"id": 0, "body": TEXTS[0]}
        server.answer("3", "good")
        bridge.pull()
        assert answers_of(session) == {3: "good"}
        session.add_class("ugly")
        with pytest.warns(SkactiveWarning, match="does not offer \\['ugly'\\]"):
            bridge.write_order()
    assert server.projects[number]["label_config"] == config


def test_frames_are_shown_as_tables():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"a": [1, 2], "b": [0.5, np.nan], "c": [pd.Timestamp("2026-01-01")] * 2})
    server = FakeServer()
    learner = ActiveLearner(LogisticRegression(), Random())
    with LabelingSession(learner, frame, classes=["u", "v"], random_state=0) as session:
        connect(session, server).push()
    assert "<Table" in server.projects[1]["label_config"]
    shown = [task["data"]["table"] for task in server.tasks.values()]
    assert shown == [
        {"a": 1, "b": 0.5, "c": "2026-01-01 00:00:00"},
        {"a": 2, "b": "", "c": "2026-01-01 00:00:00"},
    ]


def test_rows_without_a_look_need_render(server):
    learner = ActiveLearner(LogisticRegression(), Random())
    with LabelingSession(learner, np.eye(3), classes=["u", "v"]) as session:
        with pytest.raises(ValueError, match="pass render="):
            connect(session, server).push()

        def render(row, ident):
            return f"https://example.org/{ident}.png?size=s"

        connect(session, server, render=render).push()
    assert "<Image" in server.projects[1]["label_config"]
    assert server.tasks[server.task_of(2)]["data"] == {
        "id": 2,
        "image": "https://example.org/2.png?size=s",
    }


def test_a_configuration_of_ones_own_takes_fields(server):
    config = make_config("text", ["good", "bad"], multilabel=False).replace("showInLine", "hotkey")
    with make_session() as session:
        bridge = connect(
            session, server, label_config=config, render=lambda row, i: {"text": row, "more": 1}
        )
        bridge.push()
    assert server.tasks[server.task_of("t0")]["data"] == {"id": "t0", "text": TEXTS[0], "more": 1}


def test_classes_must_be_known(server):
    with make_session(classes=None) as session, pytest.raises(ValueError, match="pass classes="):
        connect(session, server).push()


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        ("https://example.org/a.PNG?x=1", "image"),
        ("/data/local-files/?d=a.png", "text"),
        ("/data/upload/a.jpg", "image"),
        ("https://example.org/a.mp3", "audio"),
        ("https://example.org/a.png is a picture", "text"),
        ("https://example.org/", "text"),
        ("a.png", "text"),
        ({"a": 1}, "table"),
    ],
)
def test_what_a_content_is_shown_as(content, kind):
    assert infer_kind(content) == kind


def test_names_of_classes_are_quoted():
    from xml.etree import ElementTree

    names = ["\"a\" <b> & 'c'", "ä\nb"]
    view = ElementTree.fromstring(make_config("text", names, multilabel=True))
    assert [choice.get("value") for choice in view.iter("Choice")] == names


def test_texts_that_no_database_holds(server):
    with make_session(["a\x00b", "\ud800", ""], ["a", "b", "c"]) as session:
        connect(session, server).push()
    assert [task["data"]["text"] for task in server.tasks.values()] == ["a\ufffdb", "?", ""]


# The loop -----------------------------------------------------------------------------------------


def test_the_loop_survives_a_server_that_is_away(session, server, monkeypatch):
    monkeypatch.setattr(_tasks, "_RETRY_WAIT", 0.0)
    lines = []
    bridge = connect(session, server)
    turns = iter(range(100))

    def until(progress):
        turn = next(turns)
        if turn == 1:
            server.faults = [("GET /api/tasks/", "down")] * 3
        elif turn == 5:
            for row in server.order()[:4]:
                server.answer(row, "good" if row in IDS[::2] else "bad")
            server.answer(server.order()[5], "zebra")
        return turn == 8

    bridge.run(0.01, until, lines.append)
    assert lines == [
        "Project 1: 12 rows added as tasks.",
        "6 rows in order.",
        "No response from Label Studio at http://localhost:8080 ([Errno 111] Connection refused). "
        "Check that it is running and that the address is right. Waiting for the server.",
        "4 labels, 0 skipped, 0 changed, 0 undone.",
        lines[4],
        "6 rows in order.",
    ]
    assert lines[4].startswith("Not imported: annotation ")
    assert "'zebra'" in lines[4]
    assert server.order() == session.peek(6)


def test_the_loop_ends_when_all_rows_have_answers(session, server):
    bridge = connect(session, server)
    bridge.push()
    for row in IDS:
        server.answer(row, "good")
    assert bridge.run(0.01).n_labeled == 12


def test_the_loop_does_not_wait_for_what_does_not_go_by_itself(session, server):
    server.faults = [("GET /api/users/", 401)]
    with pytest.raises(BridgeError, match="401"):
        connect(session, server).run(0.01)


def test_problems_are_warnings_where_nobody_listens(session, server):
    bridge = connect(session, server)
    bridge.push()
    server.answer("t1", "zebra")
    with pytest.warns(SkactiveWarning, match="Not imported: .*'zebra'"):
        bridge.run(0.01, lambda progress: True)


@pytest.mark.parametrize("options", [{"title": "ab"}, {"title": "x" * 51}, {"n_ordered": 0}])
def test_options_that_cannot_be(session, server, options):
    with pytest.raises(ValueError, match=next(iter(options))):
        connect(session, server, **options)
    with pytest.raises(ValueError, match="poll_seconds"):
        connect(session, server).run(0)


# Requests -----------------------------------------------------------------------------------------


class Handler(BaseHTTPRequestHandler):
    """Plays the answers of its server's script, or passes on to a fake server."""

    def do_GET(self):
        data = self.rfile.read(int(self.headers.get("Content-Length", 0))) or None
        self.server.seen.append((self.command, self.path, self.headers.get("Authorization")))
        if self.server.fake is not None:
            answer = self.server.fake(self.command, self.path, dict(self.headers), data, 1)
            status, text, more = *answer, {}
        else:
            status, text, more = self.server.script.pop(0)
        if status == "hang":
            time.sleep(0.4)
            return
        self.send_response(status)
        for name, value in more.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text)

    do_POST = do_PATCH = do_DELETE = do_GET  # noqa: N815  # as http.server calls them

    def log_message(self, *_):
        pass


@pytest.fixture
def web():
    """A web server that gives what its script says."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as web:
        web.script, web.seen, web.fake = [], [], None
        web.url = f"http://127.0.0.1:{web.server_port}"
        thread = threading.Thread(target=web.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield web
        web.shutdown()
        thread.join()


def client(web, token=LEGACY, **options):
    return _client_module.Client(web.url + "/", token, **{"waits": (0.0, 0.0)} | options)


OK = (200, b'{"a": 1}', {})
FAILS = (503, b"<html>busy</html>", {})


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
    nobody = _client_module.Client("http://127.0.0.1:9", LEGACY, waits=())
    with pytest.raises(
        BridgeError, match=r"No response from .*:9 \(.*refused\). Check that it is running"
    ):
        nobody.call("GET", "/")


def test_something_else_is_there(web):
    web.script = [(200, b"<html>Hello</html>", {})]
    with pytest.raises(BridgeError, match="is not Label Studio's API"):
        client(web).call("GET", "/api/users/")
    web.script = [(200, b"{}", {}), (200, b'{"id": 1}', {})]
    with pytest.raises(BridgeError, match="has no 'results'"):
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
        _client_module.Client("http://example.org:8080", LEGACY)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for url in (
            "https://example.org",
            "http://[::1]:80",
            "http://a.localhost",
            "http://127.0.0.2",
        ):
            _client_module.Client(url, LEGACY)
    with pytest.raises(ValueError, match="got 'localhost:8080'"):
        _client_module.Client("localhost:8080", LEGACY)
    with pytest.raises(ValueError, match="leave them out") as caught:
        _client_module.Client("https://me:secret@example.org", LEGACY)
    assert "secret" not in str(caught.value)


# The command --------------------------------------------------------------------------------------


@pytest.fixture
def run(tmp_path, monkeypatch, web):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", LEGACY)
    table = "text\n" + "".join(f"{text}\n" for text in TEXTS)
    (tmp_path / "films.csv").write_text(table, encoding="utf-8")

    def run(*arguments, new=True):
        parser = ArgumentParser()
        add_label_studio_arguments(parser)
        data = ["films.csv", "--text", "text", "--classes", "good,bad", "--store", "labels.db"]
        data = data if new else ["--resume", "labels.db"]
        run_label_studio(vars(parser.parse_args([*data, "--url", web.url, *arguments])))

    return run


def test_the_command_runs_the_loop_and_goes_on(run, web, capsys):
    web.fake = FakeServer()
    answerer = iter(range(12))

    def people(*request):
        if request[0] == "GET" and request[1].startswith("/api/tasks/") and web.fake.tasks:
            row = next(answerer, None)
            if row is not None:
                web.fake.answer(row, "good" if row % 2 == 0 else "bad")
        return fake(*request)

    fake, web.fake = web.fake, people
    people.tasks, people.answer = fake.tasks, fake.answer
    run("--until", "4", "--poll", "0.1")
    said = capsys.readouterr().out
    assert "Project 1: 12 rows added as tasks." in said
    assert f"resume with: skactive label-studio --resume labels.db --url {web.url}\n" in said
    assert next(iter(fake.projects.values()))["title"] == "films (active learning)"
    run("--poll", "0.1", new=False)
    assert "12 of 12 rows have a label" in capsys.readouterr().out
    assert len(fake.tasks) == 12
    assert {kind for _, _, kind in web.seen} == {f"Token {LEGACY}"}
    with contextlib.closing(SQLiteLabelStore("labels.db")) as store:
        labels = [event for event in store.events() if event.kind == "label"]
    assert {event.annotator for event in labels} == {"one@example.org"}
    assert len(labels) == 12


def test_the_command_knows_the_project_again(run, web):
    web.fake = fake = FakeServer()
    for new, more in ((True, ("--title", "Films of all kinds")), (False, ())):
        with contextlib.suppress(CommandError):
            fake.faults = [("GET /api/users/", 401)]
            run(*more, new=new)
    assert [each["title"] for each in fake.projects.values()] == ["Films of all kinds"]


def test_files_are_shown_by_their_address(run, web, tmp_path):
    from types import SimpleNamespace

    campaign = SimpleNamespace(source=SimpleNamespace(kind="images"))
    for media in ("https://example.org/files", "https://example.org/files/"):
        shown = _command._make_render(campaign, media)("a b/ä.png", 0)
        assert shown == "https://example.org/files/a%20b/%C3%A4.png"
    shown = _command._make_render(campaign, "/data/local-files/?d=")("a.png", 0)
    assert shown == "/data/local-files/?d=a.png"
    with pytest.raises(CommandError, match="by --media URL"):
        _command._make_render(campaign, None)


def test_mistakes_of_the_command(run, web, monkeypatch, tmp_path):
    web.script = [(401, b'{"detail": "Invalid token."}', {})]
    with pytest.raises(CommandError, match=r"401 \(Invalid token\)"):
        run()
    with pytest.raises(CommandError, match="title must have 3 to 50"):
        run("--title", "x", new=False)
    monkeypatch.delenv("LABEL_STUDIO_API_KEY")
    with pytest.raises(CommandError, match="set LABEL_STUDIO_API_KEY"):
        run(new=False)
    for wrong in (["--poll", "0"], ["--poll", "x"], ["--until", "-1"], ["--ordered", "0"]):
        with pytest.raises(SystemExit):
            run(*wrong)
