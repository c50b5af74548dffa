"""Sessions: what people do, in every order, and that nothing of it is lost."""

import subprocess
import sys
import textwrap
import threading
import time

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from sklearn.datasets import load_iris
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline

from skactive import ActiveLearner
from skactive.exceptions import LabelError, PoolChangedError, SkactiveWarning
from skactive.labeling import LabelingSession, SQLiteLabelStore
from skactive.stopping import Budget
from skactive.strategies import Margin, Random

X, Y = load_iris(return_X_y=True)
NAMES = np.array(["setosa", "versicolor", "virginica"])


def learner(strategy=None, model=None, **options):
    return ActiveLearner(GaussianNB() if model is None else model, strategy, **options)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "labels.db"


@pytest.fixture
def open_session(path):
    """Return a function that opens sessions on one store; all are closed at the end."""
    sessions = []

    def make(rows=X, *, strategy=None, model=None, **options):
        options = {"store": path, "background": False, "random_state": 0} | options
        sessions.append(LabelingSession(learner(strategy, model), rows, **options))
        return sessions[-1]

    yield make
    for session in sessions:
        session.close()


def truth(ids, names=NAMES):
    return {ident: str(names[Y[ident]]) for ident in ids}


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


def test_a_model_refits_after_so_many_labels_and_asks_what_it_would(open_session):
    session = open_session(strategy=Margin(), refit_every=20, n_ahead=20)
    first = session.next_batch(20)
    session.submit(truth(first.ids))
    known = np.sort(first.ids)
    rest = np.setdiff1d(np.arange(150), known)
    seed = session._rounds.planner._learner.random_state
    model = learner(Margin(), random_state=seed).fit(X[known], NAMES[Y[known]])
    assert session.peek(20) == rest[model.query(X[rest], 20)].tolist()
    assert session.progress().n_learned == 20
    assert session.records()[0]["round"] == 0
    session.submit(truth(session.peek(1)))
    record = session.records()[-1]
    scores = model.score_pool(X[[record["id"]]])
    assert (record["round"], record["score"]) == (20, pytest.approx(scores[0]))


def test_a_strategy_that_needs_a_model_starts_by_the_default(open_session):
    ids = open_session(strategy=Margin()).next_batch(10).ids
    assert len(set(Y[ids])) == 3


def test_one_class_is_too_few_for_a_classifier_and_the_labeling_goes_on(open_session):
    session = open_session(refit_every=3)
    for _ in range(4):
        batch = session.next_batch(3)
        session.submit(dict.fromkeys(batch.ids, "same"))
    assert session.progress().n_learned == 0
    with pytest.raises(ValueError, match="12 labels are too few"):
        session.learner  # noqa: B018
    assert not set(session.peek(3)) & {record["id"] for record in session.records()}


def test_no_label_is_too_few_too(open_session):
    session = open_session()
    session.peek()
    with pytest.raises(ValueError, match="0 labels are too few"):
        session.learner  # noqa: B018


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


def test_rows_without_a_label_are_no_longer_asked_for_by_models(open_session):
    session = open_session(refit_every=5, n_ahead=5)
    session.mark_unknown(session.peek(40))
    label(session, 5)
    plan = session._synced.state.snapshot_due()
    assert len(plan.refused) == 40
    session.peek()
    assert not set(session._synced.state.plan.value["ids"]) & plan.refused


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


def test_the_model_is_a_function_of_the_labels_and_not_of_their_order(open_session, tmp_path):
    one = open_session(refit_every=30, store=tmp_path / "one.db")
    other = open_session(refit_every=30, store=tmp_path / "other.db")
    rows = np.random.RandomState(0).permutation(150)[:30].tolist()
    one.submit(truth(rows))
    for row in sorted(rows):
        other.submit({row: "setosa"})
        other.submit(truth([row]))
    other.undo()
    other.submit(truth(rows[-1:]))
    for row in sorted(rows):
        other.submit(truth([row]))
    assert_array_equal(one.learner.predict_proba(X), other.learner.predict_proba(X))


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
    "options", [{"audit_share": 1.0}, {"refit_every": 0}, {"n_ahead": 0}, {"lease_seconds": 0}]
)
def test_settings_that_cannot_be(open_session, options):
    with pytest.raises(ValueError, match=next(iter(options))):
        open_session(**options)


def test_a_session_without_a_store_leaves_nothing_behind():
    with LabelingSession(learner(), X, background=False) as session:
        label(session, 5)
        path = session.store.path
        assert path.exists()
    assert not path.parent.exists()


# -- the audit, stopping, hooks ----------------------------------------------------------------


def test_the_audit_gets_its_share_and_teaches_nothing(open_session):
    session = open_session(audit_share=0.2, refit_every=10)
    audited = set(session.audit_ids)
    assert len(audited) == 30
    seen = []
    while ids := label(session, 5):
        seen += ids
        assert abs(len(audited & set(seen)) - 0.2 * len(seen)) <= 1
    assert session._synced.state.snapshot_now().labels.keys() == set(range(150)) - audited
    right, low, high = session.progress().accuracy
    model = GaussianNB().fit(*(part[sorted(set(range(150)) - audited)] for part in (X, Y)))
    assert right == pytest.approx(model.score(X[list(audited)], Y[list(audited)]), abs=0.05)
    assert low < right <= high
    history = session.history
    assert history["audit_n"].is_monotonic_increasing
    assert history["audit_n"].iloc[-1] >= 28


def test_the_criterion_says_when_to_stop_and_people_may_go_on(open_session):
    session = open_session(stopping=Budget(30), refit_every=10)
    for _ in range(3):
        assert session.progress().stop_reason == ""
        label(session, 10)
        session.peek()
    assert "30" in session.progress().stop_reason
    assert open_session(stopping=Budget(30), refit_every=10).progress().stop_reason
    label(session, 10)


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
    with pytest.warns(SkactiveWarning, match=r"Broken.on_labels failed, labeling goes on.*oh"):
        label(session, 2)
    assert session.progress().n_labeled == 2
    with pytest.raises(TypeError, match="at least one of the methods on_fit_end"):
        open_session(hooks=[object()])


# -- in the background -------------------------------------------------------------------------


class Slow(GaussianNB):
    """A model that waits until it may."""

    gate = threading.Event()

    def fit(self, X, y, sample_weight=None):
        if not self.gate.wait(20):
            raise RuntimeError("nobody opened the gate")
        return super().fit(X, y, sample_weight)


def test_the_next_row_never_waits_for_a_fit(open_session):
    Slow.gate.clear()
    session = open_session(model=Slow(), background=True, refit_every=5, n_ahead=10)
    seen = []
    for _ in range(8):  # beyond what the plan holds
        seen += label(session, 5)
    assert len(set(seen)) == 40
    assert session.progress().fitting
    assert not session.wait(0.01)
    Slow.gate.set()
    assert session.wait(20)
    assert session.progress().n_learned == 40
    assert (
        session.peek(10)
        == [i for i in session._synced.state.plan.value["ids"] if i not in seen][:10]
    )


class Sensitive(GaussianNB):
    """A model that cannot learn from many rows."""

    def fit(self, X, y, sample_weight=None):
        if len(X) > 12:
            raise RuntimeError("too hot")
        return super().fit(X, y, sample_weight)


@pytest.mark.parametrize("background", [True, False])
def test_a_fit_that_fails_is_told_and_stops_nobody(open_session, background):
    session = open_session(model=Sensitive(), background=background, refit_every=5)
    for _ in range(6):
        label(session, 5)
        session.wait(20)
    progress = session.progress()
    assert progress.problem == "RuntimeError: too hot"
    assert (progress.n_labeled, progress.n_learned) == (30, 10)
    assert session.next_batch(5).ids


def test_a_learner_that_does_not_take_the_rows_says_so_at_once(open_session):
    class Picky(Random):
        def select(self, pool, batch_size):
            raise RuntimeError("not these")

    with pytest.raises(RuntimeError, match="not these"):
        open_session(strategy=Picky()).next_batch(1)


def test_many_threads_label_at_once(open_session):
    session = open_session(background=True, refit_every=10)
    given = []

    def work(name):
        while batch := session.next_batch(3, name):
            given.extend(batch.ids)
            session.submit(truth(batch.ids), ticket=batch.ticket, annotator=name)

    threads = [threading.Thread(target=work, args=(f"a{i}",)) for i in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(given) == list(range(150))
    assert session.progress().n_labeled == 150
    assert len(session.records()) == 150


def test_a_program_may_end_while_a_model_is_fitted(tmp_path):
    """Cut off in compiled code, it would abort; and it ends though no session was closed."""
    code = """
        import numpy as np
        from sklearn.ensemble import RandomForestClassifier
        from skactive import ActiveLearner
        from skactive.labeling import LabelingSession
        X = np.random.RandomState(0).normal(size=(3000, 20))
        learner = ActiveLearner(RandomForestClassifier(300))
        session = LabelingSession(learner, X, store="labels.db", refit_every=100)
        session.next_batch(1)
        session.submit({i: bool(X[i, 0] > 0) for i in range(1000)})
        print(session.progress().fitting)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "True\n", "")


def test_closing_does_not_wait_for_a_fit(open_session):
    Slow.gate.clear()
    session = open_session(model=Slow(), background=True, refit_every=5)
    label(session, 5)
    session.close()
    Slow.gate.set()
    assert open_session(model=Slow(), refit_every=5).progress().n_labeled == 5


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
    with LabelingSession(learner(), X, store=store, background=False) as session:
        label(session, 3)
    with pytest.raises(TypeError, match="a path or a LabelStore"):
        LabelingSession(learner(), X, store=3)
