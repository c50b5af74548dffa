"""Comparison of strategies by paired campaigns."""

from __future__ import annotations

from numbers import Integral
from pathlib import Path
from typing import Any

import numpy as np

from skactive._utils.fingerprint import describe, describe_rows, digest
from skactive._utils.labels import describe_labels, read_labels
from skactive._utils.rows import n_rows
from skactive._utils.seeding import draw_seed
from skactive._utils.tags import is_classifier
from skactive._validation import check_rows, check_strategy
from skactive.comparison._campaigns import (
    LabeledData,
    collect_results,
    list_tasks,
    sort_runs,
    warn_of_failures,
)
from skactive.comparison._folder import CampaignFolder
from skactive.comparison._names import choose_baseline, name_models, name_scoring, name_strategies
from skactive.comparison._result import StrategyComparison
from skactive.comparison._runs import Failure, Run
from skactive.comparison._splits import draw_splits
from skactive.simulation._learner import SimulatedLearner

__all__ = ["compare_strategies"]


def compare_strategies(
    learner: Any,
    strategies: Any,
    X: Any,
    y: Any,
    *,
    test_size: float | int = 0.25,
    cv: Any = None,
    groups: Any = None,
    budget: float = 100,
    batch_size: int = 10,
    n_initial: int = 10,
    initial_strategy: Any = None,
    n_repeats: int = 10,
    scoring: Any = None,
    n_jobs: int | None = None,
    random_state: Any = None,
    folder: str | Path | None = None,
    verbose: bool | int = False,
    costs: Any = None,
    oracle: Any = None,
) -> StrategyComparison:
    """Compare query strategies by paired campaigns on labeled data.

    In each repeat all strategies get the same training and test rows, the same initial labels, and
    the same seeds of model and queries.

    Parameters
    ----------
    learner : ActiveLearner, estimator, or mapping of str to either
        The model or models. The strategy of a learner is replaced; another estimator is wrapped in
        an ActiveLearner. A `random_state` that the learner has is used in every repeat.
    strategies : mapping of str to Strategy, or list of Strategy
        The strategies to compare; those in a list are named by their ``str``. The baseline is
        ``Random`` if it is among them, else the first.
    X : rows in any container
        All rows.
    y : array-like of shape (n_rows,) or (n_rows, ...), or list
        Their labels, of any kind that the learner's ``fit`` takes: the oracle's answers, and the
        truth on test rows. A score gets them as they are (of a sparse matrix, as an array).
    test_size : float or int, default=0.25
        Share or number of rows that each repeat holds out to score the models. Each repeat draws
        its own, stratified for classifiers if every class has enough rows.
    cv : int, splitter or iterable, default=None
        Folds to use as the repeats; `n_repeats` and `test_size` are ignored then.
    groups : array-like of shape (n_rows,), default=None
        Rows of one group are never split between training and test.
    budget : int or float, default=100
        Number of labels that a campaign may read in total, the initial ones included; what they
        may cost in total, if labels have costs.
    batch_size : int, default=10
        Number of labels to read per round.
    n_initial : int, default=10
        Number of initial labels.
    initial_strategy : Strategy, default=None
        The strategy that chooses the initial rows; None draws them at random.
    n_repeats : int, default=10
        Number of repeats. The first ones do not depend on how many follow.
    scoring : str, callable or None, default=None
        As in scikit-learn's searches; None is the model's own ``score``.
    n_jobs : int or None, default=None
        Number of campaigns to play in parallel; None is 1, or that of ``joblib.parallel_config``.
        The result is the same for any number.
    random_state : int, RandomState instance or None, default=None
        Seed of all splits, initial labels, models and queries.
    folder : str or Path, default=None
        Folder in which to keep finished campaigns, one file each. A later call with the same
        folder plays only those that are missing: after an interruption, or with more repeats,
        strategies or models. Failed ones are tried again, and so are those whose file is damaged,
        with a warning that names it.
    verbose : bool or int, default=False
        Whether to show a progress bar on standard error.
    costs : array-like of shape (n_rows,), or list with an array per row, default=None
        What the labels cost, as in :meth:`SimulatedLearner.fit <skactive.SimulatedLearner.fit>`.
        The curves are over labels; :meth:`StrategyComparison.by_cost` has them over cost.
    oracle : Rows, Elements or Crowd, default=None
        What campaigns buy; None is labels of whole rows, :class:`~skactive.simulation.Elements`
        are single ones.

    Returns
    -------
    StrategyComparison
        The curves of all campaigns, with statistics.

    Raises
    ------
    ValueError
        If a setting is invalid, two strategies are the same, or `folder` holds campaigns of other
        data or settings: the message says what differs.
    RuntimeError
        If every campaign failed.

    Warns
    -----
    SkactiveWarning
        If some campaigns failed; they are listed in ``failures``. If files in `folder` are damaged,
        or were written by a version whose files have no digest.

    Notes
    -----
    The seeds of repeat r come from ``SeedSequence([seed, r])`` alone. While a campaign plays, BLAS
    and OpenMP have one thread.

    Repeats are splits of one dataset: intervals and tests describe this dataset and the chance in
    split, initial labels and model, not other data. For that, compare on several datasets and join
    the results by :meth:`StrategyComparison.concat`.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from skactive.comparison import compare_strategies
    >>> from skactive.strategies import Margin, Random
    >>> X, y = load_iris(return_X_y=True)
    >>> comparison = compare_strategies(
    ...     GaussianNB(), [Random(), Margin()], X, y, budget=40, n_repeats=3, random_state=0
    ... )
    >>> comparison
    StrategyComparison(2 strategies x 3 repeats, 10 to 40 labels, accuracy)
    >>> {name: len(areas) for name, areas in comparison.areas().items()}
    {'Random()': 3, 'Margin()': 3}
    """
    X, y = check_rows(X, y)
    models, strategies = name_models(learner), name_strategies(strategies)
    campaign = {
        "budget": budget,
        "batch_size": batch_size,
        "n_initial": n_initial,
        "initial_strategy": initial_strategy,
        "oracle": oracle,
    }
    _check_settings(models, campaign, n_repeats, scoring, y, costs)
    campaigns = None if folder is None else CampaignFolder(Path(folder))
    seed = draw_seed(random_state) if campaigns is None else campaigns.draw_seed(random_state)
    stratify = all(is_classifier(model) for model in models.values())
    labels = read_labels(y, next(iter(models.values())))
    splits = draw_splits(X, labels, groups, cv, test_size, seed, n_repeats, stratify)
    settings = {
        **_describe_oracle(oracle, costs),
        **describe(
            {name: value for name, value in campaign.items() if name != "oracle"}
            | {"scoring": scoring, "random_state": seed}
        ),
        "test_size": test_size if cv is None else None,
        "cv": None if cv is None else digest(describe(splits)),
        "groups": None if groups is None else describe_rows(np.asarray(groups)),
    }
    if campaigns is not None:
        campaigns.open({**settings, "X": describe_rows(X), "y": describe_labels(y)})
    tasks = list_tasks(models, strategies, campaign, seed, splits, scoring, campaigns)
    results = list(collect_results(tasks, LabeledData(X, y, costs), n_jobs, verbose))
    failures = [result for result in results if isinstance(result, Failure)]
    warn_of_failures(failures, len(tasks))
    runs = sort_runs([result for result in results if isinstance(result, Run)], models, strategies)
    return StrategyComparison(
        runs,
        failures=failures,
        scoring=name_scoring(scoring, next(iter(models.values()))),
        baseline=choose_baseline({run.strategy: strategies[run.strategy] for run in runs}),
        settings={**settings, "n_repeats": len(splits)},
    )


def _describe_oracle(oracle: Any, costs: Any) -> dict[str, Any]:
    """Describe what is bought and its costs; nothing of the default, which older folders lack."""
    described = {} if oracle is None else {"oracle": describe(oracle)}
    if costs is not None:
        described["costs"] = describe_labels([np.ravel(cost) for cost in costs])
    elif getattr(oracle, "sets_prices", False):
        described["costs"] = "the prices of the oracle"
    return described


def _check_settings(
    models: dict[str, Any],
    campaign: dict[str, Any],
    n_repeats: Any,
    scoring: Any,
    y: Any,
    costs: Any,
) -> None:
    """Raise an error for what would make every campaign fail, before the first is played."""
    from sklearn.metrics import check_scoring  # late: it takes a tenth of a second

    if y is None:
        raise ValueError("compare_strategies needs y, the labels of all rows, got None.")
    if isinstance(n_repeats, bool) or not isinstance(n_repeats, Integral) or n_repeats < 1:
        raise ValueError(f"n_repeats must be an integer >= 1, got {n_repeats!r}.")
    if costs is not None and n_rows(costs) != n_rows(y):
        raise ValueError(
            f"costs must have one entry for each of the {n_rows(y)} rows, got {n_rows(costs)}."
        )
    for model in models.values():
        simulation = SimulatedLearner(model, **campaign)
        simulation._validate_budget(costs)
        check_scoring(model, scoring=scoring)
    if not simulation._has_costs(costs) and campaign["budget"] < campaign["n_initial"]:
        raise ValueError(
            f"budget={campaign['budget']} does not cover n_initial={campaign['n_initial']}: the "
            "budget counts all labels. Raise budget or lower n_initial."
        )
    if campaign["initial_strategy"] is not None:
        check_strategy(campaign["initial_strategy"])
