"""``skactive compare``: strategies compared on one's own table, and the report on it in HTML."""

from __future__ import annotations

import os
import platform
import shlex
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.metrics import get_scorer, get_scorer_names
from threadpoolctl import threadpool_limits

from skactive import strategies
from skactive._learner import ActiveLearner
from skactive.cli._errors import CommandError
from skactive.cli._models import check_serves, few_rows, make_estimator, make_strategy, serves
from skactive.cli._tables import read_table
from skactive.comparison import StrategyComparison, compare_strategies
from skactive.display._report import _code, _line, _list, _section, _table, _tag, html_report

__all__ = ["CompareSettings", "run_compare"]

FAMILIES = ("Random", "Auto", "Margin", "TypiClust", "BADGE")  # baseline, default, one a family
TEST_SIZE = 0.25


@dataclass(frozen=True)
class CompareSettings:
    """What the command line asks for."""

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
    """What is to be played: everything that can be wrong has been checked."""

    X: NDArray[np.float64]
    y: NDArray[np.intp]
    classes: NDArray[Any]
    models: dict[str, Any]
    strategies: dict[str, Any]
    output: Path


# The run ----------------------------------------------------------------------------------------


def run_compare(
    settings: CompareSettings, say: Callable[[str], None] = print
) -> StrategyComparison:
    """Compare strategies on a table, write the report, and say the result in a sentence.

    Parameters
    ----------
    settings : CompareSettings
        Data, models, strategies and sizes.
    say : callable, default=print
        Takes the sentence, and where the report is.

    Returns
    -------
    StrategyComparison

    Raises
    ------
    CommandError
        If the data, the settings or the folders do not allow it: before anything is played.
    KeyboardInterrupt
        If interrupted; its message says how to go on.
    """
    plan = _planned(settings)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        comparison = _compared(settings, plan)
    notes = list(dict.fromkeys(_line(warning.message) for warning in caught))
    for note in notes:
        print(f"skactive: warning: {note}", file=sys.stderr)
    summary = _summary(comparison)
    title = f"Which strategy is best on {settings.data.name}?"
    page = html_report(comparison, summary, title, notes, _how_it_was_run(settings, plan))
    try:
        plan.output.write_text(page, encoding="utf-8")
    except OSError as error:
        raise CommandError(f"the report cannot be written: {error}") from error
    say(summary)
    say(f"Report: {plan.output}")
    return comparison


def _planned(settings: CompareSettings) -> _Plan:
    """Check all that can be checked before the work."""
    if find_spec("matplotlib") is None:
        raise CommandError(
            'the report needs matplotlib for its pictures: pip install "skactive[viz]"'
        )
    output = _checked_output(settings.output)
    X, y, classes = read_table(settings.data, settings.target)
    _check_sizes(settings, len(X))
    _check_folder(settings.folder)
    models = {name: make_estimator(name, X, y) for name in settings.estimators}
    X_few, y_few = few_rows(X, y)
    with threadpool_limits(limits=1), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of rows this few nothing can be learned
        fitted = {name: clone(model).fit(X_few, y_few) for name, model in models.items()}
        chosen = _strategies(settings, list(fitted.values()))
        _check_scoring(settings.scoring, fitted, X_few, y_few)
    return _Plan(X, y, classes, models, chosen, output)


def _checked_output(output: Path) -> Path:
    path = output if output.suffix else output.with_suffix(".html")
    if path.suffix.lower() not in (".html", ".htm"):
        raise CommandError(f"the report is written as .html, not {output.name}")
    if output.is_dir() or path.is_dir():
        raise CommandError(f"the report needs a file name, but {output} is a folder")
    if not path.absolute().parent.is_dir():
        raise CommandError(f"there is no folder {path.parent} to write the report to")
    if not os.access(path if path.exists() else path.absolute().parent, os.W_OK):
        raise CommandError(f"the report cannot be written: no permission to write {path}")
    return path


def _check_sizes(settings: CompareSettings, n: int) -> None:
    n_train = n - int(np.ceil(TEST_SIZE * n))
    if settings.budget <= settings.n_initial:
        raise CommandError(
            f"a budget of {settings.budget} labels leaves nothing to choose after the "
            f"{settings.n_initial} to start with: raise --budget or lower --initial"
        )
    if settings.n_initial >= n_train:
        raise CommandError(
            f"{settings.data.name} has {n_train} rows to learn from, and the "
            f"{settings.n_initial} to start with leave nothing to choose: lower --initial"
        )


def _check_folder(folder: Path | None) -> None:
    if folder is not None and folder.exists() and not folder.is_dir():
        raise CommandError(f"--folder needs a folder, but {folder} is a file")


def _strategies(settings: CompareSettings, fitted: list[Any]) -> dict[str, Any]:
    """Return the strategies asked for, or one of each family that all models can serve."""
    if settings.strategies is None:
        there = (name for name in FAMILIES if name in strategies.__all__)
        chosen = {name: make_strategy(name) for name in there}
        return {
            name: strategy
            for name, strategy in chosen.items()
            if all(serves(model, strategy) for model in fitted)
        }
    chosen = {name: make_strategy(name) for name in settings.strategies}
    if len(chosen) < 2:
        raise CommandError(f"a comparison needs two strategies or more, got {_list(chosen)}")
    for name, strategy in chosen.items():
        for model in fitted:
            check_serves(name, strategy, model)
    return chosen


def _check_scoring(scoring: str, fitted: dict[str, Any], X: Any, y: Any) -> None:
    if scoring not in get_scorer_names():
        raise CommandError(
            f"there is no scoring {scoring!r}; scikit-learn has {_list(get_scorer_names())}"
        )
    for name, model in fitted.items():
        try:
            score = get_scorer(scoring)(model, X, y)
        except (ValueError, AttributeError, TypeError) as error:
            reason = f"the scoring {scoring} does not go with {name} and this target"
            raise CommandError(f"{reason}: {_line(error)}") from error
        if not np.isfinite(score):
            raise CommandError(f"the scoring {scoring} is {score} with {name} and this target")


def _compared(settings: CompareSettings, plan: _Plan) -> StrategyComparison:
    classes = np.arange(len(plan.classes))
    try:
        return compare_strategies(
            {name: ActiveLearner(model, classes=classes) for name, model in plan.models.items()},
            plan.strategies,
            plan.X,
            plan.y,
            test_size=TEST_SIZE,
            budget=settings.budget,
            batch_size=settings.batch_size,
            n_initial=settings.n_initial,
            n_repeats=settings.n_repeats,
            scoring=settings.scoring,
            n_jobs=settings.n_jobs,
            random_state=settings.seed,
            folder=settings.folder,
            verbose=True,
        )
    except (ValueError, RuntimeError, OSError) as error:  # of settings; or every campaign failed
        raise CommandError(_line(error)) from error
    except KeyboardInterrupt as interrupt:
        raise KeyboardInterrupt(_how_to_go_on(settings.folder)) from interrupt


def _how_to_go_on(folder: Path | None) -> str:
    if folder is None:
        return "nothing is kept; with --folder DIR a later run would go on from where this stopped"
    return f"finished campaigns are kept in {folder}: the same command goes on from there"


def _summary(comparison: StrategyComparison) -> str:
    try:
        return comparison.summary()
    except ValueError as error:  # failures left nothing to compare
        return _line(error)


# The page ---------------------------------------------------------------------------------------


def _how_it_was_run(settings: CompareSettings, plan: _Plan) -> str:
    n_rows, n_features = plan.X.shape
    classes = _list(map(str, plan.classes[:20])) + ", ..." * (len(plan.classes) > 20)
    facts = [
        ("data", f"{settings.data.name}: {n_rows} rows, {n_features} features"),
        ("target", f"{settings.target or 'y'}: {len(plan.classes)} classes ({classes})"),
        ("models", _list(plan.models)),
        ("strategies", _list(plan.strategies)),
        ("labels", f"{settings.n_initial} to start with, {settings.batch_size} a round, "
                   f"{settings.budget} at most"),
        ("repeats", f"{settings.n_repeats}, each with {100 * TEST_SIZE:.0f} % of the rows set "
                    "aside to test on; all strategies meet the same split, start and seeds"),
        ("scoring", settings.scoring),
        ("seed", str(settings.seed)),
        ("versions", _list(f"{name} {_version(name)}" for name in _PACKAGES)
                     + f", Python {platform.python_version()}"),
        ("date", date.today().isoformat()),
    ]  # fmt: skip
    table = _table("Settings", ["what", "value"], facts, numbers=False)
    return _section(
        "How it was run",
        table,
        _tag("h3", "The command"),
        _code("The command", command(settings, plan), class_="command"),
        _tag("h3", "The same in Python"),
        _code("The same in Python", python_code(settings, plan)),
    )


_PACKAGES = ("skactive", "scikit-learn", "numpy", "scipy")


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:  # run from its sources
        return "(not installed)"


# How to do it again -----------------------------------------------------------------------------


def command(settings: CompareSettings, plan: _Plan) -> str:
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


def python_code(settings: CompareSettings, plan: _Plan) -> str:
    """Return the Python program that gives the same figures."""
    models, imports = {}, {"from skactive import ActiveLearner"}
    imports.add("from skactive.comparison import compare_strategies")
    imports.add(f"from skactive.strategies import {_list(sorted(plan.strategies))}")
    for name, model in plan.models.items():
        models[name], needed = _model_code(name, model)
        imports |= needed
    learners = "".join(
        f"        {name!r}: ActiveLearner({code}, classes=range(len(classes))),\n"
        for name, code in models.items()
    )
    chosen = _list(f"{name!r}: {name}()" for name in plan.strategies)
    folder = "" if settings.folder is None else f"\n    folder={str(settings.folder)!r},"
    return "\n".join(
        [
            "import numpy as np",
            *(["import pandas as pd"] if settings.data.suffix.lower() != ".npz" else []),
            *sorted(imports),
            "",
            *_data_code(settings),
            "classes, y = np.unique(y, return_inverse=True)",
            "comparison = compare_strategies(",
            f"    {{\n{learners}    }},",
            f"    {{{chosen}}},",
            "    X,\n    y,",
            f"    test_size={TEST_SIZE},",
            f"    budget={settings.budget},",
            f"    batch_size={settings.batch_size},",
            f"    n_initial={settings.n_initial},",
            f"    n_repeats={settings.n_repeats},",
            f"    scoring={settings.scoring!r},",
            f"    n_jobs={settings.n_jobs},",
            f"    random_state={settings.seed},{folder}",
            ")",
            "print(comparison.summary())",
        ]
    )


def _model_code(name: str, pipeline: Any) -> tuple[str, set[str]]:
    """Return the expression that makes a model, and the imports that it needs."""
    steps = [step for _, step in pipeline.steps]
    kinds = [(type(step).__module__.split("."), type(step).__name__) for step in steps]
    imports = {"from sklearn.pipeline import make_pipeline"}
    codes = [" ".join(repr(step).split()) for step in steps]
    if name == "mlp":  # a net is no expression
        codes[-1] = "ESTIMATORS['mlp'](X.shape[1], len(classes))"
        kinds.pop()
        imports.add("from skactive.cli._models import ESTIMATORS")
    imports |= {f"from {'.'.join(module[:2])} import {kind}" for module, kind in kinds}
    return f"make_pipeline({_list(codes)})", imports


def _data_code(settings: CompareSettings) -> list[str]:
    """Return the lines that read the table."""
    path, target = str(settings.data), settings.target or "y"
    if settings.data.suffix.lower() == ".npz":
        return [
            f"stored = np.load({path!r})",
            f"y = stored[{target!r}]",
            f"X = stored[{_name_of_rows(settings.data, target)!r}].reshape(len(y), -1)",
            "X = X.astype(float)",
        ]
    kind = "parquet" if settings.data.suffix.lower() == ".parquet" else "csv"
    return [
        f"frame = pd.read_{kind}({path!r}).rename(columns=str)",
        f"y = frame.pop({target!r}).to_numpy()",
        "X = frame.to_numpy(dtype=float, na_value=np.nan)",
    ]


def _name_of_rows(path: Path, target: str) -> str:
    """Name the array of rows in an npz file, as `read_table` finds it."""
    with np.load(path) as stored:
        names = [name for name in stored.files if name != target]
        return "X" if "X" in names else next(name for name in names if stored[name].ndim > 1)


# HTML -------------------------------------------------------------------------------------------
