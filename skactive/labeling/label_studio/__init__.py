"""Labeling in Label Studio: rows go there as tasks, annotations come back as labels."""

from skactive.labeling.label_studio._bridge import LabelStudioBridge

__all__ = ["LabelStudioBridge"]
