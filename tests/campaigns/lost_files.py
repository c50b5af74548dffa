"""Move, delete, replace or overwrite a store while processes label, and copy it.

    python tests/campaigns/lost_files.py [--trials 20] [--copies 200] [--seed 0]

Each process has to stop with an error; all answers that were acknowledged have to be in the store,
in one that its error names, or lost by an error that says so. A copy that is made at any moment has
all answers that were acknowledged before, or is noticed to be torn.
"""

import random
import re
import shutil
import time
from contextlib import closing
from pathlib import Path

from _stores import Tally, get_truth, make_store, open_folder, open_session, parse_options
from _workers import (
    OPTIONS,
    read_acknowledged,
    read_answers,
    read_errors,
    start_workers,
    wait_for,
    wait_until_ready,
)  # fmt: skip

from skactive.exceptions import StoreError
from skactive.labeling import SQLiteLabelStore

N_PROCESSES = 4
PATIENCE = 3.0  # seconds until a process that notices nothing is stopped


def move(path, other):
    path.rename(path.with_name("moved.db"))


def delete(path, other):
    path.unlink()


def replace(path, other):
    other.replace(path)


def overwrite(path, other):
    shutil.copyfile(other, path)


def overwrite_with_older(path, other):
    """Write an older copy of the same store over it."""
    overwrite(path, path.with_name("older.db"))


ACCIDENTS = (move, delete, replace, overwrite, overwrite_with_older)


def try_accident(accident, folder, rng, tally):
    """Let an accident happen to a store, and judge what the processes and the files say."""
    path, other = folder / "labels.db", folder / "other.db"
    make_store(other, n_labels=rng.randint(1, 60))
    with closing(SQLiteLabelStore(other)) as store:
        events_of_other = store.events()
    workers = start_workers(folder, N_PROCESSES)
    wait_until_ready(folder, N_PROCESSES)
    time.sleep(rng.uniform(0, 0.2))
    back_up(path, path.with_name("older.db"))
    time.sleep(rng.uniform(0, 0.3))
    accident(path, other)
    if accident is replace:  # a journal of the old file may still be beside the new one
        check_other(path, events_of_other, tally)
    began = time.perf_counter()
    while len(read_errors(folder)) < N_PROCESSES and time.perf_counter() - began < PATIENCE:
        time.sleep(0.01)
    (folder / "stop").touch()
    wait_for(workers)
    judge_accident(accident.__name__, folder, tally)


def back_up(path, copy):
    with closing(SQLiteLabelStore(path, read_only=True)) as store:
        store.backup(copy)


def check_other(path, expected, tally):
    try:
        with closing(SQLiteLabelStore(path, read_only=True)) as store:
            if store.events() != expected:
                tally.add("silent", "the file that replaced the store has other events")
    except StoreError:
        tally.counts["damaged by a journal"] += 1


def judge_accident(name, folder, tally):
    """Add the outcome: all answers are in the store, or in the files of errors, or announced."""
    errors, raw = read_errors(folder), read_errors(folder, "raw")
    if raw:
        tally.add("raw", f"{name}: {raw}")
        return
    acknowledged = read_acknowledged(folder)
    given = {(person, row) for person, notes in acknowledged.items() for row, _ in notes}
    present, damage = find_answers(folder / "labels.db")
    for error in errors.values():
        present = present | find_named_answers(error)
    n_unaware = N_PROCESSES - len(errors)
    tally.counts["processes without an error"] += n_unaware
    missing = given - present
    announced = "was overwritten" in damage + str(errors) or "is damaged" in damage + str(errors)
    if not missing:
        tally.add("noticed" if errors else "harmless")
    elif announced and (damage or {person for person, _ in missing} <= errors.keys()):
        tally.counts["answers overwritten"] += len(missing)
        tally.add("noticed")
    else:
        tally.add("lost", f"{name}: {len(missing)} of {len(given)} answers, {errors}, {damage}")


def find_answers(path):
    """Return the answers in a store, and the error if it cannot be read."""
    if not path.exists():
        return set(), ""
    try:
        return set(read_answers(path)), ""
    except StoreError as error:
        return set(), str(error)


def find_named_answers(error):
    """Return the answers in the store that an error names."""
    named = re.search(r"labels before (?:are in|were copied to) (.*?\.db)", error)
    return find_answers(Path(named[1]))[0] if named else set()


def copy_often(folder, n_copies, rng, tally):
    """Copy a store while processes write; judge each copy."""
    path, copy = folder / "labels.db", folder / "copy.db"
    workers, n_started = start_workers(folder, N_PROCESSES), N_PROCESSES
    wait_until_ready(folder, n_started)
    for _ in range(n_copies):
        time.sleep(rng.uniform(0, 0.02))
        acknowledged = read_acknowledged(folder)
        shutil.copyfile(path, copy)
        given = {(person, row) for person, notes in acknowledged.items() for row, _ in notes}
        tally.add(*judge_copy(copy, given))
        for file in folder.glob("copy.db*"):
            file.unlink()
    (folder / "stop").touch()
    wait_for(workers)
    if problems := read_errors(folder) | read_errors(folder, "raw"):
        tally.add("raw", f"workers: {problems}")


def judge_copy(copy, given):
    """Return the outcome of a copy, and a description."""
    try:
        session = open_session(copy, **OPTIONS)
    except StoreError:
        return "noticed", ""
    except Exception as error:
        return "raw", repr(error)
    records = session.records()
    session.close()
    found = {(record["annotator"], record["id"]): record["label"] for record in records}
    if wrong := [row for (_, row), label in found.items() if label != get_truth(row)]:
        return "silent", f"{wrong} have other labels"
    missing = given - found.keys()
    return ("silent", f"{len(missing)} answers are missing") if missing else ("harmless", "")


def run_campaign(n_trials, n_copies, seed):
    """Let all accidents happen, then copy."""
    rng, tally = random.Random(seed), Tally("moved, deleted, replaced, overwritten")
    for trial in range(n_trials):
        with open_folder() as folder:
            try_accident(ACCIDENTS[trial % len(ACCIDENTS)], folder, rng, tally)
    tally.report(n_trials)
    tally = Tally("copies while 4 processes write")
    with open_folder() as folder:
        copy_often(folder, n_copies, rng, tally)
    tally.report(n_copies)


if __name__ == "__main__":
    options = parse_options(__doc__, trials=40, copies=200)
    run_campaign(options.trials, options.copies, options.seed)
