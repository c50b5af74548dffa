"""Tables of what a session knows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from skactive.labeling._events import Event
from skactive.labeling._summary import RECORD

__all__ = ["answers_frame", "rounds_frame"]


def answers_frame(records: Sequence[dict[str, Any]]) -> Any:
    """Return a DataFrame of records, with times in UTC."""
    pandas = _pandas()
    frame = pandas.DataFrame(records, columns=list(RECORD))
    return frame.assign(time=pandas.to_datetime(frame["time"], unit="s", utc=True))


def rounds_frame(rounds: Sequence[Event]) -> Any:
    """Return a DataFrame with a row for each model."""
    pandas = _pandas()
    rows = []
    for number, event in enumerate(rounds, 1):
        value = event.value
        right, n = value["audit"] or (None, 0)
        row = {
            "round": number,
            "n_labels": value["n_labels"],
            "fit_seconds": value["fit_seconds"],
            "query_seconds": value["query_seconds"],
            "audit_n": n,
            "audit_score": right / n if right is not None else float("nan"),
            "time": pandas.Timestamp(event.time, unit="s", tz="UTC"),
            "stop": value["stop"],
        }
        rows.append(row | value["stopping"])
    return pandas.DataFrame(rows)


def _pandas() -> Any:
    try:
        import pandas
    except ImportError as error:
        raise ImportError(
            'Tables of a session need pandas: pip install "skactive[data]". Without it use '
            "records()."
        ) from error
    return pandas
