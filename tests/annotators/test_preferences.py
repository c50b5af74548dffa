"""PreferencePairs: the model of Bradley and Terry, the choice of pairs, and the verdict."""

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import expit
from sklearn.exceptions import NotFittedError

from skactive.annotators import PreferencePairs, PreferenceVerdict

RNG = np.random.RandomState(0)
FIRST, SECOND = RNG.normal(size=(2, 300, 4))
TRUTH = np.array([2.0, -1.0, 0.0, 0.0])
PREFERRED = (FIRST - SECOND) @ TRUTH + RNG.logistic(size=300) > 0


def test_the_reward_is_the_most_probable_one():
    pairs = PreferencePairs(C=2.0).fit(FIRST, SECOND, PREFERRED)
    signs = np.where(PREFERRED, 1.0, -1.0)

    def loss(w):
        return np.logaddexp(0.0, -signs * ((FIRST - SECOND) @ w)).sum() + w @ w / 4.0

    np.testing.assert_allclose(pairs.coef_, minimize(loss, np.zeros(4)).x, atol=2e-3)
    np.testing.assert_allclose(
        pairs.predict_proba(FIRST, SECOND), expit((FIRST - SECOND) @ pairs.coef_)
    )
    turned = PreferencePairs(C=2.0).fit(SECOND, FIRST, ~PREFERRED)
    np.testing.assert_allclose(turned.coef_, pairs.coef_, rtol=1e-6)
    one_sided = PreferencePairs().fit(FIRST[:3], SECOND[:3], [1, 1, 1])
    assert (one_sided.predict_proba(FIRST[:3], SECOND[:3]) > 0.5).all()
    none = PreferencePairs().fit(FIRST[:0], SECOND[:0], [])
    assert (none.predict_proba(FIRST, SECOND) == 0.5).all()


def test_d_optimal_pairs_raise_the_information_most():
    pairs = PreferencePairs(C=0.5, random_state=0).fit(FIRST[:20], SECOND[:20], PREFERRED[:20])
    D = FIRST - SECOND
    weights = expit(D @ pairs.coef_) * expit(-D @ pairs.coef_)  # (n_pairs,)
    information = 2.0 * np.eye(4) + (weights[:20, None] * D[:20]).T @ D[:20]
    expected: list[int] = []
    for _ in range(5):
        changed = information + weights[20:, None, None] * np.einsum("ni,nj->nij", D[20:], D[20:])
        gains = np.linalg.slogdet(changed)[1]
        gains[expected] = -np.inf
        expected.append(int(gains.argmax()))
        information = changed[expected[-1]]
    assert pairs.query(FIRST[20:], SECOND[20:], 5).chosen.tolist() == expected


def test_uncertain_and_random_pairs():
    pairs = PreferencePairs("uncertainty", random_state=0).fit(FIRST, SECOND, PREFERRED)
    batch = pairs.query(FIRST, SECOND, 7)
    doubt = np.abs(pairs.predict_proba(FIRST, SECOND) - 0.5)
    assert batch.chosen.tolist() == np.argsort(doubt)[:7].tolist()
    assert len(set(batch.random.tolist())) == 7
    again = PreferencePairs("uncertainty", random_state=0).query(FIRST, SECOND, 7)
    np.testing.assert_array_equal(again.random, batch.random)
    for acquisition in ("d_optimal", "uncertainty", "random"):
        unfitted = PreferencePairs(acquisition, random_state=1)
        for n in (0, 1, 300):
            batch = unfitted.query(FIRST, SECOND, n)
            assert len(np.unique(batch.chosen)) == len(np.unique(batch.random)) == n
    firsts = [
        PreferencePairs("uncertainty", random_state=seed).query(FIRST, SECOND, 1).chosen[0]
        for seed in range(5)
    ]
    assert len(set(firsts)) > 1  # all tie before a fit


def test_the_verdict_finds_a_gain_where_there_is_one_and_none_where_there_is_not():
    # Answers differ in one of 30 features, of which each has to be asked about once.
    D = np.eye(30)[RNG.randint(30, size=600)] * RNG.choice([-1.0, 1.0], size=(600, 1))
    preferred = D @ RNG.choice([-1.0, 1.0], size=30) > 0
    options = {"budget": 40, "batch_size": 10, "n_repeats": 12}
    verdict = PreferencePairs(random_state=0).simulate(D, 0 * D, preferred, **options)
    assert verdict.low > 0.0
    assert "is better than random pairs" in str(verdict)
    assert verdict.chosen.shape == verdict.random.shape == (12, 4)
    np.testing.assert_array_equal(verdict.n_labels, [10, 20, 30, 40])
    np.testing.assert_array_equal(verdict.chosen[:, 0], verdict.random[:, 0])  # both start alike
    expected = (verdict.chosen - verdict.random)[:, 1:].mean()
    np.testing.assert_allclose(verdict.gain, expected)
    noise = RNG.uniform(size=600) < 0.5
    verdict = PreferencePairs(random_state=0).simulate(D, 0 * D, noise, **options)
    assert verdict.low <= 0.0 <= verdict.high
    assert 'cannot be told from random pairs: use "random"' in str(verdict)


def test_a_loss_is_said():
    verdict = PreferenceVerdict(
        np.array([10, 20]), np.zeros((3, 2)), np.ones((3, 2)), -0.2, -0.3, -0.1, "uncertainty"
    )
    assert str(verdict) == (
        'acquisition="uncertainty" is worse than random pairs: use "random". Accuracy -0.200 '
        "(-0.300 to -0.100) from 10 to 20 comparisons, 3 repeats."
    )


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"second": SECOND[:9]}, "of one shape"),
        ({"first": FIRST * np.nan}, "finite numbers"),
        ({"preferred": PREFERRED[:9]}, r"for each of the 300 pairs.*\(9,\)"),
        ({"preferred": np.full(300, 2)}, "must be True or False"),
        ({"budget": 210}, "budget=210 must be less than the 210 pairs"),
        ({"budget": 10}, "budget"),
        ({"n_repeats": 1}, "n_repeats"),
    ],
    ids=lambda value: ",".join(value) if isinstance(value, dict) else "",
)
def test_wrong_input_is_refused(changed, said):
    arguments = {"first": FIRST, "second": SECOND, "preferred": PREFERRED, "budget": 50} | changed
    with pytest.raises(ValueError, match=said):
        PreferencePairs().simulate(**arguments)


def test_what_does_not_go_together_is_refused():
    with pytest.raises(ValueError, match="nothing to compare"):
        PreferencePairs("random").simulate(FIRST, SECOND, PREFERRED, budget=50)
    with pytest.raises(ValueError, match="more than the 300 pairs"):
        PreferencePairs().query(FIRST, SECOND, 301)
    with pytest.raises(ValueError, match="3 features, but fit got 4"):
        PreferencePairs().fit(FIRST, SECOND, PREFERRED).predict_proba(FIRST[:, :3], SECOND[:, :3])
    with pytest.raises(NotFittedError):
        PreferencePairs().predict_proba(FIRST, SECOND)
    with pytest.raises(ValueError, match="acquisition"):
        PreferencePairs("doubt").query(FIRST, SECOND, 1)
