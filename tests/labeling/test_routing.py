"""Routers in sessions: whose labels are whose, who is asked, and what is promised."""

import csv

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.linear_model import LinearRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skactive.annotators import FunctionAnnotator, ModelAnnotator, Router
from skactive.exceptions import LabelError, PoolChangedError
from skactive.labeling import LabelingSession, Spending, Spent
from skactive.labeling.state import _snapshot
from skactive.labeling.state._snapshot import load_state, save_state
from skactive.labeling.state._state import SessionState

X, Y = load_iris(return_X_y=True)
NAMES = np.array(["setosa", "versicolor", "virginica"])
# It sees two features, so that it is sure of some rows only.
MODEL = make_pipeline(FunctionTransformer(lambda rows: rows[:, :2]), GaussianNB())
MODEL.fit(X[::3], NAMES[Y[::3]])
WHO = "GaussianNB"


def make_router(**options):
    annotators = options.pop("annotators", None) or [ModelAnnotator(MODEL, price=0.01)]
    return Router(annotators, **{"audit": 40, "random_state": 0, "max_error": 0.1} | options)


def answer(session, n, name="ann"):
    batch = session.next_batch(n, name)
    labels = {ident: str(NAMES[Y[ident]]) for ident in batch.ids}
    session.submit(labels, ticket=batch.ticket, annotator=name)
    return batch.ids


def route(session, router=None, **options):
    router = make_router() if router is None else router
    while session.fit_router(router):
        answer(session, 10)
    return session.route(router, **options)


def find_routed(session):
    return {r["id"] for r in session.records() if r.get("source") == "annotator"}


def test_people_are_asked_for_the_audit_then_for_what_the_router_leaves(open_session):
    session, router = open_session(), make_router()
    answer(session, 6)  # before anybody thought of a router
    drawn = router.draw_audit(150).tolist()
    left = session.fit_router(router)
    assert set(left) == set(drawn) - {ident for ident in drawn if session.get_answers(ident)}
    assert session.progress().n_asked == len(left)
    assert session.peek(len(left)) == left
    assert answer(session, len(left)) == left
    assert session.fit_router(router) == []
    assert router.audited_.tolist() == drawn
    assert router.audit_labels_.tolist() == NAMES[Y[drawn]].tolist()

    answers = session.route(router)
    accepted = set(np.flatnonzero(~answers.abstained & (answers.sources == 0)).tolist())
    by_people = {record["id"] for record in session.records() if record["annotator"] == "ann"}
    assert find_routed(session) == accepted - by_people
    progress = session.progress()
    assert progress.routed == {WHO: len(accepted - by_people)}
    assert progress.annotators == {"ann": len(by_people), WHO: len(accepted - by_people)}
    assert progress.certificate == str(router.certificate_)
    rest = set(range(150)) - accepted - by_people
    assert set(session.next_batch(150, "bob").ids) == rest
    assert 0 < len(rest) < 100


@pytest.mark.parametrize(
    ("guarantee", "n_annotators"),
    [("set", 1), ("set", 2), ("accepted", 1), ("accepted", 2), ("per_class", 1)],
)
def test_the_audit_that_is_drawn_is_the_one_that_is_asked_for(guarantee, n_annotators):
    annotators = [ModelAnnotator(MODEL)] * n_annotators
    router = make_router(annotators=annotators, guarantee=guarantee, random_state=3)
    drawn = router.draw_audit(150)
    assert router.fit(X, oracle=NAMES[Y]).audited_.tolist() == drawn.tolist()


def test_a_reopened_session_knows_its_router(open_session):
    session = open_session()
    route(session)
    again = open_session()
    assert again.progress() == session.progress()
    assert again.records() == session.records()
    assert again.peek(150) == session.peek(150)


def test_a_saved_state_knows_its_router(open_session):
    session = open_session()
    route(session)
    state = session._synced.state
    saved, loaded = save_state(state, "x"), SessionState(state.settings, rows=state._rows)
    assert load_state(loaded, saved, "x", lambda position: session.store.get_events([position])[0])
    assert loaded.routing.to_record() == state.routing.to_record()
    assert loaded.count_routed() == state.count_routed()


def test_states_that_were_saved_before_there_were_routers_are_loaded(monkeypatch, open_session):
    session = open_session()
    answer(session, 3)
    state = session._synced.state
    dumps = _snapshot.json.dumps
    without = lambda header: dumps({k: v for k, v in header.items() if k != "routing"})  # noqa: E731
    monkeypatch.setattr(_snapshot.json, "dumps", without)
    saved, loaded = save_state(state, "x"), SessionState(state.settings, rows=state._rows)
    assert load_state(loaded, saved, "x", lambda position: session.store.get_events([position])[0])
    assert loaded.n_labels == 3
    assert loaded.routing.annotators == {}


def test_answers_have_confidence_and_cost(open_session):
    session = open_session()
    answers = route(session)
    sure = MODEL.predict_proba(X).max(axis=1)
    for record in session.records():
        if record["source"] == "annotator":
            assert record["confidence"] == pytest.approx(sure[record["id"]])
            assert record["cost"] == 0.01
            assert record["label"] == MODEL.predict(X[[record["id"]]])[0]
        else:
            assert (record["confidence"], record["cost"]) == (None, None)
    spent = session.spent
    assert spent.routed == pytest.approx(answers.cost.sum())
    assert (spent.n_labels, spent.money) == (40, spent.routed)


def test_annotators_are_paid_once_and_not_by_the_prices_of_people(open_session):
    session = open_session(spending=Spending(price=1.0, price_per_hour=10.0))
    router = make_router()
    route(session, router)
    first = session.spent
    assert first.money == pytest.approx(40 + first.routed)
    session.route(router)  # nothing is new
    assert session.spent == first
    assert Spent().routed == 0.0


def test_an_export_says_who_labeled_how_surely_and_at_which_cost(open_session, tmp_path):
    session = open_session()
    before = session.export(tmp_path / "before.csv").read_text().splitlines()
    assert all(name not in before[0] for name in ("source", "confidence", "cost"))
    route(session)
    with session.export(tmp_path / "labels.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    routed = find_routed(session)
    for row in rows:
        is_routed = int(row["id"]) in routed
        assert row["source"] == ("annotator" if is_routed else "people")
        assert row["labeled_by"] == (WHO if is_routed else "ann")
        assert (row["confidence"] != "", row["cost"]) == (is_routed, "0.01" if is_routed else "")
    with session.export(tmp_path / "answers.csv", rows="answers").open(newline="") as file:
        assert {row["source"] for row in csv.DictReader(file)} == {"people", "annotator"}
    assert session.labels["source"].value_counts().to_dict() == {
        "people": 40,
        "annotator": len(routed),
    }


def test_a_correction_by_a_person_counts_and_stays(open_session):
    session, router = open_session(), make_router()
    route(session, router)
    ident = min(find_routed(session))
    session.relabel({ident: "virginica"}, annotator="eve")
    session.route(router)
    assert session.get_answers(ident)[0].annotator == "eve"
    labels = [r["label"] for r in session.records() if r["id"] == ident]
    assert labels[-1] == "virginica"


def test_labels_of_a_router_are_replaced_by_those_of_the_next(open_session):
    session = open_session()
    route(session)
    many = find_routed(session)
    strict = make_router(max_error=0.05)
    route(session, strict)
    few = find_routed(session)
    assert few
    assert few < many
    assert session.progress().certificate == str(strict.certificate_)
    assert session.unroute() == len(few)
    progress = session.progress()
    assert (progress.routed, progress.certificate) == ({WHO: 0}, "")
    assert progress.n_labeled == 40
    assert set(session.peek(150)) == set(range(150)) - {r["id"] for r in session.records()}


def test_an_undo_takes_back_the_last_label_of_an_annotator(open_session):
    session = open_session()
    route(session)
    n = len(find_routed(session))
    ident = session.undo(WHO)
    assert session.progress().routed == {WHO: n - 1}
    assert ident in session.peek(150)


def test_rows_of_the_audit_and_unknown_rows_are_left_to_people(open_session):
    session, router = open_session(audit_share=0.3), make_router()
    drawn = router.draw_audit(150).tolist()
    unknown = next(ident for ident in range(150) if ident not in {*drawn, *session.audit_ids})
    session.mark_unknown([unknown], annotator="ann")
    route(session, router)
    assert find_routed(session)
    assert not find_routed(session) & {*session.audit_ids, unknown}
    assert session.audit_ids - set(drawn) <= {*session.peek(150)}


def test_a_row_of_the_audit_that_nobody_knows_counts_as_wrong(open_session):
    session, router = open_session(), make_router()
    left = session.fit_router(router)
    session.mark_unknown(left[:5], annotator="ann")
    while session.fit_router(router):
        answer(session, 10)
    assert sum(label is None for label in router.audit_labels_) == 5
    known = route(open_session(store=None), make_router())
    assert (~session.route(router).abstained).sum() < (~known.abstained).sum()


def test_an_audited_row_is_asked_again_until_a_person_has_the_last_word(open_session):
    session = open_session()
    route(session)
    redrawn = make_router(random_state=1)
    left = session.fit_router(redrawn)
    routed = find_routed(session)
    ident = next(i for i in left if i in routed)  # the router has labeled it
    assert ident in session.peek(len(left), "ann")
    session.submit({ident: "setosa"}, annotator="ann")
    assert ident not in session.peek(150, "bob")
    session.skip([ident], annotator="ann")  # she takes it back: the router's label counts again
    assert ident in session.peek(150, "bob")
    session.mark_unknown([ident], annotator="bob")
    assert ident not in session.peek(150, "eve")
    while session.fit_router(redrawn):
        answer(session, 10, "eve")
    assert redrawn.audit_labels_[redrawn.audited_.tolist().index(ident)] is None


def test_models_that_learned_from_the_audit_are_noticed(open_session):
    session = open_session()
    session.fit_router(make_router())
    answer(session, 20)
    learned = make_router(annotators=[ModelAnnotator(session.learner, price=0.01)])
    with pytest.raises(ValueError, match="may have learned from it"):
        session.fit_router(learned)
    redrawn = learned.set_params(random_state=1)
    assert session.fit_router(redrawn)


def test_several_annotators_have_names_and_confidences_of_their_own(open_session):
    def guess(row):
        return "setosa" if row[2] < 2 else None

    annotators = [FunctionAnnotator(guess), ModelAnnotator(MODEL, price=0.5)]
    session, router = open_session(), make_router(annotators=annotators, audit=60)
    route(session, router)
    routed = session.progress().routed
    assert set(routed) == {"guess", WHO}
    assert all(routed.values())
    sure = MODEL.predict_proba(X).max(axis=1)
    for record in session.records():
        if record["annotator"] == "guess":
            assert (record["confidence"], record["cost"]) == (None, 0.0)
        elif record["annotator"] == WHO:
            assert record["confidence"] == pytest.approx(sure[record["id"]])
            assert record["cost"] == 0.5


def test_audits_that_others_answered_are_labels_to_begin_with(open_session):
    session = open_session()
    router = make_router().fit(X, oracle=NAMES[Y])
    session.route(router)
    by_oracle = {r["id"] for r in session.records() if r["annotator"] is None}
    assert by_oracle == set(router.audited_.tolist())
    assert session.spent.n_labels == 0


def test_what_cannot_be_routed_is_refused_and_nothing_is_stored(open_session):
    session, router = open_session(), make_router().fit(X, oracle=NAMES[Y])
    answer(session, 2)
    n_events = session.store.events()[-1].seq
    with pytest.raises(PoolChangedError, match="other rows"):
        session.route(make_router(audit=20).fit(X[:100], oracle=NAMES[Y[:100]]))
    with pytest.raises(ValueError, match="not fitted"):
        session.route(make_router())
    with pytest.raises(LabelError, match="as a person"):
        session.route(router, names=["ann"])
    with pytest.raises(LabelError, match="one name for each"):
        session.route(router, names=["a", "b"])
    with pytest.raises(ValueError, match="an integer"):
        session.fit_router(make_router(random_state=None))
    with pytest.raises(ValueError, match="uniform"):
        session.fit_router(make_router(audit_sampling="active", guarantee="accepted"))
    assert session.store.events()[-1].seq == n_events
    session.route(router)
    with pytest.raises(LabelError, match="annotator of the router"):
        session.submit({0: "setosa"}, annotator=WHO)


def test_labels_of_other_classes_are_refused(open_session):
    session = open_session(classes=["setosa", "versicolor"])
    router = make_router().fit(X, oracle=NAMES[Y])
    with pytest.raises(LabelError, match="virginica"):
        session.route(router)
    assert session.progress().n_labeled == 0


def test_numbers_are_not_routed(open_session):
    session = open_session(model=LinearRegression())
    with pytest.raises(LabelError, match="one class per row"):
        session.fit_router(make_router())


def test_second_opinions_are_not_asked_about_routed_rows(open_session):
    session = open_session(overlap="when it pays", refit_every=20)
    route(session)
    for _ in range(3):
        batch = session.next_batch(10, "bob")
        assert not find_routed(session) & set(batch.ids)
        session.submit({i: str(NAMES[Y[i]]) for i in batch.ids}, annotator="bob")


def test_a_session_needs_no_router():
    from skactive import ActiveLearner

    with LabelingSession(ActiveLearner(GaussianNB()), X) as session:
        assert session.unroute() == 0
        assert session.progress().certificate == ""
        assert "source" not in (session.records() or [{}])[0]
