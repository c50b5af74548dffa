"""Draws that come one after the other give the scores of all draws together."""

import weakref

import numpy as np
import pytest
from probabilities import dirichlet

from skactive import scores
from skactive.scores import _draws
from skactive.scores._draws import average_in_one_pass, score_one_by_one

NAMED = {score.__name__: score for score in _draws._ONE_BY_ONE}


@pytest.mark.parametrize("n_draws", [1, 2, 20])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", NAMED)
def test_sums_over_draws_give_the_score_of_all(name, dtype, n_draws, monkeypatch):
    monkeypatch.setattr(_draws, "_SLICE_ROWS", 7)
    samples = dirichlet(n_draws, 50, 19).astype(dtype)
    samples[:, :10] = samples[0, :10]  # draws that agree
    samples[:, 10:20] = np.eye(19)[:10]  # and are sure
    expected = NAMED[name](samples.astype(np.float64))
    got = score_one_by_one(NAMED[name], iter(samples))
    np.testing.assert_allclose(got, expected, atol=1e-6 if dtype == np.float32 else 1e-12)
    assert got.dtype == np.float64
    assert (got >= 0).all()


def test_every_score_of_draws_alone_has_a_form_for_draws_that_come_one_by_one():
    assert set(NAMED) == {
        *("consensus_entropy", "kl_to_consensus", "mean_standard_deviation"),
        *("mutual_information", "variation_ratio", "vote_entropy"),
    }
    for name, score in NAMED.items():
        assert getattr(scores, name) is score


@pytest.mark.parametrize("name", NAMED)
def test_one_draw_is_held_at_a_time(name):
    alive = []

    def draw():
        for seed in range(5):
            assert not any(reference() is not None for reference in alive)
            made = np.random.RandomState(seed).dirichlet(np.ones(3), 4)
            alive.append(weakref.ref(made))
            yield made
            del made

    score_one_by_one(NAMED[name], draw())
    assert len(alive) == 5


def test_the_mean_of_the_draws_is_that_of_the_samples():
    samples = dirichlet(6, 9, 4)
    np.testing.assert_allclose(average_in_one_pass(iter(samples)), samples.mean(axis=0), rtol=1e-14)
