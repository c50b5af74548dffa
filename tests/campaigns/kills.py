"""Check that no answer is lost when processes that label one pool are killed at random.

    python tests/campaigns/kills.py --items 2000 --processes 4 --kills 20 --seeds 6

Each worker writes an answer to its own file once the session has acknowledged it. At the end, all
these answers must be in the store, once and unchanged; all rows must be labeled; and two sessions
opened one after the other must ask for the same rows next, also before all rows are labeled.
"""

import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np
from _stores import Tally, parse_options
from sklearn.naive_bayes import GaussianNB

from skactive import ActiveLearner
from skactive.labeling import LabelingSession
from skactive.strategies import Margin


def open_session(folder, n_items):
    X = np.random.RandomState(0).normal(size=(n_items, 4))
    session = LabelingSession(
        ActiveLearner(GaussianNB(), Margin()),
        X,
        ids=[f"row-{i}" for i in range(n_items)],
        store=folder / "labels.db",
        refit_every=25,
        n_ahead=50,
        random_state=0,
    )
    return session, {f"row-{i}": f"class-{int(row[0] > 0)}" for i, row in enumerate(X)}


def work(folder, name, n_items):
    """Label all rows one by one, in batches of random size."""
    session, truth = open_session(folder, n_items)
    rng = random.Random(time.time())
    with (folder / f"{name}.acknowledged").open("a") as notes:
        while batch := session.next_batch(rng.randint(1, 6), name):
            for ident in batch.ids:
                session.submit({ident: truth[ident]}, ticket=batch.ticket, annotator=name)
                print(ident, file=notes, flush=True)
                time.sleep(rng.uniform(0, 0.02))  # a person takes longer
    session.close()


def start(folder, name, n_items):
    return subprocess.Popen([sys.executable, __file__, "--worker", folder, name, str(n_items)])


def play(folder, n_items, n_processes, n_kills, seed):
    """Start workers, and kill and restart some of them."""
    rng = random.Random(seed)
    open_session(folder, n_items)[0].close()
    names = [f"annotator-{i}" for i in range(n_processes)]
    workers = {name: start(folder, name, n_items) for name in names}
    moments = sorted(rng.sample(range(n_items * 9 // 10), n_kills))
    for number, n_answers in enumerate(moments, 1):
        while count_noted(folder) < n_answers:
            time.sleep(0.002)
        name = rng.choice([name for name in names if workers[name].poll() is None] or names)
        workers[name].send_signal(signal.SIGKILL)
        workers[name].wait()
        workers[name] = start(folder, name, n_items)
        if number % 5 == 0:
            check_same_next(folder, n_items)
    if any(worker.wait() for worker in workers.values()):
        raise SystemExit("a worker failed")


def count_noted(folder):
    return sum(file.read_bytes().count(b"\n") for file in folder.glob("*.acknowledged"))


def check_same_next(folder, n_items):
    """Check that two sessions ask for the same rows, on a copy: the workers change the store."""
    session, _ = open_session(folder, n_items)
    copy = folder / "copy"
    copy.mkdir(exist_ok=True)
    (copy / "labels.db").unlink(missing_ok=True)
    session.store.backup(copy / "labels.db")
    session.close()
    asked = []
    for _ in range(2):
        session, _ = open_session(copy, n_items)
        session.wait()
        asked.append(session.peek(20))
        session.close()
    if asked[0] != asked[1]:
        raise SystemExit(f"after opening again others are next: {asked}")


def judge(folder, n_items, tally):
    """Add what is lost or wrong in the store; return counts."""
    session, truth = open_session(folder, n_items)
    records = session.records()
    session.close()
    noted = [line for f in folder.glob("*.acknowledged") for line in f.read_text().split()]
    found = Counter(record["id"] for record in records)
    for ident in noted:
        if not found[ident]:
            tally.add("lost", ident)
    for ident, count in found.items():
        if count > 1:
            tally.add("silent", f"{ident} is there {count} times")
    for record in records:
        if record["label"] != truth[record["id"]]:
            tally.add("silent", f"another label: {record}")
    return Counter(acknowledged=len(noted), labeled=len(found))


def run_campaign(n_items, n_processes, n_kills, n_seeds, seed):
    """Kill processes, with several seeds."""
    tally, counts = Tally("kills"), Counter()
    for number in range(seed, seed + n_seeds):
        with tempfile.TemporaryDirectory() as name:
            play(Path(name), n_items, n_processes, n_kills, number)
            counts += judge(Path(name), n_items, tally)
    tally.report(n_kills * n_seeds, **counts)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--worker"]:
        work(Path(sys.argv[2]), sys.argv[3], int(sys.argv[4]))
    else:
        options = parse_options(__doc__, items=2000, processes=4, kills=20, seeds=6)
        run_campaign(options.items, options.processes, options.kills, options.seeds, options.seed)
