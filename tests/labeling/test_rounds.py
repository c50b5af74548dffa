"""Rounds: when models are fitted, what they learn and ask, in the background and at once."""

import subprocess
import sys
import textwrap
import threading

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.datasets import load_iris
from sklearn.naive_bayes import GaussianNB

from skactive import ActiveLearner
from skactive.stopping import Budget
from skactive.strategies import Margin, MaxHerding, McPAL, Random, WeightedSum

X, Y = load_iris(return_X_y=True)
NAMES = np.array(["setosa", "versicolor", "virginica"])


def truth(ids):
    return {ident: str(NAMES[Y[ident]]) for ident in ids}


def label(session, n):
    batch = session.next_batch(n)
    session.submit(truth(batch.ids), ticket=batch.ticket)
    return batch.ids


# -- models ------------------------------------------------------------------------------------


def test_a_model_refits_after_so_many_labels_and_asks_what_it_would(open_session):
    session = open_session(strategy=Margin(), refit_every=20, n_ahead=20)
    first = session.next_batch(20)
    session.submit(truth(first.ids))
    known = np.sort(first.ids)
    rest = np.setdiff1d(np.arange(150), known)
    seed = session._rounds.planner._learner.random_state
    model = ActiveLearner(GaussianNB(), Margin(), random_state=seed).fit(X[known], NAMES[Y[known]])
    assert session.peek(20) == rest[model.query(X[rest], 20)].tolist()
    assert session.progress().n_learned == 20
    assert session.records()[0]["round"] == 0
    session.submit(truth(session.peek(1)))
    record = session.records()[-1]
    scores = model.score_pool(X[[record["id"]]])
    assert (record["round"], record["score"]) == (20, pytest.approx(scores[0]))


@pytest.mark.parametrize("strategy", [WeightedSum(), McPAL(), MaxHerding(), None], ids=repr)
def test_scores_that_compare_rows_are_those_of_the_whole_pool(open_session, strategy, monkeypatch):
    session = open_session(strategy=strategy, refit_every=20, n_ahead=20)
    known = np.sort(session.next_batch(20).ids)
    session.submit(truth(known))
    rest = np.setdiff1d(np.arange(150), known)
    seed = session._rounds.planner._learner.random_state
    model = ActiveLearner(GaussianNB(), strategy, random_state=seed)
    expected = dict(
        zip(rest, model.fit(X[known], NAMES[Y[known]]).score_pool(X[rest]), strict=True)
    )
    session.peek(1)  # makes the plan
    monkeypatch.setattr("skactive.labeling._planner._MAX_SCORED", 100)
    for size in (20, 1):  # the next plan is for 110 rows, which are too many to score
        asked = session.next_batch(size).ids
        session.submit(truth(asked))
        for record in session.records()[-size:]:
            score = None if size == 1 else pytest.approx(expected[record["id"]])
            assert record["score"] == score


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


def test_rows_without_a_label_are_no_longer_asked_for_by_models(open_session):
    session = open_session(refit_every=5, n_ahead=5)
    session.mark_unknown(session.peek(40))
    label(session, 5)
    plan = session._synced.state.snapshot_due()
    assert len(plan.refused) == 40
    session.peek()
    assert not set(session._synced.state.plan.value["ids"]) & plan.refused


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


# -- the audit and stopping ---------------------------------------------------------------------


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
