"""Seconds and memory of one query by every strategy as the pool grows.

Each run is a fresh process. The data, the model and all that the strategy reads of it are made
before the clock, so what is timed is the strategy: ``strategy.select(view, 100)``, once. The peak
is what the process held above that. Pools are 10 overlapping Gaussian blobs, one a class, in
single precision; 200 further rows are labeled. Linear models serve most strategies, a forest of
few trees those that need draws from a posterior, ridge regression those that need numbers.

The slope is that of seconds against rows on log axes, from the first size to the last and from the
last but one to the last: 1 is linear. Where a strategy refuses a pool, its words stand below the
table. Linux only: peaks are read from /proc.
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
from pathlib import Path

import numpy as np

import skactive.strategies
from skactive import ActiveLearner
from skactive.exceptions import PoolTooLargeError
from skactive.strategies import (
    SEALS,
    AnchorAL,
    ClassBalanced,
    EpsilonGreedy,
    ExpectedErrorReduction,
    FacilityLocationMutualInformation,
    KCenterGreedy,
    KMeans,
    Margin,
    Mixture,
    Prefilter,
    Random,
    Strategy,
    Subsample,
)

N_CLASSES, N_DIMS, N_LABELED, BATCH = 10, 16, 200, 100
SIZES = (10**4, 10**5, 10**6)
# Centers at this multiple of the noise: classes overlap, so that there is something to doubt.
_SPREAD = 0.6


# What is asked ----------------------------------------------------------------------------------


def strategies():
    """Every public strategy of the package by its name, and some in other settings."""
    made = {kind.__name__: kind for kind in _kinds()}
    return dict(
        sorted((made | _composed() | _variants()).items(), key=lambda item: item[0].lower())
    )


def _kinds():
    for info in pkgutil.iter_modules(skactive.strategies.__path__):
        module = importlib.import_module(f"skactive.strategies.{info.name}")
        for _, kind in inspect.getmembers(module, inspect.isclass):
            public = not kind.__name__.startswith("_")
            if issubclass(kind, Strategy) and not inspect.isabstract(kind) and public:
                yield kind


def _composed():
    """Strategies that are made of others, and those that need to be told what is sought."""
    hedged = [("margin", Margin()), ("k-center", KCenterGreedy()), ("random", Random())]
    return {
        "AnchorAL": lambda: AnchorAL(Margin()),
        "ClassBalanced": lambda: ClassBalanced(Margin()),
        "EpsilonGreedy": lambda: EpsilonGreedy(Margin()),
        "FacilityLocationMutualInformation": lambda: FacilityLocationMutualInformation(
            blobs(20, seed=2)[0]
        ),
        "Mixture": lambda: Mixture(hedged),
        "Prefilter": lambda: Prefilter(Margin(), KMeans()),
        "SEALS": lambda: SEALS(Margin()),
        "Subsample": lambda: Subsample(KCenterGreedy()),
    }


def _variants():
    return {
        f"ExpectedErrorReduction({way})": lambda way=way: ExpectedErrorReduction(
            approximation=way, n_targets=100
        )
        for way in ("newton", "reweight")
    }


def blobs(n, *, seed):
    """Points of overlapping blobs, and which blob each is of."""
    centers = np.random.default_rng(0).standard_normal((N_CLASSES, N_DIMS), dtype=np.float32)
    rng = np.random.default_rng(seed)
    y = rng.integers(N_CLASSES, size=n)
    X = rng.standard_normal((n, N_DIMS), dtype=np.float32)
    X += _SPREAD * centers[y]
    return X, y


def model_for(strategy):
    """Return a model that can give what the strategy reads."""
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.linear_model import LogisticRegression, Ridge

    if "prediction" in strategy.needs:
        return Ridge()
    if _draws(strategy):
        return RandomForestClassifier(10, max_depth=6, random_state=0)
    return LogisticRegression(max_iter=1000)


def _draws(strategy):
    by_reweighting = getattr(strategy, "approximation", None) == "reweight"
    return bool(strategy.needs & {"proba_samples", "joint_samples"}) or by_reweighting


# One run, in a process of its own ---------------------------------------------------------------


def work(name, n):
    """Make a pool and read it, ask once, and print what it took or why it was refused."""
    import sklearn.cluster
    import sklearn.metrics
    import sklearn.neighbors  # noqa: F401, strategies import these late

    warnings.simplefilter("ignore")
    strategy = strategies()[name]()
    learner = ActiveLearner(model_for(strategy), strategy, random_state=0)
    view = learner.fit(*blobs(N_LABELED, seed=1))._make_view(blobs(n, seed=3)[0])
    for part in (view, view.labeled):
        _read(part, strategy)
    Path("/proc/self/clear_refs").write_text("5")  # the peak so far is forgotten
    before, began = _resident("VmRSS"), time.perf_counter()
    try:
        strategy.select(view, BATCH)
    except PoolTooLargeError as error:
        print(json.dumps({"refusal": str(error)}))
        return
    seconds = time.perf_counter() - began
    print(json.dumps({"seconds": seconds, "mib": _resident("VmHWM") - before}))


def _read(view, strategy):
    """Make the readings that the strategy may ask for; the view keeps them."""
    for need in strategy.needs:
        reading = need.split("|")[0]
        if reading in {"proba_samples", "joint_samples"} or _draws(strategy):
            view.proba_samples()
        if reading not in {"proba_samples", "joint_samples", "fantasize"}:
            getattr(view, reading)


def _resident(field):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field)) / 2**10


# All runs ---------------------------------------------------------------------------------------


@dataclass
class Result:
    """What one query took: seconds and MiB, or the words of a refusal, or those of an error."""

    strategy: str
    n: int
    seconds: float | None = None
    mib: float | None = None
    refusal: str = ""
    error: str = ""


def measure(name, n, options):
    """Run one query in a fresh process."""
    threads = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    command = [sys.executable, __file__, "--worker", name, str(n)]
    try:
        done = subprocess.run(
            command,
            env=os.environ | dict.fromkeys(threads, str(options.threads)),
            capture_output=True,
            text=True,
            timeout=options.timeout,
        )
    except subprocess.TimeoutExpired:
        return Result(name, n, error=f"over {options.timeout:.0f} s")
    if done.returncode:
        words = done.stderr.strip().splitlines() or [f"exit {done.returncode}"]
        return Result(name, n, error=words[-1])
    return Result(name, n, **json.loads(done.stdout.strip().splitlines()[-1]))


def grow(name, options):
    """Ask a strategy at each size, up to one that it refuses or does not end."""
    results = []
    for n in options.sizes:
        results.append(measure(name, n, options))
        if results[-1].seconds is None:
            break
    return results


def slope(first, last):
    """Exponent of the growth of seconds with rows from one result to another."""
    return float(np.log(last.seconds / first.seconds) / np.log(last.n / first.n))


# What is shown ----------------------------------------------------------------------------------


def header(sizes):
    names = [f"{n:.0e}".replace("e+0", "e") for n in sizes]
    slopes = [f"slope from {n:.0e}".replace("e+0", "e") for n in starts(sizes)]
    return ["strategy", *(f"s at {name}" for name in names), f"MiB at {names[-1]}", *slopes]


def starts(sizes):
    """Sizes from which slopes to the last one are shown."""
    before = sizes[:-1]
    return list(dict.fromkeys([*before[:1], *before[-1:]]))


def row(results, sizes):
    """Cells of one strategy; what it was not asked, or did not answer, is a dash."""
    times = [_cell(result) for result in results] + ["-"] * (len(sizes) - len(results))
    done = {result.n: result for result in results if result.seconds is not None}
    if (last := done.get(sizes[-1])) is None:
        return [results[0].strategy, *times, "-", *("-" for _ in starts(sizes))]
    slopes = [f"{slope(done[n], last):.2f}" for n in starts(sizes)]
    return [results[0].strategy, *times, f"{last.mib:.0f}", *slopes]


def _cell(result):
    if result.seconds is None:
        return "refused" if result.refusal else result.error[:60]
    return f"{result.seconds:.0f}" if result.seconds >= 100 else f"{result.seconds:.2g}"


def show(cells):
    print("| " + " | ".join(cells) + " |", flush=True)


# The command ------------------------------------------------------------------------------------


def _options():
    names = list(strategies())
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--strategies", type=lambda text: text.split(","), default=names)
    parser.add_argument("--sizes", type=_numbers, default=SIZES, help="rows, as 1e4,1e5")
    parser.add_argument("--threads", type=int, default=1, help="BLAS and OpenMP threads")
    parser.add_argument("--timeout", type=float, default=300, help="seconds for one process")
    parser.add_argument("--json", type=Path, help="file for the results")
    options = parser.parse_args()
    if unknown := set(options.strategies) - set(names):
        parser.error(f"no such strategy: {sorted(unknown)}; there are {', '.join(names)}")
    return options


def _numbers(text):
    return sorted(int(float(part)) for part in text.split(","))


def main():
    options = _options()
    cells = header(options.sizes)
    show(cells)
    show(["---"] * len(cells))
    results = []
    for name in options.strategies:
        new = grow(name, options)
        results += new
        show(row(new, options.sizes))
        if options.json:  # after each strategy: a long bench may be stopped
            options.json.write_text(json.dumps([asdict(r) for r in results], indent=1) + "\n")
    for result in results:
        if result.refusal:
            print(f"\n{result.strategy} refuses {result.n} rows: {result.refusal}")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["--worker", name, n]:
            work(name, int(n))
        case _:
            main()
