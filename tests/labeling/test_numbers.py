"""Sessions of a regressor: labels are numbers, no classes, and the audit gives an error."""

import json
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from number_cases import READ, REFUSED
from numpy.testing import assert_allclose
from sklearn.datasets import load_diabetes
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LogisticRegression, Ridge

from skactive import ActiveLearner
from skactive.exceptions import LabelError, StoreError
from skactive.labeling import LabelingSession
from skactive.labeling._messages import describe_accuracy, describe_prediction
from skactive.labeling._numbers import parse_number
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


# Ranges -------------------------------------------------------------------------------------------


def test_numbers_outside_the_range_are_refused_and_nothing_stored(open_session):
    with open_session(value_range=(0, 100)) as session:
        assert session.labels_are_numbers
        assert session.submit({0: 0, 1: 100}) == 2
        for value in (-1e-9, 100.5, 10**400):
            with pytest.raises(LabelError, match=r"out of range|finite"):
                session.submit({2: 5, 3: value})
        with pytest.raises(LabelError, match=r"101 is out of range: .* from 0 to 100"):
            session.relabel({0: 101})
        assert [record["label"] for record in session.records()] == [0, 100]


@pytest.mark.parametrize(
    ("value_range", "kept", "refused"),
    [((None, 5), -1e9, 6), ((-5, None), 1e9, -6), ((None, None), 1e300, None), ([0.5, 1], 1, 0)],
)
def test_a_range_may_have_one_limit(open_session, value_range, kept, refused):
    with open_session(value_range=value_range) as session:
        assert session.value_range == tuple(value_range)
        session.submit({0: kept})
        if refused is not None:
            with pytest.raises(LabelError, match="out of range"):
                session.submit({1: refused})


@pytest.mark.parametrize(
    "value_range", [(1, 0), (1, 1), (1,), 5, "ab", (float("nan"), 1), (0, float("inf")), (True, 2)]
)
def test_ranges_that_are_none_are_refused(open_session, value_range):
    with pytest.raises(LabelError, match="value_range must"):
        open_session(value_range=value_range)


def test_classes_have_no_range():
    learner = ActiveLearner(LogisticRegression(), random_state=0)
    with pytest.raises(LabelError, match=r"value_range=\(0, 1\) is for numbers"):
        LabelingSession(learner, X, value_range=(0, 1))


def test_labels_to_begin_with_are_in_the_range(open_session):
    with pytest.raises(LabelError, match="out of range"):
        open_session(value_range=(0, 10), labels={0: 11.0})


def test_integers_beyond_double_precision_are_learned_as_floats(open_session):
    with open_session(audit_share=0.0) as session:
        session.submit({0: 2**70, 1: -(2**65), 2: 5})
        assert session.predict(X[:1]).dtype == np.float64


@pytest.mark.parametrize(("text", "number"), READ.items())
def test_typed_numbers(text, number):
    read = parse_number(text)
    assert (read, str(read)) == (number, str(number))


@pytest.mark.parametrize(("text", "phrase"), REFUSED.items())
def test_typed_texts_that_are_no_numbers(text, phrase):
    with pytest.raises(LabelError) as caught:
        parse_number(text)
    assert phrase in str(caught.value)
    assert len(str(caught.value)) < 300


@given(st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**53), 2**53))
def test_written_numbers_are_read_again(number):
    assert parse_number(repr(number)) == number


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_decimal_comma_is_read_or_refused_never_misread(number):
    written = repr(number).replace(".", ",")
    if re.fullmatch(r"-?[1-9]\d{0,2},\d{3}", written):
        with pytest.raises(LabelError, match="may mean"):
            parse_number(written)
    else:
        assert parse_number(written) == number


@pytest.mark.parametrize(
    ("number", "deviation", "words"),
    [
        (3.71234, 0.4123, "3.71 (standard deviation 0.41)"),
        (1234567.8, 12345.0, "1235000 (standard deviation 12000)"),
        (-0.0001, 0.5, "0.00 (standard deviation 0.50)"),
        (2.5, 0.0, "2.5 (standard deviation 0)"),
        (2.5, None, "2.5"),
        (1e20, 1e15, "1e+20 (standard deviation 1e+15)"),
    ],
)
def test_predictions_are_as_precise_as_their_deviation(number, deviation, words):
    assert describe_prediction(number, deviation) == f"The model predicts {words}."


# Several sessions ---------------------------------------------------------------------------------


def test_two_sessions_on_a_store_see_each_others_numbers(open_session):
    with open_session(audit_share=0.0) as one, open_session(audit_share=0.0) as other:
        one.submit({0: 1.5}, annotator="ann")
        other.submit({0: 2.5, 1: 1.5}, annotator="bob")
        assert [event.value for event in one.get_answers(0)] == [2.5, 1.5]
        assert one.submit({0: 1.5}, annotator="ann") == 0  # she said so already
        assert other.undo("bob") is not None
        assert [record["label"] for record in one.records()] == [1.5, 2.5]
        assert one.progress().n_labeled == 1
