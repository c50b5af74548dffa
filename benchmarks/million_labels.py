"""Measure the time and the memory that a session over a million labels takes to open.

    python benchmarks/million_labels.py --labels 1000000

One process stores the labels, 20,000 per call, and is ended without closing its session. Others
open the store: with the state that was saved last, and without it, as after other settings.
"""

from __future__ import annotations

import argparse
import os
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

import numpy as np
from sklearn.naive_bayes import GaussianNB

from skactive import ActiveLearner
from skactive.labeling import LabelingSession
from skactive.strategies import Margin

CLASSES = [f"class {i}" for i in range(5)]


def open_session(path: Path, n_rows: int) -> LabelingSession:
    X = np.random.RandomState(0).normal(size=(n_rows, 4)).astype(np.float32)
    ids = [f"row-{i}" for i in range(n_rows)]
    before = read_memory()
    began = time.perf_counter()
    session = LabelingSession(
        ActiveLearner(GaussianNB(), Margin()),
        X,
        ids=ids,
        store=path,
        classes=CLASSES,
        background=False,
        random_state=0,
    )
    print(
        f"{session.progress().n_labeled:,} labels: {time.perf_counter() - began:.1f} s, "
        f"{read_memory():.0f} MB at most, {before:.0f} MB of them before",
        flush=True,
    )
    return session


def read_memory() -> float:
    """Return the largest resident set so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


def fill(path: Path, n_rows: int) -> None:
    session = open_session(path, n_rows)
    for start in range(0, n_rows, 20_000):
        rows = range(start, min(start + 20_000, n_rows))
        session.submit({f"row-{i}": CLASSES[i % 5] for i in rows}, annotator="ann")
    os._exit(0)  # as if it were killed


def forget_state(path: Path) -> None:
    """Delete the state that sessions save, so that the next one reads all events."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DELETE FROM snapshot WHERE name = 'state'")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--labels", type=int, default=1_000_000)
    parser.add_argument("--step", choices=["fill", "open"])
    parser.add_argument("--store", type=Path)
    options = parser.parse_args()
    if options.step == "fill":
        fill(options.store, options.labels)
    elif options.step == "open":
        open_session(options.store, options.labels).close()
    else:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "labels.db"
            run_step("fill", path, options.labels)
            run_step("open", path, options.labels)
            forget_state(path)
            run_step("open", path, options.labels)
            print(f"{path.stat().st_size / 1e6:.0f} MB on disk")


def run_step(step: str, path: Path, n_labels: int) -> None:
    command = [sys.executable, __file__, "--step", step, "--store", path, "--labels", n_labels]
    subprocess.run([str(part) for part in command], check=True)


if __name__ == "__main__":
    main()
