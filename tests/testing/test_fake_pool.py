"""FakePool gives the tables that it is given, and only those that are allowed."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skactive.exceptions import CapabilityError
from skactive.strategies import Margin
from skactive.testing import FakePool


def test_fake_pool_makes_up_tables_that_fit_together():
    pool = FakePool(12, n_classes=4, n_dims=3, n_draws=5, n_labeled=7)
    assert len(pool) == 12
    assert_array_equal(pool.classes, range(4))
    assert pool.proba.shape == (12, 4)
    assert pool.decision.shape == (12, 4)
    assert pool.embedding.shape == (12, 3)
    assert pool.proba_samples().shape == (5, 12, 4)
    assert pool.proba_samples(2).shape == (2, 12, 4)
    assert len(pool.labeled) == 7
    assert pool.labeled.embedding.shape == (7, 3)
    assert_array_equal(pool.labeled.y, [0, 1, 2, 3, 0, 1, 2])
    assert_allclose(pool.proba_samples().mean(axis=0), pool.proba)
    assert_allclose(pool.proba.sum(axis=1), 1)


def test_fake_pool_of_two_classes_has_one_decision_a_row():
    assert FakePool(9, n_classes=2).decision.shape == (9,)


def test_fake_pool_depends_on_its_seeds():
    same, other = FakePool(seed=3), FakePool(seed=4)
    assert_array_equal(FakePool(seed=3).proba, same.proba)
    assert (other.proba != same.proba).all()
    draws = [FakePool(query_seed=seed).random_state.random_sample() for seed in (0, 0, 1)]
    assert draws[0] == draws[1] != draws[2]


@pytest.mark.parametrize("n_labeled", [0, 6])
def test_fake_pool_gives_the_tables_that_it_is_given(n_labeled):
    tables = {
        "proba": np.array([[0.2, 0.8], [0.5, 0.5], [0.9, 0.1]]),
        "decision": np.array([1.0, -2.0, 3.0]),
        "embedding": np.arange(15.0).reshape(3, 5),
        "proba_samples": np.random.default_rng(0).dirichlet([1, 1], size=(4, 3)),
    }
    pool = FakePool(n_labeled=n_labeled, **tables)
    assert len(pool) == 3
    for name in ("proba", "decision", "embedding"):
        assert_array_equal(getattr(pool, name), tables[name])
    assert_array_equal(pool.proba_samples(), tables["proba_samples"])
    assert_array_equal(pool.take(np.array([2, 0])).proba, tables["proba"][[2, 0]])
    assert (pool.labeled is None) == (n_labeled == 0)
    if n_labeled:
        assert pool.labeled.embedding.shape == (6, 5)


def test_fake_pool_does_not_take_over_the_tables_themselves():
    table = np.array([[0.2, 0.8], [0.5, 0.5]])
    FakePool(proba=table).proba[:] = 0
    table[0] = [1, 0]  # still the caller's to change
    assert_array_equal(table[1], [0.5, 0.5])


def test_fake_pool_allows_only_what_it_is_told():
    readings = {
        "X": lambda pool: pool.X,
        "proba": lambda pool: pool.proba,
        "decision": lambda pool: pool.decision,
        "embedding": lambda pool: pool.embedding,
        "gradient_factors": lambda pool: pool.gradient_factors,
        "proba_samples": lambda pool: pool.proba_samples(),
        "fantasize": lambda pool: pool.fantasize(0, 1),
    }
    for allowed in readings:
        pool = FakePool(allowed={allowed})
        for view in (pool, pool.take(np.arange(3)), pool.labeled):
            for name, read in readings.items():
                if name == allowed:
                    read(view)
                    assert view.provides(name)
                else:
                    assert not view.provides(name)
                    with pytest.raises(AssertionError, match=f"read '{name}'"):
                        read(view)
    for read in readings.values():
        read(FakePool())  # without a list everything is allowed


def test_fake_pool_reads_alternatives_and_joint_samples_as_needs_mean_them():
    either = FakePool(allowed={"proba|decision"})
    assert either.provides("proba")
    assert either.provides("decision")
    assert FakePool(allowed={"joint_samples"}).proba_samples().shape == (8, 30, 3)
    only = FakePool(allowed={"decision"})
    assert_allclose(Margin().score(only), np.diff(np.sort(only.decision))[:, -1] * -1)


def test_fake_pool_poisons_the_labels_of_candidates():
    pool = FakePool()
    for view in (pool, pool.take(np.arange(4)), pool.reordered(np.arange(4)), pool.fantasize(0, 1)):
        with pytest.raises(AssertionError, match="unlabeled"):
            _ = view.y
    assert_array_equal(pool.labeled.take(np.array([4, 1])).y, [1, 1])


def test_fake_pool_reordered_is_a_pool_of_its_own():
    pool, order = FakePool(), np.array([7, 3, 3, 20])
    pool.random_state.random_sample(5)
    other = pool.reordered(order)
    assert_array_equal(other.proba, pool.proba[order])
    assert_array_equal(other.proba_samples(), pool.proba_samples()[:, order])
    assert_array_equal(other.X, pool.X[order])
    assert_array_equal(other.labeled.embedding, pool.labeled.embedding)
    fresh = FakePool().random_state.random_sample()
    assert other.random_state.random_sample() == fresh  # not the numbers after the pool's
    seeded = pool.reordered(order, query_seed=5).random_state.random_sample()
    assert seeded == np.random.RandomState(5).random_sample()
    with pytest.raises(AssertionError):
        _ = FakePool(allowed={"proba"}).reordered(order).embedding


def test_fake_pool_taken_shares_the_random_numbers():
    pool = FakePool()
    assert pool.take(np.arange(3)).random_state is pool.random_state
    assert pool.labeled.random_state is pool.random_state


def test_fake_pool_fantasizes_a_model_that_leans_towards_the_label():
    pool = FakePool(20)
    future = pool.fantasize(4, 2)
    assert len(future) == 20
    assert_allclose(future.proba.sum(axis=1), 1)
    rises = future.proba[:, 2] - pool.proba[:, 2]
    assert (rises > 0).all()
    assert_allclose(future.proba[4], (pool.proba[4] + [0, 0, 1]) / 2)
    away = ((pool.embedding - pool.embedding[4]) ** 2).mean(axis=1)
    pull = np.exp(-away)[:, None]
    assert_allclose(future.proba, (pool.proba + pull * [0, 0, 1]) / (1 + pull))
    assert_array_equal(future.embedding, pool.embedding)
    assert_array_equal(future.labeled.y, [*pool.labeled.y, 2])
    assert_array_equal(future.labeled.embedding[-1], pool.embedding[4])
    assert len(pool.labeled) == 6  # the pool itself is as it was
    assert_allclose(pool.take(np.array([9, 4])).fantasize(1, 2).proba, future.proba[[9, 4]])
    with pytest.raises(CapabilityError):
        future.fantasize(0, 1)


def test_fake_pool_fantasizes_where_nothing_is_labeled():
    future = FakePool(n_labeled=0).fantasize(3, 1)
    assert_array_equal(future.labeled.y, [1])
