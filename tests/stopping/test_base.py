"""The contract of all stopping criteria, and their monitors."""

import math
import pickle

import numpy as np
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.utils import estimator_html_repr
from sklearn.utils._param_validation import InvalidParameterError

from skactive import ActiveLearner, SimulatedLearner, stopping
from skactive.stopping import (
    Budget,
    ClassificationChange,
    CostBudget,
    ExpectedGain,
    Monitor,
    OverallUncertainty,
    Plateau,
    Round,
    StabilizingPredictions,
    StoppingCriterion,
    TargetReached,
    TimeLimit,
    ValueOfLabels,
)


def values(monitor):
    return [value for _, value in monitor.history]


EVERY = [
    StabilizingPredictions(0.9),
    ClassificationChange(window=2),
    OverallUncertainty(0.1),
    ExpectedGain(2.0),
    ValueOfLabels(1.0, 2000, n_rounds=3),
    TargetReached(0.9),
    Plateau("audit", window=2),
    Budget(30),
    CostBudget(30.5),
    TimeLimit(60),
    Budget(30) & TimeLimit(60),
    Budget(30) | TimeLimit(60) & CostBudget(3),
]


@pytest.fixture(scope="module")
def campaign():
    """Rounds of a model that learns."""
    X, y = load_iris(return_X_y=True)
    order = np.random.RandomState(0).permutation(150)
    rounds = []
    for n in range(10, 80, 10):
        rows, left = order[:n], np.sort(order[n:])
        model = GaussianNB().fit(X[rows], y[rows])
        audit = (model.predict(X) == y).astype(float)
        rounds.append(Round(n, model, X, left, audit=audit, seconds=n / 2, cost=n / 10))
    return rounds


def test_every_criterion_is_in_the_list():
    kinds = {
        kind
        for name in stopping.__all__
        if isinstance(kind := getattr(stopping, name), type) and issubclass(kind, StoppingCriterion)
    }
    assert kinds - {StoppingCriterion} == {type(criterion) for criterion in EVERY}


def test_all_is_sorted():
    assert stopping.__all__ == sorted(stopping.__all__)


@pytest.mark.parametrize("criterion", EVERY, ids=str)
def test_clones_and_prints_as_it_was_made(criterion):
    twin = clone(criterion)
    assert twin is not criterion
    assert repr(twin) == repr(criterion) == repr(eval(repr(criterion), vars(stopping)))


@pytest.mark.parametrize("criterion", EVERY, ids=str)
def test_a_criterion_serves_campaign_after_campaign_and_never_changes(criterion, campaign, play):
    before = pickle.dumps(criterion)
    first, verdicts = play(criterion, campaign)
    again, same = play(criterion, campaign)
    assert pickle.dumps(criterion) == before
    assert [(v.stop, v.reason) for v in verdicts] == [(v.stop, v.reason) for v in same]
    np.testing.assert_array_equal(values(first), values(again))
    assert [n for n, _ in first.history] == list(range(10, 80, 10))


@pytest.mark.parametrize("criterion", EVERY, ids=str)
def test_a_monitor_can_be_pickled_between_rounds(criterion, campaign, play):
    through, verdicts = play(criterion, campaign)
    monitor = criterion.start()
    for current, expected in zip(campaign, verdicts, strict=True):
        monitor = pickle.loads(pickle.dumps(monitor))
        assert monitor.update(current).reason == expected.reason
    assert monitor.stopped_at == through.stopped_at


@pytest.mark.parametrize("criterion", EVERY, ids=str)
def test_each_verdict_says_why_with_numbers(criterion, campaign, play):
    monitor, verdicts = play(criterion, campaign)
    for verdict in verdicts:
        assert any(character.isdigit() for character in verdict.reason)
        assert bool(verdict) == verdict.stop
    stops = [current.n_labels for current, v in zip(campaign, verdicts, strict=True) if v.stop]
    assert monitor.stopped_at == (stops[0] if stops else None)
    assert monitor.verdict is verdicts[-1]


@pytest.mark.parametrize("criterion", EVERY, ids=str)
def test_values_are_on_the_side_of_the_limit_that_the_verdict_says(criterion, campaign, play):
    for leaf in play(criterion, campaign)[0].leaves():
        assert np.isfinite(leaf.limit)
        assert leaf.criterion.reading != StoppingCriterion.reading
        value = leaf.history[-1][1]
        assert math.isfinite(value)


def test_hyper_parameters_changed_meanwhile_do_not_matter():
    criterion = Budget(30)
    monitor = criterion.start()
    criterion.set_params(n_labels=5)
    assert not monitor.update(Round(10))


@pytest.mark.parametrize("criterion", EVERY, ids=str)
def test_scikit_learn_does_not_ask_whether_a_criterion_is_true(criterion):
    simulation = SimulatedLearner(ActiveLearner(GaussianNB()), stopping=criterion)
    for each in (criterion, simulation, make_pipeline(simulation)):
        assert repr(clone(each)) == repr(each)
        assert type(criterion).__name__ in estimator_html_repr(each)
        with config_context(print_changed_only=False):
            assert type(criterion).__name__ in repr(each)


def test_a_search_chooses_among_criteria():
    X, y = load_iris(return_X_y=True)
    simulation = SimulatedLearner(ActiveLearner(GaussianNB()), budget=60, random_state=0)
    criteria = [None, Budget(20), Budget(30) | TimeLimit(60)]
    search = GridSearchCV(simulation, {"stopping": criteria}, cv=2).fit(X, y)
    assert list(search.cv_results_["param_stopping"]) == criteria
    assert search.best_params_["stopping"] is criteria[search.best_index_]
    assert "Budget(n_labels=20)" in repr(search)


def test_a_monitor_is_what_start_returns():
    monitor = Budget(3).start()
    assert isinstance(monitor, Monitor)
    assert monitor.history == []
    assert monitor.verdict is monitor.stopped_at is None
    assert monitor.limit == 3.0


@pytest.mark.parametrize(
    "criterion",
    [
        StabilizingPredictions(1.1),
        StabilizingPredictions(window=0),
        StabilizingPredictions(stop_set_size=0),
        StabilizingPredictions(growth=-0.1),
        ClassificationChange(tolerance=-0.1),
        OverallUncertainty(2),
        ExpectedGain(0),
        ExpectedGain(1, error="none"),
        ExpectedGain(1, window=2),
        ValueOfLabels(0, 10),
        ValueOfLabels(1, -1),
        ValueOfLabels(1, 10, pessimism=1.1),
        ValueOfLabels(1, 10, price=0),
        ValueOfLabels(1, 10, score="accuracy"),
        ValueOfLabels(1, 10, n_rounds=1),
        TargetReached(1.0),
        TargetReached(0.9, confidence=0.5),
        TargetReached(0.9, n_looks=0),
        Plateau("accuracy"),
        Plateau(tolerance=-1),
        Budget(0),
        CostBudget(0),
        TimeLimit(-1),
        Budget(10) & TimeLimit(-1),
    ],
    ids=str,
)
def test_settings_that_cannot_be_are_refused_at_the_start(criterion):
    with pytest.raises(InvalidParameterError):
        criterion.start()
