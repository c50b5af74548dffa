"""Explanations against brute force: predictions, parts, ranks, neighbors, and what is left out."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import make_blobs
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import pairwise_distances
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import LinearSVC

from skactive import ActiveLearner
from skactive.exceptions import WaitingClassesWarning
from skactive.explanation import _making
from skactive.explanation._making import explain_rows
from skactive.strategies import (
    Aggregate,
    Auto,
    KCenterGreedy,
    Margin,
    Mixture,
    Random,
    WeightedSum,
)
from skactive.testing import FakePool

X, y = make_blobs(120, n_features=3, centers=4, cluster_std=3.0, random_state=0)
X_LABELED, Y_LABELED, POOL = X[:20], y[:20], X[20:]


def fit(strategy=None, model=None, rows=X_LABELED):
    model = LogisticRegression() if model is None else model
    return ActiveLearner(model, strategy, random_state=0).fit(rows, Y_LABELED)


def share_below(values, position):
    return sum(value < values[position] for value in values) / len(values)


def test_classes_are_the_most_probable_ones():
    learner = fit(Margin())
    proba = learner.predict_proba(POOL)
    for i, row in zip([4, 50], learner.explain(POOL, [4, 50]), strict=True):
        best = sorted(range(4), key=lambda column, i=i: -proba[i, column])[:3]
        assert list(row.probabilities) == [learner.classes_[column] for column in best]
        assert_allclose(list(row.probabilities.values()), proba[i, best])
        assert row.prediction == learner.predict(POOL)[i]


@pytest.mark.parametrize("convert", [np.asarray, sparse.csr_array], ids=["dense", "sparse"])
def test_nearest_labeled_rows_are_those_of_brute_force(convert):
    rows, pool = np.round(X_LABELED).clip(0), np.round(POOL).clip(0)  # with zeros and ties
    distances = pairwise_distances(pool, rows)
    learner = fit(Margin(), rows=convert(rows))
    for row in learner.explain(convert(pool), np.arange(len(pool))):
        i, nearest = row.position, row.nearest
        assert_allclose([near.distance for near in nearest], np.sort(distances[i])[:3], atol=1e-9)
        assert_allclose([distances[i, near.position] for near in nearest],
                        [near.distance for near in nearest], atol=1e-9)  # fmt: skip
        assert [near.label for near in nearest] == [y[near.position] for near in nearest]
        # Whole numbers tie, whatever the rounding of their square roots.
        assert row.distance_rank == share_below(np.round(distances.min(axis=1), 9), i)


def test_distances_and_densities_are_ranked_in_the_pool():
    gaps = pairwise_distances(POOL, X_LABELED).min(axis=1)
    density = (1 / (1 + pairwise_distances(POOL))).mean(axis=1)
    for row in fit().explain(POOL, [0, 7, 99]):
        assert row.distance_rank == share_below(gaps, row.position)
        assert row.density == pytest.approx(density[row.position])
        assert row.density_rank == share_below(density, row.position)


@pytest.mark.parametrize("is_cold", [False, True])
def test_rows_of_a_batch_are_compared_with_those_before_them(is_cold):
    learner = ActiveLearner(LogisticRegression()) if is_cold else fit()
    chosen = X_LABELED[:0] if is_cold else X_LABELED
    for row in learner.explain(POOL, [0, 7, 99, 7]):
        if len(chosen) in (0, 20):
            assert row.batch_rank is None
        else:
            gaps = pairwise_distances(POOL, chosen).min(axis=1)
            assert row.batch_rank == share_below(gaps, row.position)
        chosen = np.vstack([chosen, POOL[[row.position]]])


@pytest.mark.parametrize("strategy", [Auto(), Margin(), WeightedSum()], ids=repr)
def test_parts_are_the_scores_and_their_ranks(strategy):
    learner = fit(strategy)
    scores = learner.score_pool(POOL)
    for row in learner.explain(POOL, [3, 60]):
        name = list(row.parts)[-1]
        assert row.parts[name] == pytest.approx(scores[row.position], rel=1e-12)
        assert row.ranks[name] == share_below(scores, row.position)
        assert row.is_scored


def test_parts_of_auto_multiply_to_its_score():
    for row in fit().explain(POOL, [3, 60]):
        assert list(row.parts) == ["uncertainty", "added coverage", "score"]
        product = row.parts["uncertainty"] * row.parts["added coverage"]
        assert row.parts["score"] == pytest.approx(product)


def test_parts_of_a_mixture_bear_the_names_of_its_strategies():
    strategy = Mixture([("unsure", Margin()), ("far", KCenterGreedy()), ("any", Random())])
    row = fit(strategy).explain(POOL, [3])[0]
    assert list(row.parts) == ["uncertainty (unsure)", "distance (far)"]
    assert not row.is_scored
    assert not str(row).startswith("Asked since")  # it may have been drawn


def test_explaining_changes_neither_the_learner_nor_its_choice():
    learner = fit()
    before, state = learner.query(POOL, 5), dict(vars(learner))
    first = [str(row) for row in learner.explain(POOL, before)]
    assert vars(learner) == state
    assert_array_equal(learner.query(POOL, 5), before)
    with config_context(working_memory=0.001):
        assert [str(row) for row in learner.explain(POOL, before)] == first


def test_a_row_depends_on_those_explained_before_it_by_its_rank_in_the_batch_only():
    learner = fit()
    alone = [vars(learner.explain(POOL, [i])[0]) for i in (5, 80, 5)]
    together = [vars(row) for row in learner.explain(POOL, [5, 80, 5])]
    assert [row | {"batch_rank": None} for row in together] == alone


def test_large_pools_are_ranked_by_a_sample(monkeypatch):
    learner = fit(Margin())
    exact = learner.explain(POOL, [0, 7, 99])
    monkeypatch.setattr(_making, "_MAX_RANKED", 50)
    for row, sampled in zip(exact, learner.explain(POOL, [0, 7, 99]), strict=True):
        assert sampled.nearest == row.nearest
        assert sampled.ranks == row.ranks
        assert sampled.distance_rank == pytest.approx(row.distance_rank, abs=0.2)
        assert sampled.density_rank == pytest.approx(row.density_rank, abs=0.2)


def test_before_any_label_there_is_neither_model_nor_neighbor():
    learner = ActiveLearner(LogisticRegression(), random_state=0)
    row = learner.explain(POOL, learner.query(POOL))[0]
    assert (row.nearest, row.probabilities, row.prediction) == ((), {}, None)
    assert row.ranks["added coverage"] > 0.9
    assert "cover more of the pool" in str(row)


def test_while_classes_wait_rows_are_compared_with_the_labeled_ones():
    learner = ActiveLearner(LogisticRegression(), Margin(), random_state=0)
    with pytest.warns(WaitingClassesWarning):
        learner.fit(POOL[:2], ["a", "a"])
    row = learner.explain(POOL, learner.query(POOL))[0]
    assert row.nearest[0].label == "a"
    assert row.prediction is None
    assert "There is no model yet." in str(row)


def test_regressors_predict_a_number():
    learner = ActiveLearner(LinearRegression(), random_state=0).fit(X_LABELED, X_LABELED[:, 0])
    row = learner.explain(POOL, [7])[0]
    assert (row.probabilities, row.spread) == ({}, None)
    assert row.prediction == pytest.approx(POOL[7, 0])
    assert row.nearest[0].label == X_LABELED[row.nearest[0].position, 0]


class SpreadPool(FakePool):
    """A pool of a regressor with standard deviations."""

    def provides(self, reading):
        return reading == "std" or (reading != "proba" and super().provides(reading))

    @property
    def proba(self):
        raise AssertionError("a regressor has no probabilities")

    @property
    def std(self):
        return self.X[:, 0] / 10.0


def test_a_spread_is_told_where_there_is_one(monkeypatch):
    pool = SpreadPool()
    monkeypatch.setattr(_making, "_read_top_classes", lambda rows: None)
    rows = explain_rows(pool, KCenterGreedy(), np.array([4, 20]))
    assert [row.spread for row in rows] == [0.4, 2.0]


def test_models_with_a_decision_function_only_have_no_probabilities():
    row = fit(Margin(), LinearSVC()).explain(POOL, [3])[0]
    assert row.probabilities == {}
    assert f"The model predicts {row.prediction}." in str(row)


class WordCount(ClassifierMixin, BaseEstimator):
    """A classifier of texts, which have no features."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return self.classes_[self.predict_proba(X).argmax(axis=1)]

    def predict_proba(self, X):
        share = np.array([text.count(" ") / (1 + text.count(" ")) for text in X])
        return np.column_stack([1 - share, share])


def test_rows_without_features_are_explained_by_the_model_alone():
    learner = ActiveLearner(WordCount(), Margin()).fit(["a", "a b"], [0, 1])
    row = learner.explain(["a", "b c", "d e f"], [1])[0]
    assert (row.nearest, row.density, row.distance_rank) == ((), None, None)
    assert str(row) == "Asked since the model hesitates between 0 (0.50) and 1 (0.50)."


class OwnChoice:
    """A strategy without a base class."""

    needs = frozenset()

    def select(self, pool, batch_size):
        return np.arange(batch_size)


def test_a_strategy_of_no_base_class_has_no_parts():
    row = fit(OwnChoice()).explain(POOL, [0])[0]
    assert row.parts == {}
    assert str(row).startswith("OwnChoice chooses without a score for each row.")


class WithElements(Margin):
    """A strategy whose scores are made of those of elements."""

    def explain_elements(self, pool, positions):
        return [{f"word {k}": k / (1 + i) for k in range(3)} for i in positions]


def test_elements_are_those_that_the_strategy_names():
    rows = fit(WithElements()).explain(POOL, [0, 1])
    assert rows[1].elements == {"word 0": 0.0, "word 1": 0.5, "word 2": 1.0}
    assert "Its highest elements: word 2 (2), word 1 (1), word 0 (0)." in str(rows[0])


@pytest.mark.parametrize("positions", [[100], [-1], [0.5], [[1, 2]], [True], ["1"], [None]])
def test_positions_outside_of_the_pool_are_refused(positions):
    with pytest.raises(ValueError, match=r"integers from 0 to 99.*Pass what query returned"):
        fit().explain(POOL, positions)


def test_no_positions_and_a_single_one_are_fine():
    learner = fit()
    assert learner.explain(POOL, []) == []
    assert [row.position for row in learner.explain(POOL, 3)] == [3]


@pytest.mark.parametrize("strategy", [Aggregate(Margin()), KCenterGreedy()], ids=["scored", "rows"])
def test_a_model_of_several_labels_is_explained_by_the_labels_that_it_predicts(strategy):
    Y = np.column_stack([y > 1, y % 2]).astype(int)
    learner = ActiveLearner(KNeighborsClassifier(), strategy).fit(X_LABELED, Y[:20])
    for i, row in enumerate(learner.explain(POOL, np.arange(5))):
        assert row.prediction == learner.predict(POOL)[i].tolist()
        assert row.has_model
        assert "no model" not in str(row)


def test_a_number_in_a_column_is_explained_as_a_number():
    learner = ActiveLearner(LinearRegression(), KCenterGreedy()).fit(X_LABELED, Y_LABELED[:, None])
    (row,) = learner.explain(POOL, [0])
    assert row.prediction == learner.predict(POOL)[0, 0]


def test_a_mask_is_no_position_and_the_advice_works():
    learner, mask = fit(Margin()), np.arange(len(POOL)) == 7
    with pytest.raises(ValueError, match=r"Pass numpy.flatnonzero\(mask\)"):
        learner.explain(POOL, mask)
    assert [row.position for row in learner.explain(POOL, np.flatnonzero(mask))] == [7]


def test_an_empty_label_is_written_in_quotes():
    names = np.where(Y_LABELED > 1, "", "b")
    learner = ActiveLearner(LogisticRegression(), Margin()).fit(X_LABELED, names)
    assert '""' in str(learner.explain(POOL, learner.query(POOL))[0])
