"""Shared by the tests of the bridge: sessions, a fake of Label Studio, and a web server."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from skactive import ActiveLearner
from skactive.labeling import LabelingSession
from skactive.labeling.label_studio import LabelStudioBridge, _tasks
from skactive.strategies import Random

LEGACY = "0123456789abcdef0123456789abcdef01234567"
TEXTS = [f"{word} number {i}" for i, word in enumerate(["good film", "bad film"] * 6)]
IDS = [f"t{i}" for i in range(12)]


def open_session(texts=TEXTS, ids=IDS, **options):
    learner = ActiveLearner(make_pipeline(TfidfVectorizer(), LogisticRegression()), Random())
    options = {"classes": ["good", "bad"], "refit_every": 4, "background": False} | options
    return LabelingSession(learner, texts, ids=ids, random_state=0, **options)


def connect_bridge(session, exchange, token=LEGACY, project=None, **options):
    bridge = LabelStudioBridge(
        session, "http://localhost:8080", token, project, **{"n_ordered": 6} | options
    )
    bridge._client.exchange = exchange
    bridge._client._waits = ()
    return bridge


def labels_by_row(session):
    return {r["id"]: r["label"] for r in session.records() if r["kind"] == "label"}


class FakeServer:
    """As much of Label Studio as a bridge needs, in memory, and whatever can go wrong with it."""

    def __init__(self):
        self.projects, self.tasks, self.annotations, self.scores = {}, {}, {}, {}
        self.predicted = {}  # the latest result of a prediction, by task
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
        status, answer = self.respond(method, parts.path.strip("/").split("/")[1:], body, query)
        if fault is not None and fault[1] == "lost":
            raise ConnectionResetError(104, "Connection reset by peer")
        return status, b"" if answer is None else json.dumps(answer).encode()

    def respond(self, method, path, body, query):
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
                    self.predicted[each["task"]] = each["result"]
                return 201, {}
            case "GET", "projects", _, "model-versions":
                return 200, {version: len(scores) for version, scores in self.scores.items()}
            case "DELETE", "projects", _, "model-versions":
                del self.scores[body["model_version"]]
                return 200, {}
            case "GET", "tasks":
                return 200, {"tasks": self.list_tasks(query)}
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

    def list_tasks(self, query):
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
                "type": tag.tag,
                "to_name": [tag.get("toName")],
                "inputs": [{"type": shown.tag, "value": shown.get("value")[1:]}],
                "labels": [choice.get("value") for choice in tag],
            }
            for tag in view.iter()
            if tag.tag in {"Choices", "Number"}
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

    def answer_number(self, row, *numbers, **more):
        number = self.answer(row, **more)
        self.annotations[number]["result"] = [
            {"from_name": "label", "to_name": "item", "type": "number", "value": {"number": each}}
            for each in numbers
        ]
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
def make_session():
    """Return a function that opens a session on 12 short texts."""
    return open_session


@pytest.fixture
def answers_of():
    """Return a function that returns the labels of a session by their rows."""
    return labels_by_row


@pytest.fixture
def connect():
    """Return a function that connects a session with a server that is a function."""
    return connect_bridge


@pytest.fixture
def server():
    return FakeServer()


@pytest.fixture
def session():
    with open_session() as session:
        yield session


@pytest.fixture
def bridge(session, server, monkeypatch):
    monkeypatch.setattr(_tasks, "_RETRY_WAIT", 0.0)
    bridge = connect_bridge(session, server)
    bridge.push()
    return bridge


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
