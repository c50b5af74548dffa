"""Processes that label one pool, and note each answer once it was acknowledged."""

from __future__ import annotations

import os
import random
import sys
import time
from contextlib import closing

from _stores import get_truth, open_session

from skactive.exceptions import StoreError
from skactive.labeling import SQLiteLabelStore
from skactive.strategies import Random

OPTIONS = {"n_rows": 10_000, "strategy": Random(), "refit_every": 500, "n_ahead": 500}


def start_workers(folder, n_processes, **options):
    """Start processes that label until a file named stop appears; return their ids."""
    options = OPTIONS | options
    open_session(folder / "labels.db", **options).close()
    sys.stdout.flush()
    return [_start(folder, f"person {number}", options) for number in range(n_processes)]


def _start(folder, name, options):
    if child := os.fork():
        return child
    try:
        _label(folder, name, options)
    except StoreError as error:
        (folder / f"{name}.error").write_text(str(error))
    except BaseException as error:
        (folder / f"{name}.raw").write_text(repr(error))
    os._exit(0)


def _label(folder, name, options):
    rng = random.Random(name)
    notes = os.open(folder / f"{name}.acknowledged", os.O_CREAT | os.O_APPEND | os.O_WRONLY)
    session = open_session(folder / "labels.db", **options)
    while batch := session.next_batch(rng.randint(1, 5), name):
        for row in batch.ids:
            began = time.perf_counter()
            session.submit({row: get_truth(row)}, ticket=batch.ticket, annotator=name)
            os.write(notes, f"{row} {time.perf_counter() - began}\n".encode())
            (folder / f"{name}.ready").touch()
            if (folder / "stop").exists():
                session.close()
                return


def wait_until_ready(folder, n_processes):
    """Wait until all workers label."""
    while len([*folder.glob("*.ready"), *folder.glob("*.raw")]) < n_processes:
        time.sleep(0.005)


def wait_for(workers):
    """Wait for processes to end."""
    for worker in workers:
        os.waitpid(worker, 0)


def read_acknowledged(folder):
    """Return the rows that each worker noted, and the seconds that each answer took."""
    return {
        file.stem: [(row, float(seconds)) for row, seconds in map(str.split, _read_lines(file))]
        for file in sorted(folder.glob("*.acknowledged"))
    }


def _read_lines(file):
    return file.read_text().rpartition("\n")[0].splitlines()


def read_errors(folder, suffix="error"):
    """Return the errors of the workers, by name."""
    return {file.stem: file.read_text() for file in sorted(folder.glob(f"*.{suffix}"))}


def read_answers(path):
    """Return the answers in a store: pairs of annotator and row."""
    with closing(SQLiteLabelStore(path)) as store:
        return [(event.annotator, event.item) for event in store.events() if event.kind == "label"]
