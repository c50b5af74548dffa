"""``skactive compare``: strategies compared on one's own table, and the report on it in HTML."""

from __future__ import annotations

import os
import platform
import shlex
import sys
import warnings
from base64 import b64encode
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from html import escape
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.metrics import get_scorer, get_scorer_names
from threadpoolctl import threadpool_limits

from skactive import strategies
from skactive._choices import check_serves, few_rows, make_estimator, make_strategy, serves
from skactive._learner import ActiveLearner
from skactive._tables import CommandError, read_table
from skactive.comparison import Failure, StrategyComparison, compare_strategies
from skactive.display import (
    CriticalDifferenceDisplay,
    LabelCurveDisplay,
    LabelsSavedDisplay,
    PenaltyDisplay,
)

__all__ = ["CompareSettings", "html_report", "run_compare"]

FAMILIES = ("Random", "Auto", "Margin", "TypiClust", "BADGE")  # baseline, default, one a family
TEST_SIZE = 0.25
CONFIDENCE = 0.95
PERCENT = f"{100 * CONFIDENCE:.0f} %"


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
    page = html_report(comparison, summary, settings, plan, notes)
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
        warnings.simplefilter("ignore")  # of rows this few nothing can be learnt
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


def _line(error: Any) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def _list(names: Iterable[str]) -> str:
    return ", ".join(names)


# The page ---------------------------------------------------------------------------------------


def html_report(
    comparison: StrategyComparison,
    summary: str,
    settings: CompareSettings,
    plan: _Plan,
    notes: Sequence[str] = (),
) -> str:
    """Write the report on a comparison: one page that needs no other file.

    Parameters
    ----------
    comparison : StrategyComparison
        What came out.
    summary : str
        What is said of it, in lines: the top of the page.
    settings : CompareSettings
        What was asked for.
    plan : _Plan
        What was played.
    notes : sequence of str, default=()
        Warnings.

    Returns
    -------
    str
        HTML.
    """
    title = f"Which strategy is best on {settings.data.name}?"
    sentences = "".join(_tag("p", escape(line)) for line in summary.splitlines())
    parts = [
        _tag("h1", escape(title)),
        _tag("div", sentences, class_="summary"),
        _warnings(notes, comparison.failures),
        *(part for model in comparison.models for part in _of_model(comparison, model)),
        _labels_saved(comparison),
        _told_apart(comparison),
        _how_it_was_run(settings, plan),
    ]
    main = _tag("main", "\n".join(part for part in parts if part))
    return _PAGE.format(title=escape(title), style=_STYLE, main=main)


def _warnings(notes: Sequence[str], failures: Sequence[Failure]) -> str:
    if not notes and not failures:
        return ""
    items = "".join(_tag("li", escape(note)) for note in notes)
    rows = [
        [each.strategy, each.model, str(each.repeat), f"{each.error}: {_line(each.message)}"]
        for each in failures
    ]
    head = ["strategy", "model", "repeat", "error"]
    table = _table("Campaigns that failed", head, rows) if rows else ""
    return _section("Warnings", _tag("ul", items) if items else "", table, class_="warnings")


def _of_model(comparison: StrategyComparison, model: str) -> list[str]:
    """Show the curves and areas of one model."""
    of = f" of {model}" if len(comparison.models) > 1 else ""
    try:
        display = LabelCurveDisplay.from_comparison(comparison, model=model, confidence=CONFIDENCE)
    except ValueError as error:  # failures left nothing to compare
        return [_section(f"Learning curves{of}", _tag("p", escape(str(error))))]
    n_repeats = len(next(iter(display.curves.values())).scores)
    caption = f"Mean {display.score_name} on test rows against labels, {_repeats(n_repeats)}"
    caption += f"; bands are {PERCENT} intervals." if n_repeats > 1 else "."
    alt = f"{caption} At the last: " + _list(
        f"{name} {curve.mean[-1]:.3f}" for name, curve in display.curves.items()
    )
    return [
        _section(f"Learning curves{of}", _figure(display, caption, alt), _curve_table(display)),
        _section(f"Areas under the curves{of}", _area_table(comparison, model)),
    ]


def _repeats(n: int) -> str:
    return f"{n} repeat{'s' * (n != 1)}"


def _curve_table(display: LabelCurveDisplay) -> str:
    counts = next(iter(display.curves.values())).n_labels
    rows = [
        [f"{counts[i]:.0f}", *(f"{curve.mean[i]:.3f}" for curve in display.curves.values())]
        for i in range(len(counts))
    ]
    table = _table(f"Mean {display.score_name} by labels", ["labels", *display.curves], rows)
    return _tag("details", _tag("summary", "The curves as a table") + table)


def _area_table(comparison: StrategyComparison, model: str) -> str:
    baseline = comparison.baseline
    areas = comparison.area_records(CONFIDENCE, model=model)
    several = any(not np.isnan(row["low"]) for row in areas)
    interval = f" ({PERCENT} interval)" if several else ""
    head = ["strategy", f"area{interval}", f"minus {baseline}'s{interval}"]
    head += ["score at the end", "seconds to fit", "seconds to query", "repeats"]
    rows = [
        [
            row["strategy"],
            _with_interval(row["area"], row["low"], row["high"]),
            ""
            if row["strategy"] == baseline
            else _with_interval(
                row["difference"], row["difference_low"], row["difference_high"], sign="+"
            ),
            f"{row['final_score']:.3f}",
            f"{row['fit_seconds']:.2f}",
            f"{row['query_seconds']:.2f}",
            str(row["n_repeats"]),
        ]
        for row in areas
    ]
    says = "The area is the mean height of the learning curve; seconds are those of a campaign."
    return _tag("p", says) + _table("Areas under the learning curves", head, rows)


def _with_interval(mean: float, low: float, high: float, sign: str = "") -> str:
    if np.isnan(mean):
        return "n/a"
    text = f"{mean:{sign}.3f}"
    return _minus(text if np.isnan(low) else f"{text} ({low:{sign}.3f} to {high:{sign}.3f})")


def _minus(text: str) -> str:
    return text.replace("-", "\N{MINUS SIGN}")


def _labels_saved(comparison: StrategyComparison) -> str:
    heading = f"Labels saved against {comparison.baseline}"
    try:
        display = LabelsSavedDisplay.from_comparison(comparison, confidence=CONFIDENCE)
    except ValueError as error:
        return _section(heading, _tag("p", escape(str(error))))
    told = _list(
        f"{saving.strategy} with {saving.model}: {display.in_words(saving)}"
        for saving in display.savings
    )
    caption = (
        f"Share of {comparison.baseline}'s labels that each strategy does without to reach the "
        f"score that {comparison.baseline} ends at, with {PERCENT} intervals by bootstrap "
        "of whole repeats. Right of the dashed line labels are saved."
    )
    return _section(heading, _figure(display, caption, f"Labels saved. {told}"))


def _told_apart(comparison: StrategyComparison) -> str:
    return _section(
        "Can they be told apart?", _critical_difference(comparison), _penalties(comparison)
    )


def _critical_difference(comparison: StrategyComparison) -> str:
    try:
        display = CriticalDifferenceDisplay.from_comparison(comparison)
    except ValueError as error:
        return _tag("p", escape(str(error)))
    result = display.result
    ranks = _list(f"{name} {rank:.2f}" for name, rank in result.ranks.items())
    groups = "; ".join(_list(group) for group in display.groups) or "none"
    caption = (
        "Mean ranks of the areas over the repeats. Those that differ by less than the critical "
        f"difference (Nemenyi's test, level {result.alpha:g}) cannot be told apart; bars join "
        "them. Repeats are splits of one table: this says nothing about other data."
    )
    alt = (
        f"Critical-difference diagram. Mean ranks, 1 is best: {ranks}. Critical difference "
        f"{result.difference:.2f}; p of Friedman's test {result.p_value:.2g}. Joined: {groups}."
    )
    return _figure(display, caption, alt)


def _penalties(comparison: StrategyComparison) -> str:
    try:
        display = PenaltyDisplay.from_comparison(comparison)
    except ValueError as error:
        return _tag("p", escape(str(error)))
    names, means = display.penalties.strategies, display.penalties.column_means
    caption = (
        "Share of the rounds in which the strategy of the row is better than that of the column "
        "(two-sided paired t-test, level 0.05). The lower the mean of a column, the less it is "
        "beaten."
    )
    alt = "Heat map of wins, round by round. Means of the columns, lower is better: " + _list(
        f"{names[i]} {means[i]:.2f}" for i in display.order
    )
    return _figure(display, caption, alt)


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
        imports.add("from skactive._choices import ESTIMATORS")
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


def _tag(name: str, content: str, **attributes: str) -> str:
    """Return an element; `content` is HTML, attributes are text."""
    said = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(value)}"'
        for key, value in attributes.items()
    )
    return f"<{name}{said}>{content}</{name}>"


def _section(heading: str, *parts: str, class_: str = "") -> str:
    content = "\n".join([_tag("h2", escape(heading)), *(part for part in parts if part)])
    return _tag("section", content, **({"class_": class_} if class_ else {}))


def _table(
    caption: str, head: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: bool = True
) -> str:
    """Return a table whose first column heads the rows; wide ones scroll by themselves."""
    columns = "".join(_tag("th", escape(name), scope="col") for name in head)
    body = "".join(
        _tag(
            "tr",
            _tag("th", escape(first), scope="row")
            + "".join(_tag("td", escape(cell)) for cell in cells),
        )
        for first, *cells in rows
    )
    table = _tag(
        "table",
        _tag("caption", escape(caption)) + _tag("thead", _tag("tr", columns)) + _tag("tbody", body),
        **({"class_": "numbers"} if numbers else {}),
    )
    return _scrolled(caption, table)


def _scrolled(label: str, content: str) -> str:
    """Let what is wide scroll by itself, with the keyboard too."""
    return _tag("div", content, class_="wide", role="region", aria_label=label, tabindex="0")


def _code(label: str, text: str, class_: str = "program") -> str:
    return _scrolled(label, _tag("pre", _tag("code", escape(text)), class_=class_))


def _figure(display: Any, caption: str, alt: str) -> str:
    source = "data:image/svg+xml;base64," + b64encode(_svg(display)).decode("ascii")
    width, height = (f"{96 * inches:.0f}" for inches in display.figsize)
    image = f'<img src="{source}" width="{width}" height="{height}" alt="{escape(alt)}">'
    return _tag("figure", f"{image}{_tag('figcaption', escape(caption))}")


def _svg(display: Any) -> bytes:
    from matplotlib import rc_context  # late: an extra
    from matplotlib.figure import Figure

    figure, file = Figure(figsize=display.figsize, layout="constrained"), BytesIO()
    display.plot(ax=figure.add_subplot())
    with rc_context({"svg.fonttype": "path", "svg.hashsalt": "skactive"}):
        figure.savefig(file, format="svg", metadata={"Date": None})
    return file.getvalue()


_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
{style}
</style>
</head>
<body>
{main}
</body>
</html>
"""

_STYLE = """
:root { color-scheme: light dark; --paper: #fff; --ink: #1a1a1a; --soft: #555; --line: #ccc;
  --shade: #f3f5f7; --mark: #0072b2; --warn: #b34700; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #16181b; --ink: #e8e8e8; --soft: #b0b4b8; --line: #44484d; --shade: #22262a;
    --mark: #56b4e9; --warn: #e69f00; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
main { max-width: 60rem; margin: 0 auto; padding: 1.5rem 1rem 3rem; }
h1 { font-size: 1.7rem; line-height: 1.25; overflow-wrap: anywhere; }
h2 { font-size: 1.25rem; margin-top: 2.5rem; }
h3 { font-size: 1rem; margin-bottom: .3rem; }
.summary { border-left: .3rem solid var(--mark); padding: .1rem 1rem; background: var(--shade);
  font-size: 1.1rem; }
.warnings { border-left: .3rem solid var(--warn); padding: .1rem 1rem; margin-top: 1.5rem; }
.warnings h2 { margin-top: .8rem; }
.warnings li { overflow-wrap: anywhere; }
figure { margin: 1rem 0 2rem; }
figure img { max-width: 100%; height: auto; background: #fff; border-radius: .3rem; }
figcaption { color: var(--soft); font-size: .9rem; margin-top: .4rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .92rem; }
caption { text-align: left; font-weight: 600; padding: .4rem 0; }
th, td { padding: .3rem .7rem .3rem 0; text-align: left; vertical-align: top;
  border-bottom: 1px solid var(--line); }
.numbers td { font-variant-numeric: tabular-nums; white-space: nowrap; }
.warnings .numbers td { white-space: normal; }
pre { background: var(--shade); padding: .8rem 1rem; margin: 0; font-size: .85rem; }
.command { white-space: pre-wrap; overflow-wrap: anywhere; }
.program { width: max-content; min-width: 100%; }
summary { cursor: pointer; color: var(--mark); }
:focus-visible { outline: 2px solid var(--mark); outline-offset: 2px; }
@media print {
  main { max-width: none; padding: 0; }
  figure, tr { break-inside: avoid; }
  h2, h3, caption { break-after: avoid; }
  .program { white-space: pre-wrap; width: auto; }
}
""".strip()
