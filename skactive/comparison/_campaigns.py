"""Campaigns: one per model, strategy and repeat, played now or read from the folder."""

from __future__ import annotations

import traceback
import warnings
from collections.abc import Iterable, Iterator
from copy import copy
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits

from skactive._utils.array_types import Positions
from skactive._utils.labels import take_labels
from skactive._utils.progress import progress
from skactive._utils.ragged import Ragged
from skactive._utils.rows import select_rows, take_rows
from skactive.adapters import register
from skactive.adapters._base import list_registered
from skactive.comparison._folder import CampaignFolder
from skactive.comparison._run_files import DamagedFileError, RunFile, describe_damaged_files
from skactive.comparison._runs import Failure, Run, drop_duplicates
from skactive.comparison._splits import Split, draw_repeat_seeds
from skactive.exceptions import SkactiveWarning
from skactive.simulation._learner import SimulatedLearner

__all__ = [
    "CampaignTask",
    "LabeledData",
    "collect_results",
    "list_tasks",
    "sort_runs",
    "warn_of_failures",
]


class LabeledData(NamedTuple):
    """Rows, their labels, and what these cost; None: 1 each."""

    X: Any
    y: Any
    costs: Any = None

    def take(self, rows: Positions) -> LabeledData:
        """Return the data of some rows."""
        costs = self.costs
        if costs is not None:
            costs = costs.take(rows) if isinstance(costs, Ragged) else take_rows(costs, rows)
        return LabeledData(select_rows(self.X, rows), take_labels(self.y, rows), costs)


@dataclass(frozen=True)
class CampaignTask:
    """One campaign to play, and the file to keep it in."""

    model: str
    strategy: str
    repeat: int
    simulation: SimulatedLearner
    split: Split
    scoring: Any
    file: RunFile | None


def list_tasks(
    models: dict[str, Any],
    strategies: dict[str, Any],
    campaign: dict[str, Any],
    seed: int,
    splits: list[Split],
    scoring: Any,
    folder: CampaignFolder | None,
) -> list[CampaignTask]:
    """List the campaigns; repeats are outermost, so that an early stop leaves complete ones."""
    return [
        CampaignTask(
            model,
            name,
            repeat,
            _make_simulation(estimator, strategy, campaign, draw_repeat_seeds(seed, repeat)[1]),
            split,
            scoring,
            None if folder is None else folder.make_run_file(estimator, strategy, repeat),
        )
        for repeat, split in enumerate(splits)
        for model, estimator in models.items()
        for name, strategy in strategies.items()
    ]


def sort_runs(runs: list[Run], models: Iterable[str], strategies: Iterable[str]) -> list[Run]:
    """Sort runs by model, strategy and repeat, each in the order in which they were passed."""
    model_positions = {name: position for position, name in enumerate(models)}
    strategy_positions = {name: position for position, name in enumerate(strategies)}
    return sorted(
        runs,
        key=lambda run: (model_positions[run.model], strategy_positions[run.strategy], run.repeat),
    )


def _make_simulation(
    learner: Any, strategy: Any, campaign: dict[str, Any], seed: int
) -> SimulatedLearner:
    # A copy, not a clone: the estimator of a prefit learner must stay fitted.
    return SimulatedLearner(
        copy(learner).set_params(strategy=strategy), **campaign, random_state=seed
    )


def collect_results(
    tasks: list[CampaignTask], data: LabeledData, n_jobs: int | None, verbose: bool | int
) -> Iterator[Run | Failure]:
    """Yield the runs kept in the folder, then play the missing campaigns."""
    runs, missing = _read_finished(tasks)
    yield from runs
    with progress(len(missing), "comparing", shown=bool(verbose and missing)) as advance:
        for result in _play_all(missing, data, n_jobs):
            advance(f"repeat {result.repeat}, {result.strategy}")
            yield result


def _read_finished(tasks: list[CampaignTask]) -> tuple[list[Run], list[CampaignTask]]:
    """Return the runs kept in the folder, and the tasks without one; warn of damaged files."""
    runs, missing, damaged, unsealed = [], [], [], []
    for task in tasks:
        loaded = None
        if task.file is not None:
            try:
                loaded = task.file.load(task.model, task.strategy, task.repeat)
            except DamagedFileError as error:
                damaged.append((task.file.path, str(error)))
        if loaded is None:
            missing.append(task)
        else:
            runs.append(loaded[0])
            if task.file is not None and not loaded[1]:
                unsealed.append(task.file.path)
    for sentence in describe_damaged_files(damaged, unsealed):
        warnings.warn(sentence, SkactiveWarning, stacklevel=4)
    return runs, missing


def _play_all(
    tasks: list[CampaignTask], data: LabeledData, n_jobs: int | None
) -> Iterator[Run | Failure]:
    """Play campaigns one after the other, or several at once."""
    from joblib import effective_n_jobs  # late: only comparisons need joblib
    from sklearn.utils.parallel import Parallel, delayed

    if effective_n_jobs(n_jobs) == 1 or len(tasks) < 2:
        yield from (_play(task, data) for task in tasks)
    else:
        parallel = Parallel(n_jobs=n_jobs, return_as="generator")
        adapters = list_registered()  # in a notebook, say, which workers do not import
        jobs = (delayed(_play_recorded)(task, data, adapters) for task in tasks)
        for result, caught in parallel(jobs):
            for warning in caught:
                warnings.warn_explicit(*warning)
            yield result


def _play_recorded(
    task: CampaignTask, data: LabeledData, adapters: dict[type, Any]
) -> tuple[Run | Failure, list[tuple[str, type[Warning], str, int]]]:
    """Play one campaign in a worker, whose warnings only its caller can show."""
    for kind, adapter in adapters.items():
        register(kind)(adapter)
    with warnings.catch_warnings(record=True) as caught:
        result = _play(task, data)
    return result, [(str(w.message), w.category, w.filename, w.lineno) for w in caught]


def _play(task: CampaignTask, data: LabeledData) -> Run | Failure:
    """Play one campaign and keep it; an error is a result too."""
    try:
        with threadpool_limits(1):
            (X, y, costs), (X_test, y_test, _) = map(data.take, task.split)
            simulation = task.simulation.fit(X, y, costs=costs)
            scores = np.array(list(simulation.staged_score(X_test, y_test, task.scoring)))
        if not np.isfinite(scores).all():
            raise ValueError(f"The scores of some rounds are not finite numbers: {scores}.")
    except Exception as error:
        text = "".join(traceback.format_exception(error))
        name, message = type(error).__name__, str(error)
        return Failure("data", task.model, task.strategy, task.repeat, name, message, text)
    run = Run(
        "data",
        task.model,
        task.strategy,
        task.repeat,
        simulation.n_labels_,
        scores,
        fit_seconds=np.array([record["fit_seconds"] for record in simulation.history_]),
        query_seconds=np.array([record["query_seconds"] for record in simulation.history_]),
        costs=simulation.costs_ if simulation._has_costs(data.costs) else None,
    )
    if task.file is not None:
        task.file.save(run)
    return run


def warn_of_failures(failures: list[Failure], n_tasks: int) -> None:
    """Warn about failed campaigns; if all failed, raise an error that shows the first."""
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
        for name in drop_duplicates(failure.strategy for failure in failures)
    )
    warnings.warn(
        f"{len(failures)} of {n_tasks} campaigns failed ({by_strategy}) and are left out; "
        "statistics use the repeats in which all strategies succeeded, without strategies that "
        f"never did. The first ({where}): {first.error}: {first.message.rstrip('.')}. See "
        "failures.",
        SkactiveWarning,
        stacklevel=3,
    )
