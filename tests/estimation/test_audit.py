"""Audits: intervals are exact, hold, and are refused to scores that are no mean over rows."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats
from sklearn.datasets import load_diabetes, load_digits, load_iris
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import Ridge
from sklearn.metrics import accuracy_score, make_scorer
from sklearn.naive_bayes import GaussianNB, MultinomialNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline

from skactive import estimation
from skactive.estimation import audit, audit_error, clopper_pearson, mean_interval

X, Y = load_digits(return_X_y=True)
MODEL = GaussianNB(var_smoothing=1e-3).fit(X[:300], Y[:300])
X_AUDIT, Y_AUDIT = X[-120:], Y[-120:]


def test_all_is_sorted_and_importable():
    assert estimation.__all__ == sorted(estimation.__all__)
    assert all(hasattr(estimation, name) for name in estimation.__all__)


# Clopper and Pearson ----------------------------------------------------------------------------


@pytest.mark.parametrize("confidence", [0.5, 0.95, 0.999])
@pytest.mark.parametrize(("n_right", "n"), [(0, 1), (1, 1), (3, 7), (45, 50), (0, 400), (400, 400)])
def test_exact_interval_by_scipy(n_right, n, confidence):
    expected = stats.binomtest(n_right, n).proportion_ci(confidence, "exact")
    assert_allclose(clopper_pearson(n_right, n, confidence), expected, atol=1e-12)


def test_no_tries_say_nothing():
    assert clopper_pearson(0, 0) == (0.0, 1.0)


def test_exact_interval_holds_any_share_often_enough():
    n = 15
    intervals = np.array([clopper_pearson(k, n, 0.9) for k in range(n + 1)])
    for share in np.linspace(0.001, 0.999, 97):
        held = (intervals[:, 0] <= share) & (share <= intervals[:, 1])
        assert stats.binom.pmf(np.arange(n + 1), n, share)[held].sum() >= 0.9


@pytest.mark.parametrize(("n_right", "n"), [(-1, 3), (4, 3), (1.5, 3), (0, -1)])
def test_counts_that_are_none(n_right, n):
    with pytest.raises(ValueError, match="integers with 0 <= n_right <= n"):
        clopper_pearson(n_right, n)


@pytest.mark.parametrize("confidence", [0.0, 1.0, 95])
def test_confidence_that_is_none(confidence):
    with pytest.raises(ValueError, match=r"between 0 and 1.*0\.95 stands for"):
        clopper_pearson(1, 2, confidence)


# Means of skewed values -------------------------------------------------------------------------


@pytest.mark.parametrize("confidence", [0.5, 0.9, 0.99])
@pytest.mark.parametrize("n", [3, 8, 50])
def test_interval_of_a_mean_inverts_hall_s_transformation(n, confidence):
    x = np.random.RandomState(n).standard_exponential(n) ** 2
    a = stats.skew(x) / np.sqrt(n)
    for bound, sign in zip(mean_interval(x, confidence), (1, -1), strict=True):
        ratio = (x.mean() - bound) / stats.sem(x)
        transformed = ratio + a * ratio**2 / 3 + a**2 * ratio**3 / 27 + a / 6
        quantile = stats.t.ppf((1 + sign * confidence) / 2, n - 1)
        assert_allclose(transformed, quantile, rtol=1e-9)


def test_interval_of_a_mean_is_student_s_without_skewness_and_turns_with_the_sign():
    x = np.array([-3.0, -1.0, 0.0, 1.0, 3.0]) + 10
    assert_allclose(mean_interval(x, 0.9), stats.t.interval(0.9, 4, x.mean(), stats.sem(x)))
    skewed = np.array([0.1, 0.2, 0.3, 4.0])
    low, high = mean_interval(skewed)
    assert_allclose(mean_interval(-skewed), (-high, -low))
    assert_allclose(mean_interval(5 * skewed + 1), (5 * low + 1, 5 * high + 1))


def test_interval_of_a_skewed_mean_holds_where_student_s_is_too_low():
    samples = np.random.RandomState(0).standard_normal((2000, 10)) ** 2
    held = np.mean([low <= 1 <= high for low, high in map(mean_interval, samples)])
    student = stats.t.interval(0.95, 9, samples.mean(axis=1), stats.sem(samples, axis=1))
    assert held > 0.92 > 0.89 > np.mean((student[0] <= 1) & (student[1] >= 1))


@pytest.mark.parametrize("values", [[], [2.0], [2.0, 2.0, 2.0]])
def test_nothing_is_known_of_a_mean_without_spread(values):
    assert mean_interval(values) == (-np.inf, np.inf)


@pytest.mark.parametrize("values", [[1.0, np.nan], [[1.0, 2.0]], 3.0])
def test_values_that_have_no_mean_are_refused(values):
    with pytest.raises(ValueError, match="vector of finite numbers"):
        mean_interval(values)


# Audit ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "scoring", [None, "accuracy", "f1_micro", lambda m, X, y: accuracy_score(y, m.predict(X))]
)
def test_audit_of_accuracy_is_exact(scoring):
    right = int((MODEL.predict(X_AUDIT) == Y_AUDIT).sum())
    estimate = audit(MODEL, X_AUDIT, Y_AUDIT, scoring=scoring)
    assert estimate.value == pytest.approx(right / 120)
    assert (estimate.low, estimate.high) == clopper_pearson(right, 120)
    assert (estimate.n, estimate.method, estimate.confidence) == (120, "clopper-pearson", 0.95)


def test_audit_of_another_zero_one_score_is_exact():
    estimate = audit(MODEL, X_AUDIT, Y_AUDIT, scoring="top_k_accuracy")
    among = np.argsort(-MODEL.predict_proba(X_AUDIT), axis=1)[:, :2]
    assert estimate.value == pytest.approx(np.mean((among == Y_AUDIT[:, None]).any(axis=1)))
    assert estimate.method == "clopper-pearson"


def test_audit_of_log_loss_is_the_interval_of_the_mean_row_score():
    estimate = audit(MODEL, X_AUDIT, Y_AUDIT, scoring="neg_log_loss", confidence=0.9)
    proba = np.clip(MODEL.predict_proba(X_AUDIT), np.finfo(float).eps, 1.0)
    rows = np.log(proba[np.arange(120), Y_AUDIT])
    assert estimate.value == pytest.approx(rows.mean(), rel=1e-9)
    assert_allclose((estimate.low, estimate.high), mean_interval(rows, 0.9), rtol=1e-9)
    assert estimate.method == "hall"


def test_log_loss_of_rows_that_do_not_show_all_classes():
    rows = Y_AUDIT < 3
    estimate = audit(MODEL, X_AUDIT[rows], Y_AUDIT[rows], scoring="neg_log_loss")
    assert np.isfinite([estimate.value, estimate.low, estimate.high]).all()


@pytest.mark.parametrize("scoring", ["neg_mean_absolute_error", "neg_mean_squared_error"])
def test_audit_of_a_regressor(scoring):
    X, y = load_diabetes(return_X_y=True)
    model = Ridge().fit(X[:100], y[:100])
    residuals = np.abs(model.predict(X[300:]) - y[300:])
    rows = -residuals if "absolute" in scoring else -(residuals**2)
    estimate = audit(model, X[300:], y[300:], scoring=scoring)
    assert_allclose((estimate.low, estimate.high), mean_interval(rows), rtol=1e-9)


@pytest.mark.parametrize("n_outputs", [1, 2])
@pytest.mark.parametrize(("error", "power"), [("absolute", 1), ("squared", 2)])
def test_audit_of_errors_is_the_mean_error_with_its_interval(error, power, n_outputs):
    X, y = load_diabetes(return_X_y=True)
    y = y if n_outputs == 1 else np.column_stack([y, X[:, 0]])
    model = Ridge().fit(X[:100], y[:100])
    estimate = audit_error(model, X[300:], y[300:].tolist(), error=error, confidence=0.9)
    predicted = model.predict(X[300:])
    rows = [np.mean(np.abs(a - b) ** power) for a, b in zip(predicted, y[300:], strict=True)]
    assert estimate.value == pytest.approx(np.mean(rows))
    assert_allclose((estimate.low, estimate.high), mean_interval(rows, 0.9))
    assert (estimate.n, estimate.method, estimate.confidence) == (142, "hall", 0.9)
    often = audit_error(model, X[300:], y[300:], error=error, confidence=0.9, n_looks=5)
    assert_allclose((often.low, often.high), mean_interval(rows, 0.98))


def test_errors_are_not_below_zero_and_wrong_arguments_are_named():
    X, y = load_diabetes(return_X_y=True)
    model = Ridge().fit(X, y)
    y_near = model.predict(X[:4]) + np.array([0.0, 0.1, 0.0, 0.2])
    assert audit_error(model, X[:4], y_near).low == 0.0
    with pytest.raises(ValueError, match="'absolute' or 'squared', got 'relative'"):
        audit_error(model, X, y, error="relative")
    with pytest.raises(ValueError, match="No audit rows yet"):
        audit_error(model, X[:0], y[:0])
    with pytest.raises(ValueError, match="predictions of shape"):
        audit_error(model, X[:4], np.ones((4, 2)))


@pytest.mark.parametrize(
    "scoring",
    [
        "f1_macro",
        "balanced_accuracy",
        "roc_auc_ovr",
        lambda m, X, y: np.median(m.predict(X) == y),
        make_scorer(lambda y, found: np.mean(y == found) ** 2),  # takes no weights
    ],
)
def test_scores_that_are_no_mean_over_rows(scoring):
    with pytest.raises(ValueError, match="is not a mean over rows"):
        audit(MODEL, X_AUDIT, Y_AUDIT, scoring=scoring)


@pytest.mark.parametrize(
    "scoring", ["r2", None, "neg_root_mean_squared_error", "neg_median_absolute_error"]
)
def test_scores_of_regressors_that_are_no_mean_over_rows(scoring):
    X, y = load_diabetes(return_X_y=True)
    with pytest.raises(ValueError, match="is not a mean over rows"):
        audit(Ridge().fit(X, y), X, y, scoring=scoring)


@pytest.mark.parametrize("scoring", ["f1_macro", "balanced_accuracy"])
def test_a_model_that_is_always_right_hides_no_wrong_score(scoring):
    X, y = load_iris(return_X_y=True)
    X, y = X[:120], y[:120]  # 50, 50 and 20
    model = KNeighborsClassifier(1).fit(X, y)
    assert model.score(X, y) == 1.0
    with pytest.raises(ValueError, match="is not a mean over rows"):
        audit(model, X, y, scoring=scoring)


def test_audit_of_texts():
    texts = ["good film", "bad film", "good", "bad", "film"] * 4
    y = ["+", "-", "+", "-", "-"] * 4
    model = make_pipeline(CountVectorizer(), MultinomialNB()).fit(texts, y)
    for scoring in ["accuracy", lambda m, X, y: float(np.mean(m.predict(X) == y))]:
        assert audit(model, texts, y, scoring=scoring).value == 1.0


def test_audit_asks_the_model_once():
    class Counting(GaussianNB):
        asked = 0

        def predict_proba(self, X):
            Counting.asked += 1
            return super().predict_proba(X)

    model = Counting().fit(X[:300], Y[:300])
    audit(model, X_AUDIT, Y_AUDIT, scoring="neg_log_loss")
    assert Counting.asked == 1


def test_more_looks_make_the_interval_wider():
    once = audit(MODEL, X_AUDIT, Y_AUDIT)
    often = audit(MODEL, X_AUDIT, Y_AUDIT, n_looks=10)
    right = round(once.value * 120)
    assert (often.low, often.high) == clopper_pearson(right, 120, 1 - 0.05 / 10)
    assert often.low < once.low < once.high < often.high
    assert often.confidence == 0.95
    with pytest.raises(ValueError, match="n_looks must be at least 1"):
        audit(MODEL, X_AUDIT, Y_AUDIT, n_looks=0)


def test_nothing_is_known_of_the_spread_of_one_row():
    estimate = audit(MODEL, X_AUDIT[:1], Y_AUDIT[:1], scoring="neg_log_loss")
    assert (estimate.low, estimate.high) == (-np.inf, np.inf)


def test_no_audit_rows():
    with pytest.raises(ValueError, match="No audit rows yet"):
        audit(MODEL, X[:0], Y[:0])


@pytest.mark.no_cover
@pytest.mark.filterwarnings("ignore::skactive.exceptions.TiedScoresWarning")
def test_audit_intervals_hold_while_active_learning_distorts(benchmark_module):
    coverage, biases, training_biases = benchmark_module.measure_audit_coverage(n_campaigns=40)
    assert coverage >= 0.93
    assert abs(biases.mean()) < 3 * biases.std(ddof=1) / np.sqrt(40)
    assert training_biases.mean() > 10 * training_biases.std(ddof=1) / np.sqrt(40)
