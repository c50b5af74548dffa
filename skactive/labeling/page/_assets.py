"""The script and the style of the page, shared by the widget and the server."""

from __future__ import annotations

from importlib.resources import files

__all__ = ["asset"]

# One module and one style sheet each, since a notebook loads them as two texts.
_PARTS = {
    "page.js": [
        f"script/{part}.js"
        for part in (
            "texts", "contents", "messages", "answers", "numbers", "keys", "rendering", "dialogs",
            "page",
        )
    ],
    "page.css": ["style/page.css", "style/dialogs.css"],
}  # fmt: skip


def asset(name: str) -> str:
    """Return the text of "page.js" or "page.css"."""
    folder = files("skactive.labeling.page")
    return "\n".join((folder / part).read_text(encoding="utf-8") for part in _PARTS[name])
