"""Evaluation with few labels: bias, coverage, never worse than uniform, and what is refused."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skactive.estimation import ActiveEvaluation, ppi_mean


def make_pool(seed=0, n_rows=800, helps=True):
    """Return chances of being right, predictions and truth; the chances are no help if so."""
    rng = np.random.RandomState(seed)
    right = rng.beta(1.5, 0.5, n_rows)
    predicted = rng.randint(3, size=n_rows)
    truth = np.where(rng.rand(n_rows) < right, predicted, (predicted + 1) % 3)
    return (right if helps else rng.permutation(right)), predicted, truth


def play(evaluation, truth, batch_size=20):
    """Answer until it stops; return the estimate."""
    while evaluation.stop_reason_ is None:
        rows = evaluation.query(batch_size)
        evaluation.teach(rows, truth[rows])
    return evaluation.estimate_


@pytest.mark.parametrize("batch_size", [1, 7, 40])
def test_uniform_sampling_is_a_prediction_powered_mean(batch_size):
    proxy, predicted, truth = make_pool()
    evaluation = ActiveEvaluation(
        proxy=proxy, predicted=predicted, sampling="uniform", budget=70, random_state=0
    )
    estimate = play(evaluation, truth, batch_size)
    rows = evaluation.rows_
    right = (truth == predicted)[rows].astype(float)
    slope = np.polyfit(proxy[rows], right, 1)[0]
    expected = ppi_mean(right, proxy[rows], proxy, power=slope)
    assert len(np.unique(rows)) == 70
    assert evaluation.stop_reason_ == "budget"
    assert estimate.value == pytest.approx(expected.value)
    assert estimate.high - estimate.low == pytest.approx(expected.high - expected.low, rel=0.1)


def run_many(n_runs, sampling, target="pool", metric="accuracy", helps=True, **settings):
    """Return errors of the estimates, and whether intervals held the truth, (n_runs,) each."""
    proxy, predicted, truth = make_pool(helps=helps)
    value = (truth == predicted).mean()
    errors, held, held_always = [], [], []
    for seed in range(n_runs):
        evaluation = ActiveEvaluation(
            metric,
            proxy=proxy,
            predicted=predicted,
            sampling=sampling,
            target=target,
            random_state=seed,
            **{"budget": 100} | settings,
        )
        always = True
        while evaluation.stop_reason_ is None:
            rows = evaluation.query(20)
            evaluation.teach(rows, truth[rows])
            look = evaluation.estimate(anytime=True)
            always &= look.low <= value <= look.high
        low, high = evaluation.estimate_[1:3]
        errors.append(evaluation.estimate_.value - value)
        held.append(low <= value <= high)
        held_always.append(always)
    return np.array(errors), np.mean(held), np.mean(held_always)


@pytest.mark.no_cover
@pytest.mark.parametrize("sampling", ["uniform", "auto", "active"])
def test_coverage(sampling):
    errors, held, held_always = run_many(400, sampling)
    assert abs(errors.mean()) < 3 * errors.std() / 20
    assert 0.915 < held < 0.985  # 0.95 and three standard errors
    assert held_always > 0.917


@pytest.mark.no_cover
def test_coverage_where_errors_are_rare():
    rng = np.random.RandomState(0)
    chances = np.where(rng.rand(2000) < 0.1, 0.6, 0.99)
    truth = (rng.rand(2000) > chances).astype(int)
    value, held, held_always = (truth == 0).mean(), 0, 0
    for seed in range(200):
        evaluation = ActiveEvaluation(
            proxy=chances,
            predicted=np.zeros(2000, int),
            budget=80,
            target="pool",
            random_state=seed,
        )
        always = True
        while evaluation.stop_reason_ is None:
            rows = evaluation.query(8)  # the first looks find no error
            evaluation.teach(rows, truth[rows])
            look = evaluation.estimate(anytime=True)
            always &= look.low <= value <= look.high
        held += evaluation.estimate_.low <= value <= evaluation.estimate_.high
        held_always += always
    assert held >= 0.9 * 200
    assert held_always >= 0.9 * 200


@pytest.mark.long
@pytest.mark.parametrize("helps", [True, False])
def test_never_worse_than_uniform(helps):
    _, predicted, truth = make_pool(helps=helps)
    right = truth == predicted
    plain = right.var(ddof=1) * (1 / 100 - 1 / 800)  # of a mean of 100 uniform draws
    errors, held, _ = run_many(4000, "auto", helps=helps)
    worth = plain / np.mean(errors**2)
    assert worth > (1.3 if helps else 0.97 - 3 * np.sqrt(2 / 4000))
    assert 0.935 < held < 0.965


@pytest.mark.long
def test_coverage_where_the_width_stops():
    _, held, _ = run_many(2000, "auto", budget=400, target_width=0.16)
    assert 0.93 < held < 0.97


def test_active_sampling_is_used_where_it_helps_only():
    proxy = make_pool(n_rows=4000)[0]
    numbers = np.random.RandomState(0).normal(size=4000) * np.where(proxy > 0.8, 0.1, 3.0)
    spread = np.where(proxy > 0.8, 0.1, 3.0)
    mixes = {}
    for name, deviations in (("right", spread), ("wrong", spread[::-1])):
        evaluation = ActiveEvaluation(
            "value", proxy=np.zeros(4000), spread=deviations, budget=150, random_state=0
        )
        play(evaluation, numbers)
        mixes[name] = evaluation.mix_
    assert mixes == {"right": 0.5, "wrong": 0.0}


def test_difference_asks_where_the_systems_differ():
    proxy, first, truth = make_pool()
    rng = np.random.RandomState(1)
    second = np.where(rng.rand(800) < 0.2, (first + 1) % 3, first)
    chances = np.stack([proxy, 1 - proxy], axis=1)
    evaluation = ActiveEvaluation(
        "difference",
        proxy=chances,
        predicted=np.stack([first, second]),
        budget=800,
        target="pool",
        random_state=0,
    )
    rows = evaluation.query(30)
    assert (first[rows] != second[rows]).all()
    evaluation.teach(rows, truth[rows])
    value = (first == truth).mean() - (second == truth).mean()
    assert evaluation.estimate_.low < value < evaluation.estimate_.high
    assert evaluation.worth_ > 3
    assert play(evaluation, truth)[:3] == pytest.approx([value] * 3)
    assert evaluation.stop_reason_ == "pool"
    assert evaluation.n_labels_ == (first != second).sum()


def test_a_callable_metric_gets_the_rows():
    numbers = np.random.RandomState(0).normal(size=300)
    predicted = numbers + 0.5
    evaluation = ActiveEvaluation(
        lambda y, rows: np.abs(y - predicted[rows]), proxy=np.ones(300), budget=40, random_state=0
    )
    assert play(evaluation, numbers).value == pytest.approx(0.5)


def test_texts_and_a_model_that_is_always_right():
    predicted = np.array(["yes", "no"])[np.random.RandomState(0).randint(2, size=500)]
    evaluation = ActiveEvaluation(
        proxy=np.full(500, 0.9), predicted=predicted, budget=60, random_state=0
    )
    estimate = play(evaluation, predicted)
    assert estimate.value == estimate.high == 1.0
    assert 0.93 < estimate.low < 0.97  # Jeffreys' of 60 of 60 is 0.959


def test_queries_are_repeatable_and_answers_in_any_order():
    proxy, predicted, truth = make_pool()
    settings = {"proxy": proxy, "predicted": predicted, "random_state": 3, "budget": 90}
    one, other = ActiveEvaluation(**settings), ActiveEvaluation(**settings)
    assert_array_equal(one.query(10), one.query(10))
    for evaluation, step in ((one, 1), (other, -1)):
        while evaluation.stop_reason_ is None:
            rows = evaluation.query(20)[::step]
            evaluation.teach(rows, truth[rows])
    assert one.n_labels_ == 90
    assert set(one.rows_) == set(other.rows_)
    assert one.estimate_[:3] == pytest.approx(other.estimate_[:3])


def test_wrong_answers_change_nothing():
    proxy, predicted, truth = make_pool()
    evaluation = ActiveEvaluation(proxy=proxy, predicted=predicted, random_state=0)
    with pytest.raises(ValueError, match="no labels yet"):
        evaluation.estimate()
    with pytest.raises(
        ValueError, match=r"all rows of the last query, got 2 rows \(0, 1\) for none"
    ):
        evaluation.teach([0, 1], [1, 1])
    rows = evaluation.query(3)
    for given, labels, message in (
        (rows[:2], truth[rows[:2]], "got 2 rows"),
        (rows, truth[rows[:2]], r"labels must be of shape \(3,\), got \(2,\)"),
        (rows, ["a", "b", "c"], "texts never equal numbers"),
        (rows, [1.0, np.nan, 2.0], "must not be missing"),
    ):
        with pytest.raises(ValueError, match=message):
            evaluation.teach(given, labels)
    assert evaluation.n_labels_ == 0
    evaluation.teach(rows, truth[rows])
    with pytest.raises(ValueError, match="all rows of the last query"):
        evaluation.teach(rows, truth[rows])
    play(evaluation, truth)
    with pytest.raises(ValueError, match=r"has stopped \(budget\) with 200 labels"):
        evaluation.query()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"metric": "f1", "predicted": None}, "metric must be callable or one of"),
        ({"metric": "value"}, "predicted is for the metrics"),
        ({"predicted": None}, "predicted is needed"),
        ({"predicted": [1, 2]}, r"predicted must be of shape \(n_rows,\)"),
        ({"proxy": [0.5, 0.5, 2.0]}, "probabilities of being right, 0 .. 1"),
        ({"proxy": []}, "proxy is empty"),
        ({"metric": "difference"}, r"must be of shape \(n_rows, 2\)"),
        (
            {"metric": "difference", "proxy": np.ones((3, 2)), "predicted": np.ones((2, 3))},
            "predict the same for all rows",
        ),
        ({"spread": [-1.0, 1.0, 1.0]}, "spread must be 3 numbers of at least 0"),
        ({"sampling": "best"}, "sampling must be"),
        ({"budget": 0}, "budget must be at least 1"),
    ],
)
def test_bad_settings(changes, message):
    given = {"metric": "accuracy", "proxy": [0.9, 0.5, 0.6], "predicted": [0, 1, 1]} | changes
    with pytest.raises(ValueError, match=message):
        ActiveEvaluation(given.pop("metric"), **given)
