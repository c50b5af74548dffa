"""The record of a comparison: what is written to JSON, and the table in the README is made of."""

from __future__ import annotations

import platform
from typing import Any

import numpy as np
import scipy
import sklearn

from skactive._utils.rows import n_rows
from skactive.applications._application import Application, Sizes, Task
from skactive.comparison import StrategyComparison

__all__ = ["make_record"]


def make_record(
    application: Application, task: Task, sizes: Sizes, comparison: StrategyComparison
) -> dict[str, Any]:
    """Return what a comparison showed, as plain values.

    Parameters
    ----------
    application : Application
        The application.
    task : Task
        Its data.
    sizes : Sizes
        Sizes of the campaigns.
    comparison : StrategyComparison
        What :func:`play` returned.

    Returns
    -------
    dict
        ``title``, ``source``, ``model``, ``score``, ``unit``, sizes, ``target`` (the final score of
        random labeling), ``summary``, ``versions``, and in ``strategies`` one dict per strategy:
        final score, area and its difference to that of random labeling with a 95 % interval, the
        cost to reach the target, the share saved with its interval, and the seconds of a round.
    """
    savings = {saving.strategy: saving for saving in comparison.labels_saved()}
    first = next(iter(savings.values()))
    rows = []
    for area in comparison.area_records():
        name = area["strategy"]
        n_rounds = np.mean([len(run.scores) for run in comparison.runs if run.strategy == name])
        saving = savings.get(name)
        rows.append(
            {
                "name": name,
                **{key: area[key] for key in _AREA_KEYS},
                "cost": first.baseline_n_labels if saving is None else saving.n_labels,
                **{key: None if saving is None else getattr(saving, key) for key in _SAVING_KEYS},
                "round_seconds": (area["fit_seconds"] + area["query_seconds"]) / n_rounds,
            }
        )
    record = {
        "title": application.title,
        "source": task.source,
        "model": application.model_name,
        "score": application.score_name,
        "unit": task.unit,
        "chosen": application.chosen,
        "n_pool": min(n_rows(task.X), sizes.n_pool or n_rows(task.X)),
        "n_test": n_rows(task.X_test),
        "n_repeats": len({run.repeat for run in comparison.runs}),
        "n_initial": sizes.n_initial,
        "batch_size": sizes.batch_size,
        "budget": sizes.budget,
        "target": first.target,
        "strategies": rows,
        "summary": comparison.summary(),
        "failures": [f"{failure.strategy}: {failure.message}" for failure in comparison.failures],
        "versions": _list_versions(),
    }
    return _convert(record)


_AREA_KEYS = ("final_score", "area", "difference", "difference_low", "difference_high")
_SAVING_KEYS = ("saved", "low", "high", "bound")


def _list_versions() -> dict[str, str]:
    modules = {"numpy": np, "scipy": scipy, "scikit-learn": sklearn}
    versions = {name: module.__version__ for name, module in modules.items()}
    return {"python": platform.python_version(), **versions}


def _convert(value: Any) -> Any:
    """Convert NumPy's numbers to Python's, and those that JSON does not have to None."""
    if isinstance(value, dict):
        return {key: _convert(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_convert(part) for part in value]
    if isinstance(value, np.generic):
        value = value.item()
    is_number = isinstance(value, float)
    return None if is_number and not np.isfinite(value) else value
