"""EPIG against plain loops, and its laws."""

import math
import tracemalloc
from itertools import product

import numpy as np
import sklearn
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from probabilities import dirichlet, h

from skactive import scores


def brute_epig(samples, targets):
    n_samples, n_rows, n_classes = samples.shape
    gain = np.zeros(n_rows)
    for i, j in product(range(n_rows), range(targets.shape[1])):
        for y, z in product(range(n_classes), repeat=2):
            joint = np.mean([samples[s, i, y] * targets[s, j, z] for s in range(n_samples)])
            apart = samples[:, i, y].mean() * targets[:, j, z].mean()
            if joint > 0:
                gain[i] += joint * math.log(joint / apart)
    return gain / targets.shape[1]


def test_epig_is_the_mean_mutual_information_with_the_targets():
    samples, targets = dirichlet(6, 9, 3, seed=1), dirichlet(6, 5, 3, seed=2)
    result = scores.expected_predictive_information_gain(samples, targets)
    assert_allclose(result, brute_epig(samples, targets), rtol=1e-10, atol=1e-14)


def test_epig_is_the_fall_of_expected_log_loss_when_draws_are_reweighted():
    samples, targets = dirichlet(6, 9, 3, seed=3), dirichlet(6, 5, 3, seed=4)
    before = scores.consensus_entropy(targets).mean()
    fall = []
    for p in np.moveaxis(samples, 1, 0):  # (n_samples, n_classes) of one row
        after = 0.0
        for y, probability in enumerate(p.mean(axis=0)):
            if probability > 0:
                weights = p[:, y] / p[:, y].sum()
                posterior = np.einsum("s,smc->mc", weights, targets)
                after += probability * np.mean([h(q) for q in posterior])
        fall.append(before - after)
    result = scores.expected_predictive_information_gain(samples, targets)
    assert_allclose(result, fall, rtol=1e-10, atol=1e-13)


@given(working_memory=st.floats(1e-6, 0.1), n_targets=st.integers(1, 7))
@settings(deadline=None, max_examples=30)
def test_epig_does_not_depend_on_the_block_size(working_memory, n_targets):
    samples, targets = dirichlet(5, 40, 3, seed=5), dirichlet(5, n_targets, 3, seed=6)
    whole = scores.expected_predictive_information_gain(samples, targets)
    with sklearn.config_context(working_memory=working_memory):
        blocked = scores.expected_predictive_information_gain(samples, targets)
    assert_allclose(blocked, whole, rtol=1e-12, atol=1e-15)


def test_epig_keeps_to_working_memory():
    samples, targets = dirichlet(5, 1000, 4, seed=5), dirichlet(5, 200, 4, seed=6)
    tracemalloc.start()
    with sklearn.config_context(working_memory=4):
        scores.expected_predictive_information_gain(samples, targets)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4e6  # all joints would be 26 MB


def test_epig_of_a_row_with_itself_is_at_most_its_entropy():
    certain = np.eye(3)[[[0], [1], [2]]]
    assert_allclose(scores.expected_predictive_information_gain(certain, certain), np.log(3))
