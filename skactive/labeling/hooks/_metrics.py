"""Numbers of a round, by the names under which trackers of experiments show them."""

from __future__ import annotations

import math
import re

from skactive.estimation import clopper_pearson
from skactive.labeling.hooks._base import SessionEvent

__all__ = ["round_numbers", "step"]


def round_numbers(event: SessionEvent) -> dict[str, float]:
    """Return what is known at the end of a round, finite numbers only.

    Parameters
    ----------
    event : SessionEvent
        Of "on_round_end".

    Returns
    -------
    dict of str to float
        ``labels/all``, ``labels/learned``, ``round/number``, ``round/seconds``; with an audit
        ``audit/n``, ``audit/accuracy`` and its 95 % interval (Clopper-Pearson), ``audit/low`` and
        ``audit/high``; and ``stopping/<name>`` of each criterion.
    """
    left = dict(event.metrics)
    numbers = {
        "labels/all": float(event.n_labels),
        "labels/learned": left.pop("n_learned", 0.0),
        "round/number": float(event.round),
        "round/seconds": event.seconds,
    }
    n, score = left.pop("audit_n", 0.0), left.pop("audit_score", 0.0)
    if n:
        low, high = clopper_pearson(round(score * n), int(n))
        numbers |= {"audit/n": n, "audit/accuracy": score, "audit/low": low, "audit/high": high}
    numbers |= {f"stopping/{_plain(name)}": value for name, value in left.items()}
    return {name: value for name, value in numbers.items() if math.isfinite(value)}


def step(event: SessionEvent) -> int:
    """Return where an event stands on the learning curve: labels that the model learned from."""
    return int(event.metrics.get("n_learned", 0))


def _plain(name: str) -> str:
    """Return a name that every tracker takes."""
    return re.sub(r"[^\w.-]", "_", name, flags=re.ASCII)
