"""The pool of candidate rows, as strategies see it through the fitted model."""

from skactive.pool._view import PoolView

__all__ = ["PoolView"]
