"""Quality of labels: which are likely wrong, and how many; rows that repeat others."""

from skactive.quality._confident_learning import ConfidentCounts, count_confidently
from skactive.quality._duplicates import (
    DuplicatePairs,
    Duplicates,
    find_duplicates,
    find_leakage,
)
from skactive.quality._label_quality import LabelQuality

__all__ = [
    "ConfidentCounts",
    "DuplicatePairs",
    "Duplicates",
    "LabelQuality",
    "count_confidently",
    "find_duplicates",
    "find_leakage",
]
