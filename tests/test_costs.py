import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingRegressor

from skactive.costs import CostModel


def record(seed=0, n=800, spread=0.4):
    """Return lengths, persons and seconds: time is 0.5 s per word, times the person's pace."""
    rng = np.random.default_rng(seed)
    lengths, people = rng.integers(5, 80, size=n), rng.integers(6, size=n)
    pace = np.array([0.6, 0.8, 1.0, 1.0, 1.3, 2.0])
    return lengths, people, 0.5 * lengths * pace[people] * rng.lognormal(sigma=spread, size=n)


def texts(lengths):
    return ["word " * n for n in lengths]


def test_rows_and_persons_are_told_apart():
    lengths, people, seconds = record()
    model = CostModel(shrinkage=0).fit(texts(lengths), seconds, people)
    expected = np.log([0.6, 0.8, 1.0, 1.0, 1.3, 2.0])
    np.testing.assert_allclose(
        model.effects_ - model.effects_.mean(), expected - expected.mean(), atol=0.1
    )
    ratio = model.predict(texts([80])) / model.predict(texts([8]))
    assert ratio[0] == pytest.approx(10, rel=0.15)
    assert model.spread_ == pytest.approx(0.4, abs=0.05)


def test_errors_are_smaller_than_those_of_a_constant():
    lengths, people, seconds = record()
    model = CostModel().fit(texts(lengths[:500]), seconds[:500], people[:500])
    predicted = model.predict(texts(lengths[500:]), people[500:])
    error = np.median(np.abs(predicted - seconds[500:]))
    constant = np.median(np.abs(np.median(seconds[:500]) - seconds[500:]))
    assert error < 0.6 * constant


def test_breaks_in_the_midst_of_an_answer_change_little():
    lengths, people, seconds = record()
    slow = seconds.copy()
    slow[::20] += 3600
    first, second = (CostModel().fit(texts(lengths), each, people) for each in (seconds, slow))
    ratio = second.predict(texts([20, 60]), 4) / first.predict(texts([20, 60]), 4)
    np.testing.assert_allclose(ratio, 1.0, atol=0.12)


def test_persons_with_few_answers_and_strangers_are_typical():
    lengths, people, seconds = record()
    people = np.append(people, 9)
    model = CostModel(shrinkage=10).fit(texts([*lengths, 10]), np.append(seconds, 500.0), people)
    assert np.abs(model.effects_[-1]) < 0.5 * np.log(100)
    assert model.predict(texts([30]), 77) == pytest.approx(model.predict(texts([30])))


def test_features_and_models_of_ones_own_serve_too():
    lengths, people, seconds = record()
    X = np.column_stack([lengths, np.random.default_rng(1).normal(size=len(lengths))])
    model = CostModel(HistGradientBoostingRegressor(max_iter=50)).fit(X, seconds, people)
    assert model.predict(X[lengths > 70]).mean() > 3 * model.predict(X[lengths < 15]).mean()
    assert CostModel().fit(X, seconds).predict(X).shape == (800,)


def test_without_rows_only_the_person_counts():
    _, people, seconds = record()
    model = CostModel().fit(None, seconds, people)
    assert model.predict(3).tolist() == [pytest.approx(np.median(seconds))] * 3
    assert model.predict(1, 5)[0] > model.predict(1, 0)[0]


def test_order_of_answers_does_not_matter():
    lengths, people, seconds = record()
    order = np.random.default_rng(2).permutation(len(seconds))
    first = CostModel().fit(texts(lengths), seconds, people)
    second = CostModel().fit(texts(lengths[order]), seconds[order], people[order])
    np.testing.assert_allclose(first.effects_, second.effects_)


def test_times_that_are_none_are_refused():
    for bad in (0.0, -1.0, np.nan, np.inf):
        with pytest.raises(ValueError, match=r"must be positive and finite, got .* at position 1"):
            CostModel().fit(None, [1.0, bad])
    with pytest.raises(ValueError, match="annotator must have one entry per answer: got 1, not 2"):
        CostModel().fit(None, [1.0, 2.0], ["Ann"])
    with pytest.raises(ValueError, match="X must have one entry per answer"):
        CostModel().fit(["a"], [1.0, 2.0])
