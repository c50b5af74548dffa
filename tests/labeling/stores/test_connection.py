"""Files that SQLite keeps beside a store: journals that are rolled back, and logs of version 1."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from label_stores import labels

from skactive.exceptions import StoreError
from skactive.labeling import SQLiteLabelStore


@pytest.fixture
def path(tmp_path):
    return tmp_path / "labels.db"


def test_a_power_loss_before_the_end_of_the_file_was_written(path, tmp_path):
    """The first page counts pages that are not there, until the journal is rolled back."""
    store = SQLiteLabelStore(path)
    store.append(labels(5))
    before = path.read_bytes()
    with store.exclusive():
        store.append(labels(300, start=5))
        journal = path.with_name("labels.db-journal").read_bytes()
    store.close()
    copy = tmp_path / "copy.db"
    copy.write_bytes(path.read_bytes()[:4096] + before[4096:])
    # The number of pages in it is written once they are on disk
    n_pages = (len(journal) - 512) // (4096 + 8)
    header = bytes.fromhex("d9d505f920a163d7") + n_pages.to_bytes(4, "big")
    copy.with_name("copy.db-journal").write_bytes(header + journal[12:])
    for options in ({"read_only": True}, {}):
        with closing(SQLiteLabelStore(copy, **options)) as opened:
            assert len(opened.events()) == 5


def test_the_end_of_a_log_that_cannot_be_read_is_noticed(path, tmp_path):
    """SQLite ignores all that follows a damaged frame, and deletes it."""
    shutil.copy(Path(__file__).with_name("store_v1.db"), path)
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA wal_autocheckpoint=0")
    for name in "abcd":  # each is a transaction
        connection.execute("INSERT INTO fact VALUES (?, '1')", [name])
    files = {p.name: p.read_bytes() for p in tmp_path.iterdir() if not p.name.endswith("-shm")}
    connection.close()
    log = files["labels.db-wal"]
    frame = 24 + 4096
    n_frames = (len(log) - 32) // frame

    def place_beside(content):
        for file in tmp_path.glob("labels.db*"):
            file.unlink()
        for name, whole in (files | {"labels.db-wal": content}).items():
            (tmp_path / name).write_bytes(whole)

    def flip(number):
        place = 32 + number * frame + 2000
        return log[:place] + bytes([log[place] ^ 1]) + log[place + 1 :]

    for number in (0, n_frames // 2):
        place_beside(flip(number))
        for options in ({}, {"read_only": True}):
            with pytest.raises(StoreError, match=r"damaged.* transactions of its -wal"):
                SQLiteLabelStore(path, **options)
            assert path.with_name("labels.db-wal").read_bytes() == flip(number)
    for content, n_facts in ((log, 4), (flip(n_frames - 1), 3)):
        place_beside(content)
        with closing(SQLiteLabelStore(path)) as store:
            assert [name for name in "abcd" if store.fact(name)] == list("abcd"[:n_facts])
