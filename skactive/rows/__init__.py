"""Rows that are not in memory: containers of any kind, and paths with a loader."""

from skactive.rows._loaded import LoadedRows
from skactive.rows._registration import register_rows

__all__ = ["LoadedRows", "register_rows"]
