"""``skactive demo``: labels that active learning saves, on digits or on one's own table."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from threadpoolctl import threadpool_limits

from skactive._utils.files import write_atomically
from skactive._utils.text import pluralize
from skactive.cli._errors import CommandError
from skactive.cli._output import print_line
from skactive.cli._paths import check_output
from skactive.cli.commands._compare import choose_strategies, fit_few, play
from skactive.cli.commands._tables import read_table
from skactive.cli.learners._models import few_rows, has_torch, make_estimator
from skactive.display import LabelCurve, LabelCurveDisplay
from skactive.metrics import labels_to_reach

__all__ = ["DemoSettings", "play_demo"]

# the baseline, the default, and one of each family
_DEMO_STRATEGIES = ("Random", "Auto", "Margin", "BALD", "VoteEntropy", "KCenterGreedy", "BADGE")
_DEMO_TEST_SIZE = 0.3
_MAX_TABLE_ROWS = 12


@dataclass(frozen=True)
class DemoSettings:
    """Settings from the command line."""

    data: Path | None = None
    target: str | None = None
    strategies: tuple[str, ...] | None = None
    estimator: str | None = None
    budget: int = 220
    batch_size: int = 20
    n_initial: int = 20
    n_seeds: int = 3
    output: Path = Path("learning_curves.png")


# The run ----------------------------------------------------------------------------------------


def play_demo(
    settings: DemoSettings, say: Callable[[str], None] = print_line
) -> dict[str, LabelCurve]:
    """Compare strategies in a few repeats, and print the result as a table and a sentence.

    Parameters
    ----------
    settings : DemoSettings
        Data, model, strategies and sizes.
    say : callable, default=print_line
        Receives each line of the report.

    Returns
    -------
    dict of str to LabelCurve
        Accuracy on test rows against labels, by strategy.

    Raises
    ------
    CommandError
        If the data or the model are unusable.
    """
    X, y, title = _load_data(settings)
    name = settings.estimator or ("mlp" if has_torch() else "logistic")
    model = make_estimator(name, X, y)
    output = check_output(settings.output, (".png", ".pdf", ".svg"), "picture")
    n_train = _count_training_rows(y)
    chosen = _choose_strategies(settings, name, model, X, y)
    say(f"{title}: {len(X)} rows, {X.shape[1]} features, {y.max() + 1} classes")
    say(_describe_campaign(settings, name, n_train))
    comparison, _ = play(
        {name: model},
        chosen,
        X,
        y,
        test_size=_DEMO_TEST_SIZE,
        budget=settings.budget,
        batch_size=settings.batch_size,
        n_initial=settings.n_initial,
        n_repeats=settings.n_seeds,
        random_state=0,
    )
    curves = {name: LabelCurve(*curve) for name, curve in comparison.curves().items()}
    _print_report(curves, say)
    _draw_picture(curves, title, output, say)
    return curves


def _load_data(settings: DemoSettings) -> tuple[NDArray[np.float64], NDArray[np.intp], str]:
    """Return rows, labels encoded as 0 .. n_classes - 1, and a title."""
    if settings.data is None:
        X, y = load_digits(return_X_y=True)
        return X, y, "scikit-learn's digits (8 x 8 images)"
    table = read_table(settings.data, settings.target)
    return table.X, table.y, f"{settings.data.name} (target {settings.target or 'y'})"


def _count_training_rows(y: NDArray[np.intp]) -> int:
    """Return the number of rows to learn from; raise an error if the table is too small."""
    n_test = int(np.ceil(_DEMO_TEST_SIZE * len(y)))
    n_train = len(y) - n_test
    if min(n_train, n_test) <= y.max():  # a class more than rows
        raise CommandError(f"{len(y)} rows are too few to train and to test on")
    return n_train


def _choose_strategies(
    settings: DemoSettings, name: str, model: Any, X: Any, y: Any
) -> dict[str, Any]:
    """Make the strategies asked for, or the default ones that the model can serve."""
    with threadpool_limits(limits=1), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # models of so few rows are poor
        fitted = {name: fit_few(name, model, *few_rows(X, y))}
        return choose_strategies(settings.strategies, _DEMO_STRATEGIES, fitted)


def _describe_campaign(settings: DemoSettings, name: str, n_train: int) -> str:
    budget, start = min(settings.budget, n_train), min(settings.n_initial, n_train)
    n_rounds = 1 + -(-(budget - start) // settings.batch_size)
    return (
        f"model {name}; {start} initial labels, {settings.batch_size} per round up to "
        f"{budget}: {pluralize(n_rounds, 'round')}; mean of {pluralize(settings.n_seeds, 'seed')}"
    )


# The report -------------------------------------------------------------------------------------


def _print_report(curves: dict[str, LabelCurve], say: Callable[[str], None]) -> None:
    """Print the accuracies as a table, and the labels saved as a sentence."""
    width = max(9, *(len(name) for name in curves))
    counts = next(iter(curves.values())).n_labels
    n_rows = min(len(counts), _MAX_TABLE_ROWS)
    say("")
    say("accuracy on test rows, in %")
    say("labels  " + "  ".join(name.rjust(width) for name in curves))
    for i in np.linspace(0, len(counts) - 1, n_rows).round().astype(int):
        cells = (f"{100 * curve.mean[i]:.1f}".rjust(width) for curve in curves.values())
        say(f"{counts[i]:6.0f}  " + "  ".join(cells))
    say("")
    if "Random" in curves:
        target, needed = _find_labels_needed(curves)
        cells = ("-" if np.isinf(n) else f"{n:.0f}" for n in needed.values())
        say(f"labels to reach {target:.0%}, the final accuracy of random labeling:")
        say("        " + "  ".join(cell.rjust(width) for cell in cells))
        say("")
    say(_describe_best(curves))


def _find_labels_needed(curves: dict[str, LabelCurve]) -> tuple[float, dict[str, float]]:
    """Return the whole percent that random labeling reaches, and the labels each needs for it."""
    slack = 1e-9  # means carry rounding
    target = np.floor(100 * curves["Random"].mean[-1] + slack) / 100
    return target, {
        name: labels_to_reach(curve.n_labels, curve.mean, target - slack)
        for name, curve in curves.items()
    }


def _describe_best(curves: dict[str, LabelCurve]) -> str:
    """Describe how many labels the best strategy needs to reach the final accuracy of Random."""
    if "Random" not in curves or len(curves) < 2:
        best = max(curves, key=lambda name: curves[name].mean[-1])
        return f"{best} ends at {curves[best].mean[-1]:.1%}."
    target, needed = _find_labels_needed(curves)
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


def _draw_picture(
    curves: dict[str, LabelCurve], title: str, output: Path, say: Callable[[str], None]
) -> None:
    """Draw the curves, if matplotlib is installed."""
    if find_spec("matplotlib") is None:
        say('No picture: matplotlib is not installed (pip install "skactive[viz]").')
        return
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.5), layout="constrained")
    display = LabelCurveDisplay(curves, score_name="accuracy").plot(ax=figure.add_subplot())
    display.ax_.set_title(title)
    try:
        kind = output.suffix[1:].lower()
        write_atomically(output, lambda file: figure.savefig(file, format=kind, dpi=150))
    except OSError as error:
        raise CommandError(f"the picture cannot be written: {error}") from error
    say(f"Learning curves: {output}")
