"""Shared by all drawings: colors, markers, names, and a new figure (which needs matplotlib)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

__all__ = [
    "BLACK",
    "BLUE",
    "CHARACTER_WIDTH",
    "COLORS",
    "MARKERS",
    "VERMILION",
    "measure_names",
    "new_axes",
    "shorten_name",
]

# Okabe and Ito's colors, distinct for all kinds of color vision; and markers for print.
COLORS = ("#000000", "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9")
BLACK, BLUE, VERMILION = COLORS[0], COLORS[1], COLORS[5]
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
CHARACTER_WIDTH = 0.085  # inches, in the default font
_MAX_NAME_LENGTH = 44  # characters that are drawn


def new_axes(width: float = 7.0, height: float = 4.5) -> Any:
    """Return the axes of a new figure; its size is in inches."""
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(
            'Drawing needs matplotlib, which is not installed: pip install "skactive[viz]".'
        ) from error
    return plt.subplots(figsize=(width, height), layout="constrained")[1]


def shorten_name(name: str) -> str:
    """Return a name to draw, without its middle if it is long."""
    if len(name) <= _MAX_NAME_LENGTH:
        return name
    half = (_MAX_NAME_LENGTH - 1) // 2
    return f"{name[:half]}…{name[-half:]}"


def measure_names(names: Iterable[str]) -> int:
    """Return the number of characters of the longest name that is drawn."""
    return max((len(shorten_name(name)) for name in names), default=0)
