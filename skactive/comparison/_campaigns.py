"""Campaigns: one for each model, strategy and repeat; played, or read from the folder."""

from __future__ import annotations

import traceback
import warnings
from collections.abc import Iterable, Iterator
from copy import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from skactive._utils.progress import progress
from skactive._utils.rows import take_rows
from skactive.comparison._folder import Store, loaded_run, save_run
from skactive.comparison._runs import Failure, Run, distinct
from skactive.comparison._splits import Split, repeat_seeds
from skactive.exceptions import SkactiveWarning
from skactive.simulation._learner import SimulatedLearner

__all__ = ["Task", "finished_runs", "in_order", "report_failures", "tasks_of"]


@dataclass(frozen=True)
class Task:
    """One campaign to play, and where to keep it."""

    model: str
    strategy: str
    repeat: int
    simulation: SimulatedLearner
    split: Split
    scoring: Any
    path: Path | None


def tasks_of(
    models: dict[str, Any],
    named: dict[str, Any],
    campaign: dict[str, Any],
    seed: int,
    splits: list[Split],
    scoring: Any,
    store: Store | None,
) -> list[Task]:
    """List the campaigns; repeats are outermost, so that an early stop leaves whole ones."""
    return [
        Task(
            model,
            name,
            repeat,
            _simulation(estimator, strategy, campaign, repeat_seeds(seed, repeat)[1]),
            split,
            scoring,
            None if store is None else store.path(estimator, strategy, repeat),
        )
        for repeat, split in enumerate(splits)
        for model, estimator in models.items()
        for name, strategy in named.items()
    ]


def in_order(runs: list[Run], models: Iterable[str], named: Iterable[str]) -> list[Run]:
    """Sort runs by model, strategy and repeat, each in the order in which they were passed."""
    model_at = {name: place for place, name in enumerate(models)}
    strategy_at = {name: place for place, name in enumerate(named)}
    return sorted(
        runs, key=lambda run: (model_at[run.model], strategy_at[run.strategy], run.repeat)
    )


def _simulation(
    learner: Any, strategy: Any, campaign: dict[str, Any], seed: int
) -> SimulatedLearner:
    # A copy and no clone: the estimator of a prefit learner is to stay fitted.
    return SimulatedLearner(
        copy(learner).set_params(strategy=strategy), **campaign, random_state=seed
    )


def finished_runs(
    tasks: list[Task], X: Any, y: Any, n_jobs: int | None, verbose: bool | int
) -> Iterator[Run | Failure]:
    """Yield what is kept in the folder, then what is played now."""
    missing = []
    for task in tasks:
        path = task.path
        kept = None if path is None else loaded_run(path, task.model, task.strategy, task.repeat)
        if kept is None:
            missing.append(task)
        else:
            yield kept
    with progress(len(missing), "comparing", shown=bool(verbose and missing)) as advance:
        for result in _played(missing, X, y, n_jobs):
            advance(f"repeat {result.repeat}, {result.strategy}")
            yield result


def _played(tasks: list[Task], X: Any, y: Any, n_jobs: int | None) -> Iterator[Run | Failure]:
    """Play campaigns one after the other, or several at once."""
    from joblib import effective_n_jobs  # late: only comparisons need joblib
    from sklearn.utils.parallel import Parallel, delayed

    if effective_n_jobs(n_jobs) == 1 or len(tasks) < 2:
        yield from (_play(task, X, y) for task in tasks)
    else:
        parallel = Parallel(n_jobs=n_jobs, return_as="generator")
        yield from parallel(delayed(_play)(task, X, y) for task in tasks)


def _play(task: Task, X: Any, y: Any) -> Run | Failure:
    """Play one campaign and keep it; an error is a result too."""
    train, test = task.split
    try:
        with threadpool_limits(1):
            simulation = task.simulation.fit(take_rows(X, train), take_rows(y, train))
            rows, truth = take_rows(X, test), take_rows(y, test)
            scores = np.array(list(simulation.staged_score(rows, truth, task.scoring)))
        if not np.isfinite(scores).all():
            raise ValueError(f"The scores of some rounds are no finite numbers: {scores}.")
    except Exception as error:
        text = "".join(traceback.format_exception(error))
        name, message = type(error).__name__, str(error)
        return Failure("data", task.model, task.strategy, task.repeat, name, message, text)
    seconds = [
        np.array([record[name] for record in simulation.history_])
        for name in ("fit_seconds", "query_seconds")
    ]
    counts = simulation.n_labels_
    run = Run("data", task.model, task.strategy, task.repeat, counts, scores, *seconds)
    if task.path is not None:
        save_run(task.path, run)
    return run


def report_failures(failures: list[Failure], n_tasks: int) -> None:
    """Warn of failures; where nothing else came of it, raise the first."""
    if not failures:
        return
    first = failures[0]
    where = f"{first.strategy} with {first.model}, repeat {first.repeat}"
    if len(failures) == n_tasks:
        raise RuntimeError(
            f"All {n_tasks} campaigns failed. The first ({where}): {first.error}: "
            f"{first.message}\n\n{first.traceback}"
        )
    by_strategy = ", ".join(
        f"{name} {sum(failure.strategy == name for failure in failures)}"
        for name in distinct(failure.strategy for failure in failures)
    )
    warnings.warn(
        f"{len(failures)} of {n_tasks} campaigns failed ({by_strategy}) and are left out; "
        "statistics use the repeats in which all strategies succeeded, without strategies that "
        f"never did. The first ({where}): {first.error}: {first.message.rstrip('.')}. See "
        "failures.",
        SkactiveWarning,
        stacklevel=3,
    )
