"""Compare strategies of regression with Random on folders of sets, by the area under the RMSE.

Each set is a file NAME.npz with `X` and `y`. With each seed every strategy has the same pool (at
most 1,000 rows), the same test rows (30 %, at most 1,000) and the same initial labels. The area is
the mean RMSE over the rounds; a strategy beats Random on a set if its mean area over the seeds is
smaller, and clearly if the paired interval of 95 % says so.
"""

from __future__ import annotations

import argparse
import time
import warnings
from pathlib import Path

import numpy as np
from scipy.stats import t as student
from sklearn.base import clone
from sklearn.ensemble import BaggingRegressor, RandomForestRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel
from sklearn.linear_model import Ridge
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVR
from threadpoolctl import threadpool_limits

from skactive import ActiveLearner, SimulatedLearner
from skactive.exceptions import SkactiveWarning
from skactive.selectors import PowerTop
from skactive.strategies import (
    IGS,
    LCMD,
    Auto,
    ExpectedModelChangeRegression,
    GSx,
    GSy,
    PredictiveStd,
    Random,
)

STRATEGIES = {
    "Random": Random(),
    "GSx": GSx(),
    "GSy": GSy(),
    "IGS": IGS(),
    "LCMD": LCMD(),
    "EMCM": ExpectedModelChangeRegression(),
    "EMCM, drawn": ExpectedModelChangeRegression(selector=PowerTop()),
    "PredictiveStd": PredictiveStd(),
    "PredictiveStd, drawn": PredictiveStd(selector=PowerTop()),
    "Auto": Auto(),
}
KERNEL = ConstantKernel() * RBF(2.0) + WhiteKernel(0.1)
MODELS = {
    "ridge": BaggingRegressor(Ridge(1.0), 10),
    "svr": BaggingRegressor(SVR(C=10.0), 10),
    "forest": RandomForestRegressor(50),
    "process": GaussianProcessRegressor(KERNEL, normalize_y=True),
}
MAX_ROWS = 1000
KERNEL_ROWS = 300


def split(path, seed):
    """Return the pool, the test rows and their targets, all drawn by the seed."""
    with np.load(path) as data:
        X, y = data["X"], data["y"]
    # In units of the set's own deviation, so that areas of several sets can be compared.
    y = (y - y.mean()) / y.std()
    parts = train_test_split(X, y, test_size=0.3, random_state=seed)
    return [part[:MAX_ROWS] for part in parts]


def fix_kernel(model, X, y):
    """Return the model with the kernel that many labeled rows of the pool give it, for good."""
    fitted = clone(model).fit(StandardScaler().fit_transform(X[:KERNEL_ROWS]), y[:KERNEL_ROWS])
    return clone(model).set_params(kernel=fitted.kernel_, optimizer=None)


def measure_area(model, strategy, parts, seed, options):
    """Return the mean RMSE over the rounds of one campaign."""
    X_pool, X_test, y_pool, y_test = parts
    if options.fix_kernel:
        model = fix_kernel(model, X_pool, y_pool)
    simulation = SimulatedLearner(
        ActiveLearner(make_pipeline(StandardScaler(), model), strategy, random_state=seed),
        budget=options.budget,
        batch_size=options.batch_size,
        n_initial=options.n_initial,
        random_state=seed,
    ).fit(X_pool, y_pool)
    return -np.mean(list(simulation.staged_score(X_test, y_test, "neg_root_mean_squared_error")))


def compare(areas):
    """Return the mean share of Random's area that a strategy saves, and the half-width of 95 %."""
    gains = 100 * (1 - areas / areas[0])  # (n_strategies, n_seeds)
    error = gains.std(axis=1, ddof=1) / np.sqrt(gains.shape[1])
    return gains.mean(axis=1), student.ppf(0.975, gains.shape[1] - 1) * error


def report_wins(name, names, gains, widths):
    """Print on how many sets each strategy beats Random."""
    for place, strategy in enumerate(names[1:], start=1):
        wins, clear = (gains[:, place] > 0).sum(), (gains[:, place] > widths[:, place]).sum()
        losses = (gains[:, place] < -widths[:, place]).sum()
        print(
            f"{name}: {strategy} beats Random on {wins} of {len(gains)} sets, clearly on {clear}, "
            f"and clearly loses on {losses}; mean {gains[:, place].mean():.1f} %",
            flush=True,
        )


def main(arguments=None):
    """Print, for each model and set, how much less area than Random each strategy has."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="folder of NAME.npz")
    parser.add_argument("--sets", nargs="*", help="names of sets; all if left out")
    parser.add_argument(
        "--fix-kernel",
        action="store_true",
        help="give the process the kernel of 300 labeled rows of the pool, and never fit it again",
    )
    parser.add_argument("--models", nargs="*", default=list(MODELS), choices=MODELS)
    parser.add_argument("--strategies", nargs="*", default=list(STRATEGIES)[1:])
    parser.add_argument("--budget", type=int, default=100)
    parser.add_argument("--batch-size", type=int, default=10)
    parser.add_argument("--n-initial", type=int, default=20)
    parser.add_argument("--seeds", type=int, default=20)
    options = parser.parse_args(arguments)
    if options.fix_kernel and options.models != ["process"]:
        parser.error("--fix-kernel is for the process alone: add --models process")
    names = ["Random", *options.strategies]
    began = time.process_time()
    with threadpool_limits(limits=1), warnings.catch_warnings():
        warnings.simplefilter("ignore", SkactiveWarning)
        warnings.simplefilter("ignore", ConvergenceWarning)
        for model in options.models:
            print(f"| {model} | {' | '.join(names[1:])} |\n{'|---' * len(names)}|")
            results = []
            for path in sorted(options.folder.glob("*.npz")):
                if options.sets and path.stem not in options.sets:
                    continue
                splits = [split(path, seed) for seed in range(options.seeds)]
                areas = [
                    [
                        measure_area(MODELS[model], STRATEGIES[name], parts, seed, options)
                        for seed, parts in enumerate(splits)
                    ]
                    for name in names
                ]
                results.append(compare(np.array(areas)))
                cells = [f"{g:+.1f} ± {w:.1f}" for g, w in zip(*results[-1], strict=True)]
                print(f"| {path.stem} | {' | '.join(cells[1:])} |", flush=True)
            report_wins(model, names, *np.array(results).transpose(1, 0, 2))
    print(f"{time.process_time() - began:.0f} s of CPU")


if __name__ == "__main__":
    main()
