"""Rows are found by checked indexes, and what belongs together is read at once."""

import sqlite3
from contextlib import closing

import pytest
from label_stores import fill, labels

from skactive.exceptions import StoreError
from skactive.labeling import SQLiteLabelStore


@pytest.fixture
def path(tmp_path):
    return tmp_path / "labels.db"


def test_a_flipped_bit_in_the_index_of_ids_is_noticed(path):
    """Otherwise an answer that is sent again would be stored twice."""
    whole = fill(path)
    with closing(sqlite3.connect(path)) as connection:
        query = "SELECT rootpage FROM sqlite_schema WHERE name = 'sqlite_autoindex_event_1'"
        page = connection.execute(query).fetchone()[0]
    place = whole.index(b"e7", (page - 1) * 4096)
    path.write_bytes(whole[:place] + b"d" + whole[place + 1 :])
    with pytest.raises(StoreError, match="damaged") as caught:
        SQLiteLabelStore(path)
    assert "\n" not in str(caught.value)
    with closing(SQLiteLabelStore(path, read_only=True)) as store:  # looks up no ids
        assert len(store.events()) == 200


def test_a_snapshot_is_not_found_by_a_damaged_index(path):
    """SQLite would return the row that the index leads to, whatever its name is."""
    store = SQLiteLabelStore(path)
    store.append(labels(3))
    store.save_snapshot("b", 1, b"b of event 1")
    store.save_snapshot("c", 2, b"c of event 2")
    store.close()
    whole = path.read_bytes()
    with closing(sqlite3.connect(path)) as connection:
        query = "SELECT rootpage FROM sqlite_schema WHERE name = 'sqlite_autoindex_snapshot_1'"
        page = connection.execute(query).fetchone()[0]
    place = whole.index(b"c", (page - 1) * 4096 + 100)
    path.write_bytes(whole[:place] + b"a" + whole[place + 1 :])
    with closing(SQLiteLabelStore(path, read_only=True)) as store:
        assert store.read_snapshot("c") == (2, b"c of event 2")
        assert store.read_snapshot("a") is None


def test_others_may_write_while_a_store_is_opened(path):
    """Rows that belong together are read at once: otherwise the end seems to be missing."""
    fill(path, 3)
    other = SQLiteLabelStore(path)
    numbers = iter(range(3, 1000))

    class Interrupted(SQLiteLabelStore):
        def _query(self, query, *parameters):
            rows = super()._query(query, *parameters)
            number = next(numbers)
            other.append(labels(1, start=number))
            other.set_fact(f"fact {number}", number)
            return rows

    with closing(Interrupted(path, read_only=True)) as store:
        assert store.fact("fact 3") == 3
        assert len(store.events()) > 3
    other.close()
