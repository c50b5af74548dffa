"""Sessions: what people do, in every order, and that nothing of it is lost."""

import shutil
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_iris
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline

from skactive import ActiveLearner
from skactive.exceptions import (
    LabelError,
    PoolChangedError,
    PoolChangedWarning,
    SkactiveWarning,
    StoreError,
)
from skactive.labeling import LabelingSession, SQLiteLabelStore, _synced
from skactive.labeling._recorder import Submission
from skactive.labeling.state._events import Event
from skactive.labeling.stores import salvage_store
from skactive.stopping import Budget
from skactive.strategies import Margin, Random

X, Y = load_iris(return_X_y=True)
NAMES = np.array(["setosa", "versicolor", "virginica"])


@pytest.fixture
def path(tmp_path):
    return tmp_path / "labels.db"


def truth(ids):
    return {ident: str(NAMES[Y[ident]]) for ident in ids}


def label(session, n, annotator=None):
    batch = session.next_batch(n, annotator)
    session.submit(truth(batch.ids), ticket=batch.ticket, annotator=annotator)
    return batch.ids


# -- handing out -------------------------------------------------------------------------------


def test_a_session_labels_from_nothing_to_the_end(open_session):
    session = open_session()
    seen = []
    while ids := label(session, 7):
        seen += ids
    assert sorted(seen) == list(range(150))
    assert session.progress().n_labeled == 150
    assert session.progress().classes == dict.fromkeys(NAMES.tolist(), 50)
    assert session.learner.score(X, NAMES[Y]) > 0.9
    assert len(session.next_batch(3)) == 0


def test_rows_in_flight_are_not_handed_out_again(open_session):
    first, second = open_session(), open_session()
    batches = [session.next_batch(10) for session in (first, second, first)]
    assert len({ident for batch in batches for ident in batch.ids}) == 30
    assert first.progress().n_in_flight == 30


def test_a_smaller_batch_than_one_has_on_hand_is_of_these_rows(open_session):
    before = open_session().next_batch(10, annotator="ann")
    batch = open_session().next_batch(3, annotator="ann")
    assert list(batch.ids) == list(before.ids)[:3]


def test_a_batch_has_its_rows_in_the_container_of_the_pool(open_session):
    frame = pd.DataFrame(X, index=[f"r{i}" for i in range(150)])
    session = open_session(frame, ids=frame.index)
    batch = session.next_batch(4)
    pd.testing.assert_frame_equal(batch.rows, frame.loc[batch.ids])


def test_peek_is_what_comes_next_and_takes_nothing(open_session):
    session = open_session()
    for _ in range(4):
        expected = session.peek(5)
        assert session.peek(5) == expected
        batch = session.next_batch(5)
        assert batch.ids == expected
        session.submit(truth(batch.ids))


def test_a_lease_that_has_run_out_is_handed_out_again(open_session, monkeypatch):
    session = open_session(lease_seconds=60)
    first = session.next_batch(5).ids
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 59)
    assert not set(first) & set(session.next_batch(5).ids)
    monkeypatch.setattr(time, "time", lambda: now + 61)
    assert session.next_batch(5).ids == first


def test_a_clock_that_is_put_back_frees_nothing_and_keeps_nothing_forever(
    open_session, monkeypatch
):
    session = open_session(lease_seconds=60)
    first = session.next_batch(5).ids
    wall, monotonic = time.time(), time.monotonic()
    monkeypatch.setattr(time, "time", lambda: wall - 10**6)
    other = open_session(lease_seconds=60)
    assert not set(first) & set(other.peek(5))
    monkeypatch.setattr(time, "monotonic", lambda: monotonic + 50)
    assert not set(first) & set(other.peek(5))
    monkeypatch.setattr(time, "monotonic", lambda: monotonic + 100)
    assert other.peek(5) == first
    before = len(session.records())
    session.submit(truth(first))  # answers of a time before others are answers too
    assert len(other.records()) == before + 5


def test_rows_that_are_given_back_come_again(open_session):
    session = open_session()
    batch = session.next_batch(4)
    session.release(batch.ticket, batch.ids[:1])
    assert session.peek(1) == batch.ids[:1]
    session.release(batch.ticket)
    assert session.peek(4) == batch.ids
    with pytest.raises(LabelError, match="Unknown ticket 'x'"):
        session.release("x")


def test_a_session_that_is_closed_gives_back_what_is_in_flight(open_session):
    with open_session() as session:
        ids = session.next_batch(5).ids
        session.submit(truth(ids[:2]))
    assert open_session().peek(3) == ids[2:]


def test_a_named_annotator_goes_on_where_their_last_session_was_cut_off(open_session):
    """As after a crash: the lease of the session that is gone holds, and is theirs."""
    first = open_session()
    batch = first.next_batch(6, "ann")
    first.submit(truth(batch.ids[:2]), annotator="ann")
    again = open_session()
    assert not set(again.peek(5, "bob")) & set(batch.ids)
    assert again.next_batch(6, "ann").ids[:4] == batch.ids[2:]
    assert not set(again.next_batch(6, "ann").ids) & set(batch.ids)
    assert not set(first.peek(5, "bob")) & set(batch.ids)


def test_texts_are_labeled_from_zero(open_session):
    texts = [f"{one} {two}" for one in "abcdefgh" for two in ("good film", "bad film", "so so")]
    model = make_pipeline(TfidfVectorizer(token_pattern=r"\w+"), LogisticRegression())
    session = open_session(texts, model=model, refit_every=4)
    for _ in range(4):
        batch = session.next_batch(4)
        assert batch.rows == [texts[i] for i in batch.ids]
        session.submit({i: texts[i].split()[1] for i in batch.ids})
    assert session.predict(["z good film"]) == ["good"]


def test_a_regressor_is_labeled_with_numbers(open_session):
    session = open_session(model=LinearRegression(), refit_every=5)
    for _ in range(4):
        batch = session.next_batch(5)
        session.submit({i: X[i, 0] * 2 for i in batch.ids})
    assert session.learner.score(X, X[:, 0] * 2) > 0.99


def test_several_labels_a_row(open_session):
    session = open_session(
        model=OneVsRestClassifier(GaussianNB()), strategy=Random(), multilabel=True, refit_every=10
    )
    for _ in range(4):
        batch = session.next_batch(10)
        session.submit(
            {i: ["wide"] * int(X[i, 1] > 3) + ["long"] * int(X[i, 0] > 6) for i in batch.ids}
        )
    assert session.classes == ["long", "wide"]
    assert session.predict(X[:5]).shape == (5, 2)
    with pytest.raises(LabelError, match="a list of classes"):
        session.submit({0: "wide"})


# -- answers -----------------------------------------------------------------------------------


def test_answers_may_be_partial_late_repeated_and_out_of_order(open_session, monkeypatch):
    session = open_session(lease_seconds=10)
    first, second = session.next_batch(4), session.next_batch(4)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 11)
    session.submit(truth(second.ids[::-1]), ticket=second.ticket)
    assert session.submit(truth(first.ids[:1]), ticket=first.ticket) == 1
    assert session.submit(truth(first.ids), ticket=first.ticket) == 3
    assert session.submit(truth(first.ids), ticket=first.ticket) == 0
    assert session.submit({149: "virginica"}) == 1  # never handed out
    assert session.progress().n_labeled == 9


def test_what_was_answered_is_read_by_another_session_at_once(open_session):
    one, other = open_session(), open_session()
    one.submit({3: "setosa"}, annotator="ann", seconds=2.5)
    (record,) = other.records()
    assert (record["id"], record["label"], record["annotator"], record["seconds"]) == (
        3, "setosa", "ann", 2.5,
    )  # fmt: skip


def test_a_retry_under_a_ticket_does_not_undo_a_correction(open_session):
    session = open_session()
    batch = session.next_batch(1)
    (row,) = batch.ids
    assert session.submit({row: "setosa"}, ticket=batch.ticket) == 1
    assert session.submit({row: "virginica"}, ticket=batch.ticket) == 1
    assert session.submit({row: "setosa"}, ticket=batch.ticket) == 0  # the first, sent again
    assert session.records()[-1]["label"] == "virginica"
    assert session.relabel({row: "setosa"}) == 1
    assert session.records()[-1]["label"] == "setosa"


def test_a_key_counts_once(open_session):
    session = open_session()
    assert session.submit({1: "setosa", 2: "setosa"}, key="k") == 2
    assert session.submit({1: "virginica", 2: "virginica"}, key="k") == 0
    assert session.relabel({1: "virginica"}, key="l") == 1
    assert session.relabel({1: "virginica"}, key="l") == 0
    assert session.undo(key="u") == 1
    assert session.undo(key="u") == 1  # the same undo
    assert session.submit({1: "virginica"}, key="l") == 0  # though it was undone
    assert {r["id"]: r["label"] for r in session.records()} == {1: "setosa", 2: "setosa"}
    assert session.skip([5], key="s") == 1
    assert session.skip([5], key="s") == 0


def test_the_last_label_of_a_row_counts(open_session):
    session = open_session()
    session.submit({1: "setosa"}, annotator="ann")
    session.submit({1: "virginica"}, annotator="bob")
    assert session.progress().classes == {"virginica": 1}
    assert session.progress().annotators == {"ann": 1, "bob": 1}
    session.submit({1: "versicolor"}, annotator="ann")
    assert session.progress().classes == {"versicolor": 1}
    assert session.undo("ann") == 1
    assert session.progress().classes == {"virginica": 1}


def test_undo_takes_back_the_last_answer_of_the_annotator(open_session):
    session = open_session()
    mine = session.next_batch(2, "ann")
    session.submit(truth(mine.ids), annotator="ann", ticket=mine.ticket)
    session.submit(truth(session.next_batch(1, "bob").ids), annotator="bob")
    session.skip([120], annotator="ann")
    assert [session.undo("ann") for _ in range(4)] == [120, *mine.ids[::-1], None]
    assert session.progress().n_labeled == 1
    assert session.submit(truth(mine.ids), annotator="ann", ticket=mine.ticket) == 0  # a retry
    assert session.submit(truth(mine.ids), annotator="ann") == 2


def test_skipped_rows_go_to_others_and_unknown_ones_to_nobody(open_session):
    session = open_session()
    batch = session.next_batch(4, "ann")
    assert session.skip(batch.ids[:2], ticket=batch.ticket, annotator="ann") == 2
    assert session.mark_unknown(batch.ids[2:], ticket=batch.ticket, annotator="ann") == 2
    assert not set(batch.ids) & set(session.peek(146, "ann"))
    assert set(batch.ids) & set(session.peek(150, "bob")) == set(batch.ids[:2])
    progress = session.progress()
    assert (progress.n_skipped, progress.n_unknown, progress.n_labeled) == (2, 2, 0)
    session.submit(truth(batch.ids[:1]), annotator="bob")
    session.relabel(truth(batch.ids[2:3]), annotator="ann")
    progress = session.progress()
    assert (progress.n_skipped, progress.n_unknown, progress.n_labeled) == (1, 1, 2)


@pytest.mark.parametrize(
    ("answers", "match"),
    [
        ({999: "setosa"}, "Unknown row 999: not in the pool"),
        ({"3": "setosa"}, "Unknown row '3'"),
        ({True: "setosa"}, "Unknown row True"),
        ({3.0: "setosa"}, r"Unknown row 3\.0"),
        ({(1, 2): "setosa"}, r"Unknown row \(1, 2\)"),
        ({3: None}, "use skip or mark_unknown"),
        ({3: float("nan")}, "must be finite"),
        ({3: ["a", "b"]}, "multilabel=True"),
        ({3: 1}, "is a number, but the labels of this session are of type string"),
        ([3], "a dict of id to label"),
    ],
)
def test_answers_that_cannot_be_right_are_refused_whole(open_session, answers, match):
    session = open_session()
    session.submit({0: "setosa"})
    answers = {5: "setosa", **answers} if isinstance(answers, dict) else answers
    with pytest.raises(LabelError, match=match):
        session.submit(answers)
    assert len(session.records()) == 1


def test_classes_that_were_declared_are_all_there_are_until_one_is_added(open_session):
    session, other = (open_session(classes=["setosa", "versicolor"]) for _ in range(2))
    with pytest.raises(LabelError, match=r"not among the classes.*add_class"):
        session.submit({1: "setosa", 120: "virginica"})
    with pytest.raises(LabelError, match="of type string"):
        session.add_class(3)
    session.add_class("virginica")
    assert other.submit({1: "setosa", 120: "virginica"}) == 2  # after one look at the store
    assert session.classes == other.classes == ["setosa", "versicolor", "virginica"]


def test_labels_that_are_known_are_taken_along(open_session):
    open_session(labels={1: "setosa", 2: "setosa"}).close()
    session = open_session(labels={1: "virginica", 3: "setosa"})
    assert {r["id"]: r["label"] for r in session.records()} == dict.fromkeys((1, 2, 3), "setosa")


# -- the store decides -------------------------------------------------------------------------


def test_a_store_opened_again_gives_the_same_next_batch(open_session):
    session = open_session(refit_every=7)
    for _ in range(5):
        label(session, 6)
        expected = session.peek(25)
        session.close()
        session = open_session(refit_every=7)
        assert session.peek(25) == expected


def test_other_rows_are_refused_and_say_how_they_differ(open_session):
    open_session().close()
    changed = X.copy()
    changed[77, 2] += 1e-9
    for rows, options, match in (
        (X[:-1], {}, "it has 150 rows, these are 149"),
        (X, {"ids": range(1, 151)}, "the ids differ"),
        (changed, {}, "the ids are the same, but the rows are not"),
    ):
        with pytest.raises(PoolChangedError, match=match):
            open_session(rows, **options)
    open_session()


@pytest.mark.parametrize(
    ("ids", "match"),
    [
        ([1] * 150, "unique: 1 occurs more than once"),
        (range(149), "each of the 150 rows, got 149"),
        ([1.5, *range(149)], "strings or integers, got 1.5"),
    ],
)
def test_ids_that_name_no_rows(open_session, ids, match):
    with pytest.raises(ValueError, match=match):
        open_session(ids=ids)


@pytest.mark.parametrize(
    "options",
    [
        {"audit_share": 1.0},
        {"refit_every": 0},
        {"n_ahead": 0},
        {"lease_seconds": 0},
        {"random_state": 2**32},
    ],
)
def test_settings_that_cannot_be(open_session, options):
    with pytest.raises(ValueError, match=next(iter(options))):
        open_session(**options)
    open_session()  # the store is as it was


@pytest.mark.parametrize(
    ("fact", "value"), [("seed", "7"), ("pool", {"n_rows": "many"}), ("pool 1", [1])]
)
def test_facts_that_no_session_stores(open_session, tmp_path, fact, value):
    with closing(SQLiteLabelStore(tmp_path / "labels.db")) as store:
        if fact == "pool 1":
            store.set_fact("pool", {"n_rows": 1, "ids": "", "rows": ""})
        store.set_fact(fact, value)
    with pytest.raises(StoreError, match=f"The fact {fact} of the store has a content that no"):
        open_session()


@pytest.mark.parametrize("classes", [None, ["yes", "no"]])
def test_labels_of_several_types_that_no_session_stores(open_session, tmp_path, classes):
    open_session(classes=classes).submit({0: "yes"})
    with closing(SQLiteLabelStore(tmp_path / "labels.db")) as store:
        store.append([Event("label", "x", item=1, value=7)])
    with pytest.raises(StoreError, match=r"labels of several types \(number, string\)"):
        open_session(classes=classes)


def test_a_session_without_a_store_leaves_nothing_behind():
    with LabelingSession(ActiveLearner(GaussianNB()), X, background=False) as session:
        label(session, 5)
        path = session.store.path
        assert path.exists()
    assert not path.parent.exists()


# -- hooks -------------------------------------------------------------------------------------


class Listener:
    def __init__(self):
        self.events = []

    def __getattr__(self, name):
        if name.startswith("on_"):
            return self.events.append
        raise AttributeError(name)


def test_hooks_are_told_of_everything(open_session):
    listener = Listener()
    session = open_session(hooks=[listener], stopping=Budget(10), refit_every=5, audit_share=0.1)
    first = session.next_batch(6, "ann")
    session.submit(truth(first.ids), annotator="ann", seconds=3)
    session.submit(truth(first.ids), annotator="ann")
    for _ in range(3):
        label(session, 6)
    names = [event.name for event in listener.events]
    assert names[:3] == ["on_query_end", "on_round_end", "on_labels"]
    assert names[3:6] == ["on_fit_end", "on_query_end", "on_round_end"]
    assert names.count("on_labels") == 4
    assert names.count("on_stop") == 1
    told = listener.events[2]
    assert (told.labels, told.annotator, told.seconds) == (truth(first.ids), "ann", 3.0)
    assert told.n_labels == 6
    assert set(told.audited) == set(first.ids) & session.audit_ids
    last = [event for event in listener.events if event.name == "on_round_end"][-1]
    assert last.metrics["n_learned"] == 15
    assert 0 <= last.metrics["audit_score"] <= 1
    assert last.ids
    assert last.round == session.progress().n_rounds


def test_a_hook_that_fails_stops_nothing(open_session):
    class Broken:
        def on_labels(self, event):
            raise RuntimeError("oh")

    session = open_session(hooks=[Broken()])
    with pytest.warns(SkactiveWarning, match=r"Broken.on_labels failed; labeling continues.*oh"):
        label(session, 2)
    assert session.progress().n_labeled == 2
    with pytest.raises(TypeError, match="at least one of the methods on_fit_end"):
        open_session(hooks=[object()])


# -- tables and files --------------------------------------------------------------------------


def test_tables(open_session):
    session = open_session(refit_every=5)
    batch = session.next_batch(10, "ann")
    session.submit(truth(batch.ids), ticket=batch.ticket, annotator="ann", seconds=1)
    session.skip([int(np.setdiff1d(np.arange(150), batch.ids)[0])], annotator="bob")
    session.peek()
    table = session.labels
    assert table.columns.tolist() == [
        "id", "kind", "label", "annotator", "time", "seconds", "round", "score", "ticket",
    ]  # fmt: skip
    assert table["id"].tolist()[:10] == batch.ids
    assert (table["annotator"] == ["ann"] * 10 + ["bob"]).all()
    assert abs(table["time"].iloc[0].timestamp() - time.time()) < 60
    history = session.history
    assert history["n_labels"].tolist() == [0, 10]
    assert (history[["fit_seconds", "query_seconds"]] >= 0).all(axis=None)


def test_a_store_can_be_passed_open(path):
    store = SQLiteLabelStore(path)
    with LabelingSession(ActiveLearner(GaussianNB()), X, store=store, background=False) as session:
        label(session, 3)
    with pytest.raises(TypeError, match="a path or a LabelStore"):
        LabelingSession(ActiveLearner(GaussianNB()), X, store=3)


# -- names, labels and rows that come in ---------------------------------------------------------


def reopen_and_count(open_session):
    session = open_session()
    n = session.progress().n_labeled
    session.close()
    return n


@pytest.mark.parametrize(
    "options",
    [
        {"annotator": np.str_("ann")},
        {"seconds": -0.0},
        {"seconds": np.float32(0.1)},
        {"seconds": np.int64(3)},
        {"key": np.str_("k")},
    ],
)
def test_values_of_other_types_are_stored_as_plain_ones(open_session, options):
    session = open_session()
    assert session.submit({0: 1}, **options) == 1
    session.close()
    assert reopen_and_count(open_session) == 1


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"annotator": 5}, "annotator must be a string or None, got 5: pass annotator='5'"),
        ({"annotator": True}, "annotator must be a string"),
        ({"annotator": float("nan")}, "annotator must be a string"),
        ({"annotator": "ann\u200d"}, "ann"),
        ({"annotator": "\ud83d"}, "ann"),
        ({"seconds": float("nan")}, "seconds must be a finite number"),
        ({"seconds": -1}, "seconds must be a finite number"),
        ({"seconds": "3"}, "seconds must be a finite number"),
        ({"key": 3}, "key must be a string"),
        ({"ticket": 3}, "ticket must be a string"),
    ],
)
def test_values_that_cannot_be_stored_are_refused(open_session, options, match):
    session = open_session()
    session.submit({1: 1})
    with pytest.raises(LabelError, match=match):
        session.submit({0: 1}, **options)
    session.close()
    assert reopen_and_count(open_session) == 1


def test_labels_to_begin_with_may_be_missing(open_session):
    column = pd.Series([1, None, np.nan, pd.NA, 0] + [None] * 145, dtype=object)
    session = open_session(labels=column)
    assert {record["id"]: record["label"] for record in session.records()} == {0: 1, 4: 0}
    session.close()
    session = open_session(labels=[0] + [None] * 148 + [2])  # row 0 has a label already
    assert {r["id"]: r["label"] for r in session.records()} == {0: 1, 4: 0, 149: 2}
    with pytest.raises(LabelError, match="one label for each of the 150 rows"):
        open_session(labels=[1, 2])


def test_a_fitted_learner_keeps_its_labels(open_session):
    others, labels = X[:100] + 0.01, Y[:100]
    learner = ActiveLearner(GaussianNB(), Margin(), random_state=0).fit(others, labels)
    session = open_session(learner=learner, refit_every=1)
    batch = session.next_batch(3)
    assert session.rounds[-1]["n_labels"] == 100
    session.submit({item: int(Y[item]) for item in batch.ids}, ticket=batch.ticket)
    session.wait()
    assert session.rounds[-1]["n_labels"] == 103
    assert session.learner.X_labeled_.shape == (103, 4)
    session.close()
    with pytest.raises(LabelError, match="fitted to labels of the class 0"):
        open_session(learner=learner, classes=[1, 2], store=None)


def test_a_class_is_renamed_everywhere(open_session):
    session = open_session(classes=["dog", "kat", "cat"])
    session.submit({0: "kat", 1: "dog", 2: "kat"}, annotator="ann")
    assert session.rename_class("kat", "cat", annotator="ann", key="k") == 2
    assert session.rename_class("kat", "cat", annotator="ann", key="k") == 0
    assert session.classes == ["dog", "cat"]
    assert [record["label"] for record in session.records()] == ["cat", "dog", "cat"]
    assert session.get_answer(0, "ann").value == "cat"
    assert session.last_answer("ann").value == "cat"
    with pytest.raises(LabelError, match="'kat' is not a class of this session"):
        session.rename_class("kat", "x")
    with pytest.raises(LabelError, match="is a number"):
        session.rename_class("dog", 3)
    with pytest.raises(LabelError, match="not among the classes"):
        session.submit({3: "kat"})
    session.add_class("kat")
    session.submit({3: "kat"})
    session.close()
    again = open_session(classes=["dog", "kat", "cat"])
    assert again.progress().classes == {"cat": 2, "dog": 1, "kat": 1}


def test_an_undo_gives_the_row_back_to_its_annotator(open_session):
    session = open_session()
    batch = session.next_batch(1, "ann")
    (item,) = batch.ids
    session.submit({item: 1}, ticket=batch.ticket, annotator="ann")
    undone = session.retract("ann", key="u")
    assert (undone.item, undone.kind, undone.value) == (item, "label", 1)
    assert session.retract("ann", key="u") == undone
    assert item not in session.next_batch(150, "bob").ids
    assert session.progress().n_in_flight == 150
    assert session.submit({item: 2}, ticket=batch.ticket, annotator="ann") == 1
    assert session.retract("nobody") is None


def test_an_undo_that_found_nothing_finds_nothing_when_repeated(open_session, path):
    session = open_session()
    assert session.undo("ann", key="u") is None
    ids = label(session, 2, "ann")
    assert session.undo("ann", key="u") is None
    other = open_session()  # as after a crash
    assert other.undo("ann", key="u") is None
    assert other.progress().n_labeled == 2
    assert other.undo("ann", key="v") == ids[1]
    session.close()
    other.close()
    saved = salvage_store(path)
    assert saved.problems == []
    assert open_session(store=saved.output).progress().n_labeled == 1


def test_answers_of_an_annotator_come_latest_first(open_session):
    session = open_session()
    for item in range(5):
        session.submit({item: 1}, annotator="ann")
        session.skip([item + 10], annotator="bob")
    latest = session.answers_of("ann", 2)
    assert [event.item for event in latest] == [4, 3]
    assert [event.item for event in session.answers_of("ann", 9, latest[-1].seq)] == [2, 1, 0]
    assert session.answers_of("nobody", 3) == []
    assert session.progress().annotators == {"ann": 5}  # skips do not count


def test_latest_answers_have_each_row_once(open_session):
    session = open_session(labels={7: 1}, classes=[0, 1, 2])
    for item, annotator, value in [(1, "ann", 0), (2, "ann", 1), (1, "bob", 2), (7, "bob", 1)]:
        session.submit({item: value}, annotator=annotator)
    session.skip([2], annotator="bob")
    session.submit({3: 0}, annotator="bob")
    session.undo("bob")

    def read(*args, **options):
        return [(e.item, e.annotator, e.value) for e in session.latest_answers(*args, **options)]

    assert read(9) == [(2, "bob", None), (7, "bob", 1), (1, "bob", 2)]
    first = session.latest_answers(1)[0]
    assert read(1, first.seq) == [(7, "bob", 1)]
    assert read(9, differ=True) == [(1, "bob", 2)]
    session.rename_class(0, 2)
    assert read(9, differ=True) == []  # merged, ann and bob agree
    assert [(e.annotator, e.value) for e in session.get_answers(7)] == [("bob", 1), (None, 1)]


def test_who_undid_an_answer_has_answered(open_session):
    session = open_session()
    session.submit({3: 1}, annotator="ann")
    session.undo("ann")
    assert session.has_answered(3, "ann")
    assert not session.has_answered(3, "bob")
    assert not session.has_answered(4, "ann")
    assert not session.has_answered("no row", None)


# -- pools that change ---------------------------------------------------------------------------


def test_a_pool_may_grow(open_session):
    first = open_session(X[:100], ids=[f"r{i}" for i in range(100)], audit_share=0.1)
    audit, order = first.audit_ids, first.peek(5)
    first.submit({"r3": 1})
    first.close()
    positions = [*range(50), *range(100, 120), *range(50, 100)]  # in the middle, too
    grown = {"ids": [f"r{i}" for i in positions], "audit_share": 0.1}
    with pytest.warns(PoolChangedWarning, match="20 rows added"):
        second = open_session(X[positions], **grown)
    assert len(second.audit_ids) == 12
    assert audit < second.audit_ids
    assert second.progress().n_labeled == 1
    second.close()
    third = open_session(X[positions], **grown)  # without a word
    assert third.audit_ids == second.audit_ids
    kinds = [event.value for event in third.store.events() if event.kind == "pool"]
    assert [value["n_rows"] for value in kinds] == [100, 120]
    assert kinds[1]["added"] == 20
    third.close()
    with pytest.raises(PoolChangedError, match="1 row of it"):
        open_session(X[positions[1:]], ids=grown["ids"][1:], audit_share=0.1)
    with pytest.raises(PoolChangedError, match="in another order"):
        open_session(X[positions[::-1]], ids=grown["ids"][::-1], audit_share=0.1)
    assert len(order) == 5


def test_rows_may_change_only_on_request(open_session):
    texts = [f"text {i}" for i in range(30)]
    learner = ActiveLearner(make_pipeline(TfidfVectorizer(), LogisticRegression()))
    open_session(texts, learner=learner).close()
    mended = [*texts[:7], "text seven", *texts[8:], "one more"]
    with pytest.raises(PoolChangedError, match=r"1 row .*\(ids 7\).*accept_changes=True"):
        open_session(mended, learner=learner)
    with pytest.warns(PoolChangedWarning, match="1 row added and 1 row with other contents"):
        open_session(mended, learner=learner, accept_changes=True).close()
    open_session(mended, learner=learner).close()


def test_a_store_of_version_1_may_grow_at_its_end(path):
    """It knows digests of its rows only."""
    shutil.copy(Path(__file__).parent / "stores" / "session_v1.db", path)
    texts = [f"text {i}" for i in range(40)]
    learner = ActiveLearner(make_pipeline(TfidfVectorizer(), LogisticRegression()))
    with pytest.raises(PoolChangedError, match="the rows are not"):
        LabelingSession(learner, ["x", *texts[1:]], store=path)
    with pytest.warns(PoolChangedWarning, match="10 rows added"):
        session = LabelingSession(learner, texts, store=path, random_state=0)
    assert session.progress().classes == {"even": 6, "odd": 6}
    session.close()


# -- states that are saved -----------------------------------------------------------------------


def test_a_session_continues_from_a_saved_state(open_session, monkeypatch):
    monkeypatch.setattr(_synced, "_SAVE_EVERY", 5)
    first = open_session(strategy=Margin(), refit_every=3)
    for _ in range(4):
        label(first, 3, "ann")
    first.undo("ann")
    expected, n_labeled = first.records(), first.progress().n_labeled
    last = first.store.events()[-1].seq
    first._recorder.store_labels({149: "setosa"}, Submission())
    first._synced.closed = True  # as if it were killed
    read = []
    monkeypatch.setattr(
        SQLiteLabelStore,
        "events",
        lambda store, after=0, limit=None, events=SQLiteLabelStore.events: (
            read.append(after),
            events(store, after, limit),
        )[1],
    )
    second = open_session(strategy=Margin(), refit_every=3)
    assert min(read) > 5  # the first events were not read again
    assert second.undo() == 149
    assert second.records() == expected
    assert second.progress().n_labeled == n_labeled
    assert second.store.events(last)[0].item == 149
    read.clear()
    third = open_session(strategy=Random(), refit_every=3)  # a state of other settings is no use
    assert min(read) == 0
    assert third.records() == expected


def test_a_saved_state_that_is_damaged_is_not_used(open_session, path, monkeypatch):
    monkeypatch.setattr(_synced, "_SAVE_EVERY", 5)
    session = open_session()
    label(session, 20, "ann")
    expected = session.records()
    session.close()
    with closing(sqlite3.connect(path)) as connection, connection:
        changed = connection.execute(
            "UPDATE snapshot SET content = zeroblob(length(content)) WHERE name = 'state'"
        )
        assert changed.rowcount == 1
    assert open_session().records() == expected
