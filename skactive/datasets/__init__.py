"""Labeled data in the formats that people have, and the small sets that come with the package."""

from skactive.datasets._bundled import find_bundled
from skactive.datasets._masks import SegmentedImages, read_mask_folder

__all__ = ["SegmentedImages", "find_bundled", "read_mask_folder"]
