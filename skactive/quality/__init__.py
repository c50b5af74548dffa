"""Quality of labels: which are likely wrong, how many; rows that repeat others, or are far off."""

from skactive.quality._box_quality import BoxQuality, rate_boxes
from skactive.quality._confident_learning import ConfidentCounts, count_confidently
from skactive.quality._duplicates import (
    DuplicatePairs,
    Duplicates,
    find_duplicates,
    find_leakage,
)
from skactive.quality._element_quality import ElementQuality, rate_masks, rate_tags
from skactive.quality._label_quality import LabelQuality
from skactive.quality._outliers import Outliers, find_outliers

__all__ = [
    "BoxQuality",
    "ConfidentCounts",
    "DuplicatePairs",
    "Duplicates",
    "ElementQuality",
    "LabelQuality",
    "Outliers",
    "count_confidently",
    "find_duplicates",
    "find_leakage",
    "find_outliers",
    "rate_boxes",
    "rate_masks",
    "rate_tags",
]
