"""The cost of refits: measured on the first ones, and refused if the whole takes too long."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from time import perf_counter
from typing import TypeVar

from skactive._utils.progress import progress
from skactive.exceptions import PoolTooLargeError

__all__ = ["limit_cost"]

Item = TypeVar("Item")

# The first refit may load what later ones have at hand, so the fastest of a few is the measure.
_N_MEASURED = 3
_ENOUGH_SECONDS = 5.0  # no loading takes longer, so a refit that does is measure enough
_N_STEPS = 100  # of a progress bar
# Seconds per unit of time, largest first, and from how many of them on it is used.
_UNITS = (("days", 86400.0, 2.0), ("hours", 3600.0, 2.0), ("minutes", 60.0, 2.0))


def limit_cost(
    items: Iterable[Item], n_items: int, *, name: str, per_row: int, max_seconds: float | None
) -> Iterator[Item]:
    """Yield items whose work takes about the same time, and stop early if all take too long.

    The time between two items is that of the caller's work. What is yielded does not depend on it.

    Parameters
    ----------
    items : iterable
        The items, one per refit.
    n_items : int
        Their number.
    name : str
        Name of the strategy, for the error and the progress bar.
    per_row : int
        Number of refits per row of the pool.
    max_seconds : float or None
        The limit; None shows a progress bar instead.

    Raises
    ------
    PoolTooLargeError
        After the first items, if at their speed all would take longer.
    """
    step, seconds = max(1, n_items // _N_STEPS), []
    with progress(n_items // step, name, shown=max_seconds is None) as advance:
        for done, item in enumerate(items, start=1):
            began = perf_counter()
            yield item
            if max_seconds is not None and done <= _N_MEASURED:
                seconds.append(perf_counter() - began)
                is_known = done == min(_N_MEASURED, n_items) or sum(seconds) > _ENOUGH_SECONDS
                if is_known and min(seconds) * n_items > max_seconds:
                    raise _make_error(name, n_items, min(seconds), per_row, max_seconds)
            if done % step == 0:
                advance("")


def _make_error(
    name: str, n_items: int, seconds: float, per_row: int, max_seconds: float
) -> PoolTooLargeError:
    n_candidates = int(max_seconds / (seconds * per_row))
    fewer = (
        f"Wrap it in Subsample or Prefilter, which choose fewer candidates (n_candidates="
        f"{n_candidates} takes {max_seconds:g} s), use a faster model"
        if n_candidates
        else "Not even one row fits, so use a faster model"
    )
    return PoolTooLargeError(
        f"{name} would take about {_describe_duration(seconds * n_items)} for this pool: "
        f"{n_items:,} refits of {seconds:.2g} s, but max_seconds={max_seconds:g}. {fewer}, or set "
        'approximation= ("newton" for linear models and nets, "reweight" for ensembles), or '
        "max_seconds=None, which goes on with a progress bar."
    )


def _describe_duration(seconds: float) -> str:
    for unit, length, least in _UNITS:
        if seconds >= least * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} seconds"
