"""Stores of labels."""

from skactive.labeling.stores._protocol import LabelStore
from skactive.labeling.stores._sqlite import SQLiteLabelStore

__all__ = ["LabelStore", "SQLiteLabelStore"]
