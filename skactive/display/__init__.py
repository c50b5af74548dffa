"""Displays: the data of a drawing, apart from the drawing itself (which needs matplotlib)."""

from skactive.display._critical_difference import CriticalDifferenceDisplay
from skactive.display._curves import LabelCurve, LabelCurveDisplay
from skactive.display._explanation import ExplanationDisplay, RowContent
from skactive.display._forecast import ForecastDisplay
from skactive.display._labels_saved import LabelsSavedDisplay
from skactive.display._penalties import PenaltyDisplay
from skactive.display._row_contents import ColumnDifference
from skactive.display._stopping import StoppingDisplay, StoppingHistory

__all__ = [
    "ColumnDifference",
    "CriticalDifferenceDisplay",
    "ExplanationDisplay",
    "ForecastDisplay",
    "LabelCurve",
    "LabelCurveDisplay",
    "LabelsSavedDisplay",
    "PenaltyDisplay",
    "RowContent",
    "StoppingDisplay",
    "StoppingHistory",
]
