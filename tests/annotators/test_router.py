"""The router: its promises, and what it does with rows."""

import re

import numpy as np
import pytest
from sklearn.base import BaseEstimator

from skactive.annotators import FunctionAnnotator, ModelAnnotator, Router
from skactive.exceptions import AnnotatorChangedWarning, PoolChangedWarning

N = 2000


class Recorded(BaseEstimator):
    """A model whose probabilities of class 1 are known by row."""

    def __init__(self, proba=None):
        self.proba = proba
        self.classes_ = np.array([0, 1])

    def predict_proba(self, X):
        p = self.proba[np.asarray(X)[:, 0].astype(int)]
        return np.column_stack([1 - p, p])


def make_pool(seed, *, overconfident=0.0, n_levels=None):
    """Return rows, truth, and a model whose probabilities are right (or overconfident)."""
    rng = np.random.default_rng(seed)
    p = rng.beta(0.3, 0.3, N)
    if n_levels is not None:
        p = np.round(p * n_levels) / n_levels
    truth = (rng.random(N) < p).astype(int)
    p = (1 + overconfident) * (p - 0.5) + 0.5
    return np.arange(N)[:, np.newaxis], truth, ModelAnnotator(Recorded(np.clip(p, 0, 1)))


def find_error(router, X, truth):
    """Return the error that the promise is about, and which labels are from the model."""
    answers = router.annotate(X)
    by_model = answers.sources >= 0
    wrong = by_model & (answers.labels != truth)
    if router.guarantee == "set":
        return wrong.sum() / len(X), by_model
    confidences = router.annotators[0].annotate(X).list_confidences()
    return wrong.sum() / max((confidences >= router.thresholds_[0]).sum(), 1), by_model


SETTINGS = [
    {"guarantee": "set"},
    {"guarantee": "accepted"},
    {"guarantee": "accepted", "audit_sampling": "active"},
    {"guarantee": "set", "bound": "betting"},
    {"guarantee": "accepted", "bound": "betting"},
]


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda s: "-".join(s.values()))
@pytest.mark.parametrize("n_levels", [None, 8])
def test_promises_are_kept_nine_times_in_ten(setting, n_levels):
    n_broken, shares, n_runs = 0, [], 60
    for seed in range(n_runs):
        X, truth, annotator = make_pool(seed, overconfident=0.2, n_levels=n_levels)
        router = Router([annotator], audit=200, random_state=seed, **setting)
        error, by_model = find_error(router.fit(X, oracle=truth), X, truth)
        n_broken += error > 0.05
        shares.append(by_model.mean())
    assert n_broken <= 12  # 6 are expected at most; 13 or more have a probability of 0.01
    assert np.mean(shares) > 0.1


def test_bets_allow_to_stop_as_soon_as_enough_is_accepted():
    """Audits grow until a third is accepted: the promise holds as with one size."""
    n_broken, n_runs, sizes = 0, 60, []
    for seed in range(n_runs):
        X, truth, annotator = make_pool(seed, overconfident=0.2)
        router = Router([annotator], bound="betting", random_state=seed)
        audited: set[int] = set()
        for audit in (60, 120, 200, 300):
            router.set_params(audit=audit).fit(X, oracle=truth)
            assert audited < set(router.audited_)  # the audited rows stay
            audited = set(router.audited_)
            error, by_model = find_error(router, X, truth)
            if by_model.mean() > 0.33:
                break
        n_broken += error > 0.05
        sizes.append(audit)
    assert n_broken <= 12
    assert np.mean(sizes) < 250


def test_random_mistakes_of_people_only_make_it_careful():
    n_broken, shares = 0, []
    for seed in range(30):
        X, truth, annotator = make_pool(seed, overconfident=0.2)
        slips = np.random.default_rng(seed).random(N) < 0.03
        said = np.where(slips, 1 - truth, truth)
        router = Router([annotator], audit=200, random_state=seed).fit(X, oracle=said)
        error, by_model = find_error(router, X, truth)
        exact = Router([annotator], audit=200, random_state=seed).fit(X, oracle=truth)
        shares.append([by_model.mean(), (exact.annotate(X).sources == 0).mean()])
        n_broken += error > 0.05
    assert n_broken <= 3
    assert 0.05 < np.mean(shares, axis=0)[0] < np.mean(shares, axis=0)[1]


def test_annotators_that_changed_are_noticed():
    X, truth, annotator = make_pool(0)
    router = Router([annotator], random_state=0).fit(X, oracle=truth)
    (same,) = router.ask_again(X)
    assert (same.n_asked, same.n_changed, same.p_value) == (50, 0, 1.0)
    proba = annotator.estimator.proba
    annotator.estimator.proba = proba[::-1]  # another model behind the same name
    with pytest.warns(AnnotatorChangedWarning, match="fit the router again"):
        (other,) = router.ask_again(X, n_rows=500)
    assert other.n_asked == 300
    assert other.n_wrong > same.n_wrong_before
    with pytest.raises(ValueError, match="pass the pool of fit"):
        router.ask_again(X[1:])


def test_classes_are_tested_apart():
    X, truth, annotator = make_pool(0)
    flipped = truth.copy()
    rng = np.random.default_rng(0)
    ones = np.flatnonzero(truth == 1)
    flipped[rng.choice(ones, len(ones) // 3, replace=False)] = 0  # answers of class 1 are bad
    for sampling in ("uniform", "active"):
        router = Router(
            [annotator], guarantee="per_class", audit=300, audit_sampling=sampling, random_state=0
        ).fit(X, oracle=flipped)
        assert router.thresholds_[0] < 1
        assert router.thresholds_[1] == np.inf
        assert set(router.annotate(X).labels[router.annotate(X).sources == 0]) == {0}


def test_several_annotators_are_asked_in_turn():
    X, truth, model = make_pool(1)
    sees = np.random.default_rng(1).random(N) < 0.3  # a rule that is right and covers a third
    rule = FunctionAnnotator(lambda row: int(truth[row[0]]) if sees[row[0]] else None)
    router = Router([rule, model], audit=400, random_state=0).fit(X, oracle=truth)
    answers = router.annotate(X)
    audited = np.isin(np.arange(N), router.audited_)
    assert (answers.sources[sees & ~audited] == 0).all()
    assert (answers.sources == 1).sum() > 500
    by_model = answers.sources == 1
    assert (answers.confidences[by_model] >= router.thresholds_[1]).all()
    assert np.isnan(answers.confidences[~by_model]).all()  # the rule gives no probabilities
    assert (answers.labels[answers.sources >= 0] != truth[answers.sources >= 0]).sum() <= 0.05 * N
    alone = Router([model], audit=400, random_state=0).fit(X, oracle=truth).annotate(X)
    assert answers.abstained.sum() < alone.abstained.sum()


def test_audited_rows_have_their_true_labels_and_are_not_asked_again():
    X, truth, annotator = make_pool(2)
    asked = []

    def oracle(positions):
        asked.extend(positions)
        return truth[positions]

    router = Router([annotator], random_state=0).fit(X, oracle=oracle)
    assert sorted(asked) == sorted(router.audited_)
    assert len(set(asked)) == 300
    answers = router.annotate(X)
    np.testing.assert_array_equal(answers.labels[router.audited_], truth[router.audited_])
    assert (answers.sources[router.audited_] == -1).all()
    assert not answers.abstained[router.audited_].any()


def test_the_certificate_counts_what_annotate_does():
    X, truth, annotator = make_pool(3)
    router = Router([annotator], random_state=0).fit(X, oracle=truth)
    answers, sentence = router.annotate(X), str(router.certificate_)
    assert router.certificate_.n_accepted == (answers.sources == 0).sum()
    assert "With 90 % confidence, at most 5 % of all labels of this pool are wrong" in sentence
    assert f"{router.certificate_.n_accepted:,} labels" in sentence


def test_a_bad_model_labels_nothing():
    X, truth, annotator = make_pool(4)
    router = Router([annotator], guarantee="accepted", random_state=0).fit(X, oracle=1 - truth)
    assert router.annotate(X).abstained.sum() == N - 300
    assert str(router.certificate_).startswith("No answers of annotators can be accepted")


def test_other_rows_are_labeled_with_a_warning():
    X, truth, annotator = make_pool(5)
    router = Router([annotator], random_state=0).fit(X, oracle=truth)
    with pytest.warns(PoolChangedWarning, match="does not cover them"):
        answers = router.annotate(X[::2])
    assert 0 < (answers.sources == 0).sum() < N // 2


def test_the_budget_is_kept():
    X, truth, _ = make_pool(6)
    paid = FunctionAnnotator(lambda row: int(truth[row[0]]), price=0.5)
    router = Router([paid], budget=100.0, random_state=0).fit(X, oracle=truth)
    answers = router.annotate(X)
    assert answers.cost.sum() == 100.0
    assert (answers.sources == 0).sum() == 200
    assert router.estimate_cost(X) == 100.0


def test_the_order_of_rows_does_not_matter_to_the_promise():
    """The same audit gives the same threshold, whatever the order of the rows."""
    from skactive.annotators._paths import find_single_threshold

    rng = np.random.default_rng(0)
    values, wrong = rng.random(300), rng.random(300) < 0.05
    order = rng.permutation(300)
    for levels in (values, np.round(values, 1)):  # without ties, and with many
        first = find_single_threshold(levels, wrong, 5000, 0.05, 0.1)
        again = find_single_threshold(levels[order], wrong[order], 5000, 0.05, 0.1)
        assert first == again
        assert (levels >= first.threshold).sum() == first.n_checked
        assert wrong[levels >= first.threshold].sum() == first.n_wrong


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"annotators": []}, "annotators is empty"),
        ({"audit_sampling": "active"}, 'use audit_sampling="uniform"'),
        ({"max_error": 1.5}, "max_error"),
        (
            {"bound": "betting", "guarantee": "accepted", "audit_sampling": "active"},
            'use bound="clopper-pearson"',
        ),
    ],
)
def test_settings_that_do_not_fit_are_refused(settings, message):
    X, truth, annotator = make_pool(0)
    router = Router(**{"annotators": [annotator], **settings})
    with pytest.raises(ValueError, match=re.escape(message)):
        router.fit(X, oracle=truth)


def test_oracles_that_do_not_fit_are_refused():
    X, truth, annotator = make_pool(0)
    with pytest.raises(ValueError, match="a label for each of the 2000 rows"):
        Router([annotator]).fit(X, oracle=truth[:5])
    with pytest.raises(ValueError, match="a label for each of the 300 positions"):
        Router([annotator]).fit(X, oracle=lambda positions: truth[:7])
    with pytest.raises(ValueError, match="not fitted"):
        Router([annotator]).annotate(X)
