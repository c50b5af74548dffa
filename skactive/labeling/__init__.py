"""Labels from people: sessions, where labels are kept, and places to label."""

from skactive.labeling._hooks import SessionEvent
from skactive.labeling._session import Batch, LabelingSession
from skactive.labeling._summary import Progress
from skactive.labeling.stores import LabelStore, SQLiteLabelStore

__all__ = [
    "Batch",
    "LabelStore",
    "LabelingSession",
    "Progress",
    "SQLiteLabelStore",
    "SessionEvent",
]
