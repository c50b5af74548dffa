"""BatchBALD against the enumeration of all labels, and what holds where they are sampled."""

import tracemalloc
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from skactive.scores import mutual_information
from skactive.selectors import _batch_bald
from skactive.selectors._batch_bald import Configurations, batch_bald


def make_samples(n_samples, n_rows, n_classes, seed=0, concentration=1.0):
    rng = np.random.default_rng(seed)
    return rng.dirichlet(np.full(n_classes, concentration), size=(n_samples, n_rows))


def entropy(p):
    p = np.asarray(p)
    return -(p[p > 0] * np.log(p[p > 0])).sum()


def joint_information(samples, rows):
    """Mutual information of the labels of `rows` and the draw, by all configurations."""
    n_samples, _, n_classes = samples.shape
    joint = [
        np.mean(np.prod([samples[:, x, y] for x, y in zip(rows, labels, strict=True)], axis=0))
        for labels in product(range(n_classes), repeat=len(rows))
    ]
    noise = sum(entropy(samples[s, x]) for s in range(n_samples) for x in rows) / n_samples
    return entropy(joint) - noise


def plain_greedy(samples, batch_size):
    picks = []
    for _ in range(batch_size):
        rest = [x for x in range(samples.shape[1]) if x not in picks]
        picks.append(max(rest, key=lambda x: joint_information(samples, [*picks, x])))
    return picks


def plain_configurations(samples, batch_size, n_configurations):
    """Picks and gains where every row is looked at each time, in double precision."""
    joint, picks, gains = Configurations(samples, n_configurations), [], []
    for _ in range(batch_size):
        of_rows = joint.gains(np.arange(samples.shape[1]))
        of_rows[picks] = -np.inf
        picks.append(int(of_rows.argmax()))
        gains.append(of_rows[picks[-1]])
        joint.add(picks[-1])
    return picks, np.array(gains)


def test_published_values():
    samples = np.random.RandomState(0).random(4000).reshape(10, 200, 2)
    samples /= samples.sum(axis=2, keepdims=True)
    picks = batch_bald(samples, 5, random_state=0)
    assert_array_equal(picks, [147, 107, 8, 61, 15])
    published = [
        0.2608231423059856,
        0.5137456508626055,
        0.7390486658905784,
        0.9353916796595019,
        1.1112907320328274,
    ]
    joint, total = Configurations(samples, 500), 0.0
    for pick, information in zip(picks, published, strict=True):
        total += joint.gains(np.array([pick]))[0]
        joint.add(pick)
        assert_allclose(total, information, rtol=1e-12)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(("n_classes", "n_samples"), [(2, 3), (3, 6), (4, 5)])
def test_five_picks_are_those_of_the_enumeration(n_classes, n_samples, dtype):
    samples = make_samples(n_samples, 12, n_classes, seed=n_classes).astype(dtype)
    picks = batch_bald(samples, 5, random_state=0)
    assert_array_equal(picks, plain_greedy(samples.astype(float), 5))


@pytest.mark.parametrize("n_configurations", [81, 1000])
def test_gains_are_differences_of_the_joint_information(n_configurations):
    samples = make_samples(7, 9, 3)
    joint, chosen, rows = Configurations(samples, n_configurations), [], np.array([8, 1, 5])
    for pick in (4, 0, 7, 3):
        joint.add(pick)
        chosen.append(pick)
        before = joint_information(samples, chosen)
        expected = [joint_information(samples, [*chosen, x]) - before for x in rows]
        assert_allclose(joint.gains(rows), expected, rtol=1e-10)
        assert_allclose(joint.gains(rows, np.float32), expected, atol=joint.rounding(np.float32))
        assert_allclose(joint.weights.sum(), 1)


def test_the_first_pick_is_the_one_of_bald():
    samples = make_samples(8, 300, 5)
    scores = mutual_information(samples)
    assert_allclose(Configurations(samples, 1).gains(np.arange(300)), scores, atol=1e-14)
    assert batch_bald(samples, 1)[0] == scores.argmax()


@pytest.mark.parametrize("n_configurations", [7, 60, 400])
def test_visiting_by_the_bound_is_looking_at_every_row(n_configurations, monkeypatch):
    monkeypatch.setattr(_batch_bald, "_VISIT_ROWS", 8)
    samples = make_samples(12, 400, 4, seed=3)
    picks, _ = plain_configurations(samples, 8, n_configurations)
    assert_array_equal(batch_bald(samples, 8, n_configurations=n_configurations), picks)


def test_rows_that_cannot_win_are_not_visited(monkeypatch):
    visited, gains = [], Configurations.gains

    def spy(self, rows, dtype=np.float64):
        if dtype == np.float32:
            visited.append(len(rows))
        return gains(self, rows, dtype)

    monkeypatch.setattr(Configurations, "gains", spy)
    batch_bald(make_samples(20, 20_000, 3), 4)
    assert sum(visited) < 1.5 * 20_000  # of 80,000


@given(st.integers(0, 10**6), st.integers(2, 5), st.integers(2, 9), st.integers(2, 40))
@settings(deadline=None, max_examples=40)
def test_the_joint_information_grows_at_each_pick(seed, n_classes, n_samples, n_configurations):
    samples = make_samples(n_samples, 15, n_classes, seed, concentration=0.5)
    _, gains = plain_configurations(samples, 8, n_configurations)
    assert gains.min() > -1e-12
    if len(picks := batch_bald(samples, 8, n_configurations=n_configurations)) == 8:
        assert len(set(picks.tolist())) == 8


def test_sampled_gains_are_near_the_exact_ones():
    samples = make_samples(10, 60, 4)
    exact, few, plenty = (Configurations(samples, n) for n in (4**6, 30, 300))
    for pick in (3, 11, 25, 40, 8, 52):
        for joint in (exact, few, plenty):
            joint.add(pick)
    assert len(exact.weights) == 4**6
    rows = np.arange(53, 60)
    wanted = exact.gains(rows)
    errors = [np.abs(joint.gains(rows) / wanted - 1).max() for joint in (few, plenty)]
    assert errors[1] < 0.05
    assert 0.05 < errors[0] < 0.3


def test_a_sample_keeps_the_mean_of_the_posteriors():
    samples = make_samples(10, 30, 5)
    joint = Configurations(samples, 200)
    for pick in range(6):
        joint.add(pick)
    assert joint.posteriors.shape == (200, 10)
    assert_allclose(joint.weights @ joint.posteriors, 0.1, rtol=1e-3)
    assert_allclose(joint.weights.sum(), 1)


def test_the_likely_configurations_are_kept_as_they_are():
    weights = np.array([0.4, 0.0, 0.06, 0.06, 0.3, 0.06, 0.06, 0.06])
    kept, new = _batch_bald._resample(weights, 4)
    assert_array_equal(kept, [0, 3, 4, 6])  # the rest evenly, and all in their order
    assert_allclose(new, [0.4, 0.15, 0.3, 0.15])
    kept, new = _batch_bald._resample(weights, 8)
    assert_array_equal(kept, np.flatnonzero(weights))
    assert_array_equal(new, weights[kept])


def test_duplicates_are_chosen_once_while_there_is_something_else():
    samples = np.repeat(make_samples(6, 3, 3), 10, axis=1)  # rows 0-9 are one, 10-19 and 20-29 too
    certain = samples.copy()
    certain[...] = np.eye(3)[certain.argmax(axis=2)]  # a label asked twice tells nothing more
    picks = batch_bald(certain, 30, random_state=0)
    assert sorted(picks.tolist()) == list(range(30))
    groups = picks[: len({tuple(row) for row in certain[:, ::10, 0].T})] // 10
    assert len(set(groups.tolist())) == len(groups)


def test_ties_are_broken_by_the_seed():
    samples = np.repeat(make_samples(6, 2, 3), 20, axis=1)
    first = {batch_bald(samples, 1, random_state=seed)[0] for seed in range(40)}
    assert len(first) > 10
    assert len({row // 20 for row in first}) == 1


@pytest.mark.parametrize(
    "samples",
    [
        np.full((5, 12, 3), 1 / 3),  # draws that agree
        make_samples(1, 12, 3),  # one draw
        np.ones((4, 12, 1)),  # one class
        np.stack([np.eye(3)[np.arange(12) % 3]] * 4),  # certain, and of one mind
    ],
)
def test_rows_that_tell_nothing_are_chosen_at_random(samples):
    batches = [batch_bald(samples, 5, random_state=seed).tolist() for seed in range(6)]
    assert all(len(set(batch)) == 5 for batch in batches)
    assert len(set(map(tuple, batches))) > 3


def test_certain_draws_are_distinguished_by_their_labels():
    # Four draws; row 0 splits them in two halves, row 1 across, rows 2 and 3 like row 0.
    first = np.array([[1, 1, 1, 1], [1, 0, 1, 1], [0, 1, 0, 0], [0, 0, 0, 0]], dtype=float)
    samples = np.stack([first, 1 - first], axis=2)
    picks = batch_bald(samples, 4, random_state=0)
    assert 1 in picks[:2]
    joint = Configurations(samples, 2)  # two do not hold all four
    joint.add(int(picks[0]))
    assert_allclose(joint.gains(picks[1:2]), np.log(2))
    joint = Configurations(samples, 100)
    for pick in picks[:2]:
        joint.add(int(pick))
    assert_allclose(joint.gains(np.arange(4)), 0, atol=1e-15)


@pytest.mark.parametrize(("batch_size", "n_rows"), [(0, 5), (0, 0), (1, 1), (5, 5), (9, 5)])
def test_size_of_the_batch(batch_size, n_rows):
    samples = np.full((3, n_rows, 2), 0.5) if n_rows == 0 else make_samples(3, n_rows, 2)
    picks = batch_bald(samples, batch_size, random_state=0)
    assert picks.dtype == np.intp
    assert sorted(picks.tolist()) == list(range(min(batch_size, n_rows)))


def test_the_samples_are_not_changed_and_global_randomness_is_not_used():
    samples = make_samples(5, 40, 3)
    samples.flags.writeable = False
    before = np.random.get_state(legacy=False)
    first, second = (batch_bald(samples, 6, random_state=0) for _ in range(2))
    assert_array_equal(first, second)
    np.testing.assert_equal(np.random.get_state(legacy=False), before)


def test_a_permuted_pool_gives_the_permuted_batch_also_where_labels_are_sampled():
    samples, order = make_samples(9, 80, 4), np.random.default_rng(1).permutation(80)
    whole = batch_bald(samples, 7, n_configurations=20, random_state=0)
    permuted = batch_bald(samples[:, order], 7, n_configurations=20, random_state=5)
    assert_array_equal(order[permuted], whole)


def test_memory_does_not_grow_with_configurations_times_rows():
    samples = make_samples(10, 20_000, 5).astype(np.float32)
    tracemalloc.start()
    batch_bald(samples, 6)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**25  # one configuration a row alone would take 20,000 * 500 * 8 = 80 MB
