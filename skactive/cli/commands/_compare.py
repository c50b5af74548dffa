"""``skactive compare``: compare strategies on one's own table, with a report in HTML."""

from __future__ import annotations

import platform
import shlex
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.metrics import get_scorer, get_scorer_names
from threadpoolctl import threadpool_limits

from skactive import strategies
from skactive._learner import ActiveLearner
from skactive._utils.text import take_first_line
from skactive.cli._errors import CommandError
from skactive.cli._output import print_error, print_line
from skactive.cli._paths import check_output
from skactive.cli.commands._pandas_reading import write_reading
from skactive.cli.commands._program import write_program
from skactive.cli.commands._tables import LabeledTable, read_table
from skactive.cli.learners._models import (
    check_serves,
    few_rows,
    make_estimator,
    make_strategy,
    serves,
)
from skactive.comparison import StrategyComparison, compare_strategies
from skactive.display._html import render_code, render_table, render_tag
from skactive.display._report import summarize

__all__ = [
    "CompareSettings",
    "choose_strategies",
    "fit_few",
    "play",
    "play_comparison",
]

# the baseline, the default, and one of each family
_COMPARED_STRATEGIES = ("Random", "Auto", "Margin", "TypiClust", "BADGE")
_TEST_SIZE = 0.25
_NO_PROGRAM = (
    "pandas reads this file otherwise than the command: other rows, columns or missing values. To "
    "compare in Python, save the table as .parquet, and compare that file."
)
_PACKAGES = ("skactive", "scikit-learn", "numpy", "scipy")


@dataclass(frozen=True)
class CompareSettings:
    """Settings from the command line."""

    data: Path
    target: str | None = None
    strategies: tuple[str, ...] | None = None
    estimators: tuple[str, ...] = ("logistic",)
    budget: int = 200
    batch_size: int = 10
    n_initial: int = 20
    n_repeats: int = 10
    n_jobs: int = 1
    scoring: str = "accuracy"
    folder: Path | None = None
    output: Path = Path("comparison.html")
    seed: int = 0


@dataclass(frozen=True)
class _Plan:
    """Data, models and strategies to compare, all checked."""

    table: LabeledTable
    models: dict[str, Any]
    strategies: dict[str, Any]
    output: Path


# The run ----------------------------------------------------------------------------------------


def play_comparison(
    settings: CompareSettings, say: Callable[[str], None] = print_line
) -> StrategyComparison:
    """Compare strategies on a table, write the report, and print the result in a sentence.

    Parameters
    ----------
    settings : CompareSettings
        Data, models, strategies and sizes.
    say : callable, default=print_line
        Receives the sentence, and the path of the report.

    Returns
    -------
    StrategyComparison

    Raises
    ------
    CommandError
        If the data, the settings or the folders are unusable: before anything is played.
    KeyboardInterrupt
        If interrupted; its message says how to continue.
    """
    plan = _make_plan(settings)
    try:
        comparison, notes = play(
            plan.models,
            plan.strategies,
            plan.table.X,
            plan.table.y,
            test_size=_TEST_SIZE,
            budget=settings.budget,
            batch_size=settings.batch_size,
            n_initial=settings.n_initial,
            n_repeats=settings.n_repeats,
            scoring=settings.scoring,
            n_jobs=settings.n_jobs,
            random_state=settings.seed,
            folder=settings.folder,
        )
    except KeyboardInterrupt as interrupt:
        raise KeyboardInterrupt(_advise_resuming(settings.folder)) from interrupt
    summary = summarize(comparison)
    try:
        comparison.to_html(
            plan.output,
            title=f"Which strategy is best on {settings.data.name}?",
            summary=summary,
            notes=notes,
            sections={"How it was run": _render_settings(settings, plan)},
        )
    except OSError as error:
        raise CommandError(f"the report cannot be written: {error}") from error
    say(summary)
    say(f"Report: {plan.output}")
    return comparison


def play(
    models: dict[str, Any], strategies: dict[str, Any], X: Any, y: Any, **settings: Any
) -> tuple[StrategyComparison, list[str]]:
    """Compare strategies with progress on standard error; return warnings, which are printed too.

    Parameters
    ----------
    models, strategies : dict of str to model or strategy
        By name.
    X, y : ndarray
        Rows, and their classes as 0 .. n_classes - 1.
    **settings
        Of `compare_strategies`.
    """
    classes = np.arange(int(y.max()) + 1)
    learners = {name: ActiveLearner(model, classes=classes) for name, model in models.items()}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        try:
            comparison = compare_strategies(learners, strategies, X, y, verbose=True, **settings)
        except (ValueError, RuntimeError, OSError) as error:  # settings, or all campaigns failed
            raise CommandError(take_first_line(error)) from error
    notes = list(dict.fromkeys(take_first_line(warning.message) for warning in caught))
    for note in notes:
        print_error(f"warning: {note}")
    return comparison, notes


def _advise_resuming(folder: Path | None) -> str:
    if folder is None:
        return "nothing is kept; with --folder DIR a later run would continue from here"
    return f"finished campaigns are kept in {folder}: the same command continues from there"


# Checks before the work -------------------------------------------------------------------------


def _make_plan(settings: CompareSettings) -> _Plan:
    """Read the data, make models and strategies, and check all that can be checked."""
    if find_spec("matplotlib") is None:
        raise CommandError(
            'the report needs matplotlib for its pictures: pip install "skactive[viz]"'
        )
    output = check_output(settings.output, (".html", ".htm"), "report")
    table = read_table(settings.data, settings.target)
    X, y = table.X, table.y
    _check_sizes(settings, len(X))
    _check_folder(settings.folder)
    models = {name: make_estimator(name, X, y) for name in settings.estimators}
    if settings.strategies is not None and len(set(settings.strategies)) < 2:
        names = ", ".join(set(settings.strategies))
        raise CommandError(f"a comparison needs two strategies or more, got {names}")
    X_few, y_few = few_rows(X, y)
    with threadpool_limits(limits=1), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # models of so few rows are poor
        fitted = {name: fit_few(name, model, X_few, y_few) for name, model in models.items()}
        chosen = choose_strategies(settings.strategies, _COMPARED_STRATEGIES, fitted)
        _check_scoring(settings.scoring, fitted, X_few, y_few)
    return _Plan(table, models, chosen, output)


def fit_few(name: str, model: Any, X: Any, y: Any) -> Any:
    """Return a model that is fitted to a few rows, or raise an error of one line."""
    try:
        return clone(model).fit(X, y)
    except (ArithmeticError, TypeError, ValueError, RuntimeError) as error:
        raise CommandError(
            f"--estimator {name} cannot learn from these rows: {take_first_line(error)}"
        ) from error


def _check_sizes(settings: CompareSettings, n: int) -> None:
    n_train = n - int(np.ceil(_TEST_SIZE * n))
    if settings.budget <= settings.n_initial:
        raise CommandError(
            f"a budget of {settings.budget} labels leaves nothing to choose after the "
            f"{settings.n_initial} initial ones: raise --budget or lower --initial"
        )
    if settings.n_initial >= n_train:
        raise CommandError(
            f"{settings.data.name} has {n_train} training rows, and the "
            f"{settings.n_initial} initial labels leave nothing to choose: lower --initial"
        )


def _check_folder(folder: Path | None) -> None:
    if folder is not None and folder.exists() and not folder.is_dir():
        raise CommandError(f"--folder needs a folder, but {folder} is a file")


def choose_strategies(
    names: Sequence[str] | None, defaults: Sequence[str], fitted: dict[str, Any]
) -> dict[str, Any]:
    """Make the strategies asked for, or the defaults that all models can serve.

    Parameters
    ----------
    names : sequence of str or None
        Strategies asked for; None takes the defaults.
    defaults : sequence of str
        Names of the default strategies.
    fitted : dict of str to estimator
        The models, fitted, by name.

    Raises
    ------
    CommandError
        If a strategy asked for is unknown, or a model cannot serve it.
    """
    if names is None:
        known = (name for name in defaults if name in strategies.__all__)
        chosen = {name: make_strategy(name) for name in known}
        return {
            name: strategy
            for name, strategy in chosen.items()
            if all(serves(model, strategy) for model in fitted.values())
        }
    chosen = {name: make_strategy(name) for name in names}
    for name, strategy in chosen.items():
        for model, fitted_model in fitted.items():
            check_serves(name, strategy, fitted_model, model)
    return chosen


def _check_scoring(scoring: str, fitted: dict[str, Any], X: Any, y: Any) -> None:
    if scoring not in get_scorer_names():
        raise CommandError(
            f"unknown scoring {scoring!r}; scikit-learn has {', '.join(get_scorer_names())}"
        )
    for name, model in fitted.items():
        try:
            score = get_scorer(scoring)(model, X, y)
        except (ValueError, AttributeError, TypeError) as error:
            reason = f"the scoring {scoring} cannot be used with {name} and this target"
            raise CommandError(f"{reason}: {take_first_line(error)}") from error
        if not np.isfinite(score):
            raise CommandError(
                f"the scoring {scoring} is {score} with {name} and this target: choose another"
            )


# The section on the run in the report -----------------------------------------------------------


def _render_settings(settings: CompareSettings, plan: _Plan) -> str:
    """Return facts about the run, and how to repeat it, in HTML."""
    table, target = plan.table, settings.target or "y"
    reading = write_reading(settings.data, target, table.names, table.X, table.y)
    program = reading and write_program(
        plan.models,
        list(plan.strategies),
        reading,
        {
            "test_size": _TEST_SIZE,
            "budget": settings.budget,
            "batch_size": settings.batch_size,
            "n_initial": settings.n_initial,
            "n_repeats": settings.n_repeats,
            "scoring": settings.scoring,
            "n_jobs": settings.n_jobs,
            "random_state": settings.seed,
            **({} if settings.folder is None else {"folder": str(settings.folder)}),
        },
    )
    return "\n".join(
        [
            render_table(
                "Settings", ["setting", "value"], _list_facts(settings, plan), numbers=False
            ),
            render_tag("h3", "The command"),
            render_code("The command", write_command(settings, plan), class_="command"),
            render_tag("h3", "The same in Python"),
            render_code("The same in Python", program) if program else render_tag("p", _NO_PROGRAM),
        ]
    )


def _list_facts(settings: CompareSettings, plan: _Plan) -> list[tuple[str, str]]:
    (n_rows, n_features), names = plan.table.X.shape, plan.table.classes
    classes = ", ".join(map(str, names[:20])) + ", ..." * (len(names) > 20)
    versions = [f"{name} {_find_version(name)}" for name in _PACKAGES]
    return [
        ("data", f"{settings.data.name}: {n_rows} rows, {n_features} features"),
        ("target", f"{settings.target or 'y'}: {len(names)} classes ({classes})"),
        ("models", ", ".join(plan.models)),
        ("strategies", ", ".join(plan.strategies)),
        ("labels", f"{settings.n_initial} initially, {settings.batch_size} per round, "
                   f"{settings.budget} at most"),
        ("repeats", f"{settings.n_repeats}, each with {100 * _TEST_SIZE:.0f} % of the rows set "
                    "aside for tests; all strategies get the same split, initial labels and seeds"),
        ("scoring", settings.scoring),
        ("seed", str(settings.seed)),
        ("versions", ", ".join([*versions, f"Python {platform.python_version()}"])),
        ("date", date.today().isoformat()),
    ]  # fmt: skip


def _find_version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:  # run from its sources
        return "(not installed)"


def write_command(settings: CompareSettings, plan: _Plan) -> str:
    """Return the command that gives the same figures, whatever the defaults will be."""
    arguments: list[Any] = ["skactive", "compare", "--data", settings.data]
    if settings.target is not None:
        arguments += ["--target", settings.target]
    arguments += ["--strategies", ",".join(plan.strategies), "--estimator", ",".join(plan.models)]
    arguments += ["--budget", settings.budget, "--batch-size", settings.batch_size]
    arguments += ["--initial", settings.n_initial, "--repeats", settings.n_repeats]
    arguments += ["--scoring", settings.scoring, "--seed", settings.seed]
    arguments += ["--jobs", settings.n_jobs, "--output", settings.output]
    if settings.folder is not None:
        arguments += ["--folder", settings.folder]
    return shlex.join(map(str, arguments))
