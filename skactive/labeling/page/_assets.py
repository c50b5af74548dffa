"""The files of the page, which widget and server share."""

from __future__ import annotations

from importlib.resources import files

__all__ = ["asset"]


def asset(name: str) -> str:
    """Return the text of a file of the page: "page.js" or "page.css"."""
    return (files("skactive.labeling.page") / name).read_text(encoding="utf-8")
