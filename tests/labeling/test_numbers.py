"""Sessions of a regressor: labels are numbers, no classes, and the audit gives an error."""

import json

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.datasets import load_diabetes
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LogisticRegression, Ridge

from skactive import ActiveLearner
from skactive.exceptions import LabelError, StoreError
from skactive.labeling import LabelingSession
from skactive.labeling._messages import describe_accuracy
from skactive.labeling.hooks._metrics import collect_metrics
from skactive.strategies import IGS, PredictiveStd

X, y = load_diabetes(return_X_y=True)
X, y = X[:150], y[:150]
LINE, GREEDY = Ridge(), IGS()


class Metrics:
    """Keeps the metrics of the rounds."""

    def __init__(self):
        self.rounds = []

    def on_round_end(self, event):
        self.rounds.append(collect_metrics(event))


@pytest.fixture
def open_session(tmp_path):
    def open_session(model=LINE, strategy=GREEDY, store=tmp_path / "labels.db", **options):
        learner = ActiveLearner(model, strategy, random_state=0)
        options = {"audit_share": 0.3, "background": False, "random_state": 0, **options}
        return LabelingSession(learner, X, store=str(store), **options)

    return open_session


def answer(session, n):
    for _ in range(n):
        (ident,) = session.next_batch(1).ids
        session.submit({ident: float(y[ident])})


@pytest.mark.parametrize(
    ("model", "strategy"),
    [(Ridge(), IGS()), (RandomForestRegressor(5, random_state=0), PredictiveStd())],
    ids=["ridge", "forest"],
)
def test_numbers_are_learned_and_counted_by_no_class(open_session, model, strategy):
    with open_session(model, strategy) as session:
        answer(session, 90)
        progress = session.progress()
        assert session.classes == []
        assert progress.classes == {}
        assert progress.n_labeled == 90
        assert progress.n_learned > 40
        fitted = session.learner
        labels = session.latest_model[0]
        assert all(labels[ident] == y[ident] for ident in labels)
        assert_allclose(session.predict(X[:5]), fitted.predict(X[:5]))


def test_the_audit_is_the_mean_error_with_an_interval(open_session):
    hook = Metrics()
    with open_session(hooks=[hook]) as session:
        answer(session, 90)
        progress, plan = session.progress(), session.rounds[-1]
        mean, low, high = progress.error
        labels, learner = session.latest_model
        assert progress.accuracy is None
        assert low < mean < high
        assert [mean, low, high] == plan["audit_error"]
        audited = [r["id"] for r in session.records() if r["id"] in session.audit_ids]
        errors = np.abs(learner.predict(X[audited]) - y[audited])
        assert not set(audited) & labels.keys()
        assert abs(mean - errors.mean()) < 10  # a few were labeled after this model was fitted
        assert hook.rounds[-1]["audit/error"] == mean
        text = describe_accuracy(progress, len(session.audit_ids))
        assert text == f"Mean error {mean:.3g} (95 % interval {low:.3g} to {high:.3g})"


def test_a_session_continues_with_the_same_numbers(open_session):
    with open_session() as session:
        answer(session, 60)
        before, error = session.records(), session.progress().error
    with open_session() as session:
        assert session.records() == before
        assert session.progress().error == error


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("high", "'high' is a string, but .* number"),
        (True, "True is a boolean, but .* number"),
        (float("nan"), "must be finite"),
        (float("inf"), "must be finite"),
        (None, "A label is a string, a number"),
    ],
)
def test_what_is_no_number_is_refused_and_nothing_stored(open_session, value, message):
    with open_session() as session:
        with pytest.raises(LabelError, match=message):
            session.submit({0: 1.5, 1: value})
        assert session.progress().n_labeled == 0


def test_integers_and_floats_are_both_numbers(open_session):
    with open_session() as session:
        session.submit({0: 3, 1: 2.5, 2: np.float32(0.5), 3: np.int64(-4)})
        assert [record["label"] for record in session.records()] == [3, 2.5, 0.5, -4]


def test_classes_of_a_regressor_are_refused(open_session):
    with pytest.raises(LabelError, match="leave out classes"):
        open_session(classes=[1, 2])
    with open_session() as session:
        for call in (lambda: session.add_class(3), lambda: session.rename_class(1, 2)):
            with pytest.raises(LabelError, match="numbers, since its learner is a regressor"):
                call()


def test_a_store_of_classes_is_refused(open_session, tmp_path):
    store = tmp_path / "names.db"
    learner = ActiveLearner(LogisticRegression(), random_state=0)
    with LabelingSession(learner, X, store=str(store), background=False) as session:
        session.submit({0: "high", 1: "low"})
    with pytest.raises(StoreError, match="the learner is a regressor"):
        open_session(store=store, audit_share=0.0)


def test_labels_from_before_are_learned(open_session):
    known = [None, *y[1:40].tolist(), *[None] * 110]
    with open_session(labels=known) as session:
        session.wait()
        assert session.progress().n_labeled == 39
        assert session.learner.predict(X[:3]).shape == (3,)


def test_exports_have_numbers_and_predictions(open_session, tmp_path):
    with open_session() as session:
        answer(session, 40)
        session.export(tmp_path / "out.jsonl", predictions=True)
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    labeled = [row for row in rows if row.get("label") is not None]
    assert labeled
    assert all(row["label"] == y[row["id"]] for row in labeled)
    assert any(isinstance(row.get("prediction"), float) for row in rows)
