"""A saved state is the state: loaded, it goes on as if all events had been applied."""

import json
import zlib

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from skactive.exceptions import StoreError
from skactive.labeling.state._codes import RowCodes
from skactive.labeling.state._events import Event
from skactive.labeling.state._snapshot import load_state, save_state
from skactive.labeling.state._state import SessionState

ITEMS, PEOPLE, LABELS = range(5), [None, "ann"], ["x", "y", ["x", "y"]]
answers = st.builds(
    lambda kind, item, who, label: Event(
        kind, "", item, who, label if kind == "label" else None, ticket="t"
    ),
    st.sampled_from(["label", "label", "skip", "unknown"]),
    st.sampled_from(ITEMS),
    st.sampled_from(PEOPLE),
    st.sampled_from(LABELS),
)
undos = st.builds(
    lambda item, n: Event("undo", "", item, target=f"e{n}"),
    st.sampled_from(ITEMS),
    st.integers(1, 9),
)
others = st.sampled_from(
    [
        Event("class", "", value="z"),
        Event("rename", "", value={"old": "x", "new": "z"}),
        Event("lease", "", None, "ann", {"items": [1, 2], "session": "s", "expires": 9.0}),
        Event(
            "plan", "", value={"by": "me", "upto": 1, "n_labels": 0, "ids": [3], "scores": [0.5]}
        ),
        Event("plan", "", value={"by": "me", "upto": 7, "n_labels": 5, "ids": [4], "scores": None}),
    ]
)
histories = st.lists(answers | undos | others, max_size=20)


def make_state():
    return SessionState("me", rows=RowCodes(ITEMS), audit=[0], refit_every=2)


def number(history, first=1):
    return [e._replace(id=f"e{n}", seq=n, time=1.0) for n, e in enumerate(history, first)]


def describe(state):
    return {
        "now": state.snapshot_now(),
        "due": state.snapshot_due(),
        "labels": dict(state.iter_labels()),
        "answers": list(state.iter_answers()),
        "counts": (state.count_classes(), state.count_annotators(), state.n_labels),
        "refused": (state.n_skipped, state.n_unknown, state.n_audited),
        "leases": list(state.open_leases),
        "plans": (state.plan, state.plan_positions, state.scores),
        "classes": (state.classes, state.renamed),
        "latest": [state.list_answers_by(who, 9, None) for who in PEOPLE],
        "open": [state.is_open_to(item, "ann") for item in ITEMS],
    }


@given(before=histories, after=histories)
@settings(max_examples=150, deadline=None)
def test_a_loaded_state_goes_on_like_the_saved_one(before, after):
    first, second = number(before), number(after, len(before) + 1)
    state, loaded = make_state(), make_state()
    state.apply(first)
    content = save_state(state, "these")
    assert load_state(loaded, content, "these", lambda position: first[position - 1])
    assert describe(loaded) == describe(state)
    state.apply(second)
    loaded.apply(second)
    assert describe(loaded) == describe(state)


def test_a_state_of_other_settings_is_left():
    state = make_state()
    state.apply(number([Event("label", "", 1, "ann", "x")]))
    loaded = make_state()
    assert not load_state(loaded, save_state(state, "these"), "others", None)
    assert loaded.n_labels == 0


@pytest.mark.parametrize(
    "content", [b"", b"{}\n", b'{"format": 1}\n', b"[]\n", b'{"columns": 3, "format": 1}\n']
)
def test_what_no_session_saves_is_an_error(content):
    for each in (content, zlib.compress(content)):
        with pytest.raises(StoreError, match="no session saves"):
            load_state(make_state(), each, "these", None)


def test_columns_that_are_cut_off_are_an_error():
    state = make_state()
    state.apply(number([Event("label", "", 1, "ann", "x")] * 3))
    content = zlib.decompress(save_state(state, "these"))
    header, _, columns = content.partition(b"\n")
    plain = json.loads(header)
    plain["columns"][0][2] += 1
    for changed in (header + b"\n" + columns[:-3], json.dumps(plain).encode() + b"\n" + columns):
        with pytest.raises(StoreError, match="no session saves"):
            load_state(make_state(), zlib.compress(changed), "these", None)
