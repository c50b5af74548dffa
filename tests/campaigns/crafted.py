"""Change a store by SQL, with checksums that fit, as somebody may who means harm, and open it.

    python tests/campaigns/crafted.py [--stores 1000] [--seed 0]

Checksums find accidents; they cannot find what was written with the store's own functions. Then a
session and the commands have to show what the events say, or end with an error of one line. The
events are replayed by brute force to know what they say.
"""

import io
import json
import random
import sqlite3
import warnings
import zlib
from contextlib import closing, suppress
from unittest.mock import patch

from _stores import (
    Tally,
    make_store,
    open_folder,
    open_session,
    parse_options,
    run_cleanly,
    save_often,
)  # fmt: skip

from skactive.exceptions import SkactiveError, StoreError
from skactive.labeling import SQLiteLabelStore
from skactive.labeling.state._codes import get_classes, replace_class
from skactive.labeling.state._state import SessionState
from skactive.labeling.stores import salvage_store
from skactive.labeling.stores._rows import COLUMNS, chain_rows

ODD_VALUES = (
    None, True, False, 0, -1, 3, 10**30, -(2**63), 1e308, float("nan"), float("inf"), "",
    "x" * 3000, "\ud800", "\x1b[2Jline\nline", "row-1", "yes", [], {}, [[]], [None], ["yes", 1],
    [["row-1"]], {"items": []}, {"ids": None}, {"yes": "no"}, "1970-01-01",
)  # fmt: skip
ODD_TEXTS = ("", "{", "nul", "1 2", "[" * 5000, "'", b"\xff\xfe", b"{}", 7, 1.5, "NaN", "-", '"a"')
KINDS = (
    "label", "skip", "unknown", "undo", "lease", "release", "class", "rename", "plan", "pool",
    "settle", "__init__", "", "LABEL",
)  # fmt: skip
TRIGGERS = {
    "no_update": "UPDATE ON event BEGIN SELECT RAISE(ABORT, 'events are never changed'); END",
    "no_delete": "DELETE ON event BEGIN SELECT RAISE(ABORT, 'events are never deleted'); END",
}
FACTS = ("pool", "seed", "campaign", "pool 1", "rows 1", "files 1", "copies 1", "x")


# Changing stores --------------------------------------------------------------------------------


def craft(path, rng):
    """Change a store in a few ways, and compute checksums that fit."""
    is_loose = rng.random() < 0.2
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for trigger in TRIGGERS:
            connection.execute(f"DROP TRIGGER {trigger}")
        if is_loose:  # tables that take values of all types
            connection.execute("PRAGMA writable_schema=ON")
            for text in (" STRICT", " NOT NULL", " TEXT"):
                connection.execute("UPDATE sqlite_schema SET sql = replace(sql, ?, '')", [text])
            connection.execute("PRAGMA schema_version=99")
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        n_changes = rng.choice([1, 1, 1, 2, 3])
        while n_changes > 0:
            with suppress(sqlite3.Error, zlib.error, OverflowError, RecursionError, UnicodeError):
                rng.choice(CHANGES)(connection, rng)  # not all are possible in each store
                n_changes -= 1
        if rng.random() < 0.95:
            chain_again(connection)
        for trigger, statement in TRIGGERS.items():
            with suppress(sqlite3.Error):
                connection.execute(f"CREATE TRIGGER {trigger} BEFORE {statement}")


def pick(connection, table, rng):
    """Return the position of a random row."""
    rows = connection.execute(f"SELECT rowid FROM {table}").fetchall()
    return rng.choice(rows)[0] if rows else 0


def change_field(connection, rng):
    column = rng.choice(COLUMNS)
    value = rng.choice(
        [*ODD_TEXTS, None, -1, 10**12, -1.5, "row-1", "ann", "yes", '"row-1"', '"yes"']
    )
    connection.execute(
        f"UPDATE event SET {column} = ? WHERE rowid = ?", (value, pick(connection, "event", rng))
    )


def change_kind(connection, rng):
    row = pick(connection, "event", rng)
    connection.execute("UPDATE event SET kind = ? WHERE rowid = ?", (rng.choice(KINDS), row))


def change_json(connection, rng):
    kinds = [kind for (kind,) in connection.execute("SELECT DISTINCT kind FROM event")]
    rows = connection.execute("SELECT rowid FROM event WHERE kind = ?", [rng.choice(kinds)])
    row, column = rng.choice(rows.fetchall())[0], rng.choice(["value", "value", "item"])
    query = f"SELECT {column} FROM event WHERE rowid = ?"
    text = connection.execute(query, [row]).fetchone()[0]
    connection.execute(
        f"UPDATE event SET {column} = ? WHERE rowid = ?", (change_text(text, rng), row)
    )


def change_fact(connection, rng):
    row = pick(connection, "fact", rng)
    text = connection.execute("SELECT value FROM fact WHERE rowid = ?", [row]).fetchone()[0]
    connection.execute("UPDATE fact SET value = ? WHERE rowid = ?", (change_text(text, rng), row))


def add_fact(connection, rng):
    value = rng.choice([*ODD_TEXTS, *map(json.dumps, ODD_VALUES)])
    name = rng.choice(FACTS)
    connection.execute("DELETE FROM fact WHERE name = ?", [name])
    if rng.random() < 0.8:
        connection.execute(
            "INSERT INTO fact (checksum, name, value) VALUES (0, ?, ?)", (name, value)
        )


def change_text(text, rng):
    """Return a JSON text with another value somewhere in it."""
    if rng.random() < 0.1 or not isinstance(text, str):
        return rng.choice(ODD_TEXTS)
    try:
        return json.dumps(change_value(json.loads(text), rng))
    except ValueError:
        return rng.choice(ODD_TEXTS)


def change_value(value, rng):
    if isinstance(value, dict) and value and rng.random() < 0.85:
        key = rng.choice(list(value))
        if rng.random() < 0.1:
            return {name: part for name, part in value.items() if name != key}
        return value | {key: change_value(value[key], rng)}
    if isinstance(value, list) and value and rng.random() < 0.6:
        position = rng.randrange(len(value))
        return [*value[:position], change_value(value[position], rng), *value[position + 1 :]]
    return rng.choice(ODD_VALUES)


def copy_event(connection, rng):
    """Insert an event between others, or at the end, with the content of another one."""
    row, names = pick(connection, "event", rng), ", ".join(COLUMNS[1:])
    event_id = rng.choice(["new", "key:k:'row-1'", "x" * 9999])
    connection.execute(
        f"INSERT INTO event (checksum, id, {names}) "
        f"SELECT 0, ?, {names} FROM event WHERE rowid = ?",
        (event_id, row),
    )


def remove_events(connection, rng):
    row = pick(connection, "event", rng)
    connection.execute(f"DELETE FROM event WHERE rowid {rng.choice('=><')} ?", [row])


def swap_events(connection, rng):
    one, other = pick(connection, "event", rng), pick(connection, "event", rng)
    for old, new in ((one, -9), (other, one), (-9, other)):
        connection.execute("UPDATE event SET seq = ? WHERE seq = ?", (new, old))


def change_snapshot(connection, rng):
    row = pick(connection, "snapshot", rng)
    query = "SELECT content FROM snapshot WHERE rowid = ?"
    (content,) = connection.execute(query, [row]).fetchone()
    kind = rng.randrange(4)
    if kind == 0:
        content = rng.choice(
            [b"", b"x" * 17, "text", 5, zlib.compress(b"{}\n"), zlib.compress(b"x")]
        )
    elif kind == 1 and content[:1] == b"x":
        header, _, columns = zlib.decompress(content).partition(b"\n")
        header = json.dumps(change_value(json.loads(header), rng)).encode()
        content = zlib.compress(header + b"\n" + columns)
    elif kind == 2:
        content = content[: rng.randrange(len(content))]
    checksum = zlib.crc32(content) if isinstance(content, bytes) else 0
    connection.execute(
        "UPDATE snapshot SET content = ?, checksum = ? WHERE rowid = ?", (content, checksum, row)
    )


def change_schema(connection, rng):
    connection.execute(
        rng.choice([
            "PRAGMA user_version=1", "PRAGMA user_version=0", "DROP TABLE snapshot",
            "DROP TABLE fact", "ALTER TABLE event DROP COLUMN score", "DROP TABLE event",
            "ALTER TABLE event RENAME TO events", "DELETE FROM sqlite_sequence",
            "CREATE VIEW other AS SELECT * FROM event", "ALTER TABLE event ADD COLUMN x",
            "ALTER TABLE fact RENAME COLUMN value TO worth",
            "INSERT INTO sqlite_sequence VALUES (1, 2)",
            "CREATE TRIGGER t AFTER INSERT ON event BEGIN DELETE FROM event WHERE seq < 3; END",
            "CREATE TRIGGER t AFTER INSERT ON fact BEGIN SELECT RAISE(ABORT, 'a\nb'); END",
        ])
    )  # fmt: skip


CHANGES = (
    change_field, change_field, change_json, change_json, change_json, change_json, change_fact,
    change_fact, change_fact, change_kind, add_fact, copy_event, remove_events, swap_events,
    change_snapshot, change_schema,
)  # fmt: skip


def chain_again(connection):
    """Number events and facts from 1, with checksums that fit."""
    for table, columns in (("event", COLUMNS), ("fact", ("name", "value"))):
        names = ", ".join(columns)
        try:
            rows = connection.execute(f"SELECT {names} FROM {table} ORDER BY seq").fetchall()
            rows = list(chain_rows(((n, *row) for n, row in enumerate(rows, 1)), 0))
            connection.execute(f"DELETE FROM {table}")
            marks = ", ".join("?" * (len(columns) + 2))
            connection.executemany(
                f"INSERT INTO {table} (seq, checksum, {names}) VALUES ({marks})", rows
            )
            connection.execute(
                "UPDATE sqlite_sequence SET seq = ? WHERE name = ?", (len(rows), table)
            )
        except sqlite3.Error:
            continue


# What the events say ----------------------------------------------------------------------------


def replay(events):
    """Return the answers that hold, by row and annotator, as the events say."""
    answers = []  # [event, label, whether it holds]
    for event in events:
        if event.kind in {"label", "skip", "unknown"}:
            answers.append([event, event.value if event.kind == "label" else None, True])
        elif event.kind == "undo":
            about = [a for a in answers if a[2] and a[0].item == event.item]
            if found := [a for a in about if a[0].id == event.target]:
                found[-1][2] = False
        elif event.kind == "rename":
            for answer in answers:
                if answer[0].kind == "label" and event.value["old"] in get_classes(answer[1]):
                    answer[1] = replace_class(answer[1], event.value["old"], event.value["new"])
    held = [answer for answer in answers if answer[2]]
    return {(event.item, event.annotator): (event.kind, value) for event, value, _ in held}


# Opening ----------------------------------------------------------------------------------------


def read_by_session(path, opener):
    """Return the records of a session and the present answers according to the events."""
    session = opener(path)
    try:
        session.progress()
        session.peek(5, "ann")
        _ = session.classes, session.rounds
        records = {(r["id"], r["annotator"]): (r["kind"], r["label"]) for r in session.records()}
        return records, replay(session.store.events())
    finally:
        session.close()


def read_by_status(path, opener):
    """Return the number of labeled rows in ``status``, and according to the events."""
    run_cleanly("status", str(path))
    status = json.loads(run_cleanly("status", str(path), "--json"))
    with closing(SQLiteLabelStore(path, read_only=True)) as store:
        answers = replay(store.events())
    labeled = {row for (row, _), (kind, _) in answers.items() if kind == "label"}
    return status["n_labeled"], len(labeled)


def read_by_export(path, opener):
    """Return the number of rows of an export, and according to the events."""
    for options in (["out.csv"], ["out.jsonl", "--answers"], ["out.csv", "--all"]):
        run_cleanly("export", str(path), str(path.with_name(options[0])), *options[1:])
    lines = path.with_name("out.jsonl").read_text(encoding="utf-8").count("\n")
    with closing(SQLiteLabelStore(path, read_only=True)) as store:
        return lines, len(replay(store.events()))


def read_by_label(path, opener):
    """Continue to label from the command line; there is nothing to compare."""
    with patch("sys.stdin", io.StringIO("")):
        run_cleanly("label", "--resume", str(path))
    return None, None


def read_by_salvage(path, opener):
    """Salvage a store, and read the new one; there is nothing to compare."""
    output = path.with_name("salvaged.db")
    output.unlink(missing_ok=True)
    salvage_store(path, output)
    with closing(SQLiteLabelStore(output)) as store:
        SessionState(None).apply(store.events())
    return None, None


def judge(reader, path, opener):
    """Return the outcome of opening a store, and a description."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            shown, said = reader(path, opener)
        except SkactiveError as error:
            is_clear = "\n" not in str(error) and "\x1b" not in str(error)
            return "noticed" if is_clear else "raw", f"{reader.__name__}: {error!r}"
        except Exception as error:
            return "raw", f"{reader.__name__}: {describe(error)}"
    return ("harmless", "") if shown == said else ("silent", f"{reader.__name__}: other content")


def describe(error):
    """Return an error and the place where it was raised."""
    place = error.__traceback__
    while place.tb_next is not None:
        place = place.tb_next
    code = place.tb_frame.f_code
    return f"{error!r:.200} in {code.co_filename.rpartition('/')[2]}:{place.tb_lineno}"


def make_command_store(folder):
    """Make a store by ``skactive label``."""
    (folder / "data.csv").write_text(
        "id,body\n" + "".join(f"r{i},some text of number {i}\n" for i in range(30))
    )
    options = ["--text", "body", "--id", "id", "--classes", "good,bad", "--annotator", "ann"]
    store = folder / "labels.db"
    with patch("sys.stdin", io.StringIO("good\nbad\nskip\ngood\nundo\ngood\n" + "bad\n" * 5)):
        run_cleanly("label", str(folder / "data.csv"), "--store", str(store), *options)
    return store


def open_project(path):
    """Open the session of a store of ``skactive label``."""
    from skactive.cli._errors import CommandError
    from skactive.cli.projects._project import read_project

    try:
        return read_project({"resume": path, "file": None}).open(background=False)
    except CommandError as error:
        raise StoreError(str(error)) from error


def run_campaign(n_stores, seed):
    """Craft stores from one of a session and one of the command line."""
    rng, tally = random.Random(seed), Tally("crafted stores")
    with open_folder() as folder, save_often(20):
        of_session = folder / "session.db"
        make_store(of_session, n_labels=40)
        of_command = make_command_store(folder)
        bases = {of_session.read_bytes(): open_session, of_command.read_bytes(): open_project}
        path = folder / "crafted.db"
        for number in range(n_stores):
            base, opener = list(bases.items())[number % 3 == 2]
            path.write_bytes(base)
            craft(path, rng)
            crafted = path.read_bytes()
            readers = [read_by_session, read_by_status, read_by_export, read_by_salvage]
            readers += [read_by_label] if opener is open_project else []
            outcomes = []
            for reader in readers:
                path.write_bytes(crafted)
                path.with_name("crafted.db-journal").unlink(missing_ok=True)
                outcomes.append(judge(reader, path, opener))
            order = ["silent", "raw", "noticed", "harmless"]
            outcome, description = min(outcomes, key=lambda found: order.index(found[0]))
            tally.add(outcome, f"store {number}, {description}")
    tally.report(n_stores)


if __name__ == "__main__":
    options = parse_options(__doc__, stores=1000)
    run_campaign(options.stores, options.seed)
