"""PageBackend: messages of a page in, replies out; whatever comes, nothing wrong is stored."""

import json
import threading
import time

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression, RidgeClassifier
from sklearn.multiclass import OneVsRestClassifier

from skactive import ActiveLearner
from skactive.annotators import ModelAnnotator, Router
from skactive.exceptions import StoreError
from skactive.labeling import LabelingSession, SQLiteLabelStore
from skactive.labeling.page import PageBackend
from skactive.strategies import Random

X, Y = load_iris(return_X_y=True)


@pytest.fixture
def open_session():
    """Return a function that opens sessions, and close them at the end."""
    sessions = []

    def session(X=X, model=None, strategy=None, **params):
        model = LogisticRegression(max_iter=500) if model is None else model
        learner = ActiveLearner(model, Random() if strategy is None else strategy)
        params = {"random_state": 0, "classes": [0, 1, 2], "background": False, **params}
        sessions.append(LabelingSession(learner, X, **params))
        return sessions[-1]

    yield session
    for each in sessions:
        each.close()


@pytest.fixture
def backend(open_session):
    return PageBackend(open_session())


def ask(backend, do, annotator="ann", **about):
    """Return the reply to a message that has been through JSON, as a browser's has."""
    message = json.loads(json.dumps({"do": do, **about}))
    return json.loads(json.dumps(backend.handle(message, annotator), allow_nan=False))


def item(backend, annotator="ann"):
    return ask(backend, "next", annotator, n=1)["items"][0]


def submit_label(backend, given, label, **about):
    return ask(backend, "label", id=given["id"], ticket=given["ticket"], label=label, **about)


def label_of(backend, ident, annotator="ann"):
    found = [
        r for r in backend.session.records() if (r["id"], r["annotator"]) == (ident, annotator)
    ]
    return found[-1]["label"] if found else None


def label_some(backend, n=30):
    """Answer as the true labels say."""
    for _ in range(n):
        given = item(backend)
        submit_label(backend, given, int(Y[given["id"]]))


# Handing out and answering ------------------------------------------------------------------------


def test_items_are_leased_and_have_contents(backend):
    first = ask(backend, "next", "ann", n=3)["items"]
    second = ask(backend, "next", "bob", n=3)["items"]
    assert len({each["id"] for each in first + second}) == 6
    assert all(each["content"]["type"] == "table" for each in first)
    assert backend.session.progress().n_in_flight == 6


def test_a_label_is_stored_with_who_and_how_long(backend):
    given = item(backend)
    reply = submit_label(backend, given, 2, seconds=1.5, key="k1")
    assert reply["ok"]
    assert reply["stored"] == 1
    assert reply["state"]["n_labeled"] == 1
    assert reply["state"]["mine"] == 1
    assert reply["state"]["counts"] == [[0, 0], [1, 0], [2, 1]]
    (record,) = backend.session.records()
    assert (record["id"], record["label"], record["annotator"]) == (given["id"], 2, "ann")
    assert (record["seconds"], record["ticket"]) == (1.5, given["ticket"])


def test_the_same_key_changes_nothing(backend):
    given = item(backend)
    submit_label(backend, given, 2, key="k1")
    assert submit_label(backend, given, 1, key="k1")["stored"] == 0
    assert label_of(backend, given["id"]) == 2


def test_two_people_may_use_the_same_key(backend):
    one, other = item(backend, "ann"), item(backend, "bob")
    ask(backend, "label", "ann", id=one["id"], label=0, key="k")
    ask(backend, "label", "bob", id=one["id"], label=1, key="k")
    ask(backend, "label", "bob", id=other["id"], label=1, key="k")
    assert len(backend.session.records()) == 3


def test_a_lost_reply_to_next_is_given_again(backend):
    first = ask(backend, "next", n=3, key="n1")["items"]
    assert ask(backend, "next", n=3, key="n1")["items"] == first
    assert backend.session.progress().n_in_flight == 3
    others = ask(backend, "next", "bob", n=3, key="n1")["items"]
    assert not {each["id"] for each in others} & {each["id"] for each in first}


def test_skip_and_dont_know(backend):
    one, other = ask(backend, "next", n=2)["items"]
    ask(backend, "skip", id=one["id"], ticket=one["ticket"], key="a")
    reply = ask(backend, "dont_know", id=other["id"], ticket=other["ticket"], key="b")
    assert (reply["state"]["n_skipped"], reply["state"]["n_unknown"]) == (1, 1)


def test_who_answers_sees_that_it_counts_however_slow_the_state_is(backend, monkeypatch):
    slow = backend.session.progress

    def progress():
        time.sleep(0.05)
        return slow()

    monkeypatch.setattr(backend.session, "progress", progress)
    for n in range(1, 4):
        given = item(backend)
        reply = ask(backend, "skip", id=given["id"], ticket=given["ticket"], key=f"k{n}")
        assert reply["state"]["n_skipped"] == n


def test_relabel(backend):
    given = item(backend)
    submit_label(backend, given, 2, key="a")
    assert ask(backend, "relabel", id=given["id"], label=0, key="b")["ok"]
    assert label_of(backend, given["id"]) == 0


def test_release_gives_rows_to_others(backend):
    given = item(backend)
    ask(backend, "release", tickets=[given["ticket"]])
    assert item(backend, "bob")["id"] == given["id"]


def test_nothing_left(open_session):
    backend = PageBackend(open_session(X[:2]))
    assert len(ask(backend, "next", n=5)["items"]) == 2
    reply = ask(backend, "next", n=5)
    assert reply["ok"]
    assert reply["items"] == []


# Going back ---------------------------------------------------------------------------------------


def test_undo_returns_the_row_with_its_content_and_label(backend):
    given = item(backend)
    submit_label(backend, given, 2)
    taken_back = ask(backend, "undo", key="u")["item"]
    assert taken_back == {**given, "kind": "label", "label": 2}
    assert backend.session.records() == []


def test_undo_sent_twice_takes_back_one_answer(backend):
    one, other = ask(backend, "next", n=2)["items"]
    submit_label(backend, one, 0)
    submit_label(backend, other, 1)
    first = ask(backend, "undo", key="u")
    assert ask(backend, "undo", key="u")["item"] == first["item"]
    assert first["item"]["id"] == other["id"]
    assert [record["id"] for record in backend.session.records()] == [one["id"]]


def test_undo_sent_again_to_a_new_backend_names_the_same_row(backend):
    one, other = ask(backend, "next", n=2)["items"]
    submit_label(backend, one, 0)
    submit_label(backend, other, 1)
    ask(backend, "undo", key="u")
    again = ask(PageBackend(backend.session), "undo", key="u")["item"]
    assert (again["id"], again["label"]) == (other["id"], 1)
    assert len(backend.session.records()) == 1


def test_undo_of_nothing_and_of_others(backend):
    assert ask(backend, "undo")["item"] is None
    submit_label(backend, item(backend), 2)
    assert ask(backend, "undo", "bob")["item"] is None
    assert len(backend.session.records()) == 1


def test_undo_of_nothing_sent_again_takes_back_nothing(backend):
    assert ask(backend, "undo", key="u")["item"] is None  # and the reply is lost
    submit_label(backend, item(backend), 2)
    for again in (backend, PageBackend(backend.session)):
        assert ask(again, "undo", key="u")["item"] is None
    assert len(backend.session.records()) == 1


def review(backend, do, annotator="eve", **about):
    return json.loads(json.dumps(backend.handle({"do": do, **about}, annotator, reviews=True)))


def test_who_reviews_sees_the_answers_of_everybody(backend):
    one, other, third = ask(backend, "next", n=3)["items"]
    submit_label(backend, one, 2, key="k1")
    submit_label(backend, other, 1, key="k2")
    ask(backend, "skip", "bob", id=third["id"])
    ask(backend, "relabel", "bob", id=one["id"], label=0)
    items = review(backend, "history")["items"]
    assert [each["id"] for each in items] == [one["id"], third["id"], other["id"]]
    assert all(each["content"] is None and "kind" not in each for each in items)
    first = items[0]["answers"]
    assert [(a["annotator"], a["kind"], a["label"]) for a in first] == [
        ("bob", "label", 0), ("ann", "label", 2)
    ]  # fmt: skip
    assert first[0]["time"] > 1.7e9
    assert [a["kind"] for a in items[1]["answers"]] == ["skip"]
    review(backend, "relabel", id=other["id"], label=2, key="r")
    shown = review(backend, "show", id=other["id"])["item"]
    assert (shown["kind"], shown["label"], shown["content"]["type"]) == ("label", 2, "table")
    assert [a["annotator"] for a in shown["answers"]] == ["eve", "ann"]
    for do, about in (("history", {}), ("show", {"id": one["id"]})):  # by ann, who labels
        assert "'answers'" not in str(ask(backend, do, **about))


def test_who_reviews_may_see_only_rows_with_different_labels(backend):
    rows = [each["id"] for each in ask(backend, "next", n=6)["items"]]
    for number, row in enumerate(rows):
        ask(backend, "label", id=row, label=0)
        if number < 4:
            ask(backend, "label", "bob", id=row, label=number % 2)
    ask(backend, "label", "bob", id=rows[5], label=1)
    read = review(backend, "history", differ=True, n=2)
    assert [each["id"] for each in read["items"]] == [rows[5], rows[3]]
    rest = review(backend, "history", differ=True, n=2, before=read["before"])
    assert [each["id"] for each in rest["items"]] == [rows[1]]
    assert rest["before"] is None
    review(backend, "relabel", id=rows[3], label=0)  # eve has decided, and is not asked again
    assert [each["id"] for each in review(backend, "history", differ=True)["items"]] == [
        rows[5], rows[1]
    ]  # fmt: skip
    assert review(backend, "history", "bob", differ=True)["items"][0]["id"] == rows[3]
    for wrong in (1, "yes", None):
        assert "differ must be" in review(backend, "history", differ=wrong)["error"]
    assert "Only somebody who reviews" in ask(backend, "history", differ=True)["error"]
    assert ask(backend, "history", differ=False)["ok"]


def test_show_says_what_the_annotator_said(backend):
    given = item(backend)
    assert "label" not in ask(backend, "show", id=given["id"])["item"]
    submit_label(backend, given, 2)
    assert ask(backend, "show", id=given["id"])["item"]["label"] == 2
    assert "label" not in ask(backend, "show", "bob", id=given["id"])["item"]


def test_history_goes_back_page_by_page(backend):
    for n in range(5):
        given = item(backend)
        if n == 3:
            ask(backend, "skip", id=given["id"])
        else:
            submit_label(backend, given, n % 3)
        submit_label(backend, item(backend, "bob"), 0, annotator="bob")
    expected = [r for r in backend.session.records() if r["annotator"] == "ann"][::-1]
    found, cursor = [], {}
    while cursor.get("before", 0) is not None:
        reply = ask(backend, "history", n=2, **cursor)
        found += reply["items"]
        cursor = {"before": reply["before"]}
    assert [(i["id"], i["kind"], i["label"]) for i in found] == [
        (r["id"], r["kind"], r["label"]) for r in expected
    ]
    assert found[1]["kind"] == "skip"
    assert all(each["content"] is None for each in found)
    assert ask(backend, "history", "cyd") | {"state": 0} == ask(backend, "history", "cyd") | {
        "state": 0, "items": [], "before": None
    }  # fmt: skip


# Classes ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "classes",
    [[0, 1], [False, True], ["0", "1"], ["a", "true"], [0.5, 1.0], [-1, 2**60, 2**60 + 1]],
    ids=repr,
)
def test_labels_keep_their_type(open_session, classes):
    backend = PageBackend(open_session(classes=classes))
    for expected, sent in zip(classes, ask(backend, "state")["classes"], strict=True):
        given = item(backend)
        through_javascript = float(sent) if isinstance(sent, int) and sent is not True else sent
        sent = sent if isinstance(sent, bool) else through_javascript
        assert submit_label(backend, given, sent)["ok"]
        stored = label_of(backend, given["id"])
        assert (type(stored), stored) == (type(expected), expected)


@pytest.mark.parametrize(
    "label",
    [3, "0", True, None, [0], {"a": 0}, "", 1e400, -1, "x" * 10_000],
    ids=lambda v: str(v)[:9],
)
def test_labels_outside_the_classes_are_refused(backend, label):
    given = item(backend)
    reply = backend.handle({"do": "label", "id": given["id"], "label": label}, "ann")
    assert not reply["ok"]
    assert reply["error"]
    assert len(reply["error"]) < 400
    assert reply["state"]["n_labeled"] == 0
    assert backend.session.records() == []


def test_classes_of_others_are_known_at_once(open_session):
    session = open_session(classes=["a"])
    backend, other = PageBackend(session), PageBackend(session)
    ask(backend, "state")
    ask(other, "add_class", label="b")
    assert submit_label(backend, item(backend), "b")["ok"]


def test_classes_keep_their_place(open_session):
    backend = PageBackend(open_session(classes=None))
    for name in ("m", "z", "a"):
        assert ask(backend, "add_class", label=name)["classes"][-1] == name
    submit_label(backend, item(backend), "a")
    assert ask(backend, "state")["classes"] == ["m", "z", "a"]


def test_classes_not_declared_must_be_added_first(open_session):
    backend = PageBackend(open_session(classes=None))
    assert not submit_label(backend, item(backend), "a")["ok"]
    ask(backend, "add_class", label=" a ")
    assert submit_label(backend, item(backend), "a")["ok"]


@pytest.mark.parametrize("label", ["cat", "", " ", None, [], True, "a\nb", "x" * 201, {}])
def test_classes_that_cannot_be_added(backend, label):
    reply = ask(backend, "add_class", label=label)
    assert not reply["ok"]
    assert reply["classes"] == [0, 1, 2]


def test_keys_come_with_each_reply(open_session):
    backend = PageBackend(open_session(classes=["s", "sport"]))
    keys = ask(backend, "state")["keys"]
    assert keys["classes"] == ["s", "1"]
    assert (keys["commands"]["S"], keys["search"]) == ("skip", False)
    keys = ask(backend, "add_class", label="news")["keys"]
    assert keys["classes"] == ["s", "1", "2"]
    assert backend.handle(None)["keys"] == keys


def test_rename_and_merge(open_session):
    session = open_session(classes=["ct", "cat", "dog"])
    backend, other = PageBackend(session), PageBackend(session)
    given = item(backend)
    submit_label(backend, given, "ct")
    ask(other, "state")
    reply = ask(backend, "rename_class", old="ct", new=" kitten ", key="a")
    assert reply["classes"] == ["kitten", "cat", "dog"]
    assert reply["keys"]["classes"] == ["1", "2", "3"]
    assert label_of(backend, given["id"]) == "kitten"
    assert not submit_label(other, item(other), "ct")["ok"]
    assert ask(other, "state")["classes"] == ["kitten", "cat", "dog"]
    reply = ask(backend, "rename_class", old="kitten", new=" cat", key="b")
    assert reply["classes"] == ["cat", "dog"]
    assert reply["keys"]["classes"] == ["2", "3"]
    assert label_of(backend, given["id"]) == "cat"
    assert ask(backend, "rename_class", old="kitten", new="cat", key="b")["ok"]  # sent again


@pytest.mark.parametrize("new", ["", " ", "a\nb", "x" * 201, 3, True, None, [], "a\u202e"])
def test_names_that_no_class_gets(open_session, new):
    backend = PageBackend(open_session(classes=["a", "b"]))
    reply = ask(backend, "rename_class", old="a", new=new)
    assert not reply["ok"]
    assert reply["error"]
    assert reply["classes"] == ["a", "b"]


def test_what_goes_to_the_session_on_a_rename(open_session, monkeypatch):
    session = open_session(classes=[1, 2])
    calls = []
    monkeypatch.setattr(
        type(session), "rename_class", lambda self, *args, **options: calls.append((args, options))
    )
    backend = PageBackend(session)
    ask(backend, "rename_class", old=1.0, new=3, key="k")
    assert calls == [((1, 3), {"annotator": "ann", "key": "page:ann:k"})]
    assert not ask(backend, "rename_class", old=[1], new=3)["ok"]


def test_the_full_size(backend, monkeypatch):
    content = {"type": "image", "src": "data:image/png;base64,", "width": 4000}
    monkeypatch.setattr(
        type(backend._render), "full", lambda self, X, row: content | {"row": row}, raising=False
    )
    assert ask(backend, "full", id=7)["content"] == content | {"row": 7}
    assert not ask(backend, "full", id=150)["ok"]


def test_several_labels(open_session):
    backend = PageBackend(open_session(classes=["a", "b", "c"], multilabel=True))
    given = item(backend)
    assert submit_label(backend, given, ["c", "a"])["ok"]
    assert label_of(backend, given["id"]) == ["a", "c"]
    assert ask(backend, "show", id=given["id"])["item"]["label"] == ["a", "c"]
    assert submit_label(backend, item(backend), [])["ok"]
    for wrong in ("a", ["d"], [["a"]], None):
        assert not submit_label(backend, given, wrong)["ok"]


# Ids ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ids", [[7, 8], ["a", "b"], [2**60, 2**60 + 1], ["1", "2"]], ids=repr)
def test_ids_find_their_row(open_session, ids):
    backend = PageBackend(open_session(X[:2], ids=ids))
    for sent in ask(backend, "next", n=2)["items"]:
        assert not isinstance(sent["id"], int) or sent["id"] < 2**53
        assert submit_label(backend, sent, 1)["ok"]
    assert {record["id"] for record in backend.session.records()} == set(ids)


@pytest.mark.parametrize("ident", [-1, 150, "0", 0.0, True, None, [0], {}, "x" * 10_000])
def test_ids_outside_are_refused(backend, ident):
    for message in ({"do": "label", "label": 0}, {"do": "skip"}, {"do": "show"}, {"do": "suggest"}):
        reply = ask(backend, **message, id=ident)
        assert not reply["ok"]
        assert "not in the pool" in reply["error"]
    assert backend.session.records() == []


def test_lone_surrogates_are_refused(open_session):
    backend = PageBackend(open_session(X[:2], ids=["a", "b"], classes=["x", "y"]))
    for message in (
        {"do": "label", "id": "a", "label": "x\ud800"}, {"do": "skip", "id": "a\udfff"},
        {"do": "add_class", "label": "z\ud800"},
        {"do": "rename_class", "old": "y", "new": "\ud800"},
        {"do": "label", "id": "a", "label": "y", "ticket": "\ud800"},
    ):  # fmt: skip
        reply = backend.handle(message, "ann")
        assert not reply["ok"]
        reply["error"].encode()
    assert backend.session.records() == []


@pytest.mark.parametrize(("sent", "stored"), [(-0.0, 0.0), (0, 0.0), (1e9, 1e9), (2.5, 2.5)])
def test_seconds_are_never_negative_zero(backend, sent, stored):
    assert submit_label(backend, item(backend), 1, seconds=sent)["ok"]
    seconds = backend.session.records()[0]["seconds"]
    assert (seconds, str(seconds)[0]) == (stored, str(stored)[0])


# Messages that are no good ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "message",
    [
        None, [], "next", 3, {}, {"do": "drop"}, {"do": None}, {"do": ["next"]}, {"do": "__init__"},
        {"do": "next", "n": 0}, {"do": "next", "n": 1000}, {"do": "next", "n": True},
        {"do": "next", "n": "1"}, {"do": "next", "n": 1.0}, {"do": "next", "m": 1},
        {"do": "label"}, {"do": "label", "id": 0}, {"do": "label", "label": 0},
        {"do": "label", "id": 0, "label": 0, "annotator": "bob"},
        {"do": "label", "id": 0, "label": 0, "seconds": "1"},
        {"do": "label", "id": 0, "label": 0, "seconds": -1},
        {"do": "label", "id": 0, "label": 0, "seconds": float("nan")},
        {"do": "label", "id": 0, "label": 0, "seconds": True},
        {"do": "label", "id": 0, "label": 0, "seconds": float("inf")},
        {"do": "label", "id": 0, "label": 0, "seconds": 10**400},
        {"do": "history", "n": 0}, {"do": "history", "n": 21}, {"do": "history", "before": "1"},
        {"do": "history", "before": -1}, {"do": "history", "before": True},
        {"do": "history", "before": 1.5}, {"do": "full"}, {"do": "full", "id": 150},
        {"do": "rename_class", "old": 0}, {"do": "rename_class", "old": 0, "new": "a b"},
        {"do": "rename_class", "old": {}, "new": 5},
        {"do": "label", "id": 0, "label": 0, "key": ""},
        {"do": "label", "id": 0, "label": 0, "key": "a b"},
        {"do": "label", "id": 0, "label": 0, "key": "k" * 65},
        {"do": "label", "id": 0, "label": 0, "key": 1},
        {"do": "label", "id": 0, "label": 0, "ticket": 1},
        {"do": "label", "id": 0, "label": 0, "ticket": "no such"},
        {"do": "skip", "id": 0, "ticket": "no such"},
        {"do": "release", "tickets": "all"}, {"do": "release", "tickets": [1]},
        {"do": "release", "tickets": ["no such"]},
        {"do": "undo", "id": 0}, {"do": "state", 1: 2}, {"do": "add_class", "label": float("nan")},
    ],
    ids=lambda message: str(message)[:60],
)  # fmt: skip
def test_wrong_messages_get_an_error_and_store_nothing(backend, message):
    before = len(backend.session.store.events())
    reply = backend.handle(message, "ann")
    assert not reply["ok"]
    assert reply["error"]
    assert not reply["retry"]
    assert reply["classes"] == [0, 1, 2]
    assert reply["state"]["n_rows"] == 150
    stored = backend.session.store.events()[before:]
    assert [event.kind for event in stored] == []


def test_a_key_cannot_take_the_place_of_a_plan(backend):
    item(backend)
    plan = f"plan:{backend.session._synced.state.settings}:10"
    assert not ask(backend, "undo", key=plan)["ok"]
    label_some(backend, 12)
    assert backend.session.progress().n_learned == 10


def test_trouble_with_the_store_may_be_tried_again(backend, monkeypatch):
    given = item(backend)

    def full(*_):
        raise StoreError("the disk is full")

    with monkeypatch.context() as broken:
        broken.setattr(backend.session.store, "append", full)
        reply = submit_label(backend, given, 1, key="k")
    assert (reply["ok"], reply["retry"], reply["error"]) == (False, True, "the disk is full")
    assert submit_label(backend, given, 1, key="k")["stored"] == 1


def test_a_store_that_is_gone_is_an_error_with_the_last_state(open_session):
    backend = PageBackend(open_session())
    ask(backend, "state")
    backend.session.store.close()
    reply = ask(backend, "next")
    assert not reply["ok"]
    assert reply["state"]["n_rows"] == 150


def test_a_row_that_cannot_be_shown_can_be_skipped(open_session):
    backend = PageBackend(open_session(), render=lambda row: 1 / 0)
    given = item(backend)
    assert given["content"]["type"] == "problem"
    assert "division by zero" in given["content"]["text"]
    assert ask(backend, "skip", id=given["id"])["ok"]


def test_contents_that_are_too_large_together_come_one_by_one(open_session):
    texts = [f"{i:06}" * 15_000 for i in range(30)]
    backend = PageBackend(open_session(texts, strategy=Random()))
    items = ask(backend, "next", n=20)["items"]
    missing = [each["id"] for each in items if each["content"] is None]
    assert 5 < len(missing) < 15
    assert ask(backend, "show", id=missing[0])["item"]["content"]["text"] == texts[missing[0]]


def test_several_numbers_per_row_are_refused(open_session):
    session = open_session(model=LinearRegression(), classes=None, multilabel=True)
    with pytest.raises(TypeError, match="cannot ask for several numbers"):
        PageBackend(session)


# State --------------------------------------------------------------------------------------------


def test_state_has_the_audit_and_its_curve(open_session):
    backend = PageBackend(open_session(audit_share=0.5))
    label_some(backend, 100)
    state = ask(backend, "next")["state"]
    value, low, high = state["accuracy"]
    assert 0 <= low <= value <= high <= 1
    history = backend.session.history.query("audit_n >= 20")
    assert state["curve"] == history[["n_labels", "audit_score"]].to_numpy().tolist()
    assert len(state["curve"]) >= 2


def test_accuracy_waits_for_enough_audit_rows(open_session):
    backend = PageBackend(open_session(audit_share=0.5))
    label_some(backend, 20)
    state = ask(backend, "state")["state"]
    assert state["accuracy"] is None
    assert state["curve"] == []
    n = backend.session.progress().n_audited
    assert 0 < n < 20
    assert state["accuracy_text"] == f"Accuracy: after 20 audit rows; {n} so far"


def test_the_curve_is_made_once_per_round(backend, monkeypatch):
    label_some(backend, 12)
    rounds, reads = type(backend.session).rounds, []
    monkeypatch.setattr(
        type(backend.session),
        "rounds",
        property(lambda session: reads.append(1) or rounds.fget(session)),
    )
    for _ in range(3):
        ask(backend, "state")
    assert len(reads) <= 1
    label_some(backend, 10)
    assert 1 <= len(reads) <= 3


def test_state_without_an_audit(backend):
    state = ask(backend, "state")["state"]
    assert state["accuracy"] is None
    assert state["accuracy_text"] == ""
    assert state["curve"] == []
    assert (state["stop_reason"], state["problem"], state["mine"]) == ("", "", 0)


# Suggestions --------------------------------------------------------------------------------------


def test_suggestions_come_from_the_last_model(backend):
    given = item(backend)
    assert ask(backend, "suggest", id=given["id"])["suggestion"] is None
    label_some(backend)
    found = ask(backend, "suggest", id=given["id"])["suggestion"]
    expected = backend.session.latest_model[1].predict_proba(X[[given["id"]]])[0]
    assert [label for label, _ in found] == np.argsort(-expected).tolist()
    np.testing.assert_allclose([share for _, share in found], -np.sort(-expected))


def test_suggestions_are_not_sent_unless_asked_for(backend):
    label_some(backend)
    for do in ("next", "state", "undo"):
        assert "suggestion" not in json.dumps(ask(backend, do))


def test_suggestions_never_fit(backend, monkeypatch):
    label_some(backend)
    given = item(backend)
    monkeypatch.setattr(LogisticRegression, "fit", lambda *_: pytest.fail("fitted"))
    submit_label(backend, given, 0)
    assert ask(backend, "suggest", id=given["id"])["suggestion"] is not None


def test_routed_rows_are_for_reviewers_and_confidence_only_on_request(open_session):
    model = LogisticRegression(max_iter=500).fit(X[::2], Y[::2])
    session = open_session()
    router = Router([ModelAnnotator(model, price=0.25)], audit=60, random_state=0)
    session.route(router.fit(X, oracle=Y))
    routed = next(r for r in session.records() if r["source"] == "annotator")
    backend = PageBackend(session)
    handed = ask(backend, "next", n=20)["items"]
    assert handed
    by_router = {r["id"] for r in session.records() if r["source"] == "annotator"}
    assert not by_router & {given["id"] for given in handed}
    reply = backend.handle({"do": "show", "id": routed["id"]}, "eve", reviews=True)
    (answer,) = reply["item"]["answers"]
    assert (answer["annotator"], answer["cost"]) == ("LogisticRegression", 0.25)
    assert "confidence" not in json.dumps(reply)
    asked = backend.handle({"do": "suggest", "id": routed["id"]}, "eve", reviews=True)
    assert asked["routed"] == [
        {"annotator": "LogisticRegression", "label": routed["label"],
         "confidence": routed["confidence"], "cost": 0.25}
    ]  # fmt: skip
    assert "routed" not in ask(backend, "suggest", id=routed["id"])  # others' answers are hidden


def test_suggestion_without_probabilities(open_session):
    backend = PageBackend(open_session(model=RidgeClassifier()))
    label_some(backend)
    ((label, share),) = ask(backend, "suggest", id=0)["suggestion"]
    assert label in {0, 1, 2}
    assert share is None


@pytest.mark.parametrize(
    "model",
    [OneVsRestClassifier(LogisticRegression()), RandomForestClassifier(10, random_state=0)],
    ids=["matrix", "list"],
)
def test_suggestions_of_several_labels(open_session, model):
    backend = PageBackend(
        open_session(model=model, classes=["big", "first", "rare"], multilabel=True)
    )
    for _ in range(30):
        given = item(backend)
        row = given["id"]
        truth = {"big": X[row, 2] > 3, "first": Y[row] == 0, "rare": row % 20 == 0}
        label = [name for name, holds in truth.items() if holds]
        submit_label(backend, given, label)
    found = dict(ask(backend, "suggest", id=149)["suggestion"])
    assert found.keys() == {"big", "first", "rare"}
    assert found["big"] > 0.5 > found["first"]
    ask(backend, "add_class", label="another")
    assert ask(backend, "suggest", id=149)["suggestion"] is None  # the model does not know it yet


# Many at a time -----------------------------------------------------------------------------------


def test_many_at_a_time(open_session, tmp_path):
    store = SQLiteLabelStore(tmp_path / "labels.db")
    backend = PageBackend(open_session(store=store, background=True))
    errors = []

    def work(name):
        while items := ask(backend, "next", name, n=3)["items"]:
            for each in items:
                reply = ask(
                    backend, "label", name, id=each["id"], ticket=each["ticket"], label=0,
                    key=f"k{each['id']}",
                )  # fmt: skip
                if not reply["ok"]:
                    errors.append(reply["error"])

    threads = [threading.Thread(target=work, args=(f"a{i}",)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert sorted(record["id"] for record in backend.session.records()) == list(range(150))
