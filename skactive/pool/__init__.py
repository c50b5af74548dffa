"""Pool views: the candidate rows as a strategy sees them, through the fitted model."""

from skactive.pool._view import PoolView

__all__ = ["PoolView"]
