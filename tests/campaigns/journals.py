"""Damage what SQLite keeps beside a store whose process was killed.

    python tests/campaigns/journals.py [--flips 400] [--seed 0]

First the write-ahead log of a store of version 1. Its end may be lost, since nothing else shows
that it was there: such outcomes are counted as "tail lost". Then the rollback journal that a
process leaves when it is killed within a large transaction, whose pages are partly in the store.
"""

import os
import sqlite3
import sys
from collections import Counter
from contextlib import closing
from zlib import crc32

import numpy as np
from _stores import (
    PEOPLE,
    Tally,
    by_id,
    flip_bit,
    judge,
    judge_salvage,
    make_store,
    open_folder,
    parse_options,
    read_all,
    read_events,
    read_records,
    read_session,
    read_status,
)  # fmt: skip

from skactive.labeling import SQLiteLabelStore
from skactive.labeling.state._events import Event
from skactive.labeling.stores._rows import COLUMNS

OLD_SCHEMA = """
PRAGMA application_id = 0x534B4142;
PRAGMA user_version = 1;
CREATE TABLE event (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, item TEXT,
    annotator TEXT, value TEXT, ticket TEXT, target TEXT, seconds REAL, round INTEGER, score REAL,
    time REAL NOT NULL, checksum INTEGER NOT NULL
) STRICT;
CREATE TABLE fact (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TRIGGER no_update BEFORE UPDATE ON event
    BEGIN SELECT RAISE(ABORT, 'events are never changed'); END;
CREATE TRIGGER no_delete BEFORE DELETE ON event
    BEGIN SELECT RAISE(ABORT, 'events are never deleted'); END;
"""
KILLED = 77  # exit code of a process that stands for a killed one


def run_in_killed_process(work, *arguments):
    """Call a function in a process that then ends without closing anything."""
    sys.stdout.flush()
    if (child := os.fork()) == 0:
        try:
            work(*arguments)
            os._exit(KILLED)
        finally:
            os._exit(1)
    if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != KILLED:
        raise RuntimeError("the process that was to be killed failed")


# The write-ahead log of version 1 ---------------------------------------------------------------


def write_old_store(new, old):
    """Write a store of version 1 with the content of a new one; half of it is only in the log."""
    columns = ", ".join(COLUMNS)
    with closing(sqlite3.connect(new)) as connection:
        rows = connection.execute(f"SELECT seq, {columns} FROM event ORDER BY seq").fetchall()
        facts = connection.execute("SELECT name, value FROM fact").fetchall()
    connection = sqlite3.connect(old, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA wal_autocheckpoint=0")
    connection.executescript(OLD_SCHEMA)
    connection.executemany("INSERT INTO fact VALUES (?, ?)", facts)
    marks = ", ".join("?" * (len(COLUMNS) + 2))
    for position, *values in rows:
        checksum = crc32(
            repr(tuple(float(v) if isinstance(v, int) else v for v in values)).encode()
        )
        connection.execute(
            f"INSERT INTO event (seq, {columns}, checksum) VALUES ({marks})",
            (position, *values, checksum),
        )
        if position == len(rows) // 2:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def damage_log(path, n_flips, random, tally):
    """Flip bits of the log; return the numbers of outcomes and of events in the lost tails."""
    new = path.with_name("new.db")
    make_store(new)
    run_in_killed_process(write_old_store, new, path)
    log = path.with_name(f"{path.name}-wal")
    whole = log.read_bytes()
    readers = (read_events, read_session, read_records, read_status)
    expected = read_all(path, readers)
    if expected[0] != read_events(new):
        raise RuntimeError("the store of version 1 has another content")
    stored, salvaged = by_id(expected[0][0]), Counter()
    for _ in range(n_flips):
        place = random.randint(8 * len(whole))
        log.write_bytes(flip_bit(whole, place))
        outcome, description = judge(path, expected, readers)
        if outcome == "silent" and (n_lost := count_lost_tail(path, expected[0])):
            tally.counts["tail lost"] += 1
            tally.counts["events in lost tails"] += n_lost
        else:
            tally.add(outcome, f"log, bit {place}, {description}")
        outcome, n_events, description = judge_salvage(path, stored)
        salvaged["events"] += n_events
        if outcome in {"silent", "raw"}:
            tally.add(outcome, f"log, bit {place}, {description}")
    salvaged["possible"] = n_flips * sum(event.kind != "plan" for event in stored.values())
    return salvaged


def count_lost_tail(path, expected):
    """Return how many of the last events are missing; 0 if anything else differs."""
    ((events, found, facts),) = read_all(path, [read_events])
    whole, _, whole_facts = expected
    is_beginning = events == whole[: len(events)] == found and facts == whole_facts
    return len(whole) - len(events) if is_beginning else 0


# The journal of version 2 -----------------------------------------------------------------------


def begin_large_transaction(path, events):
    """Store events in a transaction so large that pages are written before its end."""
    store = SQLiteLabelStore(path)
    store._connection.execute("PRAGMA cache_size=8")
    with store.exclusive():
        store.append(events)
        os._exit(KILLED)


def damage_journal(path, n_flips, random, tally):
    """Flip bits of the journal, and cut it off; return the number of salvaged events."""
    make_store(path)
    whole_store, expected = path.read_bytes(), read_all(path)
    more = [
        Event("label", f"more-{i}", f"row-{i}", PEOPLE[i % 3], "yes", seconds=1.0, time=9.0)
        for i in range(400)
    ]
    run_in_killed_process(begin_large_transaction, path, more)
    journal = path.with_name(f"{path.name}-journal")
    whole = journal.read_bytes()
    if path.read_bytes() == whole_store or not any(whole[:8]):
        raise RuntimeError("the journal is not hot")
    if (outcome := judge(path, expected)) != ("harmless", ""):
        raise RuntimeError(f"the journal is not rolled back: {outcome}")
    stored, salvaged = by_id(expected[0][0]) | {event.id: event for event in more}, Counter()
    for number in range(2 * n_flips):
        place = random.randint(8 * len(whole))
        is_flip = number % 2
        journal.write_bytes(flip_bit(whole, place) if is_flip else whole[: place // 8])
        what = f"journal, {'bit' if is_flip else 'cut at byte'} {place if is_flip else place // 8}"
        outcome, description = judge(path, expected)
        tally.add(outcome, f"{what}, {description}")
        if outcome == "noticed":
            outcome, n_events, description = judge_salvage(path, stored)
            salvaged["events"] += n_events
            salvaged["stores"] += 1
            if outcome in {"silent", "raw"}:
                tally.add(outcome, f"{what}, {description}")
    return salvaged


def run_campaign(n_flips, seed):
    """Damage a log and a journal."""
    random = np.random.RandomState(seed)
    tally = Tally("flips of a -wal of version 1")
    with open_folder() as folder:
        salvaged = damage_log(folder / "labels.db", n_flips, random, tally)
    tally.report(n_flips, salvaged=salvaged)
    tally = Tally("flips and cuts of a hot -journal")
    with open_folder() as folder:
        salvaged = damage_journal(folder / "labels.db", n_flips, random, tally)
    tally.report(2 * n_flips, salvaged=salvaged)


if __name__ == "__main__":
    options = parse_options(__doc__, flips=400)
    run_campaign(options.flips, options.seed)
