"""What all drawings share: colors, marks and a new figure (which needs matplotlib)."""

from __future__ import annotations

from typing import Any

__all__ = ["CHARACTER", "COLORS", "MARKERS", "new_axes"]

# Okabe and Ito's colors, which people with any color vision tell apart; and marks for print.
COLORS = ("#000000", "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
CHARACTER = 0.085  # inches, of a name in the default font


def new_axes(width: float = 7.0, height: float = 4.5) -> Any:
    """Make a figure of one drawing, its size in inches."""
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(
            'Drawing needs matplotlib, which is not installed: pip install "skactive[viz]".'
        ) from error
    return plt.subplots(figsize=(width, height), layout="constrained")[1]
