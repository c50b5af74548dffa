"""The state, event by event, against a fold of all events at once."""

from collections import Counter

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

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
            last = state.last_answer(happened[1])
            if last is None:
                continue
            event = Event("undo", f"u{seq}", last.item, happened[1], target=last.id, seq=seq)
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


@given(history=histories, every=st.integers(1, 4), learned=st.sets(st.sampled_from(ITEMS)))
@settings(max_examples=200, deadline=None)
def test_it_is_what_a_fold_of_all_events_comes_to(history, every, learned):
    state = SessionState("me", learnable=learned, refit_every=every)
    events = apply_history(history, state)
    labels, refused, last = fold(events)
    assert {event.item: event.value for event in state.labels()} == labels
    assert list(state.answers()) == sorted(last.values(), key=lambda event: event.seq)
    now = state.snapshot_now()
    assert now.labels == {item: label for item, label in labels.items() if item in learned}
    assert now.refused == refused & learned
    assert state.counts("class") == Counter(labels.values())
    assert state.counts("annotator") == Counter(who for _, who in last)
    kinds = {(row, event.kind) for (row, _), event in last.items() if row in refused}
    for kind in ("skip", "unknown"):
        assert state.tally[kind, None] == sum(kind == each for _, each in kinds)
    for item in ITEMS:
        mine = {who: event for (row, who), event in last.items() if row == item}
        unknown = any(event.kind == "unknown" for event in mine.values())
        assert state.is_settled(item) == (item in labels or unknown)
        for who in PEOPLE:
            assert state.get_answer(item, who) == mine.get(who)
            assert state.is_open_to(item, who) == (
                item not in labels and not unknown and who not in mine
            )


@given(history=histories, every=st.integers(1, 4))
@settings(max_examples=100, deadline=None)
def test_a_plan_becomes_due_at_a_place_that_the_events_alone_decide(history, every):
    """The snapshot that is due is a fold of the events up to its position."""
    state = SessionState("me", refit_every=every)
    events = apply_history(history, state)
    again = SessionState("me", refit_every=every)
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
    value = {"by": name, "upto": upto, "ids": ids, "scores": [0.5] * len(ids)}
    return Event("plan", f"plan:{name}:{upto}", value=value, seq=seq)


def test_the_plan_that_knows_most_counts():
    state = SessionState("me")
    state.apply([plan("me", 0, [1], 1), plan("me", 20, [2], 2), plan("me", 10, [3], 3)])
    assert state.plan.value["ids"] == [2]
    assert state.scores == {2: 0.5}
    state.apply([plan("other", 30, [4], 4)])
    assert state.plan.value["ids"] == [2]
    assert len(state.rounds) == 2


def test_a_lease_waits_for_the_answers_that_are_missing():
    state = SessionState("me")
    value = {"items": [1, 2, 3], "session": "s", "expires": 9.0}
    state.apply([Event("lease", "t", annotator="ann", value=value, time=1.0, seq=1)])
    lease = state.leases["t"]
    assert (lease.items, lease.annotator, lease.granted, lease.expires) == (
        (1, 2, 3), "ann", 1.0, 9.0,
    )  # fmt: skip
    state.apply([Event("label", "a", 2, "bob", "x", seq=2), Event("skip", "b", 3, "bob", seq=3)])
    assert state.pending(lease) == [1, 3]
    assert list(state.open_leases) == ["t"]
    state.apply([Event("label", "z", 1, "bob", "x", seq=3), Event("skip", "y", 3, "ann", seq=3)])
    assert not state.open_leases
    state.apply(
        [Event("undo", "w", 1, target="z", seq=3), Event("undo", "v", 3, target="y", seq=3)]
    )
    assert list(state.open_leases) == ["t"]
    state.apply([Event("release", "c", ticket="t", value=[1], seq=4)])
    assert state.pending(lease) == [3]
    state.apply(
        [Event("release", "d", ticket="t", seq=5), Event("release", "e", ticket="?", seq=6)]
    )
    assert state.pending(lease) == []


def test_events_of_later_versions_are_ignored():
    state = SessionState("me")
    state.apply([Event("dream", "a", 1, value="x", seq=7)])
    assert state.seq == 7
    assert not list(state.answers())


@pytest.mark.parametrize("n", [20_000])
def test_many_events_are_taken_in_quickly(n):
    """Time grows with their number: no answer looks at those before it."""
    state = SessionState("me", refit_every=10)
    state.apply(Event("label", f"e{i}", i, "ann", "x", seq=i + 1) for i in range(n))
    assert len(state.snapshot_due().labels) == n
