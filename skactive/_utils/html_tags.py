"""HTML elements; `content` is HTML, attributes are escaped."""

from __future__ import annotations

from html import escape

__all__ = ["render_tag"]


def render_tag(name: str, content: str, **attributes: str) -> str:
    """Return an element; `content` is HTML, attributes are text."""
    text = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(value)}"'
        for key, value in attributes.items()
    )
    return f"<{name}{text}>{content}</{name}>"
