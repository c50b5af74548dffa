"""Adapters: the only code that knows one kind of model."""

from skactive.adapters import _ensemble, _sklearn
from skactive.adapters._base import ModelAdapter, adapt, register

__all__ = ["ModelAdapter", "adapt", "register"]

del _ensemble, _sklearn  # imported for the adapters that they register
