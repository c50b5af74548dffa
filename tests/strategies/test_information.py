"""Information strategies against their definitions, written out in loops."""

from itertools import combinations, product
from math import log

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from scipy.special import softmax
from sklearn import config_context
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.gaussian_process import GaussianProcessClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skactive import ActiveLearner
from skactive.exceptions import CapabilityError
from skactive.selectors import top
from skactive.selectors._batch_bald import batch_bald
from skactive.strategies import BALD, EPIG, ExpectedModelChange, KLDivergence
from skactive.strategies._information import BatchBALD, MeanStd, VariationRatio
from skactive.testing import FakePool, parametrize_with_strategy_checks

COMMITTEE = np.array([[[0.3, 0.7], [0.4, 0.6]], [[0.2, 0.8], [0.5, 0.5]]])  # unit vector 2


def entropy(p):
    return -sum(value * log(value) for value in p if value > 0)


def naive_bald(samples):
    n_draws, n_rows, _ = samples.shape
    return [
        entropy(samples[:, i].mean(axis=0)) - sum(entropy(p) for p in samples[:, i]) / n_draws
        for i in range(n_rows)
    ]


def naive_epig(samples, targets):
    """Mean over targets of the mutual information of two labels: a loop over all four indices."""
    n_draws, n_rows, n_classes = samples.shape
    scores = np.zeros(n_rows)
    for i in range(n_rows):
        for t in range(targets.shape[1]):
            for y in range(n_classes):
                for z in range(n_classes):
                    joint = sum(samples[s, i, y] * targets[s, t, z] for s in range(n_draws))
                    joint /= n_draws
                    apart = samples[:, i, y].mean() * targets[:, t, z].mean()
                    if joint > 0:
                        scores[i] += joint * log(joint / apart)
    return scores / targets.shape[1]


# -- BALD --------------------------------------------------------------------------------------


def test_bald_published_values():
    scores = BALD().score(FakePool(proba_samples=COMMITTEE))
    assert_allclose(scores, [0.00670178182226764, 0.005059389928987596], rtol=1e-10)


def test_bald_is_the_entropy_of_the_mean_less_the_mean_entropy():
    pool = FakePool(20, n_classes=4, n_draws=7)
    assert_allclose(BALD().score(pool), naive_bald(pool.proba_samples()), rtol=1e-10)
    assert_allclose(BALD().score(pool), KLDivergence().score(pool), rtol=1e-10)


def test_bald_wants_disagreement_and_not_noise():
    noisy, torn, agreed = [[0.5, 0.5]] * 2, [[1, 0], [0, 1]], [[0.9, 0.1]] * 2
    pool = FakePool(proba_samples=np.stack([noisy, torn, agreed], axis=1))
    assert_allclose(BALD().score(pool), [0, log(2), 0], atol=1e-15)


def test_bald_with_fewer_draws():
    pool = FakePool(n_draws=8)
    scores = BALD(n_samples=3).score(pool)
    assert_allclose(scores, naive_bald(pool.proba_samples()[:3]), rtol=1e-10)


def test_bald_of_a_forest_is_that_of_its_trees():
    X, y = load_iris(return_X_y=True)
    forest = RandomForestClassifier(12, min_samples_leaf=3, random_state=0)
    learner = ActiveLearner(forest, BALD(), random_state=0).fit(X[::4], y[::4])
    trees = np.stack([tree.predict_proba(X) for tree in learner.estimator_.estimators_])
    assert_allclose(learner.score_pool(X), naive_bald(trees), atol=1e-12)


# -- BatchBALD -------------------------------------------------------------------------------


def naive_joint_information(samples, rows):
    n_draws, _, n_classes = samples.shape
    joint = [
        sum(np.prod([samples[s, x, y] for x, y in zip(rows, labels, strict=True)]) for s in draws)
        / n_draws
        for draws in [range(n_draws)]
        for labels in product(range(n_classes), repeat=len(rows))
    ]
    noise = sum(entropy(samples[s, x]) for s in range(n_draws) for x in rows) / n_draws
    return entropy(joint) - noise


def test_batch_bald_is_greedy_in_the_joint_information():
    pool = FakePool(15, n_classes=3, n_draws=5)
    samples, picks = pool.proba_samples(), []
    for _ in range(4):
        rest = np.setdiff1d(np.arange(15), picks)
        gains = [naive_joint_information(samples, [*picks, row]) for row in rest]
        picks.append(rest[np.argmax(gains)])
    assert_array_equal(BatchBALD().select(pool, 4), picks)
    assert picks[0] == np.argmax(BALD().score(pool))


def test_batch_bald_hands_its_parameters_on():
    pool = FakePool(40, n_draws=9)
    picks = BatchBALD(n_samples=4, n_configurations=3).select(pool, 6)
    samples = pool.proba_samples()[:4]
    assert_array_equal(picks, batch_bald(samples, 6, n_configurations=3, random_state=0))
    assert picks.tolist() != BatchBALD().select(pool, 6).tolist()


def test_batch_bald_of_a_forest_does_not_ask_twice():
    X, y = load_iris(return_X_y=True)
    X = np.concatenate([X, X, X])  # each row three times
    forest = RandomForestClassifier(30, min_samples_leaf=3, random_state=0)
    learner = ActiveLearner(forest, BatchBALD(), random_state=0).fit(X[:150:10], y[::10])
    trees = np.stack([tree.predict_proba(X) for tree in learner.estimator_.estimators_])
    greedy = naive_joint_information(trees, learner.query(X, 3))
    plain = naive_joint_information(trees, top(BALD().score(FakePool(proba_samples=trees)), 3, 0))
    assert greedy > plain


def test_batch_bald_refuses_draws_that_are_right_for_single_rows_only():
    X, y = load_iris(return_X_y=True)
    with pytest.raises(CapabilityError, match="joint_samples"):
        ActiveLearner(GaussianProcessClassifier(), BatchBALD()).fit(X[50::10], y[50::10])


# -- spread over the draws -----------------------------------------------------------------------


@pytest.mark.parametrize("n_samples", [None, 3])
def test_mean_std_is_the_mean_of_the_deviations(n_samples):
    pool = FakePool(20, n_classes=4, n_draws=7)
    samples = pool.proba_samples()[:n_samples]
    expected = [np.mean([np.std(samples[:, i, y]) for y in range(4)]) for i in range(20)]
    assert_allclose(MeanStd(n_samples=n_samples).score(pool), expected, rtol=1e-12)


@pytest.mark.parametrize("n_samples", [None, 4])
def test_variation_ratio_is_the_share_that_dissents(n_samples):
    pool = FakePool(20, n_classes=4, n_draws=7)
    votes = pool.proba_samples()[:n_samples].argmax(axis=2)
    expected = [1 - max(np.bincount(column)) / len(votes) for column in votes.T]
    assert_allclose(VariationRatio(n_samples=n_samples).score(pool), expected, rtol=1e-12)


@parametrize_with_strategy_checks(
    [
        BatchBALD(),
        BatchBALD(n_samples=4, n_configurations=9),
        MeanStd(),
        VariationRatio(n_samples=5),
    ]
)
def test_checks(strategy, check):
    check(strategy)


# -- EPIG --------------------------------------------------------------------------------------


def test_epig_with_given_targets_is_the_naive_sum():
    pool, targets = FakePool(9), np.array([[3], [20], [5]])
    tables = FakePool(25).proba_samples()
    pool = FakePool(25).take(np.arange(9))
    expected = naive_epig(tables[:, :9], tables[:, [3, 20, 5]])
    assert_allclose(EPIG(targets=targets).score(pool), expected, rtol=1e-9)


def test_epig_draws_all_rows_where_there_are_no_more():
    pool = FakePool(8, n_classes=2)
    samples = pool.proba_samples()
    for n_targets in (8, 100):
        scores = EPIG(n_targets=n_targets).score(pool)
        assert_allclose(scores, naive_epig(samples, samples), rtol=1e-9)


def test_epig_draws_as_many_targets_as_asked_and_each_subset_in_turn():
    pool = FakePool(6, n_classes=2)
    samples = pool.proba_samples()
    by_subset = {
        subset: naive_epig(samples, samples[:, subset]) for subset in combinations(range(6), 2)
    }
    met = set()
    for seed in range(80):
        scores = EPIG(n_targets=2).score(pool.reordered(np.arange(6), query_seed=seed))
        drawn = [subset for subset, wanted in by_subset.items() if np.allclose(scores, wanted)]
        assert len(drawn) == 1
        met.update(drawn)
    assert len(met) == len(by_subset)


def test_epig_with_fewer_draws_uses_the_same_ones_for_rows_and_targets():
    pool = FakePool(8, n_draws=8)
    samples = pool.proba_samples()[:3]
    assert_allclose(EPIG(n_samples=3).score(pool), naive_epig(samples, samples), rtol=1e-9)


@pytest.mark.parametrize("targets", [None, np.array([[1], [4]])])
def test_epig_in_chunks_is_the_same(targets):
    strategy, sizes = EPIG(targets=targets), []
    expected = strategy.score(FakePool(40))

    class Spy(FakePool):
        def proba_samples(self, n_samples=None):
            sizes.append(len(self))
            return super().proba_samples(n_samples)

    with config_context(working_memory=0.01):
        assert_allclose(strategy.score(Spy(40)), expected, rtol=1e-12)
    assert len(sizes) > 3  # the targets, and several chunks


def test_epig_of_a_forest_with_targets_elsewhere():
    X, y = load_iris(return_X_y=True)
    model = RandomForestClassifier(8, min_samples_leaf=3, random_state=0)
    learner = ActiveLearner(model, EPIG(targets=X[100:106]), random_state=0)
    learner.fit(X[::6], y[::6])
    trees = np.stack([tree.predict_proba(X) for tree in learner.estimator_.estimators_])
    expected = naive_epig(trees[:, :30], trees[:, 100:106])
    assert_allclose(learner.score_pool(X[:30]), expected, atol=1e-12)


def test_epig_ignores_what_tells_nothing_about_the_targets():
    # Row 0 splits the draws as the target does; row 1 splits them too, but across.
    along, across = [[1, 0], [1, 0], [0, 1], [0, 1]], [[1, 0], [0, 1], [1, 0], [0, 1]]
    pool = FakePool(proba_samples=np.stack([along, across, along], axis=1))
    assert_allclose(EPIG(targets=np.array([[2]])).score(pool), [log(2), 0, log(2)], atol=1e-15)
    assert_allclose(BALD().score(pool), [log(2)] * 3)


def test_epig_refuses_draws_that_are_right_for_single_rows_only():
    X, y = load_iris(return_X_y=True)
    with pytest.raises(CapabilityError, match="joint_samples"):
        ActiveLearner(GaussianProcessClassifier(), EPIG()).fit(X[50::10], y[50::10])


# -- expected model change ---------------------------------------------------------------------


def test_model_change_is_the_expected_length_of_explicit_gradients():
    pool = FakePool(20, n_classes=4, n_dims=3)
    expected = [
        sum(p[y] * np.linalg.norm(np.outer(p - np.eye(4)[y], h)) for y in range(4))
        for p, h in zip(pool.proba, pool.embedding, strict=True)
    ]
    assert_allclose(ExpectedModelChange().score(pool), expected, rtol=1e-12)


def numeric_gradient_length(coef, intercept, x, label):
    """Length of the gradient of one row's log loss, by central differences."""

    def loss(flat):
        proba = softmax(flat.reshape(coef.shape) @ x + intercept)
        return log_loss([label], proba[None], labels=range(len(coef)))

    steps = 1e-6 * np.eye(coef.size)
    return np.linalg.norm([(loss(coef.ravel() + d) - loss(coef.ravel() - d)) / 2e-6 for d in steps])


@pytest.mark.no_cover
@pytest.mark.parametrize("scaled", [False, True])
def test_model_change_of_logistic_regression_is_that_of_its_coefficients(scaled):
    X, y = load_iris(return_X_y=True)
    scaler = StandardScaler().fit(X[::5])
    model = LogisticRegression(max_iter=1000)
    features = scaler.transform(X) if scaled else X
    learner = ActiveLearner(
        make_pipeline(StandardScaler(), model) if scaled else model, ExpectedModelChange()
    ).fit(X[::5], y[::5])
    last = learner.estimator_[-1] if scaled else learner.estimator_
    rows = [1, 52, 77, 133]
    expected = [
        sum(
            p * numeric_gradient_length(last.coef_, last.intercept_, features[row], label)
            for label, p in enumerate(learner.predict_proba(X[[row]])[0])
        )
        for row in rows
    ]
    assert_allclose(learner.score_pool(X[rows]), expected, rtol=1e-5)


def test_model_change_on_sparse_rows():
    X, y = load_iris(return_X_y=True)
    dense = ActiveLearner(LogisticRegression(max_iter=1000), ExpectedModelChange())
    dense.fit(X[::5], y[::5])
    spread = ActiveLearner(dense.estimator_, ExpectedModelChange(), prefit=True)
    rows = sparse.csr_array(X)
    spread.fit(rows[::5], y[::5])
    assert_allclose(spread.score_pool(rows), dense.score_pool(X), rtol=1e-10)


def test_model_change_of_a_certain_row_is_nothing_however_long_its_features():
    pool = FakePool(proba=[[1, 0], [0.5, 0.5]], embedding=[[1e6, 1e6], [3, 4]])
    assert_allclose(ExpectedModelChange().score(pool), [0, 5 * np.sqrt(0.5)])
    assert_array_equal(ExpectedModelChange().select(pool, 1), [1])
