"""HTML elements of reports: all text is escaped here."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Sequence
from html import escape
from importlib.resources import files
from io import BytesIO
from typing import Any

from skactive._utils.html_tags import render_tag

__all__ = [
    "render_code",
    "render_figure",
    "render_page",
    "render_paragraph",
    "render_section",
    "render_summary",
    "render_table",
    "render_tag",
]


def render_page(title: str, parts: Iterable[str]) -> str:
    """Return a self-contained page of some HTML under a title; empty parts are left out."""
    content = [render_tag("h1", escape(title)), *(part for part in parts if part)]
    main = render_tag("main", "\n".join(content))
    style = _read_asset("report.css").strip()
    return _read_asset("report.html").format(title=escape(title), style=style, main=main)


def _read_asset(name: str) -> str:
    """Return the text of a file beside this module."""
    return (files("skactive.display") / name).read_text(encoding="utf-8")


def render_summary(lines: Iterable[str]) -> str:
    """Return the sentences at the top of a page, one paragraph per line."""
    return render_tag("div", "".join(map(render_paragraph, lines)), class_="summary")


def render_paragraph(text: str) -> str:
    """Return a paragraph of text."""
    return render_tag("p", escape(text))


def render_section(heading: str, *parts: str, class_: str = "") -> str:
    """Return a section of some HTML under a heading; empty parts are left out."""
    content = "\n".join([render_tag("h2", escape(heading)), *(part for part in parts if part)])
    return render_tag("section", content, **({"class_": class_} if class_ else {}))


def render_table(
    caption: str,
    head: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    numbers: bool = True,
    prose: bool = False,
) -> str:
    """Return a table whose first column heads the rows; wide ones scroll.

    One of `numbers` does not wrap its cells; one of `prose` has texts in its last column.
    """
    columns = "".join(render_tag("th", escape(name), scope="col") for name in head)
    body = "".join(
        render_tag(
            "tr",
            render_tag("th", escape(first), scope="row")
            + "".join(render_tag("td", escape(cell)) for cell in cells),
        )
        for first, *cells in rows
    )
    table = render_tag(
        "table",
        render_tag("caption", escape(caption))
        + render_tag("thead", render_tag("tr", columns))
        + render_tag("tbody", body),
        **({"class_": "prose"} if prose else {"class_": "numbers"} if numbers else {}),
    )
    return _make_scrollable(caption, table)


def render_code(label: str, text: str, class_: str = "program") -> str:
    """Return a block of code; one of the class "command" wraps its lines, others scroll."""
    code = render_tag("pre", render_tag("code", escape(text)), class_=class_)
    return _make_scrollable(label, code)


def _make_scrollable(label: str, content: str) -> str:
    """Wrap wide content in a region that scrolls, by the keyboard too."""
    return render_tag("div", content, class_="wide", role="region", aria_label=label, tabindex="0")


def render_figure(display: Any, caption: str, alt: str) -> str:
    """Return the picture of a display, embedded, with its caption and its text alternative."""
    source = "data:image/svg+xml;base64," + b64encode(_draw_svg(display)).decode("ascii")
    width, height = (f"{96 * inches:.0f}" for inches in display.figsize)
    image = f'<img src="{source}" width="{width}" height="{height}" alt="{escape(alt)}">'
    return render_tag("figure", f"{image}{render_tag('figcaption', escape(caption))}")


def _draw_svg(display: Any) -> bytes:
    from matplotlib import rc_context  # late: an extra
    from matplotlib.figure import Figure

    figure, file = Figure(figsize=display.figsize, layout="constrained"), BytesIO()
    display.plot(ax=figure.add_subplot())
    with rc_context({"svg.fonttype": "path", "svg.hashsalt": "skactive"}):
        figure.savefig(file, format="svg", metadata={"Date": None})
    return file.getvalue()
