"""Adapters: the only code that knows one kind of model."""

from skactive.adapters._base import ModelAdapter, adapt, register
from skactive.adapters._elements import StructuredAdapter

__all__ = ["ModelAdapter", "StructuredAdapter", "adapt", "register"]
