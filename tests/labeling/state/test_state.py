"""The state, event by event, against a fold of all events at once."""

import itertools
from collections import Counter

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from skactive.exceptions import StoreError
from skactive.labeling.state._codes import RowCodes
from skactive.labeling.state._events import Event
from skactive.labeling.state._state import SessionState

ITEMS, PEOPLE, LABELS = range(4), [None, "ann", "bob"], ["x", "y"]
answers = st.tuples(
    st.sampled_from(["label", "label", "label", "skip", "unknown"]),
    st.sampled_from(ITEMS),
    st.sampled_from(PEOPLE),
    st.sampled_from(LABELS),
)
undos = st.tuples(st.just("undo"), st.sampled_from(PEOPLE))
histories = st.lists(answers | undos, max_size=30)


def apply_history(history, state):
    """Make events of a history, as a session would store them, and apply them."""
    events = []
    for seq, happened in enumerate(history, 1):
        if happened[0] == "undo":
            last = next(iter(state.list_answers_by(happened[1], 1, None)), None)
            if last is None:
                continue
            target = next(event for event in events if event.seq == last.position)
            event = Event("undo", f"u{seq}", target.item, happened[1], target=target.id, seq=seq)
        else:
            kind, item, who, label = happened
            value = label if kind == "label" else None
            event = Event(kind, f"e{seq}", item, who, value, seq=seq)
        state.apply([event])
        events.append(event)
    return events


def fold(events):
    """Return the label of each row, the rows refused, and the last answers, from all events."""
    undone = {event.target for event in events if event.kind == "undo"}
    holding = [e for e in events if e.kind != "undo" and e.id not in undone]
    last = {(e.item, e.annotator): e for e in holding}
    labels, refused = {}, set()
    for item in ITEMS:
        mine = [event for (row, _), event in last.items() if row == item]
        given_labels = [event for event in mine if event.kind == "label"]
        if given_labels:
            labels[item] = max(given_labels, key=lambda event: event.seq).value
        elif mine:
            refused.add(item)
    return labels, refused, last


def fold_latest(last):
    """Return the latest answer about each row, and those of rows whose labels differ."""
    by_row = {}
    for (item, _), event in last.items():
        by_row.setdefault(item, []).append(event)
    latest = {max(e.seq for e in events): events for events in by_row.values()}
    labels = {seq: {e.value for e in events if e.kind == "label"} for seq, events in latest.items()}
    in_order = sorted(latest, reverse=True)
    return in_order, [seq for seq in in_order if len(labels[seq]) > 1]


@given(history=histories, every=st.integers(1, 4), learned=st.sets(st.sampled_from(ITEMS)))
@settings(max_examples=200, deadline=None)
def test_it_is_what_a_fold_of_all_events_comes_to(history, every, learned):
    audit = set(ITEMS) - learned
    state = SessionState("me", audit=audit, refit_every=every)
    events = apply_history(history, state)
    labels, refused, last = fold(events)
    assert dict(state.iter_labels()) == labels
    positions = [answer.position for answer in state.iter_answers()]
    assert positions == sorted(event.seq for event in last.values())
    assert state.n_labels == len(labels)
    assert state.n_audited == len(labels.keys() & audit)
    now = state.snapshot_now()
    assert now.labels == {item: label for item, label in labels.items() if item in learned}
    assert now.refused == refused & learned
    assert state.count_classes() == Counter(labels.values())
    by = Counter(who for (_, who), event in last.items() if event.kind == "label")
    assert state.count_annotators() == by
    kinds = {(row, event.kind) for (row, _), event in last.items() if row in refused}
    assert state.n_skipped == sum(kind == "skip" for _, kind in kinds)
    assert state.n_unknown == sum(kind == "unknown" for _, kind in kinds)
    latest, differing = fold_latest(last)
    for n, before in itertools.product((1, 9), (None, len(history) // 2)):
        end = len(history) + 1 if before is None else before
        for expected, differ in ((latest, False), (differing, True)):
            answered = [answer.position for answer in state.list_latest(n, before, differ=differ)]
            assert answered == [seq for seq in expected if seq < end][:n]
    for item in ITEMS:
        mine = {who: event for (row, who), event in last.items() if row == item}
        unknown = any(event.kind == "unknown" for event in mine.values())
        assert state.is_labeled(item) == (item in labels)
        for who in PEOPLE:
            answer, event = state.get_answer(item, who), mine.get(who)
            assert (answer and tuple(answer)) == (event and (event.kind, event.value, event.seq))
            assert state.is_open_to(item, who) == (
                item not in labels and not unknown and who not in mine
            )


@given(history=histories, every=st.integers(1, 4))
@settings(max_examples=100, deadline=None)
def test_a_plan_becomes_due_at_a_place_that_the_events_alone_decide(history, every):
    """The snapshot that is due is a fold of the events up to its position."""
    state = SessionState("me", rows=RowCodes(ITEMS), refit_every=every)
    events = apply_history(history, state)
    again = SessionState("me", rows=RowCodes(ITEMS), refit_every=every)
    again.apply(events)
    assert again.due == state.due
    due = state.snapshot_due()
    labels, refused, _ = fold([event for event in events if event.seq <= due.upto])
    assert (due.labels, due.refused) == (labels, refused)
    n_changes, before = 0, {}
    for end in range(1, len(events) + 1):
        after = fold(events[:end])[0]
        n_changes += after != before
        before = after
        if after != fold(events[: end - 1])[0] and n_changes % every == 0:
            expected = events[end - 1].seq
    assert due.upto == (expected if n_changes >= every else 0)


def plan(name, upto, ids, seq):
    value = {"by": name, "upto": upto, "n_labels": upto, "ids": ids, "scores": [0.5] * len(ids)}
    return Event("plan", f"plan:{name}:{upto}", value=value, seq=seq)


def test_the_plan_that_knows_most_counts():
    state = SessionState("me")
    state.apply([plan("me", 0, [1], 1), plan("me", 20, [2], 2), plan("me", 10, [3], 3)])
    assert state.plan.value["ids"] == [2]
    assert state.scores == {2: 0.5}
    state.apply([plan("other", 30, [4], 4)])
    assert state.plan.value["ids"] == [2]
    assert state.plan_positions == [1, 2]


def test_a_lease_waits_for_the_answers_that_are_missing():
    state = SessionState("me")
    value = {"items": [1, 2, 3], "session": "s", "expires": 9.0}
    state.apply([Event("lease", "t", annotator="ann", value=value, time=1.0, seq=1)])
    (lease,) = state.open_leases
    assert (lease.items, lease.annotator, lease.granted, lease.expires) == (
        (1, 2, 3), "ann", 1.0, 9.0,
    )  # fmt: skip
    state.apply([Event("label", "a", 2, "bob", "x", seq=2), Event("skip", "b", 3, "bob", seq=3)])
    assert lease.waiting == [1, 3]
    state.apply([Event("release", "c", ticket="t", value=[1], seq=4)])
    assert lease.waiting == [3]
    assert "t" in state.open_leases
    state.apply([Event("skip", "y", 3, "ann", seq=5), Event("release", "e", ticket="?", seq=6)])
    assert lease.waiting == []
    assert not state.open_leases


@pytest.mark.parametrize(
    "event",
    [
        Event("dream", "a", 1, value="x"),
        Event("_init__", "a"),
        Event("label", "a", None, value="x"),
        Event("label", "a", True, value="x"),
        Event("label", "a", 1, value=None),
        Event("label", "a", 1, value={"x": 1}),
        Event("lease", "a", value=[1]),
        Event("lease", "a", value={"items": [[1]], "session": "s", "expires": 1.0}),
        Event("release", "a", ticket="t", value=3),
        Event("plan", "a", value={"by": "me"}),
        Event(
            "plan",
            "a",
            value={
                "by": "me",
                "upto": 0,
                "n_labels": 9,
                "ids": [],
                "scores": None,
                "audit": [-5, 4],
            },
        ),
        Event("rename", "a", value="x"),
    ],
)
def test_an_event_that_no_session_stores_is_an_error(event):
    state = SessionState("me")
    lease = {"items": [1], "session": "s", "expires": 9.0}
    state.apply([Event("lease", "t", value=lease, time=1.0, seq=1)])
    with pytest.raises(StoreError, match="Event 2 of the store"):
        state.apply([event._replace(seq=2)])
    assert state.position == 1


def test_a_class_is_renamed_or_merged():
    state = SessionState("me", refit_every=100)
    answers = [("a", "x"), ("b", "y"), ("c", ["x", "z"]), ("d", ["x", "y"])]
    state.apply(
        Event("label", f"e{seq}", item, "ann", value, seq=seq)
        for seq, (item, value) in enumerate(answers, 1)
    )
    before = state.snapshot_now()
    state.apply([Event("rename", "r", value={"old": "x", "new": "y"}, seq=5)])
    expected = {"a": "y", "b": "y", "c": ["y", "z"], "d": ["y"]}
    assert dict(state.iter_labels()) == expected
    assert state.count_classes() == {"y": 4, "z": 1}
    assert state.renamed == {"x": "y"}
    assert state.due == 5
    assert state.snapshot_due().labels == expected
    assert before.labels == dict(answers)
    state.apply([Event("label", "f", "a", "ann", "x", seq=6)])  # a new class of the old name
    assert state.get_label("a") == "x"
    assert state.get_label("b") == "y"
    assert state.snapshot_due().labels == expected


@pytest.mark.parametrize("n", [20_000])
def test_many_events_are_taken_in_quickly(n):
    """Time grows with their number: no answer looks at those before it."""
    state = SessionState("me", refit_every=10)
    state.apply(Event("label", f"e{i}", i, "ann", "x", seq=i + 1) for i in range(n))
    assert len(state.snapshot_due().labels) == n


# Routers ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [{"items": "abc"}, {"cost": []}, {"confidence": ["sure"]}, {"certificate": None}],
    ids=["no list", "lengths", "texts", "no promise"],
)
def test_a_route_that_no_session_stores_is_an_error(change):
    value = {"certificate": "", "items": ["a"], "confidence": [None], "cost": [0.0]}
    route = Event("route", "r", annotator="m", value=value | {"other_cost": 0.0} | change, seq=1)
    with pytest.raises(StoreError, match="Event 1 of the store, of the kind 'route'"):
        SessionState(None).apply([route])
