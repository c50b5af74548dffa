"""Seconds and memory of one query, beside the rivals, on the same work.

Each run is a fresh process: data and objects are made before the clock, then one first call. The
peak is what the process held above that. Positions come back through a file, and what they are
worth is measured here by one plain formula for all libraries, in float64:

* ``same``: the same picks;
* ``ties``: other picks that are worth the same to 1e-6 (for greedy methods: at each pick);
* ``better``, ``worse``: worth more or less than what skactive chose;
* ``like``: methods that draw at random and so differ by the seed, within 5 %;
* ``other``: further away, or other work under the same name (see the notes in `rivals`).

The plain floor is the time in which this machine could read what the plain algorithm reads and do
its multiply-adds, from a short probe at the start; where a method refits models it is the time of
the bare fits. Pruned and lazy methods go below it. Linux only: peaks are read from /proc.
"""

from __future__ import annotations

import argparse
import importlib.util
import itertools
import json
import os
import platform
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
OURS, BARE = "skactive", "bare fits"
CLOSE, ALIKE = 1e-6, 0.05
_BLOCK = 2**24  # bytes of distances at a time, where worth is measured


# Data: probabilities are Dirichlet(1) rows, points are 20 Gaussian blobs ------------------------


def table(n, d, k):
    """Probabilities of `d` classes."""
    return SimpleNamespace(k=k, proba=_dirichlet((n, d)))


def points(n, d, k):
    """Points, further ones that are labeled, and factors of gradients."""
    rng = np.random.default_rng(1)
    centers = 2 * rng.standard_normal((20, d), dtype=np.float32)
    blob = rng.integers(20, size=n + N_LABELED)
    X = rng.standard_normal((n + N_LABELED, d), dtype=np.float32)
    X += centers[blob]
    proba = _dirichlet((n, N_CLASSES)).astype(np.float32)
    labels = blob[n:] % N_CLASSES
    return SimpleNamespace(k=k, X=X[:n], labeled=X[n:], labels=labels, proba=proba)


def gradients(n, d, k):
    """Probabilities and features, with the residuals that a last layer's gradient is made of."""
    data = points(n, d, k)
    data.residual = data.proba.copy()
    data.residual[np.arange(n), data.proba.argmax(axis=1)] -= 1
    return data


def members(n, d, k):
    """Probabilities of `d` members of a committee, member axis first."""
    return SimpleNamespace(k=k, samples=_dirichlet((d, n, N_CLASSES)))


def posterior(n, d, k):
    """`d` draws of probabilities that agree more or less, row by row."""
    rng = np.random.default_rng(2)
    mean = rng.standard_normal((n, N_CLASSES))
    logits = mean + rng.uniform(0.2, 2, (n, 1)) * rng.standard_normal((d, n, N_CLASSES))
    samples = np.exp(logits)
    samples /= samples.sum(axis=2, keepdims=True)
    return SimpleNamespace(k=k, samples=samples)


def three_classes(n, d, k):
    """A small classification problem, 30 rows of it labeled."""
    from sklearn.datasets import make_classification

    X, y = make_classification(
        n + 30, d, n_informative=5, n_classes=3, class_sep=0.7, random_state=0
    )
    return SimpleNamespace(k=k, X=X[30:], labeled=X[:30], labels=y[:30])


def digits(n, d, k):
    """Digits, the first `n` rows; 20 labels known, `k` to be bought."""
    from sklearn.datasets import load_digits

    X, y = load_digits(return_X_y=True)
    return SimpleNamespace(k=k, X=X[:n], y=y[:n], initial=np.arange(20))


def _dirichlet(shape):
    proba = np.random.default_rng(0).standard_exponential(shape)
    proba /= proba.sum(axis=-1, keepdims=True)
    return proba


# What skactive does: each prepares, and returns the query --------------------------------------


def _by_score(name, reading, data):
    from skactive import scores, selectors

    score, values = getattr(scores, name), getattr(data, reading)
    return lambda: selectors.top(score(values), data.k, 0)


def _by_points(name, data, **options):
    from skactive import selectors

    select = getattr(selectors, name)
    return lambda: select(data.X, data.k, random_state=0, **options)


def _by_model(data):
    """The model is asked too: a learner on its labeled rows, and a pool of features."""
    from skactive import ActiveLearner
    from skactive.strategies import Entropy

    learner = ActiveLearner(_logistic(), Entropy(), random_state=0).fit(data.labeled, data.labels)
    return lambda: learner.query(data.X, data.k)


def _bait(data):
    from skactive import selectors

    return lambda: selectors.bait(data.proba, data.X, data.k, random_state=0)


def _past_labeled(name, data):
    return _by_points(name, data, labeled=data.labeled)


def _badge(data):
    from skactive import selectors

    pair = (data.residual, data.X)
    return lambda: selectors.kmeans_plusplus(pair, data.k, random_state=0)


def _batch_bald(data):
    from skactive import selectors

    return lambda: selectors.batch_bald(
        data.samples, data.k, n_configurations=N_SAMPLES, random_state=0
    )


def _prob_cover(data):
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


def _max_herding(data):
    from skactive import selectors

    return lambda: selectors.max_coverage(
        data.X,
        data.k,
        labeled=data.labeled,
        bandwidth=RADIUS,
        max_reference=None,
        random_state=0,
    )


def _exact_location(data):
    return _by_points("facility_location", data, max_reference=None)


def _density(data):
    from skactive import scores

    return lambda: scores.information_density(data.X, max_reference=None)


def _ranked(data):
    from skactive import scores, selectors

    return lambda: selectors.ranked_batch(
        data.X,
        scores.least_confidence(data.proba),
        data.k,
        labeled=data.labeled,
        random_state=0,
    )


def _naive_bayes():
    from sklearn.naive_bayes import GaussianNB

    return GaussianNB()


def _logistic():
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(max_iter=1000)


def _error_reduction(model, approximation, data):
    from skactive import ActiveLearner
    from skactive.strategies import ExpectedErrorReduction

    strategy = ExpectedErrorReduction(approximation=approximation)
    learner = ActiveLearner(model(), strategy, random_state=0)
    learner.fit(data.labeled, data.labels)
    return lambda: learner.score_pool(data.X)


def _campaign(data):
    simulation = _simulation(data)
    return lambda: simulation.fit(data.X, data.y, initial=data.initial).queried_


def _simulation(data):
    from skactive import ActiveLearner, SimulatedLearner
    from skactive.strategies import Margin

    learner = ActiveLearner(_logistic(), Margin())
    budget = len(data.initial) + data.k
    return SimulatedLearner(learner, budget=budget, batch_size=1, random_state=0)


# The floor of methods that fit models: the fits alone -------------------------------------------


def _bare_look_ahead(model, data):
    def fits():
        for row, label in itertools.product(range(len(data.X)), range(3)):
            X = np.concatenate([data.labeled, data.X[row : row + 1]])
            model().fit(X, np.append(data.labels, label))
        return np.empty(0)

    return fits


def _bare_campaign(data):
    """Fit the same models on the same labels, on one thread, which is fastest for them."""
    from threadpoolctl import threadpool_limits

    bought = _simulation(data).fit(data.X, data.y, initial=data.initial).queried_

    def fits():
        with threadpool_limits(1):
            for size in range(len(data.initial), len(bought) + 1):
                rows = np.sort(bought[:size])
                _logistic().fit(data.X[rows], data.y[rows])
        return np.empty(0)

    return fits


# What an answer is worth: higher is better ------------------------------------------------------


def _margin(p):
    second, first = np.moveaxis(np.partition(p, p.shape[-1] - 2, axis=-1)[..., -2:], -1, 0)
    return 1 - (first - second)


def _entropy(p, axis=-1):
    return -(p * np.log(np.maximum(p, 1e-300))).sum(axis=axis)


def _information(samples):
    """Mutual information of each row's label and the draw; also the mean KL to the consensus."""
    return _entropy(samples.mean(axis=0)) - _entropy(samples).mean(axis=0)


def _vote_entropy(samples):
    votes = np.eye(samples.shape[2])[samples.argmax(axis=2)]
    return _entropy(votes.mean(axis=0))


def mean_score(score, reading, data, picks):
    """Worth of picks one by one: the mean of their scores."""
    values = getattr(data, reading)
    return float(np.mean(score(values.take(picks, axis=values.ndim - 2).astype(np.float64))))


def entropy_of_model(data, picks):
    """Mean entropy of the picks by the model on the labeled rows."""
    return float(_entropy(_fitted(data).predict_proba(data.X[picks])).mean())


def _fitted(data):
    return _logistic().fit(data.labeled, data.labels)


def _nearest(X, centers):
    """Squared distance of each row to the nearest center, in blocks."""
    nearest, size = np.empty(len(X)), max(1, _BLOCK // (8 * len(centers)))
    centers = centers.astype(np.float64)
    norms = (centers**2).sum(axis=1)
    for start in range(0, len(X), size):
        block = X[start : start + size].astype(np.float64)
        smallest = (norms - 2 * block @ centers.T).min(axis=1)
        nearest[start : start + size] = smallest + (block**2).sum(axis=1)
    return np.maximum(nearest, 0)


def minus_radius(data, picks):
    """Minus the distance of the row farthest from what is labeled or chosen."""
    return -float(np.sqrt(_nearest(data.X, np.concatenate([data.labeled, data.X[picks]])).max()))


def minus_inertia(data, picks):
    """Minus the mean squared distance to the nearest pick."""
    return -float(_nearest(data.X, data.X[picks]).mean())


def minus_distance(data, picks):
    """Minus the mean distance to the nearest pick."""
    return -float(np.sqrt(_nearest(data.X, data.X[picks])).mean())


def minus_potential(data, picks):
    """Minus the mean squared distance of gradients to the nearest one that was drawn."""
    a, h = data.residual.astype(np.float64), data.X.astype(np.float64)
    norms, nearest = (a**2).sum(axis=1) * (h**2).sum(axis=1), np.full(len(a), np.inf)
    for pick in picks:
        product = (a @ a[pick]) * (h @ h[pick])
        np.minimum(nearest, norms + norms[pick] - 2 * product, out=nearest)
    return -float(np.maximum(nearest, 0).mean())


def share_covered(data, picks):
    """Share of the rows that a labeled or chosen row reaches."""
    return float(
        (_nearest(data.X, np.concatenate([data.labeled, data.X[picks]])) <= RADIUS**2).mean()
    )


def mean_similarity(data, picks):
    """Mean similarity of the rows to the labeled or chosen row that is most like them."""
    squared = _nearest(data.X, np.concatenate([data.labeled, data.X[picks]]))
    return float(np.exp(-squared / RADIUS**2).mean())


def joint_information(data, picks, n_drawn=20_000):
    """Information of all labels together, from labels drawn with one seed for all libraries."""
    chosen = np.log(data.samples[:, picks])  # (n_draws, n_picks, n_classes)
    rng = np.random.default_rng(3)
    which = rng.integers(len(chosen), size=n_drawn)
    uniform = rng.random((n_drawn, len(picks), 1))
    labels = (np.exp(chosen[which]).cumsum(axis=2) < uniform).sum(axis=2).clip(max=N_CLASSES - 1)
    total = np.zeros((n_drawn, len(chosen)))
    for j in range(len(picks)):
        total += chosen[:, j, labels[:, j]].T
    top = total.max(axis=1, keepdims=True)
    log_joint = top[:, 0] + np.log(np.exp(total - top).mean(axis=1))
    given = total[np.arange(n_drawn), which]
    return float((given - log_joint).mean())


# Whether two answers are the same work ----------------------------------------------------------


def by_worth(worth, data, ours, theirs, *, tolerance=CLOSE, verdicts=("other", "other")):
    """Compare what two choices are worth; `verdicts` if ours or theirs is worth more."""
    if np.array_equal(np.sort(ours), np.sort(theirs)):
        return "same", 0.0
    first, second = worth(data, ours), worth(data, theirs)
    gap = (second - first) / max(abs(first), 1e-300)  # above 0: theirs is better
    if abs(gap) <= tolerance:
        return ("ties" if tolerance == CLOSE else "like"), gap
    return verdicts[gap > 0], gap


def by_replay(merits, data, ours, theirs):
    """Both are the greedy choice, pick by pick, ties aside: each pick is a best one."""
    if np.array_equal(ours, theirs):
        return "same", 0.0
    gaps = [_shortfall(merits, data, picks) for picks in (ours, theirs)]
    if gaps[0] > CLOSE:
        return "OURS IS NOT GREEDY", gaps[0]
    return ("ties" if gaps[1] <= CLOSE else "worse"), -gaps[1]


def _shortfall(merits, data, picks):
    """Return by what share the worst of the picks falls short of the best row of its turn."""
    state = np.sqrt(_nearest(data.X, data.labeled))
    X, worst = data.X.astype(np.float64), 0.0
    for turn, pick in enumerate(picks):
        merit = merits(data, state, turn)
        merit[picks[:turn]] = -np.inf
        worst = max(worst, 1 - merit[pick] / merit.max())
        np.minimum(state, np.sqrt(((X - X[pick]) ** 2).sum(axis=1)), out=state)
    return worst


def _distance_merit(data, distance, turn):
    return distance.copy()


def _ranked_merit(data, distance, turn):
    n_left, n_known = len(data.X) - turn, len(data.labeled) + turn
    alpha = n_left / (n_left + n_known)
    doubt = 1 - data.proba.max(axis=1).astype(np.float64)
    return alpha * (1 - 1 / (1 + distance)) + (1 - alpha) * doubt


def by_values(data, ours, theirs):
    """Compare scores themselves: equal to 1e-6 of their range."""
    gap = float(np.abs(ours - theirs).max() / max(np.ptp(ours), 1e-300))
    return ("same" if gap <= CLOSE else "other"), gap


def by_ranks(data, ours, theirs):
    """Scores rank rows alike: Spearman at least 0.95."""
    from scipy.stats import spearmanr

    rank = float(spearmanr(ours, theirs).statistic)
    return ("like" if rank >= 0.95 else "other"), rank


def by_overlap(data, ours, theirs):
    """Share of the labels that both bought."""
    share = len(np.intersect1d(ours, theirs)) / len(ours)
    return ("same" if share == 1 else "like" if share >= 0.8 else "other"), share


# The cases --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Case:
    """A row of the table: its data, our query, what is the same work, and the plain floor.

    `runs` are (n, d, k); `work` gives the bytes that the plain algorithm reads, the size of the
    array that it reads them from, and its multiply-adds; `bare` runs the model's fits alone.
    """

    make: Callable
    ours: Callable
    judge: Callable
    runs: tuple[tuple[int, int, int], ...]
    quick: int = 2000
    work: Callable | None = None
    bare: Callable | None = None


def _one_pass(n, d, k):
    return 8 * n * d, 8 * n * d, 0


def _committee_pass(n, d, k):
    return 8 * n * d * N_CLASSES, 8 * n * d * N_CLASSES, 0


def _pass_a_pick(n, d, k, extra=0, once=False):
    size, k = 4 * n * (d + extra), 1 if once else k
    return k * size, size, k * n * (d + extra)


def _all_pairs(n, d, k):
    return 4 * n * d, 4 * n * d, n * n * d


def _joints(n, d, k):
    size = 8 * n * d * N_CLASSES
    kept = sum(min(N_CLASSES**pick, N_SAMPLES) for pick in range(k))
    return k * size, size, n * d * N_CLASSES * kept


def _ladder(*sizes, d, k=100):
    return tuple((n, d, k) for n in sizes)


def _score_case(name, score, runs, *, reading="proba", make=table, work=_one_pass):
    worth = partial(mean_score, score, reading)
    return Case(make, partial(_by_score, name, reading), partial(by_worth, worth), runs, work=work)


_improves = partial(by_worth, verdicts=("worse", "better"))
_random = partial(by_worth, tolerance=ALIKE, verdicts=("worse", "better"))
_scale = _ladder(10**4, 10**5, 10**6, d=64)
_thousand = ((10**5, 64, 1000), (10**6, 64, 1000), (10**5, 512, 100), (10**5, 512, 1000))

CASES = {
    "margin": _score_case("margin", _margin, _ladder(10**5, 10**6, 10**7, d=10)),
    "entropy": _score_case("entropy", _entropy, _ladder(10**5, 10**6, 10**7, d=10)),
    "logistic-entropy": Case(
        points,
        _by_model,
        partial(by_worth, entropy_of_model),
        _ladder(10**5, 10**6, d=64),
        work=partial(_pass_a_pick, once=True),
    ),
    "bait": Case(points, _bait, by_overlap, ((1000, 16, 10),), quick=200),
    "least-confidence": _score_case(
        "least_confidence", lambda p: 1 - p.max(axis=-1), _ladder(10**5, 10**6, 10**7, d=10)
    ),
    "k-center": Case(
        points,
        partial(_past_labeled, "k_center_greedy"),
        partial(by_replay, _distance_merit),
        (*_scale, *_thousand, (10**6, 512, 100)),
        work=_pass_a_pick,
    ),
    "badge": Case(
        gradients,
        _badge,
        partial(_random, minus_potential),
        (*_scale, *_thousand),
        work=partial(_pass_a_pick, extra=N_CLASSES),
    ),
    "committee-votes": _score_case(
        "vote_entropy",
        _vote_entropy,
        _ladder(10**4, 10**5, 10**6, d=10),
        reading="samples",
        make=members,
        work=_committee_pass,
    ),
    "committee-kl": _score_case(
        "kl_to_consensus",
        _information,
        _ladder(10**4, 10**5, 10**6, d=10),
        reading="samples",
        make=members,
        work=_committee_pass,
    ),
    "bald": _score_case(
        "mutual_information",
        _information,
        _ladder(10**4, 10**5, d=100),
        reading="samples",
        make=posterior,
        work=_committee_pass,
    ),
    "batch-bald": Case(
        posterior,
        _batch_bald,
        partial(_improves, joint_information, tolerance=0.01),
        ((10**4, 20, 10), (10**4, 100, 10)),
        quick=300,
        work=_joints,
    ),
    "k-means": Case(
        points,
        partial(_by_points, "kmeans_medoids"),
        partial(_random, minus_inertia),
        _ladder(10**4, 5 * 10**4, 10**5, 10**6, d=64),
    ),
    "typiclust": Case(
        points,
        partial(_past_labeled, "typiclust"),
        partial(_random, minus_radius),
        _ladder(10**4, 5 * 10**4, 10**5, 10**6, d=64),
    ),
    "prob-cover": Case(
        points,
        _prob_cover,
        partial(_random, share_covered),
        _ladder(10**4, 5 * 10**4, d=64),
        work=_all_pairs,
    ),
    "max-herding": Case(
        points,
        _max_herding,
        partial(_improves, mean_similarity, tolerance=1e-3),
        _ladder(10**4, d=64),
        work=_all_pairs,
    ),
    "density": Case(points, _density, by_values, _ladder(10**4, 3 * 10**4, d=64), work=_all_pairs),
    "ranked-batch": Case(
        points,
        _ranked,
        partial(by_replay, _ranked_merit),
        _ladder(10**4, 3 * 10**4, 10**5, 10**6, d=64),
        work=_pass_a_pick,
    ),
    "facility-location": Case(
        points,
        _exact_location,
        partial(_improves, minus_distance),
        _ladder(10**4, d=64),
        work=_all_pairs,
    ),
    "eer-naive-bayes": Case(
        three_classes,
        partial(_error_reduction, _naive_bayes, None),
        by_ranks,
        ((1000, 10, 1),),
        quick=60,
        bare=partial(_bare_look_ahead, _naive_bayes),
    ),
    "eer-logistic": Case(
        three_classes,
        partial(_error_reduction, _logistic, "newton"),
        by_ranks,
        ((1000, 10, 1),),
        quick=30,
        bare=partial(_bare_look_ahead, _logistic),
    ),
    "campaign": Case(
        digits, _campaign, by_overlap, ((1797, 64, 200),), quick=400, bare=_bare_campaign
    ),
}


# One run, in a process of its own ---------------------------------------------------------------


def _rival(name):
    """Load a file of `rivals` under a name that shadows no library."""
    path = HERE / "rivals" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"rival_{name}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _prepared(name, library, data):
    if library == OURS:
        return CASES[name].ours(data)
    if library == BARE:
        return CASES[name].bare(data)
    return _rival(library).QUERIES[name](data)


def _resident(field):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field)) / 2**10


def work(name, library, n, d, k, answer):
    """Make the data, ask once, and print what it took; the answer goes to a file."""
    import sklearn.cluster
    import sklearn.metrics  # noqa: F401, some libraries import these late

    query = _prepared(name, library, CASES[name].make(n, d, k))
    Path("/proc/self/clear_refs").write_text("5")  # the peak so far is forgotten
    before, began = _resident("VmRSS"), time.perf_counter()
    result = query()
    seconds = time.perf_counter() - began
    np.save(answer, np.asarray(result))
    print(json.dumps({"seconds": seconds, "mib": _resident("VmHWM") - before}))


def _processor():
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{len(names)} x {names[0]}" if names else platform.machine()


def probe():
    """Bytes a second from cache and from memory on all cores, and multiply-adds a second."""
    rates = {"threads": os.cpu_count(), "cache_bytes": _last_cache(), "memory_rate": _rate(2**27)}
    rates["cache_rate"] = max(_rate(rates["cache_bytes"] // 16), rates["memory_rate"])
    A = np.ones((2048, 2048), dtype=np.float32)
    rates["gemm_rate"] = 2048**3 / _best(lambda: A @ A)
    print(json.dumps(rates))


def _last_cache():
    paths = sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*/size"))
    sizes = [int(path.read_text().strip().rstrip("K")) * 2**10 for path in paths]
    return max(sizes, default=2**25)


def _rate(n_values):
    parts = np.array_split(np.ones(n_values, dtype=np.float32), os.cpu_count())
    with ThreadPoolExecutor(len(parts)) as pool:
        seconds = _best(lambda: list(pool.map(_read, parts)), 20)
    return 4 * n_values / seconds


def _read(part):
    return np.maximum.reduce(part)  # as fast as memory is; a sum waits for its last term


def _best(call, repeats=5):
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        call()
        times.append(time.perf_counter() - began)
    return min(times)


# All runs ---------------------------------------------------------------------------------------


@dataclass
class Result:
    """What one library took for one run, and how its answer compares with skactive's."""

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
    """Starts the processes, one at a time."""

    options: argparse.Namespace
    folder: Path
    rates: dict = field(default_factory=dict)

    def call(self, library, *arguments):
        """Run this file in a fresh process, by the interpreter that has the library."""
        python = self.options.rivals_python
        if library in (OURS, BARE):
            python = sys.executable
        command = [python, str(HERE / "speed.py"), *map(str, arguments)]
        return subprocess.run(
            command,
            env=self._environment(),
            cwd=self.folder,  # some rivals write files
            capture_output=True,
            text=True,
            timeout=self.options.timeout,
        )

    def _environment(self):
        names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
        limits = dict.fromkeys(names, str(self.options.threads)) if self.options.threads else {}
        return os.environ | limits | {"CUDA_VISIBLE_DEVICES": "", "PYTHONWARNINGS": "ignore"}

    def measure(self, case, run, library):
        """Run one library once, and keep its answer in a file."""
        result = Result(case, *run, library)
        answer = self.folder / f"{library}.npy"
        answer.unlink(missing_ok=True)
        try:
            done = self.call(library, "--worker", case, library, *run, answer)
        except subprocess.TimeoutExpired:
            result.error = f"over {self.options.timeout:.0f} s"
            return result, None
        if done.returncode:
            result.error = (done.stderr.strip().splitlines() or [f"exit {done.returncode}"])[-1]
            return result, None
        for name, value in json.loads(done.stdout.strip().splitlines()[-1]).items():
            setattr(result, name, value)
        return result, np.load(answer)

    def compare(self, case, run, libraries):
        """Run all libraries on the same data and judge their answers."""
        at_once = 2 if self.options.quick else 1
        with ThreadPoolExecutor(at_once) as pool:
            done = list(pool.map(partial(self.measure, case, run), [OURS, *libraries]))
        floor = self._floor(case, run)
        (_, ours), *others = done
        if ours is not None and any(answer is not None for _, answer in others):
            data = CASES[case].make(*run)
            for result, answer in others:
                if answer is not None:
                    result.verdict, result.gap = CASES[case].judge(data, ours, answer)
        for result, _ in done:
            result.floor = floor
        return [result for result, _ in done]

    def _floor(self, case, run):
        spec = CASES[case]
        if spec.bare is not None:
            return self.measure(case, run, BARE)[0].seconds
        if spec.work is None:
            return None
        n_bytes, array, multiply_adds = spec.work(*run)
        name = "cache_rate" if array <= self.rates["cache_bytes"] else "memory_rate"
        return max(n_bytes / self.rates[name], multiply_adds / self.rates["gemm_rate"])


def importable(bench):
    """Return the rivals of each case, and the versions; say which cannot be imported."""
    rivals, versions = {name: [] for name in CASES}, {}
    for path in sorted((HERE / "rivals").glob("*.py")):
        done = bench.call(path.stem, "--try", path.stem)
        if done.returncode:
            why = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
            print(f"skipped: {path.stem} ({why})")
            continue
        answer = json.loads(done.stdout.strip().splitlines()[-1])
        versions[path.stem] = answer["version"]
        for name in answer["cases"]:
            rivals[name].append(path.stem)
    return rivals, versions


def attempt(library):
    """Import a rival, and print its version and the cases that it plays in."""
    module = _rival(library)
    print(json.dumps({"version": module.VERSION, "cases": sorted(module.QUERIES)}))


def versions():
    """Versions of what skactive stands on, and the machine."""
    import scipy
    import sklearn

    import skactive

    modules = (skactive, np, scipy, sklearn)
    found = {module.__name__: module.__version__ for module in modules}
    return found | {"python": platform.python_version(), "machine": _processor()}


# What is shown ----------------------------------------------------------------------------------

COLUMNS = ("case", "n", "d", "picks", "library", "s", "ratio", "MiB", "floor s", "x floor", "work")


def rows(results):
    """Lines of the table for one run: skactive first, then how many times longer each took."""
    ours = results[0].seconds
    for r in results:
        ratio = r.seconds / ours if r.seconds and ours else None
        above = r.seconds / r.floor if r.seconds and r.floor else None
        gap = f" {r.gap:+.1e}" if r.gap else ""
        yield (
            r.case,
            f"{r.n:.0e}".replace("e+0", "e"),
            str(r.d),
            str(r.k),
            r.library.rstrip("_"),
            *map(_short, (r.seconds, ratio, r.mib, r.floor, above)),
            r.error[:60] or r.verdict + gap,
        )


def _short(value):
    return "-" if value is None else f"{value:.0f}" if value >= 100 else f"{value:.2g}"


def show(cells):
    print("| " + " | ".join(cells) + " |", flush=True)


def slope(results):
    """Exponent of the growth of time with n, None where there are less than two sizes."""
    n, seconds = np.log([(r.n, r.seconds) for r in results]).T
    return None if len(np.unique(n)) < 2 else float(np.polyfit(n, seconds, 1)[0])


def plot(results, path):
    """Draw time against n on log axes, a panel for each case of several sizes."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    done = [r for r in results if r.seconds]
    sizes = {}
    for r in done:
        sizes.setdefault((r.case, r.d, r.k), set()).add(r.n)
    panels = [panel for panel, found in sizes.items() if len(found) > 1]
    if not panels:
        raise SystemExit("nothing to draw: each case was run at one size only")
    others = list(dict.fromkeys(r.library for r in done if r.library != OURS))
    colors = {library: f"C{i}" for i, library in enumerate(others)} | {OURS: "k"}
    n_columns = min(4, len(panels))
    n_rows = -(-len(panels) // n_columns)
    size = (3.6 * n_columns, 3 * n_rows)
    figure, axes = plt.subplots(
        n_rows, n_columns, figsize=size, squeeze=False, layout="constrained"
    )
    for ax, panel in zip(axes.flat, panels, strict=False):
        here = [r for r in done if (r.case, r.d, r.k) == panel]
        _draw(ax, here, colors)
        ax.set(title="{}, d={}, {} picks".format(*panel), xlabel="rows", ylabel="seconds")
        ax.set(xscale="log", yscale="log")
        ax.legend(fontsize="x-small")
    for ax in axes.flat[len(panels) :]:
        ax.remove()
    figure.savefig(path)


def _draw(ax, results, colors):
    for library in dict.fromkeys(r.library for r in results):
        line = sorted((r for r in results if r.library == library), key=lambda r: r.n)
        growth = slope(line) if library == OURS else None
        name = library.rstrip("_")
        label = name if growth is None else f"{name} (slope {growth:.2f})"
        rows, seconds = [r.n for r in line], [r.seconds for r in line]
        ax.plot(rows, seconds, "o-", color=colors[library], label=label, ms=3)
    floors = sorted({(r.n, r.floor) for r in results if r.floor})
    if floors:
        ax.plot(*zip(*floors, strict=True), "k:", label="plain floor")


# The command ------------------------------------------------------------------------------------


def _numbers(text):
    return [int(float(part)) for part in text.split(",")]


def _options():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--cases", type=lambda text: text.split(","), default=list(CASES))
    parser.add_argument("--sizes", type=_numbers, help="numbers of rows, as 1e4,1e5")
    parser.add_argument("--picks", type=_numbers, help="only runs of these numbers of picks")
    parser.add_argument("--dims", type=_numbers, help="only runs of these numbers of dimensions")
    parser.add_argument(
        "--quick",
        action="store_true",
        help="small sizes and one rival, two processes at once: to see that it runs",
    )
    parser.add_argument("--rivals", type=lambda text: text.split(","), help="only these rivals")
    parser.add_argument("--rivals-python", default=sys.executable, help="interpreter with rivals")
    parser.add_argument("--threads", type=int, help="BLAS and OpenMP threads; default: all")
    parser.add_argument("--timeout", type=float, default=300, help="seconds for one process")
    parser.add_argument("--json", type=Path, help="file for the results")
    parser.add_argument("--plot", type=Path, help="file for the drawing")
    options = parser.parse_args()
    if unknown := set(options.cases) - set(CASES):
        parser.error(f"no such case: {sorted(unknown)}; there are {', '.join(CASES)}")
    return options


def planned(case, options):
    """The runs of a case that were asked for."""
    runs = list(CASES[case].runs)
    if options.quick:
        runs = [(CASES[case].quick, d, min(k, 20)) for _, d, k in runs[:1]]
    elif options.sizes:
        runs = [(n, d, k) for d, k in dict.fromkeys(run[1:] for run in runs) for n in options.sizes]
    wanted = (options.dims, options.picks)
    return [
        run
        for run in runs
        if all(w is None or v in w for w, v in zip(wanted, run[1:], strict=True))
    ]


def chosen(rivals, options):
    """The rivals that were asked for; a quick look takes one."""
    if options.rivals is not None:
        return [rival for rival in rivals if rival in options.rivals]
    return rivals[:1] if options.quick else rivals


def main():
    options = _options()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(options, Path(folder))
        rivals, found = importable(bench)
        bench.rates = json.loads(bench.call(OURS, "--probe").stdout)
        shown = {"rates": bench.rates, "versions": versions() | found}
        print(json.dumps(shown, indent=1))
        show(COLUMNS)
        show(["---"] * len(COLUMNS))
        results = []
        for case in options.cases:
            libraries = chosen(rivals[case], options)
            for run in planned(case, options):
                new = bench.compare(case, run, libraries)
                results += new
                for cells in rows(new):
                    show(cells)
                if options.json:  # after each run: a long bench may be stopped
                    everything = shown | {"results": [asdict(r) for r in results]}
                    options.json.write_text(json.dumps(everything, indent=1) + "\n")
    if options.plot:
        plot(results, options.plot)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["--worker", name, library, n, d, k, answer]:
            work(name, library, int(n), int(d), int(k), answer)
        case ["--try", library]:
            attempt(library)
        case ["--probe"]:
            probe()
        case _:
            main()
