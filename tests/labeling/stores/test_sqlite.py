"""The file of labels: what is stored stays, and what is no store is left alone."""

import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import tempfile
import textwrap
import threading
from contextlib import closing
from multiprocessing import get_context
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from label_stores import check_refused, fill, labels

from skactive.exceptions import StoreError
from skactive.labeling import LabelStore, SQLiteLabelStore
from skactive.labeling.state._events import Event, new_id
from skactive.labeling.stores import _schema, _sqlite, salvage_store


@pytest.fixture
def path(tmp_path):
    return tmp_path / "labels.db"


# -- what is stored ----------------------------------------------------------------------------


def test_it_is_a_label_store(path):
    assert isinstance(SQLiteLabelStore(path), LabelStore)


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(
    item=st.integers(-(2**60), 2**60) | st.text(),
    value=anything,
    annotator=st.none() | st.text(),
    seconds=st.none() | st.floats(0, 1e9) | st.integers(0, 9),
    number=st.none() | st.integers(0, 10**6),
)
@settings(max_examples=60, deadline=None)
def test_what_comes_out_is_what_went_in(tmp_path_factory, item, value, annotator, seconds, number):
    store = SQLiteLabelStore(tmp_path_factory.mktemp("store") / "labels.db")
    event = Event(
        "label", "one", item, annotator, value, "t", "x", seconds, number, seconds, time=12.25
    )
    store.append([event])
    (found,) = store.events()
    assert found.seq == 1
    assert (found.item, found.value, found.annotator) == (item, value, annotator)
    assert (found.seconds, found.round, found.score, found.time) == (
        seconds,
        number,
        seconds,
        12.25,
    )
    store.close()


def test_an_event_stored_again_changes_nothing(path):
    store = SQLiteLabelStore(path)
    store.append(labels(3))
    store.append([Event("label", "e1", item=1, value="other"), *labels(2, start=2)])
    found = store.events()
    assert [(e.item, e.value) for e in found] == [(0, "c0"), (1, "c1"), (2, "c2"), (3, "c0")]
    assert [e.item for e in store.events(after=found[1].seq)] == [2, 3]


def test_all_of_a_batch_is_stored_or_none(path):
    store = SQLiteLabelStore(path)
    wrong = Event("label", "wrong", item=1, value=object())
    with pytest.raises(StoreError, match="stored as JSON"):
        store.append([*labels(2), wrong])
    with pytest.raises(StoreError, match="seconds of an event must be a finite number"):
        store.append([*labels(2), Event("label", "no", item=1, seconds="long")])
    assert store.events() == []


def test_what_fails_within_a_transaction_takes_all_of_it_back(path):
    store = SQLiteLabelStore(path)

    def fail():
        with store.exclusive():
            store.append(labels(2))
            with store.exclusive():
                store.append(labels(2, start=2))
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        fail()
    assert store.events() == []
    store.append(labels(1))
    assert len(store.events()) == 1


def test_events_are_never_changed_or_deleted(path):
    fill(path, 3)
    connection = sqlite3.connect(path)
    for change in ("UPDATE event SET value = '\"x\"'", "DELETE FROM event"):
        with pytest.raises(sqlite3.IntegrityError, match="never"):
            connection.execute(change)
    connection.close()


def test_a_fact_is_set_once(path):
    store = SQLiteLabelStore(path)
    assert store.fact("pool") is None
    assert store.set_fact("pool", {"n": 3}) == {"n": 3}
    assert store.set_fact("pool", {"n": 4}) == {"n": 3} == store.fact("pool")


def test_every_transaction_waits_for_the_disk(path):
    store = SQLiteLabelStore(path)
    ask = lambda name: store._connection.execute(f"PRAGMA {name}").fetchone()[0]  # noqa: E731
    assert ask("journal_mode") == "truncate"
    assert ask("synchronous") == 2  # FULL


def test_a_backup_has_all_and_is_a_store(path, tmp_path):
    store = SQLiteLabelStore(path)
    store.append(labels(5))
    store.backup(tmp_path / "copy.db")
    store.append(labels(1, start=5))
    assert len(SQLiteLabelStore(tmp_path / "copy.db").events()) == 5
    with pytest.raises(StoreError, match="exists already"):
        store.backup(tmp_path / "copy.db")


# -- several at once ---------------------------------------------------------------------------


def test_threads_share_a_store(path):
    store = SQLiteLabelStore(path)

    def write(worker):
        for _i in range(20):
            with store.exclusive():
                n = len(store.events())
                store.append([Event("label", new_id(), item=n, value=worker)])

    threads = [threading.Thread(target=write, args=(worker,)) for worker in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [event.item for event in store.events()] == list(range(80))


def count_up(path, times):
    store = SQLiteLabelStore(path)
    for _ in range(times):
        with store.exclusive():
            n = len(store.events())
            store.append([Event("label", new_id(), item=n)])
    store.close()


def test_processes_share_a_store_that_they_make_at_once(path):
    """Nobody is told that the file, which another is just making, is empty or no store."""
    processes = [get_context("spawn").Process(target=count_up, args=(path, 15)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert [event.item for event in SQLiteLabelStore(path).events()] == list(range(45))
    assert {p.name for p in path.parent.iterdir()} <= {
        "labels.db",
        "labels.db-journal",
        "labels.db-shm",
    }


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_store_may_be_used_after_a_fork(path):
    code = f"""
        import os
        from skactive.labeling import SQLiteLabelStore
        from skactive.labeling.state._events import Event
        store = SQLiteLabelStore({str(path)!r})
        store.append([Event("label", "a", item=1)])
        child = os.fork()
        store.append([Event("label", f"pid {{bool(child)}}", item=2)])
        if child:
            assert os.waitpid(child, 0)[1] == 0
            print(len(store.events()))
        else:
            os._exit(0)
    """
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
    )
    assert (done.stdout, done.stderr) == ("3\n", "")


# -- what is no store, or no more --------------------------------------------------------------


def test_an_empty_file_is_no_store(path):
    path.touch()
    check_refused(path, "is empty.*Delete it")


@pytest.mark.parametrize("content", [b"id,label\n1,a\n", b"\0" * 5000, os.urandom(9000)])
def test_other_files_are_left_alone(path, content):
    path.write_bytes(content)
    check_refused(path, "not a store of labels; it was not touched")


def test_another_database_is_left_alone(path):
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE event (x)")
    connection.commit()
    connection.close()
    check_refused(path, "not a store of labels")


def test_a_newer_store_is_left_alone(path):
    fill(path)
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {_schema.SCHEMA_VERSION + 1}")
    connection.close()
    check_refused(path, f"newer skactive .format {_schema.SCHEMA_VERSION + 1}.*Upgrade")


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_a_truncated_store_is_left_alone(path, share):
    whole = fill(path)
    path.write_bytes(whole[: int(len(whole) * share)])
    check_refused(path, "damaged.*--salvage")


def test_no_flipped_bit_gives_labels_that_nobody_gave(path):
    """Wherever it lies: an error, or all events as they were."""
    whole = fill(path, 60)
    expected = SQLiteLabelStore(path).events()
    n_refused = n_equal = 0
    places = range(100, len(whole), 97)
    for place in places:
        damaged = bytearray(whole)
        damaged[place] ^= 1 << place % 8
        copy = path.with_name(f"copy{place}.db")
        copy.write_bytes(bytes(damaged))
        try:
            store = SQLiteLabelStore(copy)
            found = store.events()
            store.close()
        except StoreError as error:
            n_refused += any(word in str(error) for word in ("damaged", "no store", "newer"))
        else:
            assert found == expected
            n_equal += 1
        copy.unlink()
    assert n_refused + n_equal == len(places)
    assert n_refused > 20


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(StoreError, match="folder exists"):
        SQLiteLabelStore(tmp_path / "nowhere" / "labels.db")


def test_a_store_that_is_closed(path):
    store = SQLiteLabelStore(path)
    store.close()
    store.close()
    with pytest.raises(StoreError, match="closed: open it again"):
        store.events()


def test_a_file_that_may_not_be_written():
    with tempfile.TemporaryDirectory() as folder:  # pytest's own are closed to other users
        path = Path(folder) / "labels.db"
        before = fill(path)
        path.chmod(0o444)
        path.parent.chmod(0o555)
        code = f"""
            import os, encodings.idna
            from skactive.exceptions import StoreError
            from skactive.labeling import SQLiteLabelStore
            if os.getuid() == 0:  # root may write anywhere
                os.setuid(65534)
            try:
                SQLiteLabelStore({str(path)!r})
            except StoreError as error:
                print(error)
        """
        done = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True
        )
        path.parent.chmod(0o755)
        assert "read-only" in done.stdout or "cannot be opened" in done.stdout, done.stderr
        assert path.read_bytes() == before


def test_an_old_sqlite_is_refused(path, monkeypatch):
    monkeypatch.setattr(_sqlite.sqlite3, "sqlite_version_info", (3, 36, 0))
    with pytest.raises(StoreError, match=r"3\.37"):
        SQLiteLabelStore(path)


def test_a_disk_that_is_full(path, monkeypatch):
    """SQLite itself says so: the file may have no more pages."""
    store = SQLiteLabelStore(path)
    store.append(labels(5))
    pages = store._connection.execute("PRAGMA page_count").fetchone()[0]
    store._connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreError, match=r"disk is full\. Nothing of this call was stored"):
        store.append([Event("label", "big", item=1, value="x" * 10**6)])
    assert len(store.events()) == 5
    store._connection.execute("PRAGMA max_page_count = 1000000")
    store.append(labels(1, start=5))
    store.close()
    assert len(SQLiteLabelStore(path).events()) == 6


@pytest.mark.skipif(
    not (sys.platform == "linux" and os.geteuid() == 0 and shutil.which("mount")),
    reason="needs root, to mount a tiny disk",
)
def test_a_real_disk_that_is_full(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", disk])
    if mounted.returncode:
        pytest.skip("may not mount")
    try:
        store = SQLiteLabelStore(disk / "labels.db")
        n = 0
        while "no label was refused":
            try:
                store.append(labels(20, start=n))
            except StoreError as error:
                message = str(error)
                break
            n += 20
        assert "full. Nothing of this call was stored" in message
        assert len(store.events()) == n
        store.close()
        again = SQLiteLabelStore(disk / "labels.db")
        assert len(again.events()) == n
        again.close()
    finally:
        subprocess.run(["umount", disk], check=True)


# -- formats -----------------------------------------------------------------------------------


def test_version_1_is_read(tmp_path):
    """A store as the first version made it, kept as it was."""
    shutil.copy(Path(__file__).with_name("store_v1.db"), tmp_path / "old.db")
    events = SQLiteLabelStore(tmp_path / "old.db").events()
    assert [(e.kind, e.item, e.value, e.annotator) for e in events] == [
        ("label", "a", "cat", "ann"),
        ("skip", 2, None, "bob"),
        ("label", "a", ["cat", "dog"], None),
        ("undo", "a", None, "ann"),
    ]


def test_an_older_store_is_brought_up_to_date_or_left_as_it_was(path, monkeypatch):
    fill(path, 3)
    now = _schema.SCHEMA_VERSION
    monkeypatch.setattr(_schema, "SCHEMA_VERSION", now + 2)

    def add_color(connection, path):
        connection.execute("ALTER TABLE event ADD COLUMN color TEXT")

    def fail(connection, path):
        connection.execute("ALTER TABLE event ADD COLUMN taste TEXT")
        raise sqlite3.OperationalError("no")

    monkeypatch.setattr(_schema, "MIGRATIONS", {now: add_color, now + 1: fail})
    with pytest.raises(StoreError):
        SQLiteLabelStore(path)
    connection = sqlite3.connect(path)
    columns = [row[1] for row in connection.execute("PRAGMA table_info(event)")]
    assert connection.execute("PRAGMA user_version").fetchone()[0] == now + 1
    assert "color" in columns
    assert "taste" not in columns
    connection.close()
    monkeypatch.setitem(_schema.MIGRATIONS, now + 1, lambda connection, path: None)
    store = SQLiteLabelStore(path)
    assert len(store.events()) == 3
    assert store._connection.execute("PRAGMA user_version").fetchone()[0] == now + 2


def test_version_1_with_checksums_of_unconverted_values_is_read(tmp_path):
    """It computed them before SQLite converted names of other types, -0.0 and NaN."""
    shutil.copy(Path(__file__).with_name("store_v1_unconverted.db"), tmp_path / "old.db")
    with closing(SQLiteLabelStore(tmp_path / "old.db", read_only=True)) as store:
        events = store.events()
    assert [e.annotator for e in events[:4]] == ["ann", "5", "1", "1.5"]
    assert [e.seconds for e in events[4:6]] == [0.0, None]
    assert len(events) == 9
    assert SQLiteLabelStore(tmp_path / "old.db").events() == events
    assert salvage_store(tmp_path / "old.db").n_events == 9


def test_version_1_is_read_without_being_changed(tmp_path):
    path = tmp_path / "old.db"
    shutil.copy(Path(__file__).with_name("store_v1.db"), path)
    before = path.read_bytes()
    with closing(SQLiteLabelStore(path, read_only=True)) as store:
        assert len(store.events()) == 4
        store.backup(tmp_path / "copy.db")
    assert path.read_bytes() == before
    assert {p.name for p in tmp_path.iterdir()} == {"old.db", "copy.db"}
    assert len(SQLiteLabelStore(tmp_path / "copy.db").events()) == 4


# -- the file: one, and the same -----------------------------------------------------------------


def test_a_copy_of_the_file_alone_is_whole(path, tmp_path):
    store = SQLiteLabelStore(path)
    store.append(labels(120))
    shutil.copy(path, tmp_path / "copy.db")
    with closing(SQLiteLabelStore(tmp_path / "copy.db")) as copy:
        assert len(copy.events()) == 120
    store.close()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["copy.db", "labels.db"]


def test_a_file_is_for_its_owner_alone(path, tmp_path):
    store = SQLiteLabelStore(path)
    store.append(labels(1))
    store.backup(tmp_path / "copy.db")
    assert {stat.S_IMODE(p.stat().st_mode) for p in tmp_path.iterdir()} == {0o600}


def test_a_file_that_is_moved_is_found(path, tmp_path):
    store = SQLiteLabelStore(path)
    store.append(labels(5))
    path.rename(tmp_path / "moved.db")
    with pytest.raises(StoreError, match=r"moved or deleted.*are in .*moved\.db"):
        store.append(labels(1, start=5))
    assert not path.exists()
    (tmp_path / "moved.db").rename(path)
    assert len(store.append(labels(1, start=5))) == 1


@pytest.mark.parametrize("replaced", [False, True])
def test_a_file_that_is_deleted_or_replaced_is_rescued(path, tmp_path, replaced):
    store = SQLiteLabelStore(path)
    store.append(labels(5))
    path.unlink()
    if replaced:
        fill(path, 2)
    with pytest.raises(StoreError, match=r"copied to .*labels-rescued-1\.db"):
        store.append(labels(1, start=5))
    assert SQLiteLabelStore(tmp_path / "labels-rescued-1.db").events() == store.events()
    store.close()
    if replaced:
        assert len(SQLiteLabelStore(path).events()) == 2


def test_an_older_copy_that_is_written_over_the_file_is_noticed(path, tmp_path):
    store = SQLiteLabelStore(path)
    store.append(labels(5))
    old = path.read_bytes()
    store.append(labels(5, start=5))
    path.write_bytes(old)
    with pytest.raises(StoreError, match="was overwritten by other contents"):
        store.append(labels(1, start=10))


@pytest.mark.parametrize(
    ("name", "match"),
    [
        (":memory:", "not the name of a file"),
        ("file:x?mode=memory", "not the name of a file"),
        ("x" * 300, "has 300 bytes; at most 240"),
        (".", "is not a file"),
        (os.devnull, "is not a file"),
    ],
)
def test_names_that_are_no_files(tmp_path, monkeypatch, name, match):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StoreError, match=match):
        SQLiteLabelStore(name)
    assert list(tmp_path.iterdir()) == []


def test_a_store_is_read_without_being_writable(path):
    fill(path, 3)
    store = SQLiteLabelStore(path, read_only=True)
    assert len(store.events()) == 3
    with pytest.raises(StoreError, match="for reading only"):
        store.append(labels(1, start=3))


# -- damage --------------------------------------------------------------------------------------


def test_a_fact_that_was_changed_is_noticed(path):
    store = SQLiteLabelStore(path)
    store.set_fact("seed", 7)
    store.close()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE fact SET value = '6' WHERE name = 'seed'")
    with pytest.raises(StoreError, match=r"a fact .* was changed"):
        SQLiteLabelStore(path)


@pytest.mark.parametrize("where", ["seq > 57", "seq = 20"])
def test_missing_events_are_noticed(path, where):
    fill(path, 60)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DROP TRIGGER no_delete")
        connection.execute(f"DELETE FROM event WHERE {where}")
    with pytest.raises(StoreError, match="damaged"):
        SQLiteLabelStore(path).events()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="files that are open can be moved")
@pytest.mark.parametrize("lose", ["move", "delete"])
def test_a_file_that_is_lost_within_a_transaction(path, tmp_path, lose):
    """SQLite calls it read-only then: but it has other labels that must not get lost."""
    store = SQLiteLabelStore(path)
    store.append(labels(5))

    def lose_within_a_transaction():
        with store.exclusive():
            if lose == "move":
                path.rename(tmp_path / "moved.db")
            else:
                path.unlink()
            store.append(labels(1, start=5))

    found = tmp_path / ("moved.db" if lose == "move" else "labels-rescued-1.db")
    with pytest.raises(StoreError, match=rf"was moved or deleted .*{found.name}"):
        lose_within_a_transaction()
    assert len(SQLiteLabelStore(found).events()) == 5


def test_pages_that_are_kept_in_memory_hide_no_other_contents(path):
    """A copy is written over the file, and changed until SQLite takes it for the same."""
    store = SQLiteLabelStore(path)
    store.append(labels(1))
    whole = path.read_bytes()
    store.append(labels(1, start=1))
    store.append(labels(1, start=2))
    path.write_bytes(whole)
    code = f"""
        from skactive.labeling import SQLiteLabelStore
        from skactive.labeling.state._events import Event
        store = SQLiteLabelStore({str(path)!r})
        for i in range(2):
            store.append([Event("label", f"other {{i}}", item=i, value="c0", time=9.0)])
        store.close()
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=True)
    with pytest.raises(StoreError, match="was overwritten by other contents"):
        store.append(labels(1, start=3))
    store.close()
    found = [event.id for event in SQLiteLabelStore(path).events()]
    assert found == ["e0", "other 0", "other 1"]


def test_a_copy_that_cannot_be_read_is_removed(tmp_path, monkeypatch):
    """A write-ahead log of version 1 is read in a copy; a damaged file leaves none behind."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    path = tmp_path / "old.db"
    content = bytearray(Path(__file__).with_name("store_v1.db").read_bytes())
    content[4096:4196] = bytes(100)
    path.write_bytes(content)
    with pytest.raises(StoreError, match="damaged"):
        SQLiteLabelStore(path, read_only=True)
    assert list(temporary.iterdir()) == []
