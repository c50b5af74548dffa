import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.model_selection import cross_val_predict
from sklearn.naive_bayes import GaussianNB

from skactive.quality import LabelQuality, count_confidently

LONG = pytest.mark.long


def draw(seed, n=400, n_classes=4, noise=0.15):
    """Return true and given labels, and probabilities of a model."""
    rng = np.random.default_rng(seed)
    truth = rng.choice(n_classes, size=n, p=np.arange(1, n_classes + 1) / (n_classes + 1) / 2)
    wrong = rng.random(n) < noise
    given = np.where(wrong, (truth + rng.integers(1, n_classes, size=n)) % n_classes, truth)
    logits = 1.5 * rng.normal(size=(n, n_classes)) + 3 * np.eye(n_classes)[truth]
    proba = np.exp(logits)
    return truth, given, proba / proba.sum(axis=1, keepdims=True)


def count_by_loops(labels, proba):
    """Return thresholds, confident classes and joint counts in plain loops."""
    n_classes = proba.shape[1]
    thresholds = [proba[labels == k, k].mean() for k in range(n_classes)]
    joint, confident = np.zeros((n_classes, n_classes)), []
    for row, given in zip(proba, labels, strict=True):
        reached = [k for k in range(n_classes) if row[k] >= thresholds[k]]
        confident.append(max(reached, key=lambda k: row[k]) if reached else -1)
        if reached:
            joint[given, confident[-1]] += 1
    np.fill_diagonal(joint, np.maximum(joint.diagonal(), 1))
    scaled = [row / row.sum() * (labels == k).sum() for k, row in enumerate(joint)]
    return thresholds, confident, scaled


@pytest.mark.parametrize("seed", range(3))
def test_counts_are_those_of_plain_loops(seed):
    _, given, proba = draw(seed)
    counts = count_confidently(given, proba)
    for ours, loops in zip(counts, count_by_loops(given, proba), strict=True):
        np.testing.assert_allclose(ours, loops, atol=1e-12)


def test_a_class_that_nobody_has_is_never_confident():
    counts = count_confidently([0, 0, 1], [[0.9, 0.1, 0.0], [0.2, 0.1, 0.7], [0.1, 0.9, 0.0]])
    assert counts.confident.tolist() == [0, -1, 1]
    assert counts.joint[2].tolist() == [0.0, 0.0, 0.0]


@pytest.mark.parametrize("method", ["self_confidence", "margin"])
@pytest.mark.parametrize("seed", range(3))
def test_quality_is_cleanlabs(method, seed):
    rank = pytest.importorskip("cleanlab.rank")
    _, given, proba = draw(seed)
    ours = LabelQuality(method=method).fit(None, given, proba=proba).quality_
    name = "normalized_margin" if method == "margin" else method
    theirs = rank.get_label_quality_scores(given, proba, method=name)
    np.testing.assert_allclose(ours, theirs, atol=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_suspects_are_cleanlabs_where_it_follows_the_paper(seed):
    cleanlab = pytest.importorskip("cleanlab.filter")
    _, given, proba = draw(seed)
    ours = LabelQuality().fit(None, given, proba=proba)
    theirs = cleanlab.find_label_issues(given, proba, filter_by="confident_learning")
    counts = count_confidently(given, proba)
    reached = proba >= counts.thresholds
    # Elsewhere they take the most probable class, which has not reached its threshold.
    departs = (reached.sum(axis=1) > 1) & (counts.confident != proba.argmax(axis=1))
    mine = np.zeros(len(given), dtype=bool)
    mine[ours.suspects_] = True
    np.testing.assert_array_equal(mine[~departs], np.asarray(theirs)[~departs])
    assert theirs.any()


def test_wrong_labels_are_found_among_the_worst():
    X, y = load_digits(return_X_y=True)
    rng = np.random.default_rng(0)
    changed = rng.choice(len(y), 90, replace=False)
    noisy = y.copy()
    noisy[changed] = (y[changed] + rng.integers(1, 10, size=90)) % 10
    quality = LabelQuality(LinearDiscriminantAnalysis("lsqr", shrinkage=0.1)).fit(X, noisy)
    worst = np.argsort(quality.quality_)[:90]
    assert np.isin(worst, changed).mean() > 0.75
    assert (quality.suggested_labels_[changed] == y[changed]).mean() > 0.85
    assert np.isin(changed, quality.suspects_).mean() > 0.85


def test_rows_are_predicted_by_models_that_have_not_seen_them():
    X, y = load_digits(return_X_y=True)
    quality = LabelQuality(GaussianNB(), cv=3).fit(X[:300], y[:300])
    expected = cross_val_predict(GaussianNB(), X[:300], y[:300], cv=3, method="predict_proba")
    np.testing.assert_array_equal(quality.proba_, expected)


def test_texts_are_labels_too():
    _, given, proba = draw(0)
    names = np.array(["ant", "bee", "cat", "dog"])
    ours = LabelQuality().fit(None, names[given], proba=proba)
    assert ours.classes_.tolist() == names.tolist()
    assert set(ours.suggested_labels_) <= set(names)


def test_order_of_rows_does_not_matter():
    _, given, proba = draw(0)
    order = np.random.default_rng(1).permutation(len(given))
    first = LabelQuality().fit(None, given, proba=proba)
    second = LabelQuality().fit(None, given[order], proba=proba[order])
    assert set(order[second.suspects_]) == set(first.suspects_)
    np.testing.assert_allclose(second.joint_, first.joint_)


# The share of wrong labels ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "noise", [0.1, pytest.param(0.02, marks=LONG), pytest.param(0.3, marks=LONG)]
)
def test_intervals_of_the_error_rate_cover_it(noise):
    covered, widths = [], []
    for seed in range(200):
        truth, given, proba = draw(seed, n=1500, noise=noise)
        quality = LabelQuality().fit(None, given, proba=proba)
        checked = quality.draw_audit(120, random_state=seed)
        found = quality.estimate_error_rate(checked, (given != truth)[checked])
        covered.append(found.low <= (given != truth).mean() <= found.high)
        widths.append(found.high - found.low)
    assert np.mean(covered) >= 0.93
    assert np.mean(widths) < 0.2


def test_if_all_rows_are_checked_the_error_rate_is_known():
    truth, given, proba = draw(0, n=100)
    quality = LabelQuality().fit(None, given, proba=proba)
    found = quality.estimate_error_rate(np.arange(100), given != truth)
    rate = (given != truth).mean()
    assert (found.value, found.low, found.high) == pytest.approx((rate, rate, rate))
    assert quality.error_rate_ == found


def test_an_audit_takes_suspects_and_others():
    _, given, proba = draw(0)
    quality = LabelQuality().fit(None, given, proba=proba)
    drawn = quality.draw_audit(40, random_state=0)
    assert len(set(drawn)) == 40
    assert np.isin(drawn, quality.suspects_).sum() == 20
    assert (drawn == quality.draw_audit(40, random_state=0)).all()
    assert len(quality.draw_audit(400, random_state=0)) == 400


def test_mistakes_are_refused():
    _, given, proba = draw(0)
    quality = LabelQuality().fit(None, given, proba=proba)
    with pytest.raises(ValueError, match="positions and is_wrong must have one length"):
        quality.estimate_error_rate([0, 1], [True])
    with pytest.raises(ValueError, match="must be distinct"):
        quality.estimate_error_rate([0, 0], [True, True])
    with pytest.raises(ValueError, match="No row that is not suspect was checked"):
        quality.estimate_error_rate(quality.suspects_[:2], [True, True])
    with pytest.raises(ValueError, match="n must lie between 1 and the 400 rows"):
        quality.draw_audit(401)
    with pytest.raises(ValueError, match="needs a model: pass estimator="):
        LabelQuality().fit(None, given)
    with pytest.raises(ValueError, match="a column for each of the classes"):
        LabelQuality().fit(None, given, proba=proba[:, :3])
    with pytest.raises(ValueError, match="there is nothing to confuse"):
        LabelQuality().fit(None, [1, 1], proba=[[1.0], [1.0]])
