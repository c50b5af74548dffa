"""Metrics of a round, under the names that experiment trackers show."""

from __future__ import annotations

import math
import re

from skactive.estimation import clopper_pearson
from skactive.labeling.hooks._base import SessionEvent

__all__ = ["collect_metrics", "get_step"]


def collect_metrics(event: SessionEvent) -> dict[str, float]:
    """Return the metrics of a round; values that are not finite are left out.

    Parameters
    ----------
    event : SessionEvent
        Event of "on_round_end".

    Returns
    -------
    dict of str to float
        ``labels/all``, ``labels/learned``, ``round/number``, ``round/seconds``; with an audit
        ``audit/n``, ``audit/accuracy`` and its 95 % interval (Clopper-Pearson), ``audit/low`` and
        ``audit/high``, or if labels are numbers ``audit/error``; and ``stopping/<name>`` of each
        criterion.
    """
    rest = dict(event.metrics)
    metrics = {
        "labels/all": float(event.n_labels),
        "labels/learned": rest.pop("n_learned", 0.0),
        "round/number": float(event.round),
        "round/seconds": event.seconds,
    }
    n, score = rest.pop("audit_n", 0.0), rest.pop("audit_score", 0.0)
    if n:
        low, high = clopper_pearson(round(score * n), int(n))
        metrics |= {"audit/n": n, "audit/accuracy": score, "audit/low": low, "audit/high": high}
    if "audit_error" in rest:
        metrics["audit/error"] = rest.pop("audit_error")
    metrics |= {f"stopping/{_sanitize(name)}": value for name, value in rest.items()}
    return {name: value for name, value in metrics.items() if math.isfinite(value)}


def get_step(event: SessionEvent) -> int:
    """Return the step of an event: the number of labels that the model learned from."""
    return int(event.metrics.get("n_learned", 0))


def _sanitize(name: str) -> str:
    """Return a name that all trackers accept."""
    return re.sub(r"[^\w.-]", "_", name, flags=re.ASCII)
