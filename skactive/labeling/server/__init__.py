"""The labeling page on a web server; needs the extra ``serve``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from skactive.labeling.server._app import make_app
    from skactive.labeling.server._serve import serve

__all__ = ["make_app", "serve"]


def __getattr__(name: str) -> Any:
    """Import the web framework on first use: the options of the command are read without it."""
    if name == "make_app":
        from skactive.labeling.server._app import make_app

        return make_app
    if name == "serve":
        from skactive.labeling.server._serve import serve

        return serve
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
