"""Stores to damage, all that can be read of one, and the outcome of a damage.

silent     other labels, annotators, facts or audit rows than were stored, without a word
raw        an error that is not a StoreError, or a command that ends in a traceback
noticed    an error of one line
harmless   all that was stored, as it was
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import random
import tempfile
import time
import warnings
from collections import Counter
from contextlib import closing, contextmanager
from pathlib import Path
from unittest.mock import patch

import numpy as np
from sklearn.naive_bayes import GaussianNB

from skactive import ActiveLearner
from skactive.cli import main as run_command
from skactive.exceptions import PoolChangedError, SkactiveWarning, StoreError
from skactive.labeling import LabelingSession, SQLiteLabelStore
from skactive.labeling.stores import salvage_store
from skactive.strategies import Margin

OUTCOMES = ("lost", "silent", "raw", "noticed", "harmless")
PEOPLE = ("ann", "Bärbel", "李雷", None)
_KINDS_OF_ANSWERS = ("label", "skip", "unknown")


# Making stores ----------------------------------------------------------------------------------


def open_session(path, n_rows=400, strategy=None, **options):
    """Open a session on a pool of random numbers; rows are called row-0, row-1 and so on."""
    options = {
        "audit_share": 0.1, "refit_every": 25, "n_ahead": 100, "lease_seconds": 1e9,
        "background": False, "random_state": 0,
    } | options  # fmt: skip
    X = np.random.RandomState(0).normal(size=(n_rows, 4))
    ids = [f"row-{i}" for i in range(n_rows)]
    learner = ActiveLearner(GaussianNB(), strategy or Margin())
    return LabelingSession(learner, X, ids=ids, store=path, **options)


def get_truth(row):
    """Return the right label of a row."""
    return ("yes", "no", "perhaps")[int(row.removeprefix("row-")) % 3]


def label(session, n_labels, seed):
    """Give labels in all ways: several people, skips, undos, changed labels, renamed classes."""
    rng, n = random.Random(seed), 0
    while n < n_labels:
        person = rng.choice(PEOPLE)
        batch = session.next_batch(rng.randint(1, 6), person)
        for row in batch.ids:
            about = {"ticket": batch.ticket, "annotator": person}
            match rng.choices(["label", "skip", "unknown"], [20, 1, 1])[0]:
                case "skip":
                    session.skip([row], **about)
                case "unknown":
                    session.mark_unknown([row], **about)
                case _:
                    key = f"key-{n}" if n % 3 == 0 else None
                    seconds = rng.uniform(0.5, 9)
                    session.submit({row: get_truth(row)}, seconds=seconds, key=key, **about)
                    n += 1
        if rng.random() < 0.2:
            session.undo(person)
        if rng.random() < 0.2 and batch.ids:
            session.relabel({rng.choice(batch.ids): "no"}, annotator=rng.choice(PEOPLE))
        if rng.random() < 0.05:
            session.add_class(f"class {n}")
    if "perhaps" in session.classes:  # not with every seed of a few labels
        session.rename_class("perhaps", "maybe")
    session.next_batch(3, "ann")  # a lease that stays open
    session.wait()


def make_store(path, n_labels=300, seed=0):
    """Make a store with some labels, and no plan that is due."""
    with tempfile.TemporaryDirectory() as folder:
        session = open_session(Path(folder) / "labels.db")
        label(session, n_labels, seed)
        session.store.backup(path)
        session.close()


@contextmanager
def save_often(n_events=50):
    """Let sessions save their state after a few events."""
    with patch("skactive.labeling._synced._SAVE_EVERY", n_events):
        yield


@contextmanager
def open_folder():
    """Yield a temporary folder, in memory where there is one: nothing has to reach a disk."""
    memory = Path("/dev/shm")
    place = memory if os.access(memory, os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=place) as name:
        yield Path(name)


# Reading all of a store -------------------------------------------------------------------------


def read_events(path):
    """Return the events, each also found by its id, and the facts."""
    with closing(SQLiteLabelStore(path)) as store:
        events = store.events()
        found = [store.find_event(event.id) for event in events]
        return events, found, store._facts.read()


def read_session(path):
    """Return what a session shows."""
    session = open_session(path)
    try:
        state = session._synced.state
        return {
            "seed": session.seed,
            "audit": sorted(session.audit_ids),
            "progress": session.progress(),
            "classes": session.classes,
            "labels": sorted(state.iter_labels()),
            "next": session.peek(20, "ann"),
        }
    finally:
        session.close()


def read_records(path):
    """Return the answers that a session shows, which it reads event by event."""
    session = open_session(path)
    try:
        return session.records(), session.rounds
    finally:
        session.close()


def read_status(path):
    """Return what ``skactive status --json`` prints."""
    return json.loads(run_cleanly("status", str(path), "--json"))


def read_export(path):
    """Return the content of the file that ``skactive export`` writes."""
    output = path.with_suffix(".out.jsonl")
    try:
        run_cleanly("export", str(path), str(output))
        return output.read_text(encoding="utf-8")
    finally:
        output.unlink(missing_ok=True)


READERS = (read_events, read_session, read_records, read_status, read_export)


def run_cleanly(*arguments):
    """Run a command, and return its output; one line of error becomes a StoreError."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = run_command(list(arguments))
    if not code:
        return out.getvalue()
    message = err.getvalue()
    if code != 2 or not message.startswith("skactive: ") or message.count("\n") != 1:
        raise RuntimeError(f"not one line of error, code {code}: {message}")
    raise StoreError(message.rstrip("\n"))


# Judging ----------------------------------------------------------------------------------------


def read_all(path, readers=READERS):
    """Return what each reader gets from a store of its own, whole copies of one file."""
    return [reader(_copy(path)) for reader in readers]


def judge(path, expected, readers=READERS):
    """Return the worst outcome among the readers, and a description of it."""
    outcomes = [
        _judge_reader(reader, _copy(path), content)
        for reader, content in zip(readers, expected, strict=True)
    ]
    order = ["silent", "raw", "noticed", "harmless"]
    return min(outcomes, key=lambda outcome: order.index(outcome[0]))


def _copy(path):
    """Return a new copy of a store and of what is beside it, under one name for all readers."""
    copy = path.with_name("copy.db")
    for suffix in ("", "-journal", "-wal", "-shm"):
        Path(f"{copy}{suffix}").unlink(missing_ok=True)
        if Path(f"{path}{suffix}").exists():
            Path(f"{copy}{suffix}").write_bytes(Path(f"{path}{suffix}").read_bytes())
    return copy


def _judge_reader(reader, path, expected):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            found = reader(path)
        except (StoreError, PoolChangedError) as error:
            is_clear = "\n" not in str(error) and len(str(error)) > 20
            return "noticed" if is_clear else "raw", f"{reader.__name__}: {error!r}"
        except Exception as error:
            return "raw", f"{reader.__name__}: {error!r}"
    if found == expected:
        return "harmless", ""
    said = [str(w.message) for w in caught if issubclass(w.category, SkactiveWarning)]
    return "noticed" if said else "silent", f"{reader.__name__}: {said or 'other content'}"


def judge_salvage(path, stored):
    """Salvage a store; return the outcome, the number of events, and a description.

    Parameters
    ----------
    path : Path
        The store.
    stored : dict of str to Event
        The events that were stored, by id, without their positions.
    """
    output = path.with_name("salvaged.db")
    output.unlink(missing_ok=True)
    try:
        salvage_store(path, output)
    except StoreError as error:
        return "noticed", 0, f"salvage: {error!r}"
    except Exception as error:
        return "raw", 0, f"salvage: {error!r}"
    with closing(SQLiteLabelStore(output)) as store:
        events = store.events()
    for event in events:
        if event._replace(seq=0) != stored.get(event.id):
            return "silent", len(events), f"salvage: {event} was not stored"
    return "harmless", len(events), ""


def flip_bit(content, position):
    """Return bytes with one bit flipped."""
    changed = bytearray(content)
    changed[position // 8] ^= 1 << (position % 8)
    return bytes(changed)


def by_id(events):
    """Return events by id, without their positions."""
    return {event.id: event._replace(seq=0) for event in events}


# Reporting --------------------------------------------------------------------------------------


class Tally:
    """Counts of outcomes, and the first descriptions of those that are faults."""

    def __init__(self, name):
        self.counts, self.faults = Counter(dict.fromkeys(OUTCOMES, 0)), []
        self._name, self._began = name, time.perf_counter()

    def add(self, outcome, description=""):
        """Count an outcome."""
        self.counts[outcome] += 1
        if outcome in OUTCOMES[:3]:
            self.faults.append(description)

    def report(self, n, **more):
        """Print a line of JSON; leave with an error if there was a fault."""
        seconds = round(time.perf_counter() - self._began, 1)
        line = {"campaign": self._name, "n": n, **self.counts, **more, "seconds": seconds}
        print(json.dumps(line | {"faults": self.faults[:10]} if self.faults else line), flush=True)
        if self.faults:
            raise SystemExit(1)


def parse_options(description, **defaults):
    """Return the options of a script, which are integers."""
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    for name, value in defaults.items():
        parser.add_argument(f"--{name}", type=int, default=value, help="default: %(default)s")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()
