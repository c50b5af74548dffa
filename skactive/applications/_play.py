"""The loop of all applications: paired campaigns over several seeds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from skactive._learner import ActiveLearner
from skactive._utils.array_types import Positions
from skactive._utils.rows import n_rows, take_rows
from skactive.applications._application import Application, Sizes, Task, Variant
from skactive.comparison import StrategyComparison, compare_strategies
from skactive.explanation import Explanation
from skactive.simulation import Elements

__all__ = ["Batch", "explain_batch", "play"]


class Batch(NamedTuple):
    """Rows that a learner asks for.

    Attributes
    ----------
    learner : ActiveLearner
        The learner, fitted to the initial rows.
    positions : ndarray of shape (batch_size,)
        Positions of the rows in the pool of the task; of elements, that of the row of each.
    explanations : list of Explanation
        Why each was asked for.
    elements : ndarray of shape (batch_size,), or None
        The place of each element (or group) in its row; None if whole rows are asked for.
    """

    learner: ActiveLearner
    positions: Positions
    explanations: list[Explanation]
    elements: Positions | None = None


def play(
    application: Application,
    task: Task,
    sizes: Sizes,
    *,
    n_repeats: int = 5,
    n_jobs: int | None = None,
    folder: Path | None = None,
    verbose: bool = False,
    random_state: int = 0,
) -> StrategyComparison:
    """Play paired campaigns of all strategies of an application.

    Parameters
    ----------
    application : Application
        Model, strategies and score.
    task : Task
        The data.
    sizes : Sizes
        Sizes of the campaigns.
    n_repeats : int, default=5
        Number of paired seeds.
    n_jobs : int, default=None
        Number of campaigns to play in parallel; None is 1.
    folder : Path, default=None
        Folder that keeps finished campaigns, so that an interrupted run continues.
    verbose : bool, default=False
        Whether to show a progress bar on standard error.
    random_state : int, default=0
        Seed of everything.

    Returns
    -------
    StrategyComparison
        Over the cost of labels if they have costs, else over their number.
    """
    X, y = task.join()
    comparisons = []
    for index, (variant, strategies) in enumerate(_group_strategies(application.strategies)):
        comparisons.append(
            compare_strategies(
                application.model(task),
                strategies,
                X,
                y,
                cv=task.draw_splits(n_repeats, sizes.n_pool, random_state),
                budget=sizes.budget,
                batch_size=variant.find_batch_size(sizes),
                n_initial=sizes.n_initial,
                scoring=application.scoring,
                n_jobs=n_jobs,
                random_state=random_state,
                folder=None if folder is None else Path(folder, str(index)),
                verbose=verbose,
                costs=_extend_costs(task, variant),
                oracle=variant.oracle,
            )
        )
    joined = StrategyComparison(
        [run for part in comparisons for run in part.runs],
        failures=[failure for part in comparisons for failure in part.failures],
        scoring=application.score_name,
        baseline="Random",
        settings=comparisons[0].settings,
    )
    return joined if task.costs is None else joined.by_cost()


def _group_strategies(strategies: Mapping[str, Any]) -> list[tuple[Variant, dict[str, Any]]]:
    """Group the strategies that buy the same things in the same batches."""
    groups: list[tuple[Variant, dict[str, Any]]] = []
    for name, strategy in strategies.items():
        variant = strategy if isinstance(strategy, Variant) else Variant(strategy)
        for other, members in groups:
            if replace(other, strategy=None) == replace(variant, strategy=None):
                members[name] = variant.strategy
                break
        else:
            groups.append((variant, {name: variant.strategy}))
    return groups


def _extend_costs(task: Task, variant: Variant) -> Any:
    """Return the costs of all rows, or of their elements; those of test rows are never read."""
    n_test = n_rows(task.X_test)
    if variant.oracle is None:
        return None if task.costs is None else np.append(task.costs, np.ones(n_test))
    costs = task.element_costs
    return None if costs is None else [*costs, *[np.ones(1)] * n_test]


def explain_batch(
    application: Application, task: Task, sizes: Sizes, *, random_state: int = 0
) -> Batch:
    """Fit the chosen strategy's learner to initial rows, and explain the batch it asks for.

    Of elements, what is explained is the row of each.

    Parameters
    ----------
    application : Application
        Model and strategies.
    task : Task
        The data.
    sizes : Sizes
        How many initial rows, and how many to ask for.
    random_state : int, default=0
        Seed of the initial rows, the model and the query.

    Returns
    -------
    Batch
    """
    (pool, _), *_ = task.draw_splits(1, sizes.n_pool, random_state)
    order = np.random.default_rng(random_state).permutation(pool)
    labeled, rest = np.split(order, [sizes.n_initial])
    chosen = application.strategies[application.chosen]
    variant = chosen if isinstance(chosen, Variant) else Variant(chosen)
    learner = application.model(task)
    if not isinstance(learner, ActiveLearner):
        learner = ActiveLearner(learner)
    learner.set_params(strategy=variant.strategy, random_state=random_state)
    learner.fit(take_rows(task.X, labeled), take_rows(task.y, labeled))
    X_rest, size = take_rows(task.X, rest), variant.find_batch_size(sizes)
    if isinstance(variant.oracle, Elements):
        groups = variant.oracle.groups
        picked, elements = learner.query_elements(
            X_rest, size, groups=None if groups is None else groups(X_rest)
        )
    else:
        costs = None if task.costs is None else np.asarray(task.costs)[rest]
        picked, elements = learner.query(X_rest, min(size, len(rest)), costs=costs), None
    return Batch(learner, rest[picked], learner.explain(X_rest, picked), elements)
