"""Count the labels until the best of 1,024 rows is found, here and by scikit-optimize.

The functions are to be minimized. All contenders start from the same 10 rows, drawn at random in
each run. On the pool, scikit-optimize's Gaussian process and its expected improvement choose among
the same rows; in the box, its Optimizer proposes points of its own, and is done when it has seen a
value as low as that of the best row.
"""

from __future__ import annotations

import argparse
import time
import warnings

import numpy as np
from scipy.stats import qmc
from sklearn.exceptions import ConvergenceWarning
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel
from threadpoolctl import threadpool_limits

from skactive import ActiveLearner
from skactive.strategies import (
    ExpectedImprovement,
    ProbabilityOfImprovement,
    Random,
    ThompsonSampling,
    UpperConfidenceBound,
)

STRATEGIES = {
    "Random": Random(),
    "EI": ExpectedImprovement(maximize=False),
    "EI, xi=0.01": ExpectedImprovement(maximize=False, xi=0.01),  # as scikit-optimize's
    "PI": ProbabilityOfImprovement(maximize=False, xi=0.01),
    "UCB": UpperConfidenceBound(maximize=False),
    "Thompson": ThompsonSampling(maximize=False),
}
N_INITIAL = 10


def branin(U):
    """Return Branin's function on [-5, 10] x [0, 15], of rows in the unit square."""
    a, b = 15 * U[:, 0] - 5, 15 * U[:, 1]
    bowl = b - 5.1 / (4 * np.pi**2) * a**2 + 5 / np.pi * a - 6
    return bowl**2 + 10 * (1 - 1 / (8 * np.pi)) * np.cos(a) + 10


def goldstein_price(U):
    """Return Goldstein and Price's function on [-2, 2]^2, of rows in the unit square."""
    a, b = 4 * U.T - 2
    first = 19 - 14 * a + 3 * a**2 - 14 * b + 6 * a * b + 3 * b**2
    second = 18 - 32 * a + 12 * a**2 + 48 * b - 36 * a * b + 27 * b**2
    return (1 + (a + b + 1) ** 2 * first) * (30 + (2 * a - 3 * b) ** 2 * second)


def hartmann6(U):
    """Return Hartmann's function of six dimensions, of rows in the unit cube."""
    weights = np.array([1.0, 1.2, 3.0, 3.2])
    widths = np.array(
        [
            [10, 3, 17, 3.5, 1.7, 8],
            [0.05, 10, 17, 0.1, 8, 14],
            [3, 3.5, 1.7, 10, 17, 8],
            [17, 8, 0.05, 10, 0.1, 14],
        ]
    )
    centers = 1e-4 * np.array(
        [
            [1312, 1696, 5569, 124, 8283, 5886],
            [2329, 4135, 8307, 3736, 1004, 9991],
            [2348, 1451, 3522, 2883, 3047, 6650],
            [4047, 8828, 8732, 5743, 1091, 381],
        ]
    )
    squares = np.square(U[:, np.newaxis] - centers)  # (n_rows, 4, 6)
    return -np.exp(-(widths * squares).sum(axis=2)) @ weights


FUNCTIONS = {
    "Branin": (branin, 2),
    "Goldstein-Price": (goldstein_price, 2),
    "Hartmann-6": (hartmann6, 6),
}


def search(strategy, X, y, start, seed, limit):
    """Return the number of labels until the best row of the pool is among them."""
    # The kernel that scikit-optimize takes by default, noise included.
    kernel = ConstantKernel(1.0, (1e-2, 1e3)) * Matern(np.ones(X.shape[1]), (1e-2, 1e2), nu=2.5)
    model = GaussianProcessRegressor(
        kernel + WhiteKernel(), normalize_y=True, n_restarts_optimizer=2
    )
    learner = ActiveLearner(model, strategy, random_state=seed).fit(X[start], y[start])
    labeled = list(start)
    while y[labeled].min() > y.min() and len(labeled) < limit:
        pool = np.setdiff1d(np.arange(len(X)), labeled)
        labeled.append(pool[learner.query(X[pool])[0]])
        learner.teach(X[labeled[-1:]], y[labeled[-1:]])
    return len(labeled)


def draw(X, y, start, seed, limit):
    """Return the number of labels until the best row is drawn at random, without a model."""
    order = np.random.RandomState(seed).permutation(np.setdiff1d(np.arange(len(X)), start))
    found = np.flatnonzero(order == y.argmin())
    return len(start) + (int(found[0]) + 1 if len(found) else 0)


def search_by_skopt(X, y, start, seed, limit):
    """Return the number of labels that scikit-optimize's process and criterion need on the pool."""
    from skopt.acquisition import gaussian_ei
    from skopt.space import Space
    from skopt.utils import cook_estimator

    space, labeled = Space([(0.0, 1.0)] * X.shape[1]), list(start)
    while y[labeled].min() > y.min() and len(labeled) < limit:
        # As the Optimizer makes it.
        model = cook_estimator("GP", space=space, random_state=seed, noise="gaussian")
        model.fit(X[labeled], y[labeled])
        gains = gaussian_ei(X, model, y[labeled].min())
        gains[labeled] = -np.inf
        labeled.append(int(gains.argmax()))
    return len(labeled)


def optimize_by_skopt(X, y, start, seed, limit, function):
    """Return the number of labels that scikit-optimize's Optimizer needs in the box."""
    from skopt import Optimizer

    options = {"acq_func": "EI", "n_initial_points": 0, "random_state": seed}
    optimizer, values = Optimizer([(0.0, 1.0)] * X.shape[1], "GP", **options), y[start].tolist()
    optimizer.tell(X[start].tolist(), values)
    while min(values) > y.min() and len(values) < limit:
        point = optimizer.ask()
        values.append(float(function(np.array([point]))[0]))
        optimizer.tell(point, values[-1])
    return len(values)


def list_contenders(function, with_skopt):
    """Return the searches by name."""
    contenders = {
        name: lambda *task, strategy=strategy: search(strategy, *task)
        for name, strategy in STRATEGIES.items()
        if name != "Random"
    }
    contenders = {"Random": draw, **contenders}
    if with_skopt:
        contenders["scikit-optimize, pool"] = search_by_skopt
        contenders["scikit-optimize, box"] = lambda *task: optimize_by_skopt(*task, function)
    return contenders


def describe(counts, limit):
    """Return the median of counts of labels, the quartiles, how many reached the limit, and all."""
    low, median, high = np.percentile(counts, [25, 50, 75])
    return (
        f"{median:g} labels ({low:.0f} to {high:.0f}), {sum(counts >= limit)} of {limit} or more: "
        f"{' '.join(map(str, counts))}"
    )


def main(arguments=None):
    """Print the median number of labels, and the quartiles, by function and contender."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--limit", type=int, default=100, help="labels after which a search ends")
    parser.add_argument("--functions", nargs="*", default=list(FUNCTIONS), choices=FUNCTIONS)
    parser.add_argument("--contenders", nargs="*", help="names of contenders; all if left out")
    parser.add_argument("--with-skopt", action="store_true", help="needs scikit-optimize")
    options = parser.parse_args(arguments)
    began = time.process_time()
    with threadpool_limits(limits=1), warnings.catch_warnings():
        for category in (ConvergenceWarning, UserWarning, FutureWarning):
            warnings.simplefilter("ignore", category)
        for name in options.functions:
            function, n_dims = FUNCTIONS[name]
            X = qmc.Sobol(n_dims, seed=0).random(1024)
            y = function(X)
            for contender, count in list_contenders(function, options.with_skopt).items():
                if options.contenders and contender not in options.contenders:
                    continue
                counts = []
                for seed in range(options.runs):
                    start = np.random.RandomState(seed).permutation(len(X))[:N_INITIAL]
                    counts.append(count(X, y, start, seed, options.limit))
                print(
                    f"{name}: {contender} {describe(np.array(counts), options.limit)}", flush=True
                )
    print(f"{time.process_time() - began:.0f} s of CPU")


if __name__ == "__main__":
    main()
