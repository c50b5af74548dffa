"""Hooks of a labeling session: progress bar, history file, TensorBoard, MLflow, drift alarms.

A hook is any object with some of the methods ``on_fit_end``, ``on_query_end``, ``on_labels``,
``on_round_end`` and ``on_stop``; each is called with a
:class:`~skactive.labeling.SessionEvent`. ``on_labels`` is called in the thread that submits, before
``submit`` returns, so it should be quick; the others in the thread that fits the model. A hook with
state must therefore use a lock. An error in a hook becomes a warning.

Beside a session, :class:`PoolDrift` watches new rows and :class:`ExpectedAccuracy` the accuracy on
them; :class:`Trigger` is a hook that says when something is due, by any of these.
"""

from skactive.labeling.hooks._drift_alert import Drift, DriftAlert
from skactive.labeling.hooks._expected_accuracy import ExpectedAccuracy
from skactive.labeling.hooks._history import HistoryWriter
from skactive.labeling.hooks._mlflow import MLflowHook
from skactive.labeling.hooks._pool_drift import LabelingPlan, PoolDrift, PoolShift
from skactive.labeling.hooks._progress import ProgressBar
from skactive.labeling.hooks._tensorboard import TensorBoardHook
from skactive.labeling.hooks._trigger import Trigger, TriggerFired

__all__ = [
    "Drift",
    "DriftAlert",
    "ExpectedAccuracy",
    "HistoryWriter",
    "LabelingPlan",
    "MLflowHook",
    "PoolDrift",
    "PoolShift",
    "ProgressBar",
    "TensorBoardHook",
    "Trigger",
    "TriggerFired",
]
