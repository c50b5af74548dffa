"""Displays: what to draw, apart from the drawing (which needs matplotlib)."""

from skactive.display._comparison import (
    CriticalDifferenceDisplay,
    LabelsSavedDisplay,
    PenaltyDisplay,
)
from skactive.display._curves import LabelCurve, LabelCurveDisplay
from skactive.display._forecast import ForecastDisplay
from skactive.display._stopping import StoppingDisplay, StoppingHistory

__all__ = [
    "CriticalDifferenceDisplay",
    "ForecastDisplay",
    "LabelCurve",
    "LabelCurveDisplay",
    "LabelsSavedDisplay",
    "PenaltyDisplay",
    "StoppingDisplay",
    "StoppingHistory",
]
