"""Labeled data in the formats that people have, and the small sets that come with the package."""

from skactive.datasets._bundled import find_bundled

__all__ = ["find_bundled"]
