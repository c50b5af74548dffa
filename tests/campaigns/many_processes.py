"""Label one pool in several processes at once, and measure.

    python tests/campaigns/many_processes.py [--processes 8] [--duration 60] [--warmup 2]

All acknowledged answers have to be in the store, each once. The seconds of an answer include the
wait for the disk, so the files are on a disk, not in memory.
"""

import os
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np
from _stores import Tally, parse_options
from _workers import (
    read_acknowledged,
    read_answers,
    read_errors,
    start_workers,
    wait_for,
    wait_until_ready,
)


def run_campaign(n_processes, duration, warmup):
    """Let processes label for some seconds; print throughput and latency."""
    tally = Tally("many processes")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        workers = start_workers(folder, n_processes, n_rows=1000 * (warmup + duration + 1))
        wait_until_ready(folder, n_processes)
        time.sleep(warmup)
        n_before, began = count(folder), time.perf_counter()
        time.sleep(duration)
        per_second = (count(folder) - n_before) / (time.perf_counter() - began)
        (folder / "stop").touch()
        wait_for(workers)
        problems = read_errors(folder) | read_errors(folder, "raw")
        acknowledged = read_acknowledged(folder)
        given = Counter((p, row) for p, notes in acknowledged.items() for row, _ in notes)
        found = Counter(read_answers(folder / "labels.db"))
    for problem in problems.items():
        tally.add("raw", str(problem))
    for one in given - found:
        tally.add("lost", str(one))
    for row, n in Counter(row for _, row in found).items():
        if n > 1:
            tally.add("silent", f"{row} was labeled {n} times")
    seconds = [second for notes in acknowledged.values() for _, second in notes]
    milliseconds = {
        "median": np.median(seconds), "p99": np.quantile(seconds, 0.99), "max": np.max(seconds)
    }  # fmt: skip
    tally.report(
        len(seconds),
        processes=n_processes,
        answers_per_second=round(per_second, 1),
        ms={name: round(1000 * value, 1) for name, value in milliseconds.items()},
        load=os.getloadavg()[0],
    )


def count(folder):
    """Return the number of acknowledged answers."""
    return sum(file.read_bytes().count(b"\n") for file in folder.glob("*.acknowledged"))


if __name__ == "__main__":
    options = parse_options(__doc__, processes=8, duration=60, warmup=2)
    run_campaign(options.processes, options.duration, options.warmup)
