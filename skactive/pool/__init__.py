"""The pool of candidate rows, as strategies see it through the fitted model."""

from skactive.pool._elements import ElementView
from skactive.pool._groups import GroupView
from skactive.pool._view import PoolView

__all__ = ["ElementView", "GroupView", "PoolView"]
