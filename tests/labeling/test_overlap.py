"""Second opinions in sessions: handed out when they are worth more than new rows."""

import numpy as np
import pytest
from sklearn.datasets import make_blobs
from sklearn.linear_model import LinearRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.svm import LinearSVC

from skactive import ActiveLearner
from skactive.crowds import OneCoin
from skactive.labeling import SQLiteLabelStore, read_answers
from skactive.labeling._overlap import _merge
from skactive.labeling.state._snapshot import load_state, save_state
from skactive.labeling.state._state import SessionState
from skactive.strategies import Margin, Random

X, Y = make_blobs(120, centers=2, cluster_std=2.0, random_state=3)
NAMES = np.array(["cat", "dog"])
PEOPLE = {"ann": 0.9, "bob": 0.9, "cyd": 0.7}


@pytest.fixture
def open_overlap(open_session):
    """Return a function that opens sessions with second opinions."""

    def make(**options):
        return open_session(
            X, **{"overlap": "when it pays", "strategy": Margin(), "refit_every": 20} | options
        )

    return make


def answer(session, name, n, rng, accuracy=None):
    """Let a person answer n rows; return them."""
    batch = session.next_batch(n, annotator=name)
    right = rng.random(len(batch)) < (PEOPLE[name] if accuracy is None else accuracy)
    labels = {
        row: str(NAMES[Y[row] if is_right else 1 - Y[row]])
        for row, is_right in zip(batch.ids, right, strict=True)
    }
    session.submit(labels, ticket=batch.ticket, annotator=name)
    return batch.ids


def work(session, n_turns, seed=0):
    """Let people answer in turn, four rows each; return all rows in order."""
    rng = np.random.default_rng(seed)
    names = [list(PEOPLE)[turn % 3] for turn in range(n_turns)]
    return [row for name in names for row in answer(session, name, 4, rng)]


def test_labeled_rows_in_doubt_are_handed_to_others_and_once_per_plan(open_overlap):
    session = open_overlap()
    first = answer(session, "ann", 20, np.random.default_rng(0))
    # Whose label is in doubt is asked about again, but not of the one who gave it.
    again = session.rounds[-1]["again"] if session.peek(1, "bob") else []
    assert again
    assert set(again) < set(first)
    assert set(session.peek(120, "ann")).isdisjoint(first)
    for_bob = session.peek(120, "bob")
    assert set(again) <= set(for_bob)
    batch = session.next_batch(len(for_bob), annotator="bob")
    assert set(session.peek(120, "cyd")).isdisjoint(again)  # in flight
    session.release(batch.ticket)
    session.submit({again[0]: "cat"}, annotator="bob")
    for name in PEOPLE:
        assert again[0] not in session.peek(120, name)
    assert again[1] in session.peek(120, "cyd")
    session.undo("bob")
    assert again[0] in session.peek(120, "cyd")
    without = SQLiteLabelStore(session.store.path, read_only=True)
    SessionState(None).apply(without.events())  # any reader knows the events
    without.close()


def test_without_overlap_a_labeled_row_is_done(open_session):
    session = open_session(X, strategy=Margin(), refit_every=20)
    rows = work(session, 15)
    assert len(set(rows)) == len(rows) == 60
    assert all("again" not in record for record in session.rounds)


def test_the_model_learns_from_the_consensus(open_overlap):
    session = open_overlap()
    labels = {row: str(NAMES[Y[row]]) for row in range(40)}
    for name in ("ann", "bob"):
        session.submit(labels, annotator=name)
    session.submit(dict.fromkeys(range(40), "cat"), annotator="cyd")  # the last answers
    expected = GaussianNB().fit(X[:40], NAMES[Y[:40]])
    np.testing.assert_allclose(session.learner.predict_proba(X), expected.predict_proba(X))
    answers = read_answers(session.store)
    crowd = OneCoin(smoothing=1.0).fit(answers)
    assert session.latest_model[0] == dict(zip(range(40), crowd.labels_.tolist(), strict=True))
    learner = session.learner
    assert session.learner is learner  # the same until a label changes


def test_further_answers_bring_the_next_plan_even_if_all_agree(open_overlap):
    session = open_overlap(refit_every=10)
    labels = {row: str(NAMES[Y[row]]) for row in range(40)}
    session.submit(labels, annotator="ann")
    session.wait()
    upto = session.rounds[-1]["upto"]
    session.submit(dict(list(labels.items())[:10]), annotator="bob")
    session.peek(1)
    assert session.rounds[-1]["upto"] > upto


def test_plans_are_the_same_whoever_makes_them_and_when(open_session, open_overlap, tmp_path):
    session = open_overlap()
    rows = work(session, 12)
    plans = [{k: v for k, v in record.items() if "seconds" not in k} for record in session.rounds]
    assert any("again" in plan for plan in plans)
    assert len(rows) > len(set(rows))
    session.peek(1)
    expected = [session.peek(30, name) for name in PEOPLE]
    session.close()
    again = open_overlap()
    assert [again.peek(30, name) for name in PEOPLE] == expected
    # The same answers in a store without plans: each is made of the answers when it became due.
    store = SQLiteLabelStore(tmp_path / "replayed.db")
    late = open_overlap(store=store)
    kinds = {"label", "lease", "release", "undo"}
    store.append([event for event in again.store.events() if event.kind in kinds])
    late.peek(1)
    last = again.rounds[-1]
    assert late.rounds[-1]["ids"] == last["ids"]
    assert late.rounds[-1].get("again") == last.get("again")
    answer(late, "ann", 4, np.random.default_rng(5))


def test_a_plan_that_is_due_does_not_see_later_answers(open_overlap):
    session = open_overlap()
    state = session._synced.state
    work(session, 9)
    planner = session._rounds.planner
    with session._synced.latest():
        due = planner.settle(state, state.snapshot_due())
    assert due.upto < state.position
    n_before = len(due.answers)
    session.submit(dict.fromkeys(range(5), "cat"), annotator="dan")
    session.undo("ann")
    with session._synced.latest():
        changed = planner.settle(state, state.snapshot_now())
        again = planner.settle(state, type(due)(due.upto, due.labels, due.refused))
    assert len(changed.answers) > n_before
    assert len(again.answers) == n_before
    assert again.labels == due.labels


def test_leases_of_second_opinions_are_in_saved_states(open_overlap):
    session = open_overlap()
    answer(session, "ann", 20, np.random.default_rng(0))
    session.peek(1)
    batch = session.next_batch(40, annotator="bob")
    state = session._synced.state
    again = set(session.rounds[-1]["again"])
    assert again & set(batch.ids)
    copied = SessionState(state.settings, rows=state._rows, counts_opinions=True)
    assert load_state(copied, save_state(state, "x"), "x", session._synced._get_event)
    waiting = [lease.waiting for lease in copied.open_leases]
    assert waiting == [lease.waiting for lease in state.open_leases]
    assert again <= set(waiting[0])


def test_it_stops_when_no_answer_could_change_a_label(open_overlap):
    session = open_overlap(random_state=1)
    rng = np.random.default_rng(0)
    n_answers = 0
    for _ in range(400):
        given = [row for name in PEOPLE for row in answer(session, name, 5, rng, 1.0)]
        n_answers += len(given)
        if not given:
            break
    assert session.progress().n_labeled == 120
    assert 120 < n_answers < 3 * 120


def test_audit_rows_are_labeled_once(open_overlap):
    session = open_overlap(audit_share=0.2)
    rows = work(session, 24)
    audited = [row for row in rows if row in session.audit_ids]
    assert len(audited) > 5
    assert len(set(audited)) == len(audited)
    assert len(set(rows)) < len(rows)


@pytest.mark.no_cover
def test_labels_of_careless_people_become_better(open_session):
    """With the same number of answers, the model is as good, and its labels are better."""
    right = {}
    for overlap in ("when it pays", None):
        shares = []
        for seed in range(3):
            session = open_session(
                X, overlap=overlap, strategy=Random(), refit_every=10, store=None, random_state=seed
            )
            work(session, 30, seed)
            model = session.learner
            learned = session.latest_model[0]
            shares.append(np.mean([label == NAMES[Y[row]] for row, label in learned.items()]))
            assert model.score(X, NAMES[Y]) > 0.8
        right[overlap] = np.mean(shares)
    assert right["when it pays"] > right[None]


def test_second_opinions_come_where_they_are_worth_more():
    assert _merge(np.array([0.9, 0.2, 0.5]), np.array([0.8, 0.3, 0.1])) == [0, 3, 4, 1, 2, 5]
    assert _merge(np.array([]), np.array([0.3, 0.2])) == [0, 1]
    assert _merge(np.array([0.3, 0.2]), np.array([])) == [0, 1]


def test_sessions_that_cannot_have_it_are_refused(open_session):
    def refuse(sentence, learner=None, **options):
        learner = ActiveLearner(GaussianNB(), Random()) if learner is None else learner
        with pytest.raises(ValueError, match=sentence):
            open_session(X, learner=learner, **{"overlap": "when it pays"} | options)

    refuse("overlap must be None or 'when it pays', got 2", overlap=2)
    refuse("a label is a number", ActiveLearner(LinearRegression(), Random()))
    several = ActiveLearner(OneVsRestClassifier(GaussianNB()), Random())
    refuse("a label is a list of classes", several, multilabel=True)
    refuse("needs a model with predict_proba", ActiveLearner(LinearSVC(), Random()))
    fitted = ActiveLearner(GaussianNB().fit(X, Y), Random(), prefit=True)
    refuse("needs a model with predict_proba that is fitted anew", fitted)
