"""Displays: what to draw, apart from the drawing (which needs matplotlib)."""

from skactive.display._curves import LabelCurve, LabelCurveDisplay

__all__ = ["LabelCurve", "LabelCurveDisplay"]
