"""Adapters: the only code that knows one kind of model."""

from skactive.adapters._base import ModelAdapter, adapt, register

__all__ = ["ModelAdapter", "adapt", "register"]
