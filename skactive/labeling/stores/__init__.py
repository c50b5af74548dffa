"""Stores of labels."""

from skactive.labeling.stores._protocol import LabelStore
from skactive.labeling.stores._salvage import Salvage, salvage_store
from skactive.labeling.stores._sqlite import SQLiteLabelStore

__all__ = ["LabelStore", "SQLiteLabelStore", "Salvage", "salvage_store"]
