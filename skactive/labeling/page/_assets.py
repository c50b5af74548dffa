"""The script and the style of the page, shared by the widget and the server."""

from __future__ import annotations

from importlib.resources import files

__all__ = ["asset"]


def asset(name: str) -> str:
    """Return the text of "page.js" or "page.css"."""
    return (files("skactive.labeling.page") / name).read_text(encoding="utf-8")
