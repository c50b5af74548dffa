"""``skactive demo``: what active learning saves, on digits or on the user's own table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from threadpoolctl import threadpool_limits

from skactive._learner import ActiveLearner
from skactive._utils.progress import progress
from skactive.cli._errors import CommandError
from skactive.cli._models import (
    ESTIMATORS,
    check_serves,
    few_rows,
    has_torch,
    make_estimator,
    make_strategy,
    serves,
)
from skactive.cli._tables import read_table
from skactive.display import LabelCurve, LabelCurveDisplay
from skactive.metrics import labels_to_reach
from skactive.simulation._learner import SimulatedLearner

__all__ = ["ESTIMATORS", "CommandError", "DemoSettings", "run_demo"]

FAMILIES = ("Auto", "Margin", "BALD", "VoteEntropy", "KCenterGreedy", "BADGE")  # default, families


@dataclass(frozen=True)
class DemoSettings:
    """What the command line asks for."""

    data: Path | None = None
    target: str | None = None
    strategies: tuple[str, ...] | None = None
    estimator: str | None = None
    budget: int = 220
    batch_size: int = 20
    n_initial: int = 20
    n_seeds: int = 3
    output: Path = Path("learning_curves.png")


# Data -------------------------------------------------------------------------------------------


def _load(settings: DemoSettings) -> tuple[NDArray[np.float64], NDArray[np.intp], str]:
    """Return rows, labels encoded as 0 .. n_classes - 1, and what they are."""
    if settings.data is None:
        X, y = load_digits(return_X_y=True)
        return X, y, "scikit-learn's digits (8 x 8 images)"
    X, y, _ = read_table(settings.data, settings.target)
    return X, y, f"{settings.data.name} (target {settings.target or 'y'})"


# Model and strategies ---------------------------------------------------------------------------


def _estimator(settings: DemoSettings, X: Any, y: Any) -> tuple[str, Any]:
    name = settings.estimator or ("mlp" if has_torch() else "logistic")
    return name, make_estimator(name, X, y)


def _strategies(settings: DemoSettings, fitted: Any) -> dict[str, Any]:
    """Return the strategies asked for, or one of each family that the model can serve."""
    if settings.strategies is None:
        chosen = {name: make_strategy(name) for name in ("Random", *FAMILIES)}
        return {name: strategy for name, strategy in chosen.items() if serves(fitted, strategy)}
    chosen = {name: make_strategy(name) for name in settings.strategies}
    for name, strategy in chosen.items():
        check_serves(name, strategy, fitted)
    return chosen


# The run ----------------------------------------------------------------------------------------


def run_demo(settings: DemoSettings, say: Callable[[str], None] = print) -> dict[str, LabelCurve]:
    """Play strategies against each other from the same start sets, and tell what came out.

    Parameters
    ----------
    settings : DemoSettings
        Data, model, strategies and sizes.
    say : callable, default=print
        Takes each line of the report.

    Returns
    -------
    dict of str to LabelCurve
        Accuracy on test rows against labels, by strategy.

    Raises
    ------
    CommandError
        If the data or the model do not allow it.
    """
    X, y, title = _load(settings)
    name, model = _estimator(settings, X, y)
    picture = _Picture(settings.output)
    with threadpool_limits(limits=1):  # fits and predictions this small lose time to threads
        chosen = _strategies(settings, clone(model).fit(*few_rows(X, y)))
        splits = [_split(X, y, seed) for seed in range(settings.n_seeds)]
        n_train = len(splits[0][0])
        budget, start = min(settings.budget, n_train), min(settings.n_initial, n_train)
        n_rounds = 1 + -(-(budget - start) // settings.batch_size)
        say(f"{title}: {len(X)} rows, {X.shape[1]} features, {y.max() + 1} classes")
        say(
            f"model {name}; {start} labels to start with, {settings.batch_size} a round up to "
            f"{budget}: {n_rounds} rounds; mean of {settings.n_seeds} seeds"
        )
        curves = _play(settings, splits, model, chosen)
    _report(curves, say)
    picture.draw(curves, title, say)
    return curves


def _play(
    settings: DemoSettings, splits: list[Any], model: Any, chosen: dict[str, Any]
) -> dict[str, LabelCurve]:
    runs: dict[str, list[tuple[Any, Any]]] = {name: [] for name in chosen}
    with progress(len(chosen) * len(splits), "simulating", shown=True) as advance:
        for seed, (X_train, X_test, y_train, y_test) in enumerate(splits):
            for name, strategy in chosen.items():
                classes = np.unique(np.concatenate([y_train, y_test]))
                learner = ActiveLearner(model, strategy, classes=classes, random_state=seed)
                simulation = SimulatedLearner(
                    learner,
                    budget=settings.budget,
                    batch_size=settings.batch_size,
                    n_initial=settings.n_initial,
                    random_state=seed,  # the same start for every strategy
                )
                try:
                    simulation.fit(X_train, y_train)
                except ValueError as error:
                    raise CommandError(f"{name} cannot be played: {_line(error)}") from error
                scores = list(simulation.staged_score(X_test, y_test))
                runs[name].append((simulation.n_labels_, scores))
                advance(f"{name} {scores[-1]:.1%}")
    return {name: LabelCurve.from_runs(many) for name, many in runs.items()}


def _split(X: Any, y: Any, seed: int) -> list[Any]:
    stratify = y if np.bincount(y).min() > 1 else None
    try:
        return train_test_split(X, y, test_size=0.3, stratify=stratify, random_state=seed)
    except ValueError as error:
        raise CommandError(f"{len(X)} rows are too few to learn and to test on") from error


def _line(error: Exception) -> str:
    return str(error).splitlines()[0]


def _report(curves: dict[str, LabelCurve], say: Callable[[str], None]) -> None:
    """Tell the accuracies as a table, and what was saved as a sentence."""
    width = max(9, *(len(name) for name in curves))
    grid = next(iter(curves.values())).n_labels
    say("")
    say("accuracy on test rows, in %")
    say("labels  " + "  ".join(name.rjust(width) for name in curves))
    for i in _thinned(len(grid)):
        cells = (f"{100 * curve.mean[i]:.1f}".rjust(width) for curve in curves.values())
        say(f"{grid[i]:6.0f}  " + "  ".join(cells))
    say("")
    target, needed = _needed(curves)
    if "Random" in curves:
        cells = ("-" if np.isinf(n) else f"{n:.0f}" for n in needed.values())
        say(f"labels to reach {target:.0%}, as random labeling does in the end:")
        say("        " + "  ".join(cell.rjust(width) for cell in cells))
        say("")
    say(_sentence(curves))


def _thinned(n: int, most: int = 12) -> Sequence[int]:
    return sorted(set(np.linspace(0, n - 1, min(n, most)).round().astype(int).tolist()))


def _needed(curves: dict[str, LabelCurve]) -> tuple[float, dict[str, float]]:
    """Return the whole percent that random labeling reaches, and the labels each needs for it."""
    reference = curves.get("Random", next(iter(curves.values())))
    slack = 1e-9  # means carry rounding
    target = np.floor(100 * reference.mean[-1] + slack) / 100
    return target, {
        name: labels_to_reach(curve.n_labels, curve.mean, target - slack)
        for name, curve in curves.items()
    }


def _sentence(curves: dict[str, LabelCurve]) -> str:
    """Say how many labels the best strategy needs to reach what Random reaches at the end."""
    if "Random" not in curves or len(curves) < 2:
        best = max(curves, key=lambda name: curves[name].mean[-1])
        return f"{best} ends at {curves[best].mean[-1]:.1%}."
    target, needed = _needed(curves)
    random = needed.pop("Random")
    best = min(needed, key=lambda name: needed[name])
    if needed[best] >= random:
        return (
            f"No strategy reached {target:.0%} with fewer labels than random labeling, which "
            f"needed {random:.0f}."
        )
    return (
        f"{best} reached {target:.0%} with {needed[best]:.0f} labels; random labeling needed "
        f"{random:.0f}: {1 - needed[best] / random:.0%} fewer."
    )


class _Picture:
    """The picture of the curves: where it goes is checked before the work, not after."""

    def __init__(self, output: Path) -> None:
        self.output = output if output.suffix else output.with_suffix(".png")
        kinds = ("pdf", "png", "svg")
        if self.output.suffix.lower().removeprefix(".") not in kinds:
            raise CommandError(f"a picture can be drawn as {', '.join(kinds)}, not {output.name}")
        if output.is_dir() or self.output.is_dir():
            raise CommandError(f"the picture needs a file name, but {output} is a folder")
        if not self.output.absolute().parent.is_dir():
            raise CommandError(f"there is no folder {self.output.parent} to draw the picture in")

    def draw(self, curves: dict[str, LabelCurve], title: str, say: Callable[[str], None]) -> None:
        """Draw the curves, where matplotlib is installed."""
        if find_spec("matplotlib") is None:
            say('No picture: matplotlib is not installed (pip install "skactive[viz]").')
            return
        from matplotlib.figure import Figure

        figure = Figure(figsize=(7, 4.5), layout="constrained")
        display = LabelCurveDisplay(curves, score_name="accuracy").plot(ax=figure.add_subplot())
        display.ax_.set_title(title)
        try:
            figure.savefig(self.output, dpi=150)
        except OSError as error:
            raise CommandError(f"the picture cannot be written: {error}") from error
        say(f"Learning curves: {self.output}")
