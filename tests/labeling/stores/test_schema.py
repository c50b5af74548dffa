"""Tables that are not those of a store are refused."""

import sqlite3
from contextlib import closing

import pytest
from label_stores import check_refused, fill


@pytest.fixture
def path(tmp_path):
    return tmp_path / "labels.db"


def test_a_schema_that_is_no_text_is_noticed(path):
    """SQLite quotes it in its message, which Python cannot decode."""
    whole = bytearray(fill(path, 1))
    whole[whole.index(b"CREATE TRIGGER no_update") + 4] ^= 0x80
    path.write_bytes(whole)
    check_refused(path, "damaged")


@pytest.mark.parametrize(
    "change",
    [
        "DROP TABLE snapshot",
        "ALTER TABLE event DROP COLUMN score",
        "ALTER TABLE fact RENAME COLUMN value TO worth",
        "DROP TRIGGER no_delete",
        "CREATE TRIGGER t AFTER INSERT ON event BEGIN DELETE FROM fact; END",
        "CREATE VIEW v AS SELECT 1",
    ],
)
def test_tables_that_are_not_those_of_a_store_are_refused(path, change):
    fill(path, 3)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(change)
    check_refused(path, "its tables are not those of a store")


def test_values_of_other_types_are_refused(path):
    """Tables that are not STRICT take them."""
    fill(path, 3)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("PRAGMA writable_schema=ON")
        connection.execute("UPDATE sqlite_schema SET sql = replace(sql, ' STRICT', '')")
    check_refused(path, "its tables are not those of a store: (event|fact|snapshot) 1")
