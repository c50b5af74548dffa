"""Labels from people: sessions, stores for labels, and interfaces for labeling."""

from typing import TYPE_CHECKING

from skactive._utils.lazy import make_lazy

if TYPE_CHECKING:
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

# A store alone can be read without scikit-learn, as ``skactive status`` does.
if not TYPE_CHECKING:
    __getattr__, __dir__ = make_lazy(
        __name__,
        {
            "Batch": "skactive.labeling._session",
            "LabelStore": "skactive.labeling.stores",
            "LabelingSession": "skactive.labeling._session",
            "Progress": "skactive.labeling.state._progress",
            "SQLiteLabelStore": "skactive.labeling.stores",
            "SessionEvent": "skactive.labeling.hooks._base",
        },
        ("hooks", "state", "stores"),
    )
