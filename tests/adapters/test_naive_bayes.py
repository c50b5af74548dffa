"""Naive Bayes with one more label, in closed form, against refits."""

import tracemalloc

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_digits, load_iris
from sklearn.frozen import FrozenEstimator
from sklearn.naive_bayes import BernoulliNB, ComplementNB, GaussianNB, MultinomialNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skactive.adapters import _naive_bayes, adapt

X, Y = load_iris(return_X_y=True)
ORDER = np.random.RandomState(0).permutation(150)
X, Y = X[ORDER], Y[ORDER]


def by_refits(model, X, y, rows, targets):
    """Return log probabilities by definition, (n_labels, n_rows, n_targets, n_classes)."""
    return np.array(
        [
            [
                clone(model).fit(np.vstack([X, row]), [*y, label]).predict_log_proba(targets)
                for row in rows
            ]
            for label in np.unique(y)
        ]
    )


def in_closed_form(model, X, y, rows, targets):
    """Return the same from the blocks of the adapter, which must cover each pair once."""
    adapter = adapt(clone(model).fit(X, y))
    Z, to_predict = adapter.prepare(rows), adapter.prepare(targets)
    n_labels = len(np.unique(y))
    found = [[[] for _ in range(n_labels)] for _ in range(rows.shape[0])]
    for block, column, logits in adapter.fantasized_logits(adapter.prepare(X), y, Z, to_predict):
        for row, values in zip(range(rows.shape[0])[block], logits.transpose(1, 2, 0), strict=True):
            found[row][column].append(values - np.logaddexp.reduce(values, axis=1)[:, None])
    return np.array([[np.concatenate(part) for part in row] for row in found]).swapaxes(0, 1)


@pytest.mark.parametrize("n_labeled", [12, 30])
@pytest.mark.parametrize(
    "model",
    [
        GaussianNB(),
        GaussianNB(var_smoothing=0.3),  # which makes the share of the largest variance count
        GaussianNB(priors=[0.2, 0.7, 0.1]),
        make_pipeline(GaussianNB()),
        make_pipeline(FrozenEstimator(StandardScaler().fit(X)), GaussianNB()),
    ],
    ids=["plain", "smooth", "priors", "pipeline", "frozen"],
)
def test_logits_are_those_of_refits(model, n_labeled):
    known, y, rows, targets = X[:n_labeled], Y[:n_labeled], X[40:52], X[45:70]
    expected = by_refits(model, known, y, rows, targets)
    assert_allclose(
        in_closed_form(model, known, y, rows, targets), expected, rtol=1e-11, atol=1e-13
    )


@pytest.mark.parametrize(("logits", "targets"), [(1, 1), (900, 500), (2**12, 10)])
def test_blocks_do_not_change_the_logits(monkeypatch, logits, targets):
    whole = in_closed_form(GaussianNB(), X[:12], Y[:12], X[40:50], X[45:70])
    monkeypatch.setattr(_naive_bayes, "_LOGIT_BYTES", logits)
    monkeypatch.setattr(_naive_bayes, "_TARGET_BYTES", targets)
    result = in_closed_form(GaussianNB(), X[:12], Y[:12], X[40:50], X[45:70])
    assert_allclose(result, whole, rtol=1e-12)


@pytest.mark.parametrize("names", [[-1, 7, 3], np.array(["b", "a", "cc"], dtype=object)])
def test_columns_are_those_of_the_sorted_labels(names):
    y = np.asarray(names)[Y]
    expected = by_refits(GaussianNB(), X[:12], y[:12], X[40:45], X[45:70])
    result = in_closed_form(GaussianNB(), X[:12], y[:12], X[40:45], X[45:70])
    assert_allclose(result, expected, rtol=1e-11, atol=1e-13)


def test_a_class_of_one_row_and_rows_that_stand_twice():
    first = np.array([np.flatnonzero(label == Y)[0] for label in range(3)])
    rows = np.vstack([X[first], X[40:45]])
    expected = np.exp(by_refits(GaussianNB(), X[first], Y[first], rows, rows))
    result = np.exp(in_closed_form(GaussianNB(), X[first], Y[first], rows, rows))
    assert_allclose(result, expected, atol=1e-12)


def test_features_that_never_vary_within_a_class_do_not_cancel():
    # Two classes have one value each, so that their width is the smoothing alone, and lie far from
    # the overall mean: squares taken from it would be those of about 1e10 widths.
    constant = np.where(Y == 0, 5.0, 0.3)
    wide = np.column_stack([X, constant])
    known, y, targets = wide[:30], Y[:30], wide[Y > 0][:25]
    model = GaussianNB(var_smoothing=1e-20)
    expected = by_refits(model, known, y, wide[40:52], targets)
    result = in_closed_form(model, known, y, wide[40:52], targets)
    assert_allclose(result, expected, rtol=1e-11, atol=1e-13)
    assert expected[..., 1:].min() > -100  # of the two classes neither is ruled out


def test_features_that_are_mostly_zero():
    digits, y = load_digits(return_X_y=True)
    known, labels, rows, targets = digits[:40], y[:40], digits[40:46], digits[50:90]
    expected = np.exp(by_refits(GaussianNB(), known, labels, rows, targets))
    result = np.exp(in_closed_form(GaussianNB(), known, labels, rows, targets))
    assert_allclose(result, expected, atol=1e-9)


def test_one_class():
    result = in_closed_form(GaussianNB(), X[:5], np.zeros(5), X[40:45], X[45:70])
    assert_array_equal(result, np.zeros((1, 5, 25, 1)))


def test_rows_in_a_frame():
    frame = pd.DataFrame(X, columns=list("abcd"))
    adapter = adapt(GaussianNB().fit(frame[:12], Y[:12]))
    parts = frame[:12], Y[:12], frame[40:45], frame[45:70]
    arrays = adapt(GaussianNB().fit(X[:12], Y[:12]))
    for (_, _, one), (_, _, other) in zip(
        adapter.fantasized_logits(*parts),
        arrays.fantasized_logits(*(np.asarray(part) for part in parts)),
        strict=True,
    ):
        assert_array_equal(one, other)


def test_the_fitted_model_is_not_looked_at_nor_changed():
    prefit = GaussianNB().fit(X[100:], Y[100:])
    before = prefit.theta_.copy()
    blocks = adapt(prefit).fantasized_logits(X[:12], Y[:12], X[40:45], X[45:70])
    own = adapt(GaussianNB().fit(X[:12], Y[:12]))
    for (_, _, one), (_, _, other) in zip(
        blocks, own.fantasized_logits(X[:12], Y[:12], X[40:45], X[45:70]), strict=True
    ):
        assert_array_equal(one, other)
    assert_array_equal(prefit.theta_, before)


# -- counts and binary features ----------------------------------------------------------------

WORDS = np.random.default_rng(0).poisson(0.4 + Y[:, None] * np.linspace(0, 0.5, 20), (150, 20))

counted = pytest.mark.parametrize(
    "model",
    [
        MultinomialNB(),
        MultinomialNB(alpha=0.01),
        MultinomialNB(alpha=np.linspace(0.1, 2, 20), fit_prior=False),
        MultinomialNB(class_prior=[0.2, 0.7, 0.1]),
        BernoulliNB(),
        BernoulliNB(alpha=0.3, binarize=1.5),
        BernoulliNB(fit_prior=False),
    ],
    ids=str,
)


@pytest.mark.no_cover
@counted
@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array, sparse.csr_matrix])
def test_logits_of_counts_are_those_of_refits(model, kind):
    expected = by_refits(model, WORDS[:30], Y[:30], WORDS[40:52], WORDS[45:70])
    parts = kind(WORDS[:30]), Y[:30], kind(WORDS[40:52]), kind(WORDS[45:70])
    assert_allclose(in_closed_form(model, *parts), expected, rtol=1e-11, atol=1e-13)


@counted
@pytest.mark.parametrize(("logits", "targets"), [(1, 1), (900, 500), (2**12, 10)])
def test_blocks_do_not_change_the_logits_of_counts(model, logits, targets, monkeypatch):
    parts = WORDS[:30], Y[:30], WORDS[40:52], WORDS[45:70]
    whole = in_closed_form(model, *parts)
    monkeypatch.setattr(_naive_bayes, "_LOGIT_BYTES", logits)
    monkeypatch.setattr(_naive_bayes, "_TARGET_BYTES", targets)
    assert_allclose(in_closed_form(model, *parts), whole, rtol=1e-11, atol=1e-13)


# -- all of them -------------------------------------------------------------------------------


def test_memory_stays_that_of_blocks():
    rng = np.random.default_rng(0)
    known, y = rng.normal(size=(100, 20)), np.arange(100) % 10
    rows, targets = rng.normal(size=(300, 20)), rng.normal(size=(20_000, 20))
    adapter = adapt(GaussianNB().fit(known, y))
    tracemalloc.start()
    for _ in zip(range(30), adapter.fantasized_logits(known, y, rows, targets), strict=False):
        pass
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2e7  # the targets as the products take them would be 66 MB, the logits 480


class Other(GaussianNB):
    """A subclass, which may fit in another way."""


@pytest.mark.parametrize(
    "model",
    [
        Other(),
        GaussianNB(var_smoothing=0.0),
        GaussianNB(priors=[0.5, 0.5, 0.0]),
        make_pipeline(StandardScaler(), GaussianNB()),  # the scaler is refitted too
        FrozenEstimator(GaussianNB().fit(X, Y)),
        ComplementNB(),  # which learns of a class from all others
        MultinomialNB(alpha=1e-12),
        BernoulliNB(class_prior=[0.5, 0.5, 0.0]),
        BernoulliNB(binarize=None),
    ],
    ids=str,
)
def test_what_only_a_refit_can_tell(model):
    few = X / 10  # within 0 and 1
    with np.errstate(divide="ignore"):
        adapter = adapt(clone(model).fit(few[:12], Y[:12]))
    parts = (adapter.prepare(part) for part in (few[40:45], few[45:70]))
    assert adapter.fantasized_logits(adapter.prepare(few[:12]), Y[:12], *parts) is None


def test_counts_below_zero_are_left_to_the_refit_which_refuses_them():
    adapter = adapt(MultinomialNB().fit(WORDS[:30], Y[:30]))
    assert adapter.fantasized_logits(WORDS[:30], Y[:30], -WORDS[40:45], WORDS[45:70]) is None


def test_numbers_too_large_to_square_are_left_to_a_refit():
    huge = X * 1e160
    adapter = adapt(GaussianNB())
    adapter.model.n_features_in_ = 4
    assert adapter.fantasized_logits(huge[:12], Y[:12], huge[40:45], huge[45:70]) is None
