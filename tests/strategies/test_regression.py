"""Strategies for regression: against plain loops, and through learners from end to end."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import config_context
from sklearn.datasets import load_diabetes
from sklearn.dummy import DummyRegressor
from sklearn.ensemble import BaggingRegressor, RandomForestRegressor
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeRegressor

from skactive import ActiveLearner, SimulatedLearner
from skactive.exceptions import CapabilityError, InvalidReadingError, TiedScoresWarning
from skactive.selectors import PowerTop, emcm
from skactive.strategies import (
    IGS,
    LCMD,
    ExpectedModelChangeRegression,
    GSx,
    GSy,
    KCenterGreedy,
    PredictiveStd,
    RobustKCenterGreedy,
)
from skactive.testing import FakePool, parametrize_with_strategy_checks

OF_PREDICTIONS = [GSy(), IGS()]
STRATEGIES = [*OF_PREDICTIONS, LCMD(), RobustKCenterGreedy(), RobustKCenterGreedy(quantile=0.5)]
X, y = load_diabetes(return_X_y=True)
START, POOL = np.arange(0, 442, 15), np.setdiff1d(np.arange(442), np.arange(0, 442, 15))

by_name = {"ids": lambda value: type(value).__name__}


@parametrize_with_strategy_checks(STRATEGIES)
def test_strategy(strategy, check):
    check(strategy)


def naive_greedy(Z, f, labeled_z, labeled_y, batch_size, exponents):
    """Greedy sampling by its formula, one row at a time."""
    references, picks = list(zip(labeled_z, labeled_y, strict=True)), []
    for _ in range(batch_size):
        picks.append(int(np.argmax(naive_merits(Z, f, references, exponents))))
        references.append((Z[picks[-1]], f[picks[-1]]))
    return picks


def naive_merits(Z, f, references, exponents):
    return [
        min(
            np.linalg.norm(z - s) ** exponents[0] * abs(g - t) ** exponents[1]
            for s, t in references
        )
        for z, g in zip(Z, f, strict=True)
    ]


@pytest.mark.parametrize(("strategy", "exponents"), [(GSy(), (0, 1)), (IGS(), (1, 1))], **by_name)
@pytest.mark.parametrize("n_labeled", [1, 6, 40])
def test_greedy_sampling_is_its_formula(strategy, exponents, n_labeled):
    for seed in range(3):
        pool = FakePool(25, n_labeled=n_labeled, seed=seed)
        references = pool.labeled.embedding, pool.labeled.y
        expected = naive_greedy(pool.embedding, pool.prediction, *references, 12, exponents)
        assert_array_equal(strategy.select(pool, 12), expected)


@pytest.mark.parametrize(("strategy", "exponents"), [(GSy(), (0, 1)), (IGS(), (1, 1))], **by_name)
@pytest.mark.parametrize("model", [Ridge(), RandomForestRegressor(10, random_state=0)], **by_name)
def test_greedy_sampling_through_a_pipeline(strategy, exponents, model):
    scaler = StandardScaler()
    learner = ActiveLearner(make_pipeline(scaler, model), strategy, random_state=0)
    learner.fit(X[START], y[START])
    Z, references = (learner.estimator_[:-1].transform(rows) for rows in (X[POOL], X[START]))
    f, references = learner.predict(X[POOL]), list(zip(references, y[START], strict=True))
    for pick in learner.query(X[POOL], 6):
        merits = naive_merits(Z, f, references, exponents)
        assert merits[pick] >= max(merits) * (1 - 1e-9)  # predictions of a forest tie
        references.append((Z[pick], f[pick]))


@pytest.mark.parametrize("strategy", OF_PREDICTIONS, **by_name)
def test_without_labeled_rows_the_first_is_the_row_nearest_to_the_mean(strategy):
    pool = FakePool(25, n_labeled=0)
    Z, f = pool.embedding, pool.prediction
    first = int(np.argmin(np.linalg.norm(Z - Z.mean(axis=0), axis=1)))
    exponents = (int(isinstance(strategy, IGS)), 1)
    expected = naive_greedy(Z, f, [Z[first]], [f[first]], 6, exponents)
    assert_array_equal(strategy.select(pool, 7), [first, *expected])


@pytest.mark.parametrize("strategy", OF_PREDICTIONS, **by_name)
@pytest.mark.parametrize(
    "model",
    [DummyRegressor(strategy="constant", constant=y[0]), DecisionTreeRegressor(random_state=0)],
    **by_name,
)
def test_predictions_that_repeat_known_targets_leave_it_to_the_embedding(strategy, model):
    learner = ActiveLearner(model, strategy, random_state=0).fit(X[START], y[START])
    farthest = ActiveLearner(model, KCenterGreedy(), random_state=0).fit(X[START], y[START])
    assert_array_equal(learner.query(X[POOL], 10), farthest.query(X[POOL], 10))


@pytest.mark.parametrize("strategy", OF_PREDICTIONS, **by_name)
def test_a_classifier_of_names_is_refused_with_the_remedy(strategy):
    names = np.where(y > 150, "high", "low")
    with pytest.raises(CapabilityError, match="or a regressor if the labels are numbers"):
        ActiveLearner(LogisticRegression(), strategy).fit(X[START], names[START])


def test_predictions_that_are_not_finite_are_refused():
    pool = FakePool(prediction=[1.0, np.nan, 2.0])
    with pytest.raises(InvalidReadingError, match="NaN"):
        GSy().select(pool, 1)


@pytest.mark.parametrize("strategy", STRATEGIES, **by_name)
def test_only_what_needs_no_model_starts_cold(strategy):
    learner = ActiveLearner(Ridge(), strategy, random_state=0)
    if "prediction" in strategy.needs:
        with pytest.raises(NotFittedError, match="KCenterGreedy"):
            learner.query(X, 5)
    else:
        assert len(learner.query(X, 5)) == 5


@pytest.mark.parametrize("quantile", [0, -0.1, 1.5, "0.9"])
def test_quantile_out_of_range(quantile):
    learner = ActiveLearner(Ridge(), RobustKCenterGreedy(quantile=quantile))
    with pytest.raises(ValueError, match="quantile"):
        learner.fit(X[START], y[START])


def test_robust_k_center_of_quantile_one_is_k_center():
    pool = FakePool(60)
    expected = KCenterGreedy().select(FakePool(60), 60)
    assert_array_equal(RobustKCenterGreedy(quantile=1.0).select(pool, 60), expected)


@pytest.mark.parametrize("strategy", STRATEGIES, **by_name)
@pytest.mark.parametrize(
    "model", [Ridge(0.1), RandomForestRegressor(10, random_state=0)], **by_name
)
def test_simulated_campaign(strategy, model):
    learner = ActiveLearner(model, strategy)
    simulation = SimulatedLearner(
        learner,
        budget=60,
        batch_size=20,
        n_initial=20,
        initial_strategy=KCenterGreedy(),
        random_state=0,
    )
    simulation.fit(X, y)
    assert_array_equal(simulation.n_labels_, [20, 40, 60])
    assert len(set(simulation.queried_)) == 60
    assert list(simulation.staged_score(X, y))[-1] > 0.15
    again = SimulatedLearner(**simulation.get_params(deep=False)).fit(X, y)
    assert_array_equal(again.queried_, simulation.queried_)


def test_greedy_sampling_finds_the_jump_that_distance_alone_does_not_see():
    # Ten per cent of the line hold all the change of the target.
    line = np.linspace(0, 1, 400)[:, None]
    target = np.tanh(30 * (line[:, 0] - 0.5))
    model = RandomForestRegressor(30, random_state=0)
    error = {}
    for strategy in (IGS(), KCenterGreedy()):
        simulation = SimulatedLearner(
            ActiveLearner(model, strategy),
            budget=24,
            batch_size=2,
            n_initial=6,
            random_state=0,
            initial_strategy=KCenterGreedy(),
        ).fit(line, target)
        predicted = simulation.predict(line)
        error[type(strategy)] = np.square(predicted - target).mean()
    assert error[IGS] < 0.7 * error[KCenterGreedy]


# Rows of uncertain numbers ----------------------------------------------------------------------


@pytest.mark.parametrize("n_labeled", [0, 5])
def test_gsx_is_its_formula(n_labeled):
    pool = FakePool(25, n_labeled=n_labeled)
    Z, picks = pool.embedding, []
    chosen = [] if pool.labeled is None else list(pool.labeled.embedding)
    for _ in range(8):
        distances = [
            min(np.linalg.norm(z - s) for s in chosen)
            if chosen
            else -np.linalg.norm(z - Z.mean(axis=0))
            for z in Z
        ]
        picks.append(int(np.argmax(distances)))
        chosen.append(Z[picks[-1]])
    assert_array_equal(GSx().select(pool, 8), picks)


def test_deviation_of_several_outputs_is_the_root_of_the_mean_variance():
    forest = RandomForestRegressor(7, random_state=0)
    learner = ActiveLearner(forest, PredictiveStd(), random_state=0)
    learner.fit(X[START], np.column_stack([y[START], X[START, 0]]))
    trees = np.array([tree.predict(X) for tree in learner.estimator_.estimators_])
    assert_allclose(learner.score_pool(X), np.sqrt(trees.var(axis=0).mean(axis=1)))


def test_deviation_of_a_committee_is_that_of_its_members():
    model = BaggingRegressor(Ridge(), 7, random_state=0)
    learner = ActiveLearner(model, PredictiveStd(), random_state=0).fit(X[START], y[START])
    votes = np.array([member.predict(X) for member in learner.estimator_.estimators_])
    assert_allclose(learner.score_pool(X), votes.std(axis=0))


@pytest.mark.parametrize("two_outputs", [False, True])
def test_model_change_is_the_mean_length_of_the_gradient_over_the_committee(two_outputs):
    target = np.column_stack([y, X[:, 0] * y]) if two_outputs else y
    model = make_pipeline(StandardScaler(), BaggingRegressor(Ridge(), 7, random_state=0))
    learner = ActiveLearner(model, ExpectedModelChangeRegression(), random_state=0)
    learner.fit(X[START], target[START])
    scaler, bag = learner.estimator_
    expected = []
    for row in scaler.transform(X[POOL[:30]]):
        h, f = np.append(1.0, row), np.atleast_1d(bag.predict([row])[0])
        gaps = [f - np.atleast_1d(each.predict([row])[0]) for each in bag.estimators_]
        expected.append(np.mean([np.linalg.norm(np.outer(gap, h)) for gap in gaps]))
    assert_allclose(learner.score_pool(X[POOL[:30]]), expected)


@pytest.mark.parametrize("selector", [None, PowerTop()], ids=["largest", "drawn"])
def test_a_batch_of_model_change_is_that_of_its_selector(selector):
    model = BaggingRegressor(Ridge(), 7, random_state=0)
    strategy = ExpectedModelChangeRegression(selector=selector)
    learner = ActiveLearner(model, strategy, random_state=0).fit(X[START], y[START])
    votes = np.array([each.predict(X[POOL]) for each in learner.estimator_.estimators_])
    expected = emcm(X[POOL], votes - votes.mean(axis=0), 9, selector=selector, random_state=3)
    readings = {"embedding": X[POOL], "prediction": votes.mean(axis=0)}
    pool = FakePool(**readings, prediction_samples=votes, query_seed=3)
    assert_array_equal(strategy.select(pool, 9), expected)


def test_members_that_agree_are_named():
    model = BaggingRegressor(DummyRegressor(strategy="constant", constant=1.0), 3)
    learner = ActiveLearner(model, ExpectedModelChangeRegression(), random_state=0)
    learner.fit(X[START], y[START])
    for batch_size in (1, 4):
        with pytest.warns(TiedScoresWarning, match="scores all"):
            assert len(learner.query(X[POOL], batch_size)) == batch_size


def test_model_change_of_sparse_rows_is_that_of_dense_rows():
    from scipy.sparse import csr_array

    model = BaggingRegressor(Ridge(solver="sparse_cg"), 5, random_state=0)
    scores = [
        ActiveLearner(model, ExpectedModelChangeRegression(), random_state=0)
        .fit(kind(X[START]), y[START])
        .score_pool(kind(X[POOL]))
        for kind in (np.asarray, csr_array)
    ]
    assert_allclose(*scores, rtol=1e-4)


@pytest.mark.parametrize("strategy", [PredictiveStd(), ExpectedModelChangeRegression()], **by_name)
def test_chunks_do_not_change_the_scores_of_a_model(strategy):
    learner = ActiveLearner(RandomForestRegressor(5, random_state=0), strategy, random_state=0)
    learner.fit(X[START], y[START])
    whole = learner.score_pool(X[POOL])
    with config_context(working_memory=0.02):
        assert_allclose(learner.score_pool(X[POOL]), whole, rtol=1e-12)
