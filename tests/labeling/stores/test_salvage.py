"""Intact events of a damaged store come out, and those that are lost are named."""

import os

import pytest
from label_stores import fill, labels

from skactive.exceptions import StoreError
from skactive.labeling import SQLiteLabelStore
from skactive.labeling.state._events import Event
from skactive.labeling.state._state import SessionState
from skactive.labeling.stores import salvage_store


@pytest.fixture
def path(tmp_path):
    return tmp_path / "labels.db"


def test_what_is_intact_is_salvaged_page_by_page(path, tmp_path):
    """Whatever page is overwritten, the events on all others come out as they were stored."""
    store = SQLiteLabelStore(path)
    store.set_fact("seed", 7)
    plan = {"by": "me", "ids": ["x" * 50] * 200}
    store.append([*labels(300), Event("plan", "p", value=plan), *labels(300, start=300)])
    expected = [event for event in store.events() if event.kind != "plan"]
    store.close()
    whole = path.read_bytes()
    for number in range(0, len(whole) // 4096, 3):
        damaged = bytearray(whole)
        damaged[number * 4096 : number * 4096 + 4096] = os.urandom(4096)
        path.write_bytes(damaged)
        salvaged = salvage_store(path, tmp_path / f"s{number}.db")
        found = SQLiteLabelStore(salvaged.output).events()
        missing = [event.id for event in expected if event.id not in {e.id for e in found}]
        assert [e._replace(seq=0) for e in found] == [
            e._replace(seq=0) for e in expected if e.id not in missing
        ]
        assert len(missing) < 100
        assert bool(missing) <= bool(salvaged.problems)
        assert path.read_bytes() == bytes(damaged)


@pytest.mark.parametrize("place", range(0, 4096 * 12, 611))
def test_one_flipped_bit_costs_one_event_at_most(path, tmp_path, place):
    whole = bytearray(fill(path, 200))
    whole[place % len(whole)] ^= 4
    path.write_bytes(whole)
    salvaged = salvage_store(path)
    found = {event.id: event for event in SQLiteLabelStore(salvaged.output).events()}
    expected = {event.id: event for event in labels(200)}
    assert len(found) >= 199
    for event_id, event in found.items():
        assert event._replace(seq=0) == expected[event_id]


def test_events_that_no_session_stores_are_not_salvaged(path):
    store = SQLiteLabelStore(path)
    store.append([*labels(2), Event("settle", "x"), Event("lease", "y", value=7), *labels(1, 2)])
    store.close()
    salvaged = salvage_store(path)
    assert salvaged.n_events == 3
    assert [problem.partition(" of the store")[0] for problem in salvaged.problems] == [
        "event 3 was left out: Event 3",
        "event 4 was left out: Event 4",
    ]
    SessionState(None).apply(SQLiteLabelStore(salvaged.output).events())


def test_a_file_without_events_is_not_salvaged(path, tmp_path):
    path.write_bytes(os.urandom(9000))
    with pytest.raises(StoreError, match="no event that is intact"):
        salvage_store(path)
    with pytest.raises(StoreError, match="cannot be read"):
        salvage_store(tmp_path / "nowhere.db")


def test_a_damaged_fact_is_left_out_of_what_is_salvaged(path):
    store = SQLiteLabelStore(path)
    store.set_fact("seed", 12345678)
    store.append(labels(3))
    store.close()
    path.write_bytes(path.read_bytes().replace(b"12345678", b"12345679"))
    salvaged = salvage_store(path)
    damaged, consequence = salvaged.problems
    assert damaged == "fact 1 is damaged: name 'seed', value '12345679'"
    assert "another audit sample" in consequence
    assert salvaged.n_events == 3


def test_pages_that_are_lost_are_named(path):
    """Those of the facts and of the last events, too, of which nothing else is left."""
    store = SQLiteLabelStore(path)
    for name in ("seed", "pool", "campaign"):
        store.set_fact(name, 1)
    store.append(labels(300))
    store.close()
    whole = path.read_bytes()
    for wanted, problem in ((b"campaign", "some facts"), (b"e299", "events ")):
        damaged = bytearray(whole)
        for number in range(1, len(whole) // 4096):  # not the first, which holds the schema
            begin = number * 4096
            page = whole[begin : begin + 4096]
            if wanted in page and page[0] == 13:  # a leaf of a table
                damaged[begin : begin + 300] = bytes(300)
        path.write_bytes(damaged)
        salvaged = salvage_store(path, path.with_name(f"{problem.strip()}.db"))
        assert [each for each in salvaged.problems if each.startswith(problem)]
