"""The report on a comparison: one HTML page."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Sequence
from html import escape
from io import BytesIO
from typing import Any

import numpy as np

from skactive.comparison import Failure, StrategyComparison
from skactive.display import (
    CriticalDifferenceDisplay,
    LabelCurveDisplay,
    LabelsSavedDisplay,
    PenaltyDisplay,
)

__all__ = ["CONFIDENCE", "PERCENT", "html_report"]


CONFIDENCE = 0.95


PERCENT = f"{100 * CONFIDENCE:.0f} %"


def _line(error: Any) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def _list(names: Iterable[str]) -> str:
    return ", ".join(names)


def html_report(
    comparison: StrategyComparison,
    summary: str,
    title: str,
    notes: Sequence[str] = (),
    appendix: str = "",
) -> str:
    """Write the report on a comparison: one page that needs no other file.

    Parameters
    ----------
    comparison : StrategyComparison
        What came out.
    summary : str
        What is said of it, in lines: the top of the page.
    title : str
        Heading of the page.
    notes : sequence of str, default=()
        Warnings.
    appendix : str, default=""
        HTML of further sections: how the runs were made, say.

    Returns
    -------
    str
        HTML.
    """
    sentences = "".join(_tag("p", escape(line)) for line in summary.splitlines())
    parts = [
        _tag("h1", escape(title)),
        _tag("div", sentences, class_="summary"),
        _warnings(notes, comparison.failures),
        *(part for model in comparison.models for part in _of_model(comparison, model)),
        _labels_saved(comparison),
        _told_apart(comparison),
        appendix,
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
