"""Measure seconds and memory of one query by every strategy as the pool grows.

Each run is a new process. The data, the model and all readings that the strategy needs are made
before the clock starts, so only the strategy is timed: ``strategy.select(view, 100)``, once. The
peak is the memory of the process above what it held before. Pools are 10 overlapping Gaussian
blobs, one per class, in single precision; 200 further rows are labeled. The model is linear for
most strategies, a forest of few trees for those that need posterior draws, and ridge regression for
those that need predictions of a regressor.

With `--rows sparse`, rows are TF-IDF-like, of 50,000 columns and some 40 words each, and the first
line is the plain product of the pool with the labeled rows, `(pool @ labeled.T).toarray()`.

The slope is that of seconds against rows on log axes, from the first size to the last and from the
last but one to the last: 1 is linear. If a strategy refuses a pool, its message is printed below
the table. Linux only: peaks are read from /proc.
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import json
import os
import pkgutil
import subprocess
import sys
import time
import warnings
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np
from scipy import sparse
from scipy.special import softmax

import skactive.strategies
from skactive import ActiveLearner
from skactive.exceptions import PoolTooLargeError
from skactive.strategies import (
    SEALS,
    AnchorAL,
    ClassBalanced,
    ColdStart,
    EpsilonGreedy,
    ExpectedErrorReduction,
    FacilityLocationMutualInformation,
    KCenterGreedy,
    KMeans,
    Margin,
    Mixture,
    OpenSet,
    PerGroup,
    Prefilter,
    Random,
    Strategy,
    Subsample,
    WithoutDuplicates,
)

N_CLASSES, N_DIMS, N_LABELED, BATCH = 10, 16, 200, 100
SIZES = (10**4, 10**5, 10**6)
SIZES_BY_ROWS = {"dense": SIZES, "sparse": (2000, 2 * 10**4, 2 * 10**5)}
N_COLUMNS, N_WORDS = 50_000, 60  # of sparse rows; a word that is drawn twice counts once
PLAIN_PRODUCT = "plain product"
# Spread of the centers, in standard deviations of a blob. Why below 1: the classes overlap, so
# some predictions are uncertain.
_CENTER_SPREAD = 0.6


# Strategies, data and models --------------------------------------------------------------------


def make_strategies(rows="dense"):
    """Return a factory of every public strategy by its name, and of some in other settings."""
    factories = {kind.__name__: kind for kind in _iterate_classes()}
    factories |= _make_composites(rows) | _make_variants()
    return dict(sorted(factories.items(), key=lambda item: item[0].lower()))


def _iterate_classes():
    for info in pkgutil.iter_modules(skactive.strategies.__path__):
        module = importlib.import_module(f"skactive.strategies.{info.name}")
        for _, kind in inspect.getmembers(module, inspect.isclass):
            public = not kind.__name__.startswith("_")
            if issubclass(kind, Strategy) and not inspect.isabstract(kind) and public:
                yield kind


def _make_composites(rows):
    """Return factories of strategies made of others, and of those that need a target."""
    parts = [("margin", Margin()), ("k-center", KCenterGreedy()), ("random", Random())]
    return {
        "AnchorAL": lambda: AnchorAL(Margin()),
        "ClassBalanced": lambda: ClassBalanced(Margin()),
        "ColdStart": lambda: ColdStart(_guess, Margin(), n_labels=1000),
        "EpsilonGreedy": lambda: EpsilonGreedy(Margin()),
        "FacilityLocationMutualInformation": lambda: FacilityLocationMutualInformation(
            MAKE_ROWS[rows](20, seed=2)[0]
        ),
        "Mixture": lambda: Mixture(parts),
        "OpenSet": lambda: OpenSet(Margin(), unknown=0),
        "PerGroup": lambda: PerGroup(Margin(), lambda X: np.arange(X.shape[0]) // 100),
        "Prefilter": lambda: Prefilter(Margin(), KMeans()),
        "SEALS": lambda: SEALS(Margin()),
        "Subsample": lambda: Subsample(KCenterGreedy()),
        "WithoutDuplicates": lambda: WithoutDuplicates(Margin(), threshold=1.0),
    }


def _guess(X):
    """Return zero-shot probabilities that know a little: a softmax of some columns."""
    columns = X[:, :N_CLASSES]
    return softmax(columns.toarray() if sparse.issparse(columns) else columns, axis=1)


def _make_variants():
    return {
        f"ExpectedErrorReduction({name})": lambda name=name: ExpectedErrorReduction(
            approximation=name, n_targets=100
        )
        for name in ("newton", "reweight")
    }


def make_blobs(n, *, seed):
    """Return points of overlapping blobs, and the blob of each point."""
    centers = np.random.default_rng(0).standard_normal((N_CLASSES, N_DIMS), dtype=np.float32)
    rng = np.random.default_rng(seed)
    y = rng.integers(N_CLASSES, size=n)
    X = rng.standard_normal((n, N_DIMS), dtype=np.float32)
    X += _CENTER_SPREAD * centers[y]
    return X, y


def make_texts(n, *, seed):
    """Return TF-IDF-like rows, most of whose words are common, and a class for each."""
    rng = np.random.default_rng(seed)
    words = np.minimum((rng.pareto(1.0, (n, N_WORDS)) * 20).astype(np.int32), N_COLUMNS - 1)
    weights, starts = rng.random(words.size, dtype=np.float32), np.arange(n + 1) * N_WORDS
    X = sparse.csr_matrix((weights, words.ravel(), starts), shape=(n, N_COLUMNS))
    X.sum_duplicates()
    return X, words[:, :5].sum(axis=1) % N_CLASSES


MAKE_ROWS = {"dense": make_blobs, "sparse": make_texts}


def make_model(strategy):
    """Return a model that provides what the strategy needs."""
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.linear_model import LogisticRegression, Ridge

    if "prediction" in strategy.needs:
        return Ridge()
    if _needs_draws(strategy):
        return RandomForestClassifier(10, max_depth=6, random_state=0)
    return LogisticRegression(max_iter=1000)


def _needs_draws(strategy):
    is_reweighting = getattr(strategy, "approximation", None) == "reweight"
    return bool(strategy.needs & {"proba_samples", "joint_samples"}) or is_reweighting


# One run, in its own process --------------------------------------------------------------------


def run_query(rows, name, n):
    """Make a pool and its readings, query once, and print the cost or the refusal as JSON."""
    import sklearn.cluster
    import sklearn.metrics
    import sklearn.neighbors  # noqa: F401, why: strategies import these late

    warnings.simplefilter("ignore")
    make = _prepare_product if name == PLAIN_PRODUCT else partial(_prepare_query, name)
    query = make(rows, MAKE_ROWS[rows](N_LABELED, seed=1), MAKE_ROWS[rows](n, seed=3)[0])
    Path("/proc/self/clear_refs").write_text("5")  # resets the peak
    before, began = _read_memory("VmRSS"), time.perf_counter()
    try:
        query()
    except PoolTooLargeError as error:
        print(json.dumps({"refusal": str(error)}))
        return
    seconds = time.perf_counter() - began
    print(json.dumps({"seconds": seconds, "mib": _read_memory("VmHWM") - before}))


def _prepare_query(name, rows, labeled, X):
    strategy = make_strategies(rows)[name]()
    learner = ActiveLearner(make_model(strategy), strategy, random_state=0)
    view = learner.fit(*labeled)._make_view(X)
    for part in (view, view.labeled):
        _make_readings(part, strategy)
    return lambda: strategy.select(view, BATCH)


def _prepare_product(rows, labeled, X):
    return lambda: (X @ labeled[0].T).toarray()


def _make_readings(view, strategy):
    """Make the readings that the strategy needs; the view caches them."""
    for need in strategy.needs:
        reading = need.split("|")[0]
        if reading in {"proba_samples", "joint_samples"} or _needs_draws(strategy):
            view.proba_samples()
        if reading not in {"proba_samples", "joint_samples", "fantasize"}:
            getattr(view, reading)


def _read_memory(field):
    """Return a memory field of this process, in MiB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field)) / 2**10


# All runs ---------------------------------------------------------------------------------------


@dataclass
class Result:
    """Seconds and MiB of one query, or the message of a refusal or of an error."""

    strategy: str
    n: int
    seconds: float | None = None
    mib: float | None = None
    refusal: str = ""
    error: str = ""


def measure(name, n, options):
    """Run one query in a new process."""
    variables = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    command = [sys.executable, __file__, "--worker", options.rows, name, str(n)]
    try:
        process = subprocess.run(
            command,
            env=os.environ | dict.fromkeys(variables, str(options.threads)),
            capture_output=True,
            text=True,
            timeout=options.timeout,
        )
    except subprocess.TimeoutExpired:
        return Result(name, n, error=f"over {options.timeout:.0f} s")
    if process.returncode:
        lines = process.stderr.strip().splitlines() or [f"exit {process.returncode}"]
        return Result(name, n, error=lines[-1])
    return Result(name, n, **json.loads(process.stdout.strip().splitlines()[-1]))


def measure_growth(name, options):
    """Query a strategy at each size, up to the first that it refuses or does not finish."""
    results = []
    for n in options.sizes:
        results.append(measure(name, n, options))
        if results[-1].seconds is None:
            break
    return results


def compute_slope(first, last):
    """Return the exponent with which seconds grow with rows, from one result to another."""
    return float(np.log(last.seconds / first.seconds) / np.log(last.n / first.n))


# The table --------------------------------------------------------------------------------------


def make_header(sizes):
    names = [f"{n:.0e}".replace("e+0", "e") for n in sizes]
    slopes = [f"slope from {n:.0e}".replace("e+0", "e") for n in get_slope_starts(sizes)]
    return ["strategy", *(f"s at {name}" for name in names), f"MiB at {names[-1]}", *slopes]


def get_slope_starts(sizes):
    """Return the sizes from which slopes to the last size are shown."""
    smaller = sizes[:-1]
    return list(dict.fromkeys([*smaller[:1], *smaller[-1:]]))


def make_row(results, sizes):
    """Return the cells of one strategy; sizes without an answer are dashes."""
    times = [_format_cell(result) for result in results] + ["-"] * (len(sizes) - len(results))
    by_size = {result.n: result for result in results if result.seconds is not None}
    if (last := by_size.get(sizes[-1])) is None:
        return [results[0].strategy, *times, "-", *("-" for _ in get_slope_starts(sizes))]
    slopes = [f"{compute_slope(by_size[n], last):.2f}" for n in get_slope_starts(sizes)]
    return [results[0].strategy, *times, f"{last.mib:.0f}", *slopes]


def _format_cell(result):
    if result.seconds is None:
        return "refused" if result.refusal else result.error[:60]
    return f"{result.seconds:.0f}" if result.seconds >= 100 else f"{result.seconds:.2g}"


def print_row(cells):
    print("| " + " | ".join(cells) + " |", flush=True)


# The command ------------------------------------------------------------------------------------


def _parse_options():
    names = list(make_strategies())
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--strategies", type=lambda text: text.split(","), default=names)
    parser.add_argument("--rows", choices=list(SIZES_BY_ROWS), default="dense", help="kind of rows")
    parser.add_argument("--sizes", type=_parse_sizes, help="rows, as 1e4,1e5")
    parser.add_argument("--threads", type=int, default=1, help="BLAS and OpenMP threads")
    parser.add_argument("--timeout", type=float, default=300, help="seconds per process")
    parser.add_argument("--json", type=Path, help="file for the results")
    options = parser.parse_args()
    options.sizes = options.sizes or SIZES_BY_ROWS[options.rows]
    if unknown := set(options.strategies) - set(names):
        parser.error(f"unknown strategies {sorted(unknown)}; expected some of {', '.join(names)}")
    return options


def _parse_sizes(text):
    return sorted(int(float(part)) for part in text.split(","))


def main():
    options = _parse_options()
    header = make_header(options.sizes)
    print_row(header)
    print_row(["---"] * len(header))
    results = []
    plain = [PLAIN_PRODUCT] if options.rows == "sparse" else []
    for name in plain + options.strategies:
        new_results = measure_growth(name, options)
        results += new_results
        print_row(make_row(new_results, options.sizes))
        if options.json:  # why here: a long run may be interrupted
            options.json.write_text(json.dumps([asdict(r) for r in results], indent=1) + "\n")
    for result in results:
        if result.refusal:
            print(f"\n{result.strategy} refuses {result.n} rows: {result.refusal}")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["--worker", rows, name, n]:
            run_query(rows, name, int(n))
        case _:
            main()
