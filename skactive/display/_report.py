"""Report on a comparison: one HTML page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from skactive._utils.text import pluralize, take_first_line
from skactive.display._critical_difference import CriticalDifferenceDisplay
from skactive.display._curves import LabelCurveDisplay
from skactive.display._html import (
    render_figure,
    render_page,
    render_paragraph,
    render_section,
    render_summary,
    render_table,
    render_tag,
)
from skactive.display._labels_saved import LabelsSavedDisplay
from skactive.display._penalties import PenaltyDisplay

if TYPE_CHECKING:
    from skactive.comparison import Failure, StrategyComparison

__all__ = ["render_report", "summarize"]

_CONFIDENCE = 0.95
_PERCENT = f"{100 * _CONFIDENCE:.0f} %"


def render_report(
    comparison: StrategyComparison,
    title: str,
    summary: str | None = None,
    notes: Sequence[str] = (),
    sections: Mapping[str, str] | None = None,
) -> str:
    """Return the report on a comparison: one self-contained page.

    Parameters
    ----------
    comparison : StrategyComparison
        The results.
    title : str
        Title of the page.
    summary : str, default=None
        Sentences at the top, one paragraph per line; None takes those of `summarize`.
    notes : sequence of str, default=()
        Warnings.
    sections : mapping of str to str, default=None
        HTML of further sections by heading.

    Returns
    -------
    str
        HTML.
    """
    lines = (summarize(comparison) if summary is None else summary).splitlines()
    parts = [
        render_summary(lines),
        _render_warnings(notes, comparison.failures),
        *(
            part
            for pair in comparison.experiments
            for part in _render_experiment(comparison, *pair)
        ),
        _render_labels_saved(comparison),
        _render_tests(comparison),
        *(render_section(heading, content) for heading, content in (sections or {}).items()),
    ]
    return render_page(title, parts)


def summarize(comparison: StrategyComparison) -> str:
    """Return the summary of a comparison, or why there is none."""
    try:
        return comparison.summary()
    except ValueError as error:  # failures left nothing to compare
        return take_first_line(error)


def _render_warnings(notes: Sequence[str], failures: Sequence[Failure]) -> str:
    if not notes and not failures:
        return ""
    items = "".join(render_tag("li", escape(note)) for note in notes)
    rows = [
        [
            failure.strategy,
            failure.model,
            str(failure.repeat),
            f"{failure.error}: {take_first_line(failure.message)}",
        ]
        for failure in failures
    ]
    head = ["strategy", "model", "repeat", "error"]
    table = render_table("Campaigns that failed", head, rows) if rows else ""
    return render_section(
        "Warnings", render_tag("ul", items) if items else "", table, class_="warnings"
    )


def _render_experiment(comparison: StrategyComparison, dataset: str, model: str) -> list[str]:
    """Return sections on the curves and areas on one dataset with one model."""
    names = [dataset] * (len(comparison.datasets) > 1) + [model] * (len(comparison.models) > 1)
    of_experiment = f" of {', '.join(names)}" if names else ""
    comparison = comparison.select(model=model, dataset=dataset)
    try:
        display = LabelCurveDisplay.from_comparison(comparison, confidence=_CONFIDENCE)
    except ValueError as error:  # failures left nothing to compare
        return [render_section(f"Learning curves{of_experiment}", render_paragraph(str(error)))]
    n_repeats = len(next(iter(display.curves.values())).scores)
    caption = f"Mean {display.score_name} on test rows against {display.unit}, "
    caption += pluralize(n_repeats, "repeat")
    caption += f"; bands are {_PERCENT} intervals." if n_repeats > 1 else "."
    alt = f"{caption} At the last: " + _join_names(
        f"{name} {curve.mean[-1]:.3f}" for name, curve in display.curves.items()
    )
    figure = render_figure(display, caption, alt)
    return [
        render_section(f"Learning curves{of_experiment}", figure, _render_curve_table(display)),
        render_section(f"Areas under the curves{of_experiment}", _render_area_table(comparison)),
    ]


def _render_curve_table(display: LabelCurveDisplay) -> str:
    counts = next(iter(display.curves.values())).n_labels
    rows = [
        [f"{counts[i]:.0f}", *(f"{curve.mean[i]:.3f}" for curve in display.curves.values())]
        for i in range(len(counts))
    ]
    caption = f"Mean {display.score_name} by {display.unit}"
    table = render_table(caption, [display.unit, *display.curves], rows)
    return render_tag("details", render_tag("summary", "The curves as a table") + table)


def _render_area_table(comparison: StrategyComparison) -> str:
    baseline = comparison.baseline
    records = comparison.area_records(_CONFIDENCE)
    has_intervals = any(not np.isnan(record["low"]) for record in records)
    interval = f" ({_PERCENT} interval)" if has_intervals else ""
    head = ["strategy", f"area{interval}", f"minus {baseline}'s{interval}"]
    head += ["score at the end", "seconds to fit", "seconds to query", "repeats"]
    rows = [
        [
            record["strategy"],
            _format_interval(record["area"], record["low"], record["high"]),
            ""
            if record["strategy"] == baseline
            else _format_interval(
                record["difference"], record["difference_low"], record["difference_high"], sign="+"
            ),
            f"{record['final_score']:.3f}",
            f"{record['fit_seconds']:.2f}",
            f"{record['query_seconds']:.2f}",
            str(record["n_repeats"]),
        ]
        for record in records
    ]
    explanation = "The area is the mean height of the learning curve; seconds are per campaign."
    return render_paragraph(explanation) + render_table(
        "Areas under the learning curves", head, rows
    )


def _format_interval(mean: float, low: float, high: float, sign: str = "") -> str:
    if np.isnan(mean):
        return "n/a"
    text = f"{mean:{sign}.3f}"
    if not np.isnan(low):
        text = f"{text} ({low:{sign}.3f} to {high:{sign}.3f})"
    return text.replace("-", "\N{MINUS SIGN}")


def _render_labels_saved(comparison: StrategyComparison) -> str:
    unit = comparison.unit
    heading = f"{unit.capitalize()} saved against {comparison.baseline}"
    try:
        display = LabelsSavedDisplay.from_comparison(comparison, confidence=_CONFIDENCE)
    except ValueError as error:
        return render_section(heading, render_paragraph(str(error)))
    savings = _join_names(
        f"{saving.strategy} with {saving.model}"
        f"{f' on {saving.dataset}' * (len(comparison.datasets) > 1)}: {display.in_words(saving)}"
        for saving in display.savings
    )
    caption = (
        f"Share of {comparison.baseline}'s {unit} that each strategy saves to reach the final "
        f"score of {comparison.baseline}, with {_PERCENT} intervals by bootstrap of whole repeats. "
        f"To the right of the dashed line, {'labels are' if unit == 'labels' else 'cost is'} saved."
    )
    alt = f"{unit.capitalize()} saved. {savings}"
    return render_section(heading, render_figure(display, caption, alt))


def _render_tests(comparison: StrategyComparison) -> str:
    return render_section(
        "Are they significantly different?",
        _render_critical_difference(comparison),
        _render_penalties(comparison),
    )


def _render_critical_difference(comparison: StrategyComparison) -> str:
    try:
        display = CriticalDifferenceDisplay.from_comparison(comparison)
    except ValueError as error:
        return render_paragraph(str(error))
    result = display.result
    ranks = _join_names(f"{name} {rank:.2f}" for name, rank in result.ranks.items())
    groups = "; ".join(_join_names(group) for group in display.groups) or "none"
    caption = (
        f"Mean ranks of the areas over the {display.blocks}. Those that differ by less than the "
        f"critical difference (Nemenyi's test, level {result.alpha:g}) are not significantly "
        "different; bars join them."
    )
    if display.blocks == "repeats":
        caption += " Repeats are splits of one table: this says nothing about other data."
    alt = (
        f"Critical-difference diagram. Mean ranks, 1 is best: {ranks}. Critical difference "
        f"{result.difference:.2f}; p of Friedman's test {result.p_value:.2g}. Joined: {groups}."
    )
    return render_figure(display, caption, alt)


def _render_penalties(comparison: StrategyComparison) -> str:
    try:
        display = PenaltyDisplay.from_comparison(comparison)
    except ValueError as error:
        return render_paragraph(str(error))
    names, means = display.penalties.strategies, display.penalties.column_means
    caption = (
        "Share of the rounds in which the strategy of the row is better than that of the column "
        "(two-sided paired t-test, level 0.05). The lower the mean of a column, the less often it "
        "is beaten."
    )
    alt = "Heat map of wins, round by round. Means of the columns, lower is better: " + _join_names(
        f"{names[i]} {means[i]:.2f}" for i in display.order
    )
    return render_figure(display, caption, alt)


def _join_names(names: Iterable[str]) -> str:
    return ", ".join(names)
