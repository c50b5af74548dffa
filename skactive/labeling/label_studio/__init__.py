"""Labeling in Label Studio: rows become tasks there, annotations become labels here."""

from skactive.labeling.label_studio._bridge import LabelStudioBridge

__all__ = ["LabelStudioBridge"]
