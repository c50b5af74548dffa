"""Labels from people: sessions, stores for labels, and interfaces for labeling."""

from __future__ import annotations

from typing import TYPE_CHECKING

from skactive._utils.lazy import import_name

if TYPE_CHECKING:
    from skactive.labeling._answers import read_answers
    from skactive.labeling._handing_out import Batch
    from skactive.labeling._hours import HoursForecast
    from skactive.labeling._session import LabelingSession
    from skactive.labeling._spending import Spending, Spent
    from skactive.labeling.hooks._base import SessionEvent
    from skactive.labeling.state._progress import Progress
    from skactive.labeling.stores import LabelStore, SQLiteLabelStore

__all__ = [
    "Batch",
    "HoursForecast",
    "LabelStore",
    "LabelingSession",
    "Progress",
    "SQLiteLabelStore",
    "SessionEvent",
    "Spending",
    "Spent",
    "read_answers",
]

_SOURCES = {
    "Batch": "skactive.labeling._handing_out",
    "HoursForecast": "skactive.labeling._hours",
    "LabelStore": "skactive.labeling.stores",
    "LabelingSession": "skactive.labeling._session",
    "Progress": "skactive.labeling.state._progress",
    "SQLiteLabelStore": "skactive.labeling.stores",
    "SessionEvent": "skactive.labeling.hooks._base",
    "Spending": "skactive.labeling._spending",
    "Spent": "skactive.labeling._spending",
    "read_answers": "skactive.labeling._answers",
}
_MODULES = ("hooks", "state", "stores")

if not TYPE_CHECKING:

    def __getattr__(name):
        """Import a name on first use: a store can be read without scikit-learn."""
        return import_name(__name__, name, _SOURCES, _MODULES)

    def __dir__():
        return sorted({*globals(), *_SOURCES, *_MODULES})
