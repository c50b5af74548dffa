"""Labeled data in the formats that people have, and the small sets that come with the package."""

from skactive.datasets._bundled import find_bundled
from skactive.datasets._texts import Texts, read_split_texts, read_texts

__all__ = ["Texts", "find_bundled", "read_split_texts", "read_texts"]
