"""Check the bridge with a real Label Studio: install it, start it, label through its API, stop it.

``python tests/labeling/label_studio/real_server.py`` needs a gigabyte for Label Studio, which it
installs into a separate environment in the cache folder. It exits with 1 if a check fails. With
``--record`` it also writes the exchanges that ``test_exchanges.py`` replays.
"""

import argparse
import contextlib
import http.cookiejar
import json
import os
import secrets
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
import venv
from collections import Counter
from pathlib import Path

import numpy as np

VERSION = "1.23.2"
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "skactive"
ENVIRONMENT = CACHE / f"label-studio-{VERSION}"
EXCHANGES = Path(__file__).parent / "exchanges"
EMAILS = ("one@example.org", "two@example.org")
CLASSES = ["motor", "garden"]
WORDS = {
    "motor": "engine wheel brake gear clutch piston tyre exhaust road fuel",
    "garden": "rose soil spade hedge seed bloom lawn compost tulip water",
}


def say(text):
    print(text, flush=True)


def check(holds, what):
    if not holds:
        raise AssertionError(what)


# The server ---------------------------------------------------------------------------------------


def find_program():
    """Return the path of the program; install it if it is missing."""
    program = ENVIRONMENT / "bin" / "label-studio"
    ready = ENVIRONMENT / ".ready"
    if not ready.exists():
        say(f"installing label-studio {VERSION} into {ENVIRONMENT} (1 GB) ...")
        venv.create(ENVIRONMENT, with_pip=True, clear=True)
        pip = [str(ENVIRONMENT / "bin" / "python"), "-m", "pip", "install", "--quiet"]
        subprocess.run([*pip, f"label-studio=={VERSION}"], check=True)
        ready.touch()
    return program


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """Label Studio with SQLite on the loopback address; it can be killed and started again."""

    def __init__(self, program, folder):
        self.program, self.folder, self.port = program, folder, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.token, self.password = secrets.token_hex(20), secrets.token_hex(8)
        self.process = None

    def start(self):
        settings = {
            "LABEL_STUDIO_BASE_DATA_DIR": str(self.folder),
            "LABEL_STUDIO_ENABLE_LEGACY_API_TOKEN": "true",
            "COLLECT_ANALYTICS": "False",
            "SENTRY_DSN": "",
            "FRONTEND_SENTRY_DSN": "",
        }
        command = [
            str(self.program), "start", "--no-browser", "--internal-host", "127.0.0.1",
            "--port", str(self.port), "--username", EMAILS[0], "--password", self.password,
            "--user-token", self.token,
        ]  # fmt: skip
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                command, env=os.environ | settings, stdout=log, stderr=log, start_new_session=True
            )
        began = time.monotonic()
        while not self.is_up():
            check(self.process.poll() is None, f"the server ended: see {self.folder}/server.log")
            check(time.monotonic() - began < 180, "the server did not start within 180 s")
            time.sleep(0.3)
        return time.monotonic() - began

    def is_up(self):
        try:
            with urllib.request.urlopen(f"{self.url}/health", timeout=2) as answer:
                return answer.status == 200
        except OSError:
            return False

    def kill(self):
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None

    def sign_up(self, email):
        """Create a user through the form of the browser; return their token."""
        cookies = http.cookiejar.CookieJar()
        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(cookies))
        page = f"{self.url}/user/signup/"
        opener.open(page).read()
        csrf = next(cookie.value for cookie in cookies if cookie.name == "csrftoken")
        form = {"csrfmiddlewaretoken": csrf, "email": email, "password": self.password}
        body = urllib.parse.urlencode(form | {"allow_newsletters": "false"}).encode()
        opener.open(urllib.request.Request(page, body, {"Referer": page})).read()
        return json.loads(opener.open(f"{self.url}/api/current-user/token").read())["token"]


class Annotator:
    """An annotator who labels through the API, as the page does."""

    def __init__(self, server, token):
        self.server, self.token = server, token

    def ask(self, method, path, body=None):
        headers = {"Authorization": f"Token {self.token}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.server.url + path, data, headers, method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def next(self, project):
        """Return the task that Label Studio would show next, or None."""
        try:
            return self.ask("GET", f"/api/projects/{project}/next")
        except urllib.error.HTTPError as error:
            check(error.code == 404, f"next task: {error.code}")
            return None

    def answer(self, task, choices=(), *, skip=False, seconds=2.5):
        annotation = {"result": results(choices), "was_cancelled": skip, "lead_time": seconds}
        return self.ask("POST", f"/api/tasks/{task}/annotations/", annotation)

    def change(self, annotation, choices):
        path = f"/api/annotations/{annotation}/"
        return self.ask("PATCH", path, {"result": results(choices)})

    def delete(self, annotation):
        self.ask("DELETE", f"/api/annotations/{annotation}/")


def results(choices):
    if not choices:
        return []
    value = {"choices": list(choices)}
    return [{"from_name": "label", "to_name": "item", "type": "choices", "value": value}]


# The campaign -------------------------------------------------------------------------------------


def make_texts(n):
    """Return texts of two kinds, and their kinds."""
    random = np.random.RandomState(0)
    kinds = [CLASSES[i] for i in random.randint(2, size=n)]
    common = ["the", "old", "was", "very", "near", "and", "some", "of", "it", "again"]
    made = [
        " ".join([*random.choice(WORDS[kind].split(), 3), *random.choice(common, 5), f"no{i}"])
        for i, kind in enumerate(kinds)
    ]
    return made, kinds


def open_session(store, n, **options):
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    from skactive import ActiveLearner
    from skactive.labeling import LabelingSession
    from skactive.strategies import Margin

    learner = ActiveLearner(make_pipeline(TfidfVectorizer(), LogisticRegression()), Margin())
    options = {"classes": CLASSES, "refit_every": 5, "random_state": 0} | options
    return LabelingSession(learner, make_texts(n)[0], store=store, **options)


def connect(session, server, **options):
    from skactive.labeling.label_studio import LabelStudioBridge

    return LabelStudioBridge(session, server.url, server.token, title="Two kinds", **options)


def child(server, store, n, *, do):
    """Start a process with its own bridge, to be killed."""
    command = [sys.executable, __file__, "--child", do, server.url, str(store), str(n)]
    return subprocess.Popen(command, env=os.environ | {"LABEL_STUDIO_API_KEY": server.token})


def be_child(do, url, store, n):
    from skactive.labeling.label_studio import LabelStudioBridge, _tasks

    _tasks._CHUNK_TASKS = 5  # why: an import of several requests can be interrupted
    with open_session(store, int(n)) as session:
        token = os.environ["LABEL_STUDIO_API_KEY"]
        bridge = LabelStudioBridge(session, url, token, title="Two kinds", n_ordered=20)
        if do == "push":
            bridge.push()
        else:
            with contextlib.suppress(KeyboardInterrupt):
                bridge.run(poll_seconds=0.5, tell=lambda line: say(f"    bridge: {line}"))


def kill_import(server, store, n):
    """Kill a bridge during its import, and the server during another one."""
    one = Annotator(server, server.token)

    def n_tasks():
        return sum(each["task_number"] or 0 for each in one.ask("GET", "/api/projects/")["results"])

    process = child(server, store, n, do="push")
    while n_tasks() < 20:
        time.sleep(0.01)
    process.kill()
    process.wait()
    after_bridge = n_tasks()
    process = child(server, store, n, do="push")
    while n_tasks() < after_bridge + 20:
        time.sleep(0.01)
    server.kill()
    time.sleep(1.0)
    server.start()
    check(process.wait() == 0, "the bridge did not survive the server's restart")
    return after_bridge, n_tasks()


def in_order(server, session, bridge, annotators, kinds):
    """Label three rounds and check the order in which tasks are served."""
    n_served = 0
    for _ in range(3):
        bridge.write_order()
        expected = session.peek(6)
        served = []
        for i in range(6):
            task = annotators[i % 2].next(bridge.project_id)
            served.append(task["data"]["id"])
            annotators[i % 2].answer(task["id"], [kinds[served[-1]]])
        check(served == expected, f"served {served}, the learner's order is {expected}")
        n_served += len(served)
        pulled = bridge.pull()
        check((pulled.n_labels, pulled.problems) == (6, {}), f"pulled {pulled}")
        check(bridge.pull().n_new == 0, "pulled twice")
        session.wait()
    return n_served


def label(annotators, project, kinds, n, *, skip_every=10):
    """Let annotators label the served tasks in turn; return their answers."""
    done = []
    while len(done) < n:
        who = annotators[len(done) % 2]
        task = who.next(project)
        check(task is not None, "no task was served")
        row = task["data"]["id"]
        skip = len(done) % skip_every == skip_every - 1
        who.answer(task["id"], [] if skip else [kinds[row]], skip=skip)
        done.append((row, None if skip else kinds[row]))
        time.sleep(0.1)
    return done


def until(what, seconds=60.0):
    began = time.monotonic()
    while not what():
        check(time.monotonic() - began < seconds, "waited in vain")
        time.sleep(0.2)


def label_and_kill(server, store, n, annotators, project, kinds):
    """Label while bridge and server are killed and restarted."""
    process = child(server, store, n, do="run")
    done = label(annotators, project, kinds, 15)
    process.kill()
    process.wait()
    done += label(annotators, project, kinds, 5)  # with no bridge there
    process = child(server, store, n, do="run")
    done += label(annotators, project, kinds, 10)
    server.kill()
    time.sleep(2.0)
    server.start()
    check(process.poll() is None, "the bridge did not survive the server's restart")
    done += label(annotators, project, kinds, 12)

    def n_events():
        with contextlib.closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as database:
            return database.execute(
                "SELECT count(*) FROM event WHERE kind IN ('label', 'skip')"
            ).fetchone()[0]

    until(lambda: n_events() >= 18 + len(done))
    process.send_signal(signal.SIGINT)
    process.wait()
    check(n_events() == 18 + len(done), f"{n_events()} answers are stored")
    return done


def compare(session, one, project):
    """Check that the session and Label Studio have the same answers."""
    query = f"/api/tasks/?project={project}&fields=all&page_size=1000"
    tasks = one.ask("GET", query)["tasks"]
    rows = Counter(task["data"]["id"] for task in tasks)
    check(set(rows.values()) == {1}, f"tasks that are there twice: {rows.most_common(3)}")
    people = {each["id"]: each["email"] for each in one.ask("GET", "/api/users/")}
    there = {
        (
            task["data"]["id"],
            people[each["completed_by"]],
            None if each["was_cancelled"] else each["result"][0]["value"]["choices"][0],
            each["lead_time"],
        )
        for task in tasks
        for each in task["annotations"]
    }
    here = {(r["id"], r["annotator"], r["label"], r["seconds"] or 2.5) for r in session.records()}
    check(here == there, f"only here {here - there}, only there {there - here}")
    return len(there)


def changes(session, bridge, one):
    """Change an annotation, delete one, and add one of an unknown class."""
    tasks = one.ask("GET", f"/api/tasks/?project={bridge.project_id}&fields=all&page_size=1000")
    labeled = [
        (task["data"]["id"], each)
        for task in tasks["tasks"]
        for each in task["annotations"]
        if not each["was_cancelled"]
    ]
    (first, changed), (second, deleted) = labeled[:2]
    label = changed["result"][0]["value"]["choices"][0]
    other = next(each for each in CLASSES if each != label)
    one.change(changed["id"], [other])
    one.delete(deleted["id"])
    untouched = next(task for task in tasks["tasks"] if not task["annotations"])
    one.answer(untouched["id"], ["zebra"])
    pulled = bridge.pull()
    check((pulled.n_changed, pulled.n_withdrawn) == (1, 1), f"changes: {pulled}")
    check(any("zebra" in text for text in pulled.problems.values()), f"problems: {pulled}")
    labels = {r["id"]: r["label"] for r in session.records() if r["kind"] == "label"}
    check(labels[first] == other, "the change did not arrive")
    check(second not in labels, "the deleted one is still there")
    session.add_class("zebra")
    check(bridge.pull().n_labels == 1, "the label of the new class did not arrive")
    bridge.write_order()
    config = one.ask("GET", f"/api/projects/{bridge.project_id}/")["label_config"]
    check('value="zebra"' in config, "the new class is not offered")


def figures(server, folder):
    """Measure the speed of pushing, ordering and pulling 2,000 rows."""
    n = 2000
    one = Annotator(server, server.token)
    with open_session(folder / "speed.db", n) as session:
        bridge = connect(session, server, n_ordered=n)
        session.peek()
        times = {}
        for name, work in (("push", bridge.push), ("order", bridge.write_order)):
            began = time.monotonic()
            check(work() == n, name)
            times[name] = n / (time.monotonic() - began)
        bridge.n_ordered = 50
        began = time.monotonic()
        bridge.write_order()  # and removes the scores of 2,000
        removed = time.monotonic() - began
        began = time.monotonic()
        bridge.write_order()
        fifty = time.monotonic() - began
        tasks = [several[0] for several in bridge._open().tasks.by_row.values()]
        began = time.monotonic()
        for task in tasks[:200]:
            one.answer(task, [CLASSES[0]])
        server_rate = 200 / (time.monotonic() - began)
        bridge.pull()  # the first
        for task in tasks[200:400]:
            one.answer(task, [CLASSES[0]])
        began = time.monotonic()
        n_new = bridge.pull().n_new
        rate = n_new / (time.monotonic() - began)
        check(n_new == 200, "pull")
        began = time.monotonic()
        bridge.pull()
        idle = time.monotonic() - began
    say(
        f"  push {times['push']:.0f} tasks/s, order {times['order']:.0f} rows/s (2,000), 50 rows "
        f"in {1000 * fifty:.0f} ms ({1000 * removed:.0f} ms with the removal of 2,000 old scores), "
        f"pull {rate:.0f} annotations/s, a poll {1000 * idle:.0f} ms; the server itself takes "
        f"{server_rate:.1f} annotations/s"
    )


def play(server, folder):
    n = 200
    kinds = make_texts(n)[1]
    store = folder / "labels.db"
    after_bridge, after_server = kill_import(server, store, n)
    say(f"  bridge killed at {after_bridge} tasks, server killed later: {after_server} at the end")
    one = Annotator(server, server.token)
    annotators = [one, Annotator(server, server.sign_up(EMAILS[1]))]
    with open_session(store, n) as session:
        bridge = connect(session, server, n_ordered=20)
        check(bridge.push() == 0, "rows were missing after the restarts")
        project = bridge.project_id
        n_served = in_order(server, session, bridge, annotators, kinds)
        say(f"  {n_served} of {n_served} tasks served in the learner's order, two annotators")
    done = label_and_kill(server, store, n, annotators, project, kinds)
    say(f"  {len(done)} answers while bridge and server were killed, each stored once")
    with open_session(store, n) as session:
        bridge = connect(session, server, n_ordered=20)
        bridge.pull()
        say(f"  {compare(session, one, project)} annotations there and here are the same")
        changes(session, bridge, one)
        say("  changed, deleted and foreign annotations are handled")
        everything, kinds_of_all = make_texts(n)
        progress = session.progress()
        known = [i for i in range(n) if kinds_of_all[i] in CLASSES]
        right = session.predict([everything[i] for i in known]) == np.array(kinds_of_all)
        say(
            f"  {progress.n_rounds} rounds, {progress.n_labeled} labels: {np.mean(right):.1%} right"
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--record", action="store_true", help="write the exchanges of the test")
    parser.add_argument("--program", type=Path, help="path of an installed label-studio")
    parser.add_argument("--child", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        be_child(*options.child)
        return
    folder = Path(tempfile.mkdtemp(prefix="skactive-label-studio-"))
    server = Server(options.program or find_program(), folder)
    try:
        seconds = server.start()
        about = Annotator(server, server.token).ask("GET", "/api/version")
        say(f"Label Studio {about['release']}, up after {seconds:.0f} s")
        if options.record:
            from test_exchanges import record  # late: tests are no package

            record(server, Annotator)
            say(f"  exchanges written to {EXCHANGES}")
        play(server, folder)
        figures(server, folder)
    finally:
        server.kill()
        shutil.rmtree(folder, ignore_errors=True)
    say("all checks passed")


if __name__ == "__main__":
    main()
