"""Labels from people: sessions, stores for labels, and interfaces for labeling."""

from skactive.labeling._session import Batch, LabelingSession
from skactive.labeling.hooks._base import SessionEvent
from skactive.labeling.state._progress import Progress
from skactive.labeling.stores import LabelStore, SQLiteLabelStore

__all__ = [
    "Batch",
    "LabelStore",
    "LabelingSession",
    "Progress",
    "SQLiteLabelStore",
    "SessionEvent",
]
