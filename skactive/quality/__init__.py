"""Quality of labels: which are likely wrong, and how many."""

from skactive.quality._confident_learning import count_confidently
from skactive.quality._label_quality import LabelQuality

__all__ = ["LabelQuality", "count_confidently"]
