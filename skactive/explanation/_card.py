"""The card of an explanation in a notebook; all text is escaped here."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import TYPE_CHECKING

from skactive._utils.html_tags import render_tag
from skactive._utils.sanitizing import sanitize
from skactive.explanation._sentence import write_percent, write_sentence, write_value

if TYPE_CHECKING:
    from skactive.explanation._explanation import Explanation

__all__ = ["render_card"]

# Colors come from the notebook, so that cards are readable in dark ones too.
_CARD = "border:1px solid #8888;border-radius:6px;padding:8px 12px;margin:4px 0;max-width:56em"
_CELL = "text-align:left;padding:1px 12px 1px 0;font-weight:normal"
_BAR = "display:inline-block;height:0.7em;background:#0072B2;vertical-align:baseline"


def render_card(explanation: Explanation) -> str:
    """Return the card: the sentence, and tables of what it is based on."""
    title = f"Row {explanation.position}, {sanitize(explanation.strategy)}"
    tables = [
        _render_classes(explanation),
        _render_parts(explanation),
        _render_neighbors(explanation),
        _render_elements(explanation),
    ]
    return render_tag(
        "div",
        render_tag("strong", escape(title))
        + render_tag("p", escape(write_sentence(explanation)), style="margin:4px 0 8px")
        + render_tag("div", "".join(tables), style="display:flex;flex-wrap:wrap;gap:8px 32px"),
        class_="skactive-explanation",
        style=_CARD,
    )


def _render_classes(explanation: Explanation) -> str:
    rows = (
        (escape(write_value(label)), f"{value:.2f}", _render_bar(value))
        for label, value in explanation.probabilities.items()
    )
    if explanation.probabilities or explanation.prediction is None:
        return _render_table("most probable classes", rows)
    spread = "" if explanation.spread is None else f"± {explanation.spread:.3g}"
    return _render_table("prediction", [(escape(write_value(explanation.prediction)), spread)])


def _render_parts(explanation: Explanation) -> str:
    parts = [(name, value, explanation.ranks[name]) for name, value in explanation.parts.items()]
    if explanation.density is not None and "density" not in explanation.parts:
        parts.append(("(density)", explanation.density, explanation.density_rank or 0.0))
    rows = (
        (escape(sanitize(name)), f"{value:.3g}", _render_bar(rank), f"above {write_percent(rank)}")
        for name, value, rank in parts
    )
    return _render_table("score, and rank in the pool", rows)


def _render_neighbors(explanation: Explanation) -> str:
    rows: list[tuple[str, ...]] = [
        (escape(write_value(row.label)), f"{row.distance:.3g}", f"row {row.position}")
        for row in explanation.nearest
    ]
    if rows and explanation.distance_rank is not None:
        rows[0] = (*rows[0], f"farther than for {write_percent(explanation.distance_rank)}")
    return _render_table("nearest labeled rows, and distance", rows)


def _render_elements(explanation: Explanation) -> str:
    elements = (explanation.elements or {}).items()
    rows = ((escape(write_value(name)), f"{value:.3g}") for name, value in elements)
    return _render_table("highest elements", rows)


def _render_bar(share: float) -> str:
    return render_tag("span", "", style=f"{_BAR};width:{5 * min(max(share, 0.0), 1.0):.2f}em")


def _render_table(caption: str, rows: Iterable[tuple[str, ...]]) -> str:
    """Return a table of cells of HTML; nothing without rows."""
    body = "".join(
        render_tag("tr", "".join(render_tag("td", cell, style=_CELL) for cell in row))
        for row in rows
    )
    caption = render_tag("caption", escape(caption), style="text-align:left;opacity:0.7")
    return render_tag("table", caption + render_tag("tbody", body)) if body else ""
