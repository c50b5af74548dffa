"""Measure seconds and memory of one query, compared with other libraries on the same task.

Each run is a new process: data and objects are made before the clock starts, then the query is
called once. The peak is the memory of the process above what it held before. The picks are passed
through a file, and their value is computed here by one plain formula for all libraries, in float64:

* ``same``: the same picks;
* ``ties``: other picks of the same value to 1e-6 (for greedy methods: at each pick);
* ``better``, ``worse``: a higher or lower value than the picks of skactive;
* ``like``: for methods that draw at random and so depend on the seed, within 5 %;
* ``other``: a larger difference, or another task under the same name (see the notes in `rivals`).

The plain floor is the time that this machine needs to read what the plain algorithm reads and to do
its multiply-adds, from a short measurement at the start; for methods that refit models it is the
time of the fits alone, and for sparse rows (`--group sparse`: TF-IDF-like rows, and the query of a
learner) that of the plain product of the pool with the labeled rows. Pruned and lazy methods go
below it. Linux only: peaks are read from /proc.
"""

from __future__ import annotations

import argparse
import importlib.util
import itertools
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np

HERE = Path(__file__).resolve().parent
N_CLASSES, N_LABELED, N_SAMPLES, RADIUS = 10, 100, 1000, 10.0
OURS, BARE_WORK = "skactive", "bare work"
TIE_TOLERANCE, RANDOM_TOLERANCE = 1e-6, 0.05  # of values, relative
_BLOCK_BYTES = 2**24  # of distances, where values are computed


# Data: probabilities are Dirichlet(1) rows, points are 20 Gaussian blobs ------------------------


def make_proba(n, d, k):
    """Return probabilities of `d` classes."""
    return SimpleNamespace(k=k, proba=_draw_dirichlet((n, d)))


def make_points(n, d, k):
    """Return points, labeled points, and probabilities."""
    rng = np.random.default_rng(1)
    centers = 2 * rng.standard_normal((20, d), dtype=np.float32)
    blobs = rng.integers(20, size=n + N_LABELED)
    X = rng.standard_normal((n + N_LABELED, d), dtype=np.float32)
    X += centers[blobs]
    proba = _draw_dirichlet((n, N_CLASSES)).astype(np.float32)
    labels = blobs[n:] % N_CLASSES
    return SimpleNamespace(k=k, X=X[:n], labeled=X[n:], labels=labels, proba=proba)


def make_gradients(n, d, k):
    """Return points with residuals: the two factors of the last layer's gradient."""
    data = make_points(n, d, k)
    data.residual = data.proba.copy()
    data.residual[np.arange(n), data.proba.argmax(axis=1)] -= 1
    return data


def make_committee(n, d, k):
    """Return probabilities of `d` members of a committee, member axis first."""
    return SimpleNamespace(k=k, samples=_draw_dirichlet((d, n, N_CLASSES)))


def make_posterior(n, d, k):
    """Return `d` draws of probabilities, whose disagreement varies by row."""
    rng = np.random.default_rng(2)
    mean = rng.standard_normal((n, N_CLASSES))
    logits = mean + rng.uniform(0.2, 2, (n, 1)) * rng.standard_normal((d, n, N_CLASSES))
    samples = np.exp(logits)
    samples /= samples.sum(axis=2, keepdims=True)
    return SimpleNamespace(k=k, samples=samples)


def make_three_classes(n, d, k):
    """Return a small classification problem with 30 labeled rows."""
    from sklearn.datasets import make_classification

    X, y = make_classification(
        n + 30, d, n_informative=5, n_classes=3, class_sep=0.7, random_state=0
    )
    return SimpleNamespace(k=k, X=X[30:], labeled=X[:30], labels=y[:30])


def make_texts(n, d, k):
    """Return TF-IDF-like rows of some 40 words, most of them common, as CSR in single precision."""
    from scipy import sparse

    rng, n_rows, n_words = np.random.default_rng(4), n + N_LABELED, 60
    words = np.minimum((rng.pareto(1.0, (n_rows, n_words)) * 20).astype(np.int32), d - 1)
    weights = rng.random(n_rows * n_words, dtype=np.float32)
    starts = np.arange(n_rows + 1) * n_words
    X = sparse.csr_matrix((weights, words.ravel(), starts), shape=(n_rows, d))
    X.sum_duplicates()
    labels = words[:, :5].sum(axis=1) % 4
    proba = _draw_dirichlet((n, 4))
    return SimpleNamespace(k=k, X=X[:n], labeled=X[n:], labels=labels[n:], proba=proba)


def make_digits(n, d, k):
    """Return the first `n` digits; 20 are labeled at the start, `k` are queried."""
    from sklearn.datasets import load_digits

    X, y = load_digits(return_X_y=True)
    return SimpleNamespace(k=k, X=X[:n], y=y[:n], initial=np.arange(20))


def _draw_dirichlet(shape):
    proba = np.random.default_rng(0).standard_exponential(shape)
    proba /= proba.sum(axis=-1, keepdims=True)
    return proba


# The queries of skactive: each function prepares one and returns it -----------------------------


def _query_by_score(name, reading, data):
    from skactive import scores, selectors

    score, values = getattr(scores, name), getattr(data, reading)
    return lambda: selectors.top(score(values), data.k, 0)


def _query_points(name, data, **options):
    from skactive import selectors

    select = getattr(selectors, name)
    return lambda: select(data.X, data.k, random_state=0, **options)


def _query_model(data):
    """Return the query of a learner, which includes the predictions of its model."""
    from skactive import ActiveLearner
    from skactive.strategies import Entropy

    learner = ActiveLearner(_make_logistic(), Entropy(), random_state=0).fit(
        data.labeled, data.labels
    )
    return lambda: learner.query(data.X, data.k)


def _query_bait(data):
    from skactive import selectors

    return lambda: selectors.bait(data.proba, data.X, data.k, random_state=0)


def _query_points_given_labeled(name, data):
    return _query_points(name, data, labeled=data.labeled)


def _query_badge(data):
    from skactive import selectors

    factors = (data.residual, data.X)  # ((n, n_classes), (n, d))
    return lambda: selectors.kmeans_plusplus(factors, data.k, random_state=0)


def _query_batch_bald(data):
    from skactive import selectors

    return lambda: selectors.batch_bald(
        data.samples, data.k, n_configurations=N_SAMPLES, random_state=0
    )


def _query_prob_cover(data):
    from skactive import selectors

    return lambda: selectors.max_coverage(
        data.X,
        data.k,
        labeled=data.labeled,
        kernel="tophat",
        bandwidth=RADIUS,
        max_reference=None,
        random_state=0,
    )


def _query_max_herding(data):
    from skactive import selectors

    return lambda: selectors.max_coverage(
        data.X,
        data.k,
        labeled=data.labeled,
        bandwidth=RADIUS,
        max_reference=None,
        random_state=0,
    )


def _query_facility_location(data):
    return _query_points("facility_location", data, max_reference=None)


def _query_density(data):
    from skactive import scores

    return lambda: scores.information_density(data.X, max_reference=None)


def _query_ranked_batch(data):
    from skactive import scores, selectors

    return lambda: selectors.ranked_batch(
        data.X,
        scores.least_confidence(data.proba),
        data.k,
        labeled=data.labeled,
        random_state=0,
    )


def _make_naive_bayes():
    from sklearn.naive_bayes import GaussianNB

    return GaussianNB()


def _make_logistic():
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(max_iter=1000)


def _query_error_reduction(model, approximation, data):
    from skactive import ActiveLearner
    from skactive.strategies import ExpectedErrorReduction

    strategy = ExpectedErrorReduction(approximation=approximation)
    learner = ActiveLearner(model(), strategy, random_state=0)
    learner.fit(data.labeled, data.labels)
    return lambda: learner.score_pool(data.X)


def _query_campaign(data):
    simulation = _make_simulation(data)
    return lambda: simulation.fit(data.X, data.y, initial=data.initial).queried_


def _query_texts(name, data):
    """Return the query of a learner with a model that takes sparse rows."""
    from sklearn.linear_model import Ridge
    from sklearn.naive_bayes import MultinomialNB

    from skactive import ActiveLearner, strategies

    strategy = getattr(strategies, name)()
    model = Ridge() if "prediction" in strategy.needs else MultinomialNB()
    learner = ActiveLearner(model, strategy, random_state=0).fit(data.labeled, data.labels)
    return lambda: learner.query(data.X, data.k)


def _make_simulation(data):
    from skactive import ActiveLearner, SimulatedLearner
    from skactive.strategies import Margin

    learner = ActiveLearner(_make_logistic(), Margin())
    budget = len(data.initial) + data.k
    return SimulatedLearner(learner, budget=budget, batch_size=1, random_state=0)


# Floors that are measured: the fits of methods that refit models, and a product of sparse rows --


def _multiply_texts(data):
    return lambda: (data.X @ data.labeled.T).toarray()


def _fit_look_ahead(model, data):
    def fit_all():
        for row, label in itertools.product(range(len(data.X)), range(3)):
            X = np.concatenate([data.labeled, data.X[row : row + 1]])
            model().fit(X, np.append(data.labels, label))
        return np.empty(0)

    return fit_all


def _fit_campaign(data):
    """Return the fits of the same models on the same labels, on one thread, which is fastest."""
    from threadpoolctl import threadpool_limits

    queried = _make_simulation(data).fit(data.X, data.y, initial=data.initial).queried_

    def fit_all():
        with threadpool_limits(1):
            for size in range(len(data.initial), len(queried) + 1):
                rows = np.sort(queried[:size])
                _make_logistic().fit(data.X[rows], data.y[rows])
        return np.empty(0)

    return fit_all


# Values of picks: higher is better --------------------------------------------------------------


def _compute_margin(p):
    second, first = np.moveaxis(np.partition(p, p.shape[-1] - 2, axis=-1)[..., -2:], -1, 0)
    return 1 - (first - second)


def _compute_entropy(p, axis=-1):
    return -(p * np.log(np.maximum(p, 1e-300))).sum(axis=axis)


def _compute_information(samples):
    """Return the mutual information of label and draw, which is the mean KL to the consensus."""
    return _compute_entropy(samples.mean(axis=0)) - _compute_entropy(samples).mean(axis=0)


def _compute_vote_entropy(samples):
    votes = np.eye(samples.shape[2])[samples.argmax(axis=2)]
    return _compute_entropy(votes.mean(axis=0))


def mean_score(score, reading, data, picks):
    """Return the mean score of the picks."""
    values = getattr(data, reading)
    return float(np.mean(score(values.take(picks, axis=values.ndim - 2).astype(np.float64))))


def mean_model_entropy(data, picks):
    """Return the mean entropy of the picks under the model of the labeled rows."""
    return float(_compute_entropy(_fit_logistic(data).predict_proba(data.X[picks])).mean())


def _fit_logistic(data):
    return _make_logistic().fit(data.labeled, data.labels)


def _squared_to_nearest(X, centers):
    """Return the squared distance of each row to its nearest center, computed in blocks."""
    nearest, size = np.empty(len(X)), max(1, _BLOCK_BYTES // (8 * len(centers)))
    centers = centers.astype(np.float64)
    norms = (centers**2).sum(axis=1)
    for start in range(0, len(X), size):
        block = X[start : start + size].astype(np.float64)
        smallest = (norms - 2 * block @ centers.T).min(axis=1)
        nearest[start : start + size] = smallest + (block**2).sum(axis=1)
    return np.maximum(nearest, 0)


def _squared_to_labeled(data, picks):
    """Return the squared distance of each row to its nearest labeled row or pick."""
    return _squared_to_nearest(data.X, np.concatenate([data.labeled, data.X[picks]]))


def minus_radius(data, picks):
    """Return minus the largest distance of a row to its nearest labeled row or pick."""
    return -float(np.sqrt(_squared_to_labeled(data, picks).max()))


def minus_inertia(data, picks):
    """Return minus the mean squared distance to the nearest pick."""
    return -float(_squared_to_nearest(data.X, data.X[picks]).mean())


def minus_distance(data, picks):
    """Return minus the mean distance to the nearest pick."""
    return -float(np.sqrt(_squared_to_nearest(data.X, data.X[picks])).mean())


def minus_potential(data, picks):
    """Return minus the mean squared distance of gradients to that of the nearest pick."""
    a, h = data.residual.astype(np.float64), data.X.astype(np.float64)
    norms, nearest = (a**2).sum(axis=1) * (h**2).sum(axis=1), np.full(len(a), np.inf)
    for pick in picks:
        product = (a @ a[pick]) * (h @ h[pick])
        np.minimum(nearest, norms + norms[pick] - 2 * product, out=nearest)
    return -float(np.maximum(nearest, 0).mean())


def share_covered(data, picks):
    """Return the share of rows within the radius of a labeled row or a pick."""
    return float((_squared_to_labeled(data, picks) <= RADIUS**2).mean())


def mean_similarity(data, picks):
    """Return the mean similarity of the rows to the most similar labeled row or pick."""
    squared = _squared_to_labeled(data, picks)
    return float(np.exp(-squared / RADIUS**2).mean())


def joint_information(data, picks, n_labels=20_000):
    """Return the joint information of the labels, from draws with one seed for all libraries."""
    log_proba = np.log(data.samples[:, picks])  # (n_draws, n_picks, n_classes)
    rng = np.random.default_rng(3)
    draws = rng.integers(len(log_proba), size=n_labels)  # which draw the labels come from
    uniform = rng.random((n_labels, len(picks), 1))
    labels = (np.exp(log_proba[draws]).cumsum(axis=2) < uniform).sum(axis=2).clip(max=N_CLASSES - 1)
    total = np.zeros((n_labels, len(log_proba)))  # log-likelihood of the labels under each draw
    for j in range(len(picks)):
        total += log_proba[:, j, labels[:, j]].T
    top = total.max(axis=1, keepdims=True)
    log_joint = top[:, 0] + np.log(np.exp(total - top).mean(axis=1))
    log_conditional = total[np.arange(n_labels), draws]
    return float((log_conditional - log_joint).mean())


# Comparisons of two answers ---------------------------------------------------------------------


def compare_values(
    compute_value, data, ours, theirs, *, tolerance=TIE_TOLERANCE, verdicts=("other", "other")
):
    """Compare the values of picks; `verdicts` are for a higher value of ours and of theirs."""
    if np.array_equal(np.sort(ours), np.sort(theirs)):
        return "same", 0.0
    first, second = compute_value(data, ours), compute_value(data, theirs)
    gap = (second - first) / max(abs(first), 1e-300)  # positive: theirs is better
    if abs(gap) <= tolerance:
        return ("ties" if tolerance == TIE_TOLERANCE else "like"), gap
    return verdicts[gap > 0], gap


def compare_greedy(score_rows, data, ours, theirs):
    """Check that each pick of both answers is a best one, given the picks before it."""
    if np.array_equal(ours, theirs):
        return "same", 0.0
    gaps = [_compute_shortfall(score_rows, data, picks) for picks in (ours, theirs)]
    if gaps[0] > TIE_TOLERANCE:
        return "OURS IS NOT GREEDY", gaps[0]
    return ("ties" if gaps[1] <= TIE_TOLERANCE else "worse"), -gaps[1]


def _compute_shortfall(score_rows, data, picks):
    """Return the largest relative shortfall of a pick below the best row of its turn."""
    distance = np.sqrt(_squared_to_nearest(data.X, data.labeled))
    X, largest = data.X.astype(np.float64), 0.0
    for turn, pick in enumerate(picks):
        scores = score_rows(data, distance, turn)
        scores[picks[:turn]] = -np.inf
        largest = max(largest, 1 - scores[pick] / scores.max())
        np.minimum(distance, np.sqrt(((X - X[pick]) ** 2).sum(axis=1)), out=distance)
    return largest


def _score_by_distance(data, distance, turn):
    return distance.copy()


def _score_ranked_batch(data, distance, turn):
    n_unlabeled, n_labeled = len(data.X) - turn, len(data.labeled) + turn
    alpha = n_unlabeled / (n_unlabeled + n_labeled)
    uncertainty = 1 - data.proba.max(axis=1).astype(np.float64)
    return alpha * (1 - 1 / (1 + distance)) + (1 - alpha) * uncertainty


def compare_scores(data, ours, theirs):
    """Compare the scores of all rows: the same if equal to 1e-6 of their range."""
    gap = float(np.abs(ours - theirs).max() / max(np.ptp(ours), 1e-300))
    return ("same" if gap <= TIE_TOLERANCE else "other"), gap


def compare_ranks(data, ours, theirs):
    """Compare the order of the rows: alike if Spearman's correlation is at least 0.95."""
    from scipy.stats import spearmanr

    rank = float(spearmanr(ours, theirs).statistic)
    return ("like" if rank >= 0.95 else "other"), rank


def compare_overlap(data, ours, theirs):
    """Compare sets of picks by the share that both have."""
    share = len(np.intersect1d(ours, theirs)) / len(ours)
    return ("same" if share == 1 else "like" if share >= 0.8 else "other"), share


# The cases --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Case:
    """A case of the table: its data, the query of skactive, the comparison, and the plain floor.

    `runs` are (n, d, k): rows, dimensions, picks. `count_work` returns the bytes that the plain
    algorithm reads, the bytes of the array that it reads them from, and its multiply-adds;
    `prepare_floor` returns a function that does a part of the work, such as the fits of the models.
    """

    make_data: Callable
    prepare_query: Callable
    compare: Callable
    runs: tuple[tuple[int, int, int], ...]
    quick: int = 2000
    count_work: Callable | None = None
    prepare_floor: Callable | None = None


def _count_one_pass(n, d, k):
    return 8 * n * d, 8 * n * d, 0


def _count_committee_pass(n, d, k):
    return 8 * n * d * N_CLASSES, 8 * n * d * N_CLASSES, 0


def _count_pass_per_pick(n, d, k, extra=0, once=False):
    size, k = 4 * n * (d + extra), 1 if once else k
    return k * size, size, k * n * (d + extra)


def _count_all_pairs(n, d, k):
    return 4 * n * d, 4 * n * d, n * n * d


def _count_joint_tables(n, d, k):
    size = 8 * n * d * N_CLASSES
    n_configurations = sum(min(N_CLASSES**pick, N_SAMPLES) for pick in range(k))
    return k * size, size, n * d * N_CLASSES * n_configurations


def _make_runs(*sizes, d, k=100):
    return tuple((n, d, k) for n in sizes)


def _make_score_case(
    name, score, runs, *, reading="proba", make_data=make_proba, count_work=_count_one_pass
):
    compute_value = partial(mean_score, score, reading)
    return Case(
        make_data,
        partial(_query_by_score, name, reading),
        partial(compare_values, compute_value),
        runs,
        count_work=count_work,
    )


_compare_quality = partial(compare_values, verdicts=("worse", "better"))
_compare_random = partial(compare_values, tolerance=RANDOM_TOLERANCE, verdicts=("worse", "better"))
_GROWING_RUNS = _make_runs(10**4, 10**5, 10**6, d=64)
_LARGE_RUNS = ((10**5, 64, 1000), (10**6, 64, 1000), (10**5, 512, 100), (10**5, 512, 1000))

CASES = {
    "margin": _make_score_case("margin", _compute_margin, _make_runs(10**5, 10**6, 10**7, d=10)),
    "entropy": _make_score_case("entropy", _compute_entropy, _make_runs(10**5, 10**6, 10**7, d=10)),
    "logistic-entropy": Case(
        make_points,
        _query_model,
        partial(compare_values, mean_model_entropy),
        _make_runs(10**5, 10**6, d=64),
        count_work=partial(_count_pass_per_pick, once=True),
    ),
    "bait": Case(make_points, _query_bait, compare_overlap, ((1000, 16, 10),), quick=200),
    "least-confidence": _make_score_case(
        "least_confidence", lambda p: 1 - p.max(axis=-1), _make_runs(10**5, 10**6, 10**7, d=10)
    ),
    "k-center": Case(
        make_points,
        partial(_query_points_given_labeled, "k_center_greedy"),
        partial(compare_greedy, _score_by_distance),
        (*_GROWING_RUNS, *_LARGE_RUNS, (10**6, 512, 100)),
        count_work=_count_pass_per_pick,
    ),
    "badge": Case(
        make_gradients,
        _query_badge,
        partial(_compare_random, minus_potential),
        (*_GROWING_RUNS, *_LARGE_RUNS),
        count_work=partial(_count_pass_per_pick, extra=N_CLASSES),
    ),
    "committee-votes": _make_score_case(
        "vote_entropy",
        _compute_vote_entropy,
        _make_runs(10**4, 10**5, 10**6, d=10),
        reading="samples",
        make_data=make_committee,
        count_work=_count_committee_pass,
    ),
    "committee-kl": _make_score_case(
        "kl_to_consensus",
        _compute_information,
        _make_runs(10**4, 10**5, 10**6, d=10),
        reading="samples",
        make_data=make_committee,
        count_work=_count_committee_pass,
    ),
    "bald": _make_score_case(
        "mutual_information",
        _compute_information,
        _make_runs(10**4, 10**5, d=100),
        reading="samples",
        make_data=make_posterior,
        count_work=_count_committee_pass,
    ),
    "batch-bald": Case(
        make_posterior,
        _query_batch_bald,
        partial(_compare_quality, joint_information, tolerance=0.01),
        ((10**4, 20, 10), (10**4, 100, 10)),
        quick=300,
        count_work=_count_joint_tables,
    ),
    "k-means": Case(
        make_points,
        partial(_query_points, "kmeans_medoids"),
        partial(_compare_random, minus_inertia),
        _make_runs(10**4, 5 * 10**4, 10**5, 10**6, d=64),
    ),
    "typiclust": Case(
        make_points,
        partial(_query_points_given_labeled, "typiclust"),
        partial(_compare_random, minus_radius),
        _make_runs(10**4, 5 * 10**4, 10**5, 10**6, d=64),
    ),
    "prob-cover": Case(
        make_points,
        _query_prob_cover,
        partial(_compare_random, share_covered),
        _make_runs(10**4, 5 * 10**4, d=64),
        count_work=_count_all_pairs,
    ),
    "max-herding": Case(
        make_points,
        _query_max_herding,
        partial(_compare_quality, mean_similarity, tolerance=1e-3),
        _make_runs(10**4, d=64),
        count_work=_count_all_pairs,
    ),
    "density": Case(
        make_points,
        _query_density,
        compare_scores,
        _make_runs(10**4, 3 * 10**4, d=64),
        count_work=_count_all_pairs,
    ),
    "ranked-batch": Case(
        make_points,
        _query_ranked_batch,
        partial(compare_greedy, _score_ranked_batch),
        _make_runs(10**4, 3 * 10**4, 10**5, 10**6, d=64),
        count_work=_count_pass_per_pick,
    ),
    "facility-location": Case(
        make_points,
        _query_facility_location,
        partial(_compare_quality, minus_distance),
        _make_runs(10**4, d=64),
        count_work=_count_all_pairs,
    ),
    "eer-naive-bayes": Case(
        make_three_classes,
        partial(_query_error_reduction, _make_naive_bayes, None),
        compare_ranks,
        ((1000, 10, 1),),
        quick=60,
        prepare_floor=partial(_fit_look_ahead, _make_naive_bayes),
    ),
    "eer-logistic": Case(
        make_three_classes,
        partial(_query_error_reduction, _make_logistic, "newton"),
        compare_ranks,
        ((1000, 10, 1),),
        quick=30,
        prepare_floor=partial(_fit_look_ahead, _make_logistic),
    ),
    "campaign": Case(
        make_digits,
        _query_campaign,
        compare_overlap,
        ((1797, 64, 200),),
        quick=400,
        prepare_floor=_fit_campaign,
    ),
}
# Strategies that read the rows themselves, whatever the model is.
_SPARSE_STRATEGIES = (
    "Auto",
    "BADGE",
    "CLUE",
    "ClusterMargin",
    "DOptimal",
    "DPP",
    "FacilityLocation",
    "GSy",
    "IGS",
    "InformationDensity",
    "KCenterGreedy",
    "KMeans",
    "LCMD",
    "MaxDet",
    "MaxHerding",
    "ProbCover",
    "RankedBatch",
    "RobustKCenterGreedy",
    "TypiClust",
    "UHerding",
)
SPARSE_PREFIX = "sparse-"
CASES |= {
    SPARSE_PREFIX + name: Case(
        make_texts,
        partial(_query_texts, name),
        compare_overlap,
        ((20_000, 50_000, 10),),
        prepare_floor=_multiply_texts,
    )
    for name in _SPARSE_STRATEGIES
}
GROUPS = {
    "dense": [name for name in CASES if not name.startswith(SPARSE_PREFIX)],
    "sparse": [name for name in CASES if name.startswith(SPARSE_PREFIX)],
}


# One run, in its own process --------------------------------------------------------------------


def _load_rival(name):
    """Return a module of `rivals`, under a name that shadows no library."""
    path = HERE / "rivals" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"rival_{name}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _prepare_query(name, library, data):
    if library == OURS:
        return CASES[name].prepare_query(data)
    if library == BARE_WORK:
        return CASES[name].prepare_floor(data)
    return _load_rival(library).QUERIES[name](data)


def _read_memory(field):
    """Return a memory field of this process, in MiB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field)) / 2**10


def run_query(name, library, n, d, k, path):
    """Make the data, query once, print seconds and MiB as JSON, and save the answer to `path`."""
    import sklearn.cluster
    import sklearn.metrics  # noqa: F401, why: some libraries import these late

    query = _prepare_query(name, library, CASES[name].make_data(n, d, k))
    Path("/proc/self/clear_refs").write_text("5")  # resets the peak
    before, began = _read_memory("VmRSS"), time.perf_counter()
    result = query()
    seconds = time.perf_counter() - began
    np.save(path, np.asarray(result))
    print(json.dumps({"seconds": seconds, "mib": _read_memory("VmHWM") - before}))


def _describe_processor():
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{len(names)} x {names[0]}" if names else platform.machine()


def measure_rates():
    """Print the bytes per second from cache and memory, and the multiply-adds per second."""
    rates = {
        "threads": os.cpu_count(),
        "cache_bytes": _find_cache_bytes(),
        "memory_rate": _measure_read_rate(2**27),
    }
    rates["cache_rate"] = max(_measure_read_rate(rates["cache_bytes"] // 16), rates["memory_rate"])
    A = np.ones((2048, 2048), dtype=np.float32)
    rates["gemm_rate"] = 2048**3 / _time_fastest(lambda: A @ A)
    print(json.dumps(rates))


def _find_cache_bytes():
    paths = sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*/size"))
    sizes = [int(path.read_text().strip().rstrip("K")) * 2**10 for path in paths]
    return max(sizes, default=2**25)


def _measure_read_rate(n_values):
    parts = np.array_split(np.ones(n_values, dtype=np.float32), os.cpu_count())
    with ThreadPoolExecutor(len(parts)) as pool:
        seconds = _time_fastest(lambda: list(pool.map(_read_values, parts)), 20)
    return 4 * n_values / seconds


def _read_values(part):
    return np.maximum.reduce(part)  # why not a sum: it is slower than memory


def _time_fastest(call, repeats=5):
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        call()
        times.append(time.perf_counter() - began)
    return min(times)


# All runs ---------------------------------------------------------------------------------------


@dataclass
class Result:
    """Cost of one run of one library, and the comparison of its answer with that of skactive."""

    case: str
    n: int
    d: int
    k: int
    library: str
    seconds: float | None = None
    mib: float | None = None
    floor: float | None = None
    verdict: str = ""
    gap: float | None = None
    error: str = ""


@dataclass
class Bench:
    """Starts the processes and compares their answers."""

    options: argparse.Namespace
    folder: Path
    rates: dict = field(default_factory=dict)

    def call(self, library, *arguments):
        """Run this file in a new process, with the interpreter that has the library."""
        python = self.options.rivals_python
        if library in (OURS, BARE_WORK):
            python = sys.executable
        command = [python, str(HERE / "speed.py"), *map(str, arguments)]
        return subprocess.run(
            command,
            env=self._make_environment(),
            cwd=self.folder,  # some rivals write files
            capture_output=True,
            text=True,
            timeout=self.options.timeout,
        )

    def _make_environment(self):
        names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
        limits = dict.fromkeys(names, str(self.options.threads)) if self.options.threads else {}
        return os.environ | limits | {"CUDA_VISIBLE_DEVICES": "", "PYTHONWARNINGS": "ignore"}

    def measure(self, case, run, library):
        """Run one library once; return the result and the answer, which is None on failure."""
        result = Result(case, *run, library)
        path = self.folder / f"{library}.npy"
        path.unlink(missing_ok=True)
        try:
            process = self.call(library, "--worker", case, library, *run, path)
        except subprocess.TimeoutExpired:
            result.error = f"over {self.options.timeout:.0f} s"
            return result, None
        if process.returncode:
            lines = process.stderr.strip().splitlines() or [f"exit {process.returncode}"]
            result.error = lines[-1]
            return result, None
        for name, value in json.loads(process.stdout.strip().splitlines()[-1]).items():
            setattr(result, name, value)
        return result, np.load(path)

    def compare(self, case, run, libraries):
        """Run all libraries on the same data, and compare their answers with that of skactive."""
        n_processes = 2 if self.options.quick else 1
        with ThreadPoolExecutor(n_processes) as pool:
            measured = list(pool.map(partial(self.measure, case, run), [OURS, *libraries]))
        floor = self._measure_floor(case, run)
        (_, ours), *others = measured
        if ours is not None and any(answer is not None for _, answer in others):
            data = CASES[case].make_data(*run)
            for result, answer in others:
                if answer is not None:
                    result.verdict, result.gap = CASES[case].compare(data, ours, answer)
        for result, _ in measured:
            result.floor = floor
        return [result for result, _ in measured]

    def _measure_floor(self, case, run):
        spec = CASES[case]
        if spec.prepare_floor is not None:
            return self.measure(case, run, BARE_WORK)[0].seconds
        if spec.count_work is None:
            return None
        n_bytes, n_array_bytes, n_multiply_adds = spec.count_work(*run)
        name = "cache_rate" if n_array_bytes <= self.rates["cache_bytes"] else "memory_rate"
        return max(n_bytes / self.rates[name], n_multiply_adds / self.rates["gemm_rate"])


def find_rivals(bench):
    """Return the rivals of each case and their versions; print which cannot be imported."""
    rivals, versions = {name: [] for name in CASES}, {}
    for path in sorted((HERE / "rivals").glob("*.py")):
        process = bench.call(path.stem, "--try", path.stem)
        if process.returncode:
            reason = (process.stderr.strip().splitlines() or ["no reason given"])[-1]
            print(f"skipped: {path.stem} ({reason})")
            continue
        answer = json.loads(process.stdout.strip().splitlines()[-1])
        versions[path.stem] = answer["version"]
        for name in answer["cases"]:
            rivals[name].append(path.stem)
    return rivals, versions


def import_rival(library):
    """Import a rival, and print its version and its cases as JSON."""
    module = _load_rival(library)
    print(json.dumps({"version": module.VERSION, "cases": sorted(module.QUERIES)}))


def get_versions():
    """Return the versions of skactive and its dependencies, and the machine."""
    import scipy
    import sklearn

    import skactive

    modules = (skactive, np, scipy, sklearn)
    versions = {module.__name__: module.__version__ for module in modules}
    return versions | {"python": platform.python_version(), "machine": _describe_processor()}


# The table and the plot -------------------------------------------------------------------------

COLUMNS = ("case", "n", "d", "picks", "library", "s", "ratio", "MiB", "floor s", "x floor", "work")


def iterate_rows(results):
    """Yield the rows of the table for one run, skactive first."""
    ours = results[0].seconds
    for r in results:
        ratio = r.seconds / ours if r.seconds and ours else None
        floor_ratio = r.seconds / r.floor if r.seconds and r.floor else None
        gap = f" {r.gap:+.1e}" if r.gap else ""
        yield (
            r.case,
            f"{r.n:.0e}".replace("e+0", "e"),
            str(r.d),
            str(r.k),
            r.library.rstrip("_"),
            *map(_format_number, (r.seconds, ratio, r.mib, r.floor, floor_ratio)),
            r.error[:60] or r.verdict + gap,
        )


def _format_number(value):
    return "-" if value is None else f"{value:.0f}" if value >= 100 else f"{value:.2g}"


def print_row(cells):
    print("| " + " | ".join(cells) + " |", flush=True)


def compute_slope(results):
    """Return the exponent of the growth of time with n; None for less than two sizes."""
    n, seconds = np.log([(r.n, r.seconds) for r in results]).T
    return None if len(np.unique(n)) < 2 else float(np.polyfit(n, seconds, 1)[0])


def plot(results, path):
    """Plot time against n on log axes, one panel per case of several sizes."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    finished = [r for r in results if r.seconds]
    sizes_by_panel = {}
    for r in finished:
        sizes_by_panel.setdefault((r.case, r.d, r.k), set()).add(r.n)
    panels = [panel for panel, sizes in sizes_by_panel.items() if len(sizes) > 1]
    if not panels:
        raise SystemExit("nothing to plot: each case was run at one size only")
    others = list(dict.fromkeys(r.library for r in finished if r.library != OURS))
    colors = {library: f"C{i}" for i, library in enumerate(others)} | {OURS: "k"}
    n_columns = min(4, len(panels))
    n_rows = -(-len(panels) // n_columns)
    size = (3.6 * n_columns, 3 * n_rows)
    figure, axes = plt.subplots(
        n_rows, n_columns, figsize=size, squeeze=False, layout="constrained"
    )
    for ax, panel in zip(axes.flat, panels, strict=False):
        panel_results = [r for r in finished if (r.case, r.d, r.k) == panel]
        _plot_panel(ax, panel_results, colors)
        ax.set(title="{}, d={}, {} picks".format(*panel), xlabel="rows", ylabel="seconds")
        ax.set(xscale="log", yscale="log")
        ax.legend(fontsize="x-small")
    for ax in axes.flat[len(panels) :]:
        ax.remove()
    figure.savefig(path)


def _plot_panel(ax, results, colors):
    for library in dict.fromkeys(r.library for r in results):
        line = sorted((r for r in results if r.library == library), key=lambda r: r.n)
        growth = compute_slope(line) if library == OURS else None
        name = library.rstrip("_")
        label = name if growth is None else f"{name} (slope {growth:.2f})"
        rows, seconds = [r.n for r in line], [r.seconds for r in line]
        ax.plot(rows, seconds, "o-", color=colors[library], label=label, ms=3)
    floors = sorted({(r.n, r.floor) for r in results if r.floor})
    if floors:
        ax.plot(*zip(*floors, strict=True), "k:", label="plain floor")


# The command ------------------------------------------------------------------------------------


def _parse_numbers(text):
    return [int(float(part)) for part in text.split(",")]


def _find_python(text):
    """Return the absolute path of an interpreter; links stay, since they lead to environments."""
    path = shutil.which(text)
    if path is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no interpreter; expected a path or a name")
    return str(Path(path).absolute())


def _parse_options():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--group", choices=list(GROUPS), help="only cases of this kind of rows")
    parser.add_argument("--cases", type=lambda text: text.split(","), help="default: of the group")
    parser.add_argument("--sizes", type=_parse_numbers, help="numbers of rows, as 1e4,1e5")
    parser.add_argument("--picks", type=_parse_numbers, help="only runs of these numbers of picks")
    parser.add_argument(
        "--dims", type=_parse_numbers, help="only runs of these numbers of dimensions"
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help="small sizes and one rival, two processes at once: to check that it runs",
    )
    parser.add_argument("--rivals", type=lambda text: text.split(","), help="only these rivals")
    parser.add_argument(
        "--rivals-python",
        type=_find_python,
        default=sys.executable,
        help="interpreter with rivals",
    )
    parser.add_argument("--threads", type=int, help="BLAS and OpenMP threads; default: all")
    parser.add_argument("--timeout", type=float, default=300, help="seconds per process")
    parser.add_argument("--json", type=Path, help="file for the results")
    parser.add_argument("--plot", type=Path, help="file for the plot")
    options = parser.parse_args()
    options.cases = options.cases or GROUPS.get(options.group, list(CASES))
    if unknown := set(options.cases) - set(CASES):
        parser.error(f"unknown cases {sorted(unknown)}; expected some of {', '.join(CASES)}")
    return options


def select_runs(case, options):
    """Return the runs of a case that the options select."""
    runs = list(CASES[case].runs)
    if options.quick:
        runs = [(CASES[case].quick, d, min(k, 20)) for _, d, k in runs[:1]]
    elif options.sizes:
        runs = [(n, d, k) for d, k in dict.fromkeys(run[1:] for run in runs) for n in options.sizes]
    selected = (options.dims, options.picks)
    return [
        run
        for run in runs
        if all(
            values is None or value in values
            for values, value in zip(selected, run[1:], strict=True)
        )
    ]


def select_rivals(rivals, options):
    """Return the rivals that the options select; a quick run takes one."""
    if options.rivals is not None:
        return [rival for rival in rivals if rival in options.rivals]
    return rivals[:1] if options.quick else rivals


def main():
    options = _parse_options()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(options, Path(folder))
        rivals, rival_versions = find_rivals(bench)
        bench.rates = json.loads(bench.call(OURS, "--probe").stdout)
        setting = {"rates": bench.rates, "versions": get_versions() | rival_versions}
        print(json.dumps(setting, indent=1))
        print_row(COLUMNS)
        print_row(["---"] * len(COLUMNS))
        results = []
        for case in options.cases:
            libraries = select_rivals(rivals[case], options)
            for run in select_runs(case, options):
                new_results = bench.compare(case, run, libraries)
                results += new_results
                for cells in iterate_rows(new_results):
                    print_row(cells)
                if options.json:  # why here: a long run may be interrupted
                    everything = setting | {"results": [asdict(r) for r in results]}
                    options.json.write_text(json.dumps(everything, indent=1) + "\n")
    if options.plot:
        plot(results, options.plot)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["--worker", name, library, n, d, k, path]:
            run_query(name, library, int(n), int(d), int(k), path)
        case ["--try", library]:
            import_rival(library)
        case ["--probe"]:
            measure_rates()
        case _:
            main()
